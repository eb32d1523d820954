"""The points of many drawn items, and how far they spread."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.latent.direction import Direction
from zerosum.latent.space import Space
from zerosum.sampling import draw

POINTS = 2000
"""From which standard deviations are taken."""


@dataclass(frozen=True)
class Cloud:
    """Drawn items: what makes them, and their points without their classes' means."""

    inputs: Batch
    points: Tensor  # [n, layers, dim]
    around: Tensor  # [n, layers, dim]: points less the mean of their class

    @staticmethod
    def of(space: Space, n: int = POINTS, seed: int = 0) -> Cloud:
        """n items, a function of the seed."""
        inputs = draw(space.game, n, seed)
        points = space.enter(inputs)
        return Cloud(inputs, points, within(points, inputs.get("y")))

    def direction(self, name: str, method: str, vector: Tensor, first: int, last: int) -> Direction:
        """A vector [dim] of any length as a direction: of length 1, its largest number positive, with its spread.

        Raises UserError where it has no length, as where all drawn items are one.
        """
        if not vector.norm() > 0:
            raise UserError(f"{name}: nothing changes along any direction; does the generator make one item alone?")
        vector = vector.detach().float().cpu() / vector.norm().cpu()
        vector = vector * vector[vector.abs().argmax()].sign()
        sigma = (self.around[:, first].double() @ vector.double()).std().item()
        return Direction(name, method, vector, max(sigma, 1e-6), first, last)


def within(values: Tensor, y: Tensor | None) -> Tensor:
    """Values [n, ...] less their mean, or less the mean of their class y int [n]."""
    if y is None:
        return values - values.mean(0)
    _, place, count = y.unique(return_inverse=True, return_counts=True)
    sums = torch.zeros(len(count), *values.shape[1:]).index_add_(0, place, values)
    return values - (sums / count.view(-1, *[1] * (values.ndim - 1)))[place]
