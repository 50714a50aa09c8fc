"""What our reading rests on, and what servers say to it."""
