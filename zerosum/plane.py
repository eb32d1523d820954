"""A game in the plane at one moment: generated points, and what D says of every place, for the picture that moves."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zerosum.data import modality
from zerosum.data.source import Source, Spec
from zerosum.sampling import Sampler

POINTS = 400
"""Generated, and real, that are kept."""
SIDE = 33
"""Places along each side at which D is asked."""
REACH = 2.2
"""Standard deviations of the data from their mean to the picture's edge, as in the sample picture."""


def flat(spec: Spec) -> bool:
    """Whether items are points in the plane."""
    return spec.kind == "vectors" and tuple(spec.shape) == (2,)


def frame(sampler: Sampler, seed: int) -> dict[str, Any]:
    """Generated points, always of the same inputs, and D's opinion (a logit: higher is more real) on a square grid.

    `fake`: up to 400 pairs, `extent`: [left, right, low, high] in the data's units; `surface`: 33 rows from low to high of 33
    places from left to right, both edges included; None where no player sees single items. No buffer and no stream of
    randomness is moved.
    """
    spec = sampler.spec
    made = sampler.preview(seed)["x"]
    made = made[:: max(1, len(made) // POINTS)][:POINTS]  # of every class
    (left, low), (right, high) = (_units(torch.tensor([[end, end]]), spec)[0] for end in (-REACH, REACH))
    return {"fake": _units(made, spec), "extent": [left, right, low, high], "surface": _surface(sampler)}


def real(source: Source) -> dict[str, Any]:
    """Training points: up to 400 pairs in the data's units."""
    return {"points": _units(source.some(POINTS)["x"], source.spec)}


def _units(x: Tensor, spec: Spec) -> list[list[float]]:
    return [[float(f"{value:.5g}") for value in point] for point in modality(spec).decode(x, spec).tolist()]


def _surface(sampler: Sampler) -> list[list[float]] | None:
    """D at every place; with labels, its mean over the classes, each as often as it is in the data."""
    judge, spec, device = sampler.run.game.judge, sampler.spec, sampler.run.pace.device
    if judge is None or spec.classes > 16:
        return None
    line = torch.linspace(-REACH, REACH, SIDE)
    places = torch.cartesian_prod(line, line).flip(1).to(device)  # rows by the second coordinate, columns by the first
    counts = spec.counts if sampler.labelled else (1,)
    total = torch.zeros(len(places))
    with sampler.run.shown() as nets:
        for label, count in enumerate(counts):
            labels = {"y": torch.full((len(places),), label, device=device)} if sampler.labelled else {}
            total += count / sum(counts) * judge(nets, {"x": places} | labels).float().cpu()
    if not total.isfinite().all():
        return None
    return [[float(f"{value:.4g}") for value in row] for row in total.view(SIDE, SIDE).tolist()]
