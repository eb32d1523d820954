"""zerosum trains, judges, explores and ships generative adversarial networks on your own data."""

__version__ = "0.1.0"
