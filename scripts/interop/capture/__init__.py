"""Reads what the link recorded and decrypts it, independently of the endpoints' own code."""
