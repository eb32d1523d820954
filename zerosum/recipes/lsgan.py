"""LSGAN: DCGAN's networks judged by squared distance to 1 and 0, with gradients that do not vanish.

Mao et al. 2017, "Least Squares Generative Adversarial Networks", eq. 9 and section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.losses import LossName
from zerosum.recipes import dcgan

build = dcgan.build


@dataclass(frozen=True, kw_only=True)
class Config(dcgan.Config):
    """LSGAN's settings."""

    loss: LossName = "least_squares"  # what the two sides minimise
