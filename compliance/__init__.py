"""hyperv-compliance: will every virtual machine come up with the address we gave it?"""
