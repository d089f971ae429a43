"""The training laboratory: tasks, models, and many runs as one tensor."""
