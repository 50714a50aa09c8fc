"""Hyper-V's classes: which are read, and what their rows mean."""
