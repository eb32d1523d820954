"""Fréchet distance on pixels: cheap, needs no network, sees colours and layout but hardly sharpness."""

from __future__ import annotations

from math import prod

import torch

from zerosum.metrics.case import Case
from zerosum.metrics.frechet import frechet, interval
from zerosum.metrics.score import Score
from zerosum.metrics.trivial import independent

ITEMS = 2000
COMPONENTS = 32
MOST = 2**28
"""Numbers of one side in memory at once (1 GiB): of larger images fewer are compared, and the protocol says how many."""
QUICK = True


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """Fréchet distance between generated and held-out images on the principal components of real training pixels."""
    items = max(2, min(ITEMS, MOST // prod(case.spec.shape)))
    items = items if case.maps is None else min(items, case.items)
    train, held = case.source.some(items), case.source.held_out(items)["x"].flatten(1)
    pixels = train["x"].flatten(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _, _, axes = torch.pca_lowrank(pixels, q=min(COMPONENTS, *pixels.shape))
    made, real, trivial = (x.flatten(1) @ axes for x in (case.made(items)["x"], train["x"], independent(train, items)["x"]))
    reference = held @ axes
    value = frechet(made, reference)
    protocol = (
        f"Fréchet distance on {axes.shape[1]} principal components of pixels in [-1, 1]: {items:,} generated against "
        f"{len(held):,} held-out real images; real: {len(pixels):,} training images; trivial: independent pixels; "
        f"interval: jackknife over tenths; seed {case.seed}"
    )
    ends = frechet(real, reference), frechet(trivial, reference)
    return [Score("Fréchet distance, pixels", value, "lower", *ends, protocol, *interval(made, reference, value))]
