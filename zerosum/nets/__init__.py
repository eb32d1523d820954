"""Generators and discriminators, one family a file. G(z, y=None) -> items, D(x, y=None) -> logits [n, 1]."""
