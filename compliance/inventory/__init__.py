"""What the user names: servers, clusters and guests, in our files or Ansible's."""
