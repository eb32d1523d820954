"""WGAN-GP: a Wasserstein critic kept 1-Lipschitz by a gradient penalty; steady on images and vectors.

Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.penalties import PenaltyName
from zerosum.recipes import wgan

build = wgan.build


@dataclass(frozen=True, kw_only=True)
class Config(wgan.Config):
    """WGAN-GP's settings: the paper's defaults."""

    penalty: PenaltyName = "gradient_penalty"  # penalty on D's gradient with respect to its input
    weight_clip: float = 0.0  # D's weights are kept within +- this; 0: no limit
    optim: Literal["adam", "rmsprop"] = "adam"  # optimiser of both sides
    lr_g: float = 1e-4  # G's learning rate
    lr_d: float = 1e-4  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.9  # Adam's decay of the mean squared gradient, both sides
