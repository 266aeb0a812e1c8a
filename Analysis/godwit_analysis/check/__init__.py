"""Whether experiments show what they have to: runs them, times them, and judges their results."""
