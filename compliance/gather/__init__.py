"""All I/O: servers, clusters and guests become a snapshot."""
