"""Perceptual path length: how far the picture moves, as features see it, while the generator's input moves a little."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.game import Batch
from zerosum.metrics.case import PART, Case
from zerosum.metrics.features.base import whole_float32
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.score import Score

QUICK = False
STEP = 1e-4
"""Of the way from one input to another."""

PAIRS = 2000
LEFT_OUT = 0.01
"""Share of the shortest and of the longest paths that does not count, as in the paper's own measurements."""


def slerp(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The point at share t [n, 1] of the great circle from a to b [n, d], both seen as directions, with their lengths mixed.

    Shoemake 1985, "Animating Rotation with Quaternion Curves".
    """
    a, b, t = a.double(), b.double(), t.double()
    lengths = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    cosine = ((a / lengths[0]) * (b / lengths[1])).sum(1, keepdim=True).clamp(-1, 1)
    angle = cosine.acos().clamp_min(1e-9)
    mixed = (torch.sin((1 - t) * angle) * a / lengths[0] + torch.sin(t * angle) * b / lengths[1]) / angle.sin().clamp_min(1e-9)
    return (mixed * torch.lerp(*lengths, t)).float()


def between(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """A point on the way from a to b: the straight way where inputs are bounded by 1 (uniform noise), else the great circle."""
    bounded = float(torch.maximum(a.abs().max(), b.abs().max())) <= 1
    return torch.lerp(a.double(), b.double(), t.double()).float() if bounded else slerp(a, b, t)


def trimmed(values: Tensor) -> Tensor:
    """Values from the 1 % to the 99 % quantile."""
    low, high = values.quantile(torch.tensor([LEFT_OUT, 1 - LEFT_OUT], dtype=values.dtype))
    return values[(values >= low) & (values <= high)]


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """Mean squared distance of features, over the squared step, at a random place of 2,000 ways through z.

    Karras et al. 2019, "A Style-Based Generator Architecture for GANs", section 4.1, with these features in place of VGG's.
    No path is shorter, so measured, than the squared distance of its ends: `real` is that of pairs of held-out images, what
    a generator would reach whose paths are straight. Nothing where the generator's inputs have no z.
    """
    n = min(PAIRS, case.items)
    first, second = case.maker.inputs(n, case.seed), case.maker.inputs(n, case.seed + 1)
    if "z" not in first:
        return []
    t = torch.rand(n, 1, generator=torch.Generator().manual_seed(case.seed)).double()
    lengths = []
    for start in range(0, n, PART):
        rows = slice(start, start + PART)
        ends = [_moved(first, second, t + shift, rows) for shift in (0.0, STEP)]
        with whole_float32():  # the items differ by less than a GPU rounds
            made = [case.maker.generate(inputs)["x"] for inputs in ends]
        seen = [case.features.unrounded(x).double() for x in made]
        lengths.append((seen[0] - seen[1]).square().sum(1) / STEP**2)
    kept = trimmed(torch.cat(lengths))
    held = case.seen("held").double()
    half = len(held) // 2
    real = float((held[:half] - held[half : 2 * half]).square().sum(1).mean())
    counts = (
        f"{n:,} pairs of inputs, step {STEP:g} in z, same labels at both ends, without the shortest and longest 1 %; "
        f"real: mean squared distance of {half:,} pairs of held-out images, the least for as varied a generator; no trivial "
        f"value; interval: bootstrap over pairs"
    )
    low, high = bootstrap(kept)
    protocol = case.protocol("perceptual path length (not the paper's, whose features are VGG's)", counts)
    return [Score(case.name("path length"), float(kept.mean()), "lower", real, None, protocol, low, high)]


def _moved(first: Batch, second: Batch, t: Tensor, rows: slice) -> Batch:
    """Inputs of these rows at share t of the way in z; everything else, labels included, as in the first."""
    z = between(first["z"][rows], second["z"][rows], t[rows])
    moved = {name: value[rows] for name, value in first.items()} | {"z": z}
    return moved | ({"z_fine": z} if "z_fine" in moved else {})
