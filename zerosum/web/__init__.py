"""What the explorer and the service share: a shield, bounded bodies, errors in words, a host."""
