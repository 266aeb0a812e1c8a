"""A bottleneck link in user space: a process that forwards UDP datagrams between a client and a server."""
