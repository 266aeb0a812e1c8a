"""Real processes in two network namespaces: a server that moves, and the clients that it has."""
