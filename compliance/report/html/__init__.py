"""The report of --html."""
