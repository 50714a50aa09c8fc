"""A snapshot for strangers."""
