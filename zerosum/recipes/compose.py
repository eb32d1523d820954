"""Compose: several images into one (views, person and garment, past frames), learned from examples of both.

The game of Isola et al. 2017 (pix2pix) with any number of named inputs. Its settings were chosen by experiment on images of
64 pixels (docs/LOG.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zerosum.data.source import Spec
from zerosum.game import Game
from zerosum.layers.norm import NormName
from zerosum.losses import LossName
from zerosum.penalties import PenaltyName
from zerosum.translation import PairSettings, networks, pair_maps, translation

NEEDS = "pairs"


@dataclass(frozen=True, kw_only=True)
class Config(PairSettings):
    """Compose's settings."""

    batch: int = 16  # items in a batch, over all ranks together
    width: int = 32  # channels (or units) of the narrowest hidden layer
    match_weight: float = 10.0  # weight of the same difference between D's feature maps of the two
    norm_g: NormName = "batch"  # norm of G's feature maps
    pixel_share: float = 0.6  # share of training, from its start, in which G learns from l1_weight alone, before D joins
    downs: int = 4  # how often G halves the image; 0: until its shorter side is a pixel, 8 times at most
    blocks: int = 1  # residual blocks after each of G's doublings but the last
    finish: int = 16  # channels of a last stage of G at full size, which sees the input; 0: none
    loss: LossName = "relativistic"  # what the two sides minimise
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 1.0  # weight of the penalty
    penalty_every: int = 16  # steps between penalties; the weight is multiplied by it
    lr_g: float = 4e-4  # G's learning rate
    lr_d: float = 4e-4  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    ema_halflife_kimg: float = 2.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on pairs with any number of inputs."""
    maps = pair_maps(spec)
    return translation(cfg, spec, maps, *networks(cfg, spec, maps, "compose"))
