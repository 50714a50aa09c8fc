"""Ansible inventories: resolved by ansible-inventory where it is installed, else read here as far as that goes."""
