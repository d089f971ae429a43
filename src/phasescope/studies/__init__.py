"""Questions answered from end to end."""
