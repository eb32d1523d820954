"""How near made items are to wanted ones, and points to where the generator was trained: what an inversion minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from zerosum.latent.cloud import Cloud
from zerosum.latent.readers import watched
from zerosum.latent.space import Space


def pixels(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared difference of each item to its partner, [n], in model space."""
    return (made - wanted).square().flatten(1).mean(1)


def maps(space: Space, nets: nn.ModuleDict, x: Tensor) -> list[Tensor]:
    """What the layers of the discriminator between its first and its last make of images: maps [n, c, h, w], each channel
    vector of length 1; [] where there is no discriminator of single images.

    The first layer is given the pixels themselves, and the last may have seen how the items of a batch differ. Discriminator
    features for inversion: Pan et al. 2021, "Exploiting Deep Generative Prior" (section 3.2).
    """
    judge = space.game.judge
    if judge is None or x.ndim != 4:
        return []
    batch = {"x": x, "y": torch.zeros(len(x), dtype=torch.int64, device=x.device)}
    seen = [given for _, given in watched(nets, lambda: judge(nets, batch), len(x)) if given.ndim == 4][1:-1]
    return [nn.functional.normalize(each, dim=1) for each in seen]


def alike(made: list[Tensor], wanted: list[Tensor]) -> Tensor:
    """Squared distances of unit vectors at each position (Zhang et al. 2018, eq. 1, without learned weights), averaged over
    positions and layers: [n]."""
    parts = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(made, wanted, strict=True)]
    return torch.stack(parts).mean(0)


@dataclass(frozen=True)
class Home:
    """Where the generator was trained: the middle and the spread [dim] of the points of drawn items."""

    middle: Tensor
    spread: Tensor

    @staticmethod
    def of(space: Space) -> Home:
        """From drawn items, the same each time."""
        points = Cloud.of(space).points[:, 0]
        return Home(points.mean(0), points.std(0).clamp_min(1e-4))

    def distance(self, points: Tensor) -> Tensor:
        """How far points [n, layers, dim] are out, [n]: 0 as near as drawn ones, whose mean square in spreads is 1; and how
        far the layers of each are apart, squared, in spreads."""
        scaled = (points - self.middle) / self.spread
        out = (scaled.square().mean(2) - 1).clamp_min(0).square().mean(1)
        return out + (scaled - scaled.mean(1, keepdim=True)).square().mean((1, 2))
