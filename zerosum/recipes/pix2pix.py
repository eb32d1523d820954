"""Pix2pix: one image into another, learned from pairs; a U-Net before a discriminator of patches.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", section 3 and appendix 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game
from zerosum.translation import PairSettings, networks, pair_maps, translation

NEEDS = "pairs"


@dataclass(frozen=True, kw_only=True)
class Config(PairSettings):
    """Pix2pix's settings."""

    batch: int = 8  # items in a batch, over all ranks together
    lr_schedule: Literal["constant", "linear", "cosine"] = "linear"  # how the learning rates fall
    zoom: float = 286 / 256  # pairs are enlarged by this and cut back at random


def build(cfg: Config, spec: Spec) -> Game:
    """The game on pairs with one input. Raises UserError where there are more."""
    if len(spec.given) > 1:
        raise UserError(f"recipe pix2pix takes one input, and these pairs have {', '.join(spec.given)}: take --recipe compose")
    maps = pair_maps(spec)
    return translation(cfg, spec, maps, *networks(cfg, spec, maps, "pix2pix"))
