"""Directions in latent space and every way to find them, in one place."""

from zerosum.latent.boundary import boundary, conditioned
from zerosum.latent.direction import FILE, Direction, as_text, read
from zerosum.latent.ganspace import ganspace
from zerosum.latent.sefa import sefa

__all__ = ["FILE", "Direction", "as_text", "boundary", "conditioned", "ganspace", "read", "sefa"]
