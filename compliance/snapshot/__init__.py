"""What was gathered, as it came."""
