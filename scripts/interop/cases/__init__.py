"""The interop runner's test cases: what is transferred over which link, and what the capture must show."""
