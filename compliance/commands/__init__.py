"""`hyperv-compliance COMMAND`."""
