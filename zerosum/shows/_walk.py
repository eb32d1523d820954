"""The way between two inputs of a generator: along a great circle for normal noise, straight for uniform noise."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.game import Batch, Game
from zerosum.sampling import draw


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The straight line: (1 - t) a + t b."""
    return (1 - t) * a + t * b


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The great circle between rows of a and b [n, ...]: (sin((1 - t) w) a + sin(t w) b) / sin w, w their angle.

    Rows of equal norm keep it, and normal noise keeps its length on average, where a straight line would lead through
    lengths that are never drawn (White 2016, "Sampling Generative Networks", section 2.1; Shoemake 1985). Where w is 0 or
    pi there is no one great circle, and the line is straight.
    """
    rows_a, rows_b = a.double().flatten(1), b.double().flatten(1)
    norms = (rows_a.norm(dim=1) * rows_b.norm(dim=1)).clamp_min(1e-30)
    angle = ((rows_a * rows_b).sum(1) / norms).clamp(-1, 1).arccos()[:, None]
    sine = angle.sin()
    along = (((1 - t) * angle).sin() * rows_a + (t * angle).sin() * rows_b) / sine.clamp_min(1e-30)
    return torch.where(sine > 1e-6, along, lerp(rows_a, rows_b, t)).to(a.dtype).view_as(a)


def straight(game: Game) -> set[str]:
    """The inputs to be walked along straight lines: single numbers, and noise that never leaves [-1, 1] (uniform)."""
    return {name for name, value in draw(game, 512, 0).items() if value.ndim < 2 or value.abs().max() <= 1}


def between(a: Batch, b: Batch, t: float, lines: set[str]) -> Batch:
    """Inputs at t in [0, 1] on the way from a to b, whole numbers (labels) as in a; exactly a and b at the ends."""

    def one(name: str, start: Tensor, end: Tensor) -> Tensor:
        if t <= 0 or not start.is_floating_point():
            return start
        return end if t >= 1 else (lerp if name in lines else slerp)(start, end, t)

    return {name: one(name, a[name], b[name]) for name in a}


def shares(keys: int, frames: int, loop: bool) -> list[tuple[int, float]]:
    """(leg, share of it) of each frame on the way through so many keys; a loop comes back towards the first key.

    Without a loop the first and the last frame are the first and the last key; with one the frame after the last would
    be the first again.
    """
    legs = keys if loop else keys - 1
    last = frames if loop else max(1, frames - 1)
    at = [min(legs * i // last, legs - 1) for i in range(frames)]
    return [(leg, legs * i / last - leg) for i, leg in enumerate(at)]


def joined(parts: list[Batch]) -> Batch:
    """Batches one after the other."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
