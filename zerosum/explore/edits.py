"""Items that people brought, on their way into a latent space, and moved in it once they are there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

import torch
from torch import Tensor

from zerosum.latent.directions import Direction
from zerosum.latent.inversion import Inverted
from zerosum.latent.space import Space
from zerosum.web.trouble import Busy, Unknown

MOST_KEPT = 8
"""Edits that are remembered."""
RANGE = 2.0
"""Of a pixel in model space."""


@dataclass
class Edit:
    """One item: as it came, what has been found of it so far, and what it can be steered by."""

    run: str
    wanted: Tensor  # [1, c, h, w] in model space
    space: Space
    directions: Sequence[Direction] = ()
    found: Inverted | None = None

    @property
    def decibels(self) -> float | None:
        """PSNR of what has been found; None before anything is."""
        if self.found is None:
            return None
        return round(10 * log10(RANGE**2 / max(1e-10, self.found.error.item())), 2)

    def so_far(self) -> Inverted:
        """What has been found. Raises Busy where nothing is yet."""
        if self.found is None:
            raise Busy("nothing is found yet: ask again in a moment")
        return self.found

    def moved(self, steps: Sequence[float], label: int | None) -> Tensor:
        """The item [1, c, h, w] moved so many sigmas along each direction, and into another class where one is named."""
        found = self.so_far()
        points, rest = found.points, found.rest
        for one, step in zip(self.directions, steps, strict=False):
            points = one.move(points, step) if step else points
        if label is not None and "y" in rest:
            rest = {"y": torch.nn.functional.one_hot(torch.tensor([label]), rest["y"].shape[1]).float()}
        return self.space.leave(points, rest)


class Edits:
    """Edits by numbers that nobody can guess; the oldest go."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Edit] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, number: str, edit: Edit) -> None:
        """Remember one."""
        with self._lock:
            self._kept[number] = edit
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def take(self, run: str, number: str) -> Edit:
        """The edit of a number. Raises Unknown where it is not there any more."""
        with self._lock:
            edit = self._kept.get(number)
        if edit is None or edit.run != run:
            raise Unknown("this picture is no longer kept: choose it again")
        return edit
