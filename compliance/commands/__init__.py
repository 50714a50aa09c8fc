"""`python -m compliance COMMAND`."""
