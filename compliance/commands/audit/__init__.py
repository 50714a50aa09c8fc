"""`hyperv-compliance audit`: a run of pytest for people who do not know pytest."""
