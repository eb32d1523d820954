"""Fréchet distance on pixels: cheap, needs no network, sees colours and layout but hardly sharpness."""

from __future__ import annotations

import torch

from zerosum.data.source import Source, Spec
from zerosum.metrics.frechet import frechet
from zerosum.metrics.score import Maker, Score
from zerosum.metrics.trivial import independent

ITEMS = 2000
COMPONENTS = 32
QUICK = True


def applies(spec: Spec, labelled: bool) -> bool:
    """Any images."""
    return spec.kind == "images"


def measure(make: Maker, source: Source, seed: int = 0) -> list[Score]:
    """Fréchet distance between generated and held-out images on the principal components of real training pixels."""
    train, held = source.some(ITEMS), source.held_out()["x"][:ITEMS].flatten(1)
    pixels = train["x"].flatten(1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        _, _, axes = torch.pca_lowrank(pixels, q=min(COMPONENTS, *pixels.shape))
    distance = lambda x: frechet(x @ axes, held @ axes)
    protocol = (
        f"Fréchet distance on {axes.shape[1]} principal components of pixels in [-1, 1]: {ITEMS:,} generated against "
        f"{len(held):,} held-out real images; real: {len(pixels):,} training images; trivial: independent pixels; seed {seed}"
    )
    values = [distance(x.flatten(1)) for x in (make(ITEMS, seed)["x"], train["x"], independent(train, ITEMS)["x"])]
    return [Score("Fréchet distance, pixels", values[0], "lower", values[1], values[2], protocol)]
