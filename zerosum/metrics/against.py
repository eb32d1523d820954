"""Outputs against their own targets: what PSNR, SSIM and L1 share, and the floors that each is read beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.game import Batch, Maps
from zerosum.metrics.case import Case
from zerosum.metrics.intervals import FEWEST, bootstrap
from zerosum.metrics.score import Score

ITEMS = 2000
PART = 64
"""Items in memory at once, beside those of the case."""


class Side(NamedTuple):
    """What is known of some items beside their outputs and targets."""

    shave: int  # pixels that do not count at each border
    mask: Tensor | None  # [n, 1, h, w]: 1 where pixels were to be made


Each = Callable[[Tensor, Tensor, Side], Tensor]
"""The measure of each image [n, c, h, w] to its target, both in [0, 255] and rounded: [n]."""


def applies(case: Case) -> bool:
    """Games that make images from images, on pairs."""
    return case.maps is not None and case.maps.paired


def border(case: Case) -> int:
    """Pixels left out at each border: of enlarged images as many as they were enlarged by, which is usual there."""
    return case.maps.scale if case.maps is not None and case.maps.scale > 1 else 0


def shaved(x: Tensor, shave: int) -> Tensor:
    """Without the outermost pixels of each side."""
    return x[..., shave : x.shape[-2] - shave, shave : x.shape[-1] - shave] if shave else x


def levels(x: Tensor) -> Tensor:
    """Model space [-1, 1] -> [0, 255], rounded as files have it."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round()


def compared(case: Case, name: str, each: Each, better: Literal["higher", "lower"], real: float | None, what: str) -> Score:
    """The mean of a measure over held-out pairs, beside what each of the floors gets; the best of them is the trivial value."""
    maps, count = case.maps, min(case.items, ITEMS)
    assert maps is not None
    asked = case.asked if count == case.items else case.maker.inputs(count, case.seed)
    made, held = case.made(count)["x"], case.held["x"][:count]
    mean = case.train["x"].mean(0)
    found: dict[str, list[Tensor]] = {}
    for start in range(0, count, PART):
        part = {key: value[start : start + PART] for key, value in asked.items()}
        target = held[start : start + PART]
        side = Side(border(case), part.get("mask"))
        given = {"": made[start : start + PART], **floors(maps, part, target, mean)}
        for key, value in given.items():
            found.setdefault(key, []).append(each(levels(value), levels(target), side))
    values = {key: torch.cat(parts) for key, parts in found.items()}
    mine = values.pop("")
    beside = {key: float(value.mean()) for key, value in values.items()}
    best = (max if better == "higher" else min)(beside.values())
    low, high = bootstrap(mine) if count >= FEWEST else (None, None)
    protocol = (
        f"{what}: {count:,} held-out pairs; trivial: the best of {', '.join(beside)}"
        f"{f'; without {border(case)} pixels at each border' if border(case) else ''}; interval: bootstrap over pairs; "
        f"seed {case.seed}"
    )
    return Score(name, float(mine.mean()), better, real, best, protocol, low, high, beside)


def floors(maps: Maps, asked: Batch, target: Tensor, mean: Tensor) -> dict[str, Tensor]:
    """What needs no learning, by its name, each [n, *target's shape] in [-1, 1].

    The input itself (each of several), enlarged where the game enlarges; with a hole, the mean of what is known in it; and
    the mean of training targets [c, h, w]. Known pixels are kept, as the game itself keeps them.
    """
    a, everywhere = asked["a"], mean.expand_as(target)
    if maps.mask:
        known = 1 - asked["mask"]
        level = (target * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
        filled = {"mean fill": level, "mean image": everywhere}
        return {name: target * known + fill * asked["mask"] for name, fill in filled.items()}
    found = {}
    for name, part in zip(maps.names, a.split(list(maps.channels), 1), strict=True):
        if (alike := fitted(part, target.shape[1])) is None:
            continue
        if maps.scale > 1:
            found["bicubic"] = enlarged(alike, maps.scale)
        else:
            found[f"copy of {name}"] = alike
    return {**found, "mean image": everywhere}


def fitted(x: Tensor, channels: int) -> Tensor | None:
    """An image [n, c, h, w] in [-1, 1] with another number of channels, where colours and alpha say how; else None."""
    have = x.shape[1]
    if have == channels:
        return x
    if not {have, channels} <= {1, 3, 4}:
        return None
    colour = x[:, :3]
    if channels == 1:
        return (colour * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
    colour = colour.expand(-1, 3, -1, -1)
    return colour if channels == 3 else torch.cat([colour, torch.ones_like(colour[:, :1])], 1)


def enlarged(x: Tensor, scale: int) -> Tensor:
    """Bicubic enlargement (Keys 1981, a = -0.5, as Pillow and MATLAB have it), within [-1, 1]."""
    return interpolate(x, scale_factor=scale, mode="bicubic", antialias=True).clamp(-1, 1)
