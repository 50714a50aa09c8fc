"""What the inside of a guest says: the way in, one script of read-only commands, and its output taken apart."""
