"""hyperv-compliance: will every virtual machine come up with the address we gave it?

PYTEST_DONT_REWRITE: no test stands here, and the command `audit` has loaded this package before pytest starts.
"""
