"""`hyperv-compliance inventory`: what one says once it is resolved, what it lacks, and Ansible's as ours."""
