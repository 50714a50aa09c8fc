"""Two audits: what changed, and what that flipped."""
