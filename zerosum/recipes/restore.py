"""Restore: photographs alone teach it to undo what is done to them (colour lost, edges left, noise, blur).

The game of Isola et al. 2017 (pix2pix) on pairs that are made while training: the target is a crop, the input the same crop
spoilt. Colours from grey and photographs from edges are among that paper's own examples (section 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game, Maps
from zerosum.layers import spoil
from zerosum.losses import LossName
from zerosum.parts import need_images
from zerosum.penalties import PenaltyName
from zerosum.translation import PairSettings, networks, translation

NEEDS = "crops"


@dataclass(frozen=True, kw_only=True)
class Config(PairSettings):
    """Restore's settings."""

    undo: Literal["grey", "edges", "noise", "blur"] = "noise"  # what the input is: luma alone, edges alone, noisy, blurred
    noise_most: float = 0.4  # noise: the largest standard deviation, in model space; 0.4 is 51 of 255 levels
    blur_most: float = 2.0  # blur: the largest standard deviation of the window, in pixels
    batch: int = 8  # items in a batch, over all ranks together
    downs: int = 4  # how often G halves the image; 0: until its shorter side is a pixel, 8 times at most
    blocks: int = 1  # residual blocks after each of G's doublings but the last
    finish: int = 16  # channels of a last stage of G at full size, which sees the input; 0: none
    loss: LossName = "relativistic"  # what the two sides minimise
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 1.0  # weight of the penalty
    penalty_every: int = 16  # steps between penalties; the weight is multiplied by it
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    ema_halflife_kimg: float = 2.0  # half-life of G's moving average, in thousands of items; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on crops of photographs. Raises UserError where there is no colour to give back."""
    shape = need_images(spec, "restore")
    if cfg.undo == "grey" and shape[0] < 3:
        raise UserError(f"undo grey gives colours back, and these images have {shape[0]} channel(s): take noise, blur or edges")
    if cfg.undo == "blur" and not cfg.blur_most:
        raise UserError("blur_most 0: a window of no width blurs nothing: give more than 0")
    spoils: dict[str, Callable[[Tensor], Tensor]] = {
        "grey": spoil.grey,
        "edges": spoil.edges,
        "noise": partial(spoil.noised, most=cfg.noise_most),
        "blur": partial(spoil.blurred, most=cfg.blur_most),
    }
    spoilt = spoils[cfg.undo]
    channels = 1 if cfg.undo in ("grey", "edges") else shape[0]
    ask = lambda batch: {"a": spoilt(batch["x"])}
    maps = Maps(ask, (cfg.undo,), (channels,), (shape[1], shape[2]), made=spec.made or "photograph")
    return translation(cfg, spec, maps, *networks(cfg, spec, maps, "restore"))
