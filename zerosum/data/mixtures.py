"""Two-dimensional mixtures of Gaussians, drawn afresh for every batch: the classic test for dropped modes.

ring8: 8 modes on a circle of radius 2, deviation 0.02 (Srivastava et al. 2017, "VEEGAN", section 5.1: 8 modes; the
values are the field's usual ones). grid25: 25 modes at {-4, -2, 0, 2, 4}^2, deviation 0.05 (Lin et al. 2018, "PacGAN",
section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from zerosum.data.source import Source, Spec
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.noise import mix

NAMES = ("ring8", "grid25")


def centres(name: str) -> tuple[np.ndarray, float]:
    """The modes' centres [k, 2] and the standard deviation around each."""
    if name == "ring8":
        angle = 2 * np.pi * np.arange(8) / 8
        return 2 * np.stack([np.cos(angle), np.sin(angle)], 1), 0.02
    ticks = np.arange(-4.0, 5.0, 2.0)
    return np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2), 0.05


def accepts(what: Any) -> bool:
    """Whether this is the name of a mixture."""
    return isinstance(what, str) and what in NAMES


def load(what: Any, labels: Any = None, held_out: float | None = None) -> Source:
    """The mixture. There is no end of fresh points, so none need be kept back for `held_out`."""
    if labels is not None:
        raise UserError(f"{what} takes no labels: leave them out")
    return Mixture(what)


class Mixture(Source):
    """Endless points of a mixture; batch number b is a function of (seed, b)."""

    def __init__(self, name: str, device: str = "cpu") -> None:
        places, spread = centres(name)
        scale = float(np.sqrt(places.var(0).mean() + spread**2))
        self.name, self.device = name, device
        self._centres, self._spread = torch.from_numpy(places).float() / scale, spread / scale
        self.spec = Spec("vectors", (2,), offset=(0.0, 0.0), scale=(scale, scale), origin=name)

    def to(self, device: str) -> Mixture:
        return Mixture(self.name, device)

    def fingerprint(self) -> str:
        return self.name

    def _points(self, n: int, *seed: int) -> Tensor:
        generator = torch.Generator().manual_seed(mix(*seed))  # the last word is from 2**31 on: zerosum.noise has the others
        which = torch.randint(len(self._centres), (n,), generator=generator)
        return self._centres[which] + self._spread * torch.randn(n, 2, generator=generator)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        cursor = start
        while True:
            yield {"x": self._points(size, seed, cursor, 2**31).chunk(world)[rank].to(self.device)}
            cursor += 1

    def held_out(self, most: int | None = None) -> Batch:
        return {"x": self._points(10_000, 0, 0, 2**31 + 1)[:most]}

    def some(self, n: int, seed: int = 0) -> Batch:
        return {"x": self._points(n, seed, 0, 2**31 + 2)}
