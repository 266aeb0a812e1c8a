"""Runs cells of the matrix: a client, a server and the link between them, then the checks."""
