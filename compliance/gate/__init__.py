"""Open or closed, and why."""
