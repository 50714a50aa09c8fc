"""What to do about each cause: a text, and where there is one a command for review. Nothing here is ever run."""
