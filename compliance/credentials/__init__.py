"""Passwords: where they are kept, and when they may be tried."""
