"""The programs that can be put into the matrix, each with what it can't do."""
