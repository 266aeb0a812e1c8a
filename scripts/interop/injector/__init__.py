"""Sends a server what no client may send, and looks at the error it answers with."""
