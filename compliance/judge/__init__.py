"""An estate and rules become verdicts."""
