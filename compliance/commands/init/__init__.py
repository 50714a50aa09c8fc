"""`hyperv-compliance init`: the first inventory, made of a few answers and tried on the servers themselves."""
