"""Files that users write: their form and their mistakes."""
