"""Building blocks, one idea a file."""
