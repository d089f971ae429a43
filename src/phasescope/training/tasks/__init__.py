"""What the networks are taught; one family of tasks per module."""
