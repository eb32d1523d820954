"""Case: what a metric measures, with everything that several metrics need computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from zerosum.data.source import Source, Spec
from zerosum.game import Batch, Maps
from zerosum.metrics.features.base import Features
from zerosum.metrics.score import Maker
from zerosum.metrics.trivial import independent

if TYPE_CHECKING:
    from zerosum.metrics.tables.sides import Sides

ITEMS = 10_000
PART = 500
"""Generated items in memory at once."""

Side = Literal["made", "held", "train", "trivial"]


class Case:
    """A generator before a metric: what it makes, real items it never saw, and features of both.

    `features` is called when the first metric needs a network, so that nothing is trained or loaded in vain.
    """

    def __init__(
        self,
        maker: Maker,
        source: Source,
        features: Callable[[], Features],
        seed: int = 0,
        items: int = ITEMS,
        hurried: bool = False,
    ) -> None:
        """`hurried`: training waits for the answer, so that a metric whose cost grows with the items takes fewer."""
        self.maker, self.source, self.seed, self.hurried = maker, source, seed, hurried
        self.items = max(2, min(items, source.spec.at_once))
        if maker.maps is not None:  # an input mapped twice would count as two items
            self.items = min(self.items, len(source.held_out(self.items)["x"]))
        self._find = features
        self._made: dict[int, Batch] = {}
        self._seen: dict[Side, tuple[Tensor, Tensor | None]] = {}

    @property
    def spec(self) -> Spec:
        """The data's."""
        return self.source.spec

    @cached_property
    def labelled(self) -> bool:
        """Whether the generator takes labels."""
        return self.maker.labelled

    @property
    def maps(self) -> Maps | None:
        """What the generator takes and gives, where it makes images from images: `made(n)` then are what it made of `held`,
        in that order."""
        return self.maker.maps

    @cached_property
    def asked(self) -> Batch:
        """The inputs of `items` items."""
        return self.maker.inputs(self.items, self.seed)

    @cached_property
    def features(self) -> Features:
        """The network that items are compared by."""
        return self._find()

    def made(self, n: int) -> Batch:
        """n generated items; the same ones each time."""
        if n not in self._made:
            self._made[n] = self.maker.make(n, self.seed)
        return self._made[n]

    @cached_property
    def held(self) -> Batch:
        """Up to `items` real items held out of training."""
        return self.source.held_out(self.items)

    @cached_property
    def train(self) -> Batch:
        """Up to `items` real training items."""
        return self.source.some(self.items)

    @cached_property
    def tables(self) -> Sides:
        """Generated, real and other tables, where the data are tables."""
        from zerosum.data import modality
        from zerosum.data.rows import TableSource
        from zerosum.metrics.tables.sides import Sides  # these need pandas

        assert isinstance(self.source, TableSource)
        make = lambda n: modality(self.spec).decode(self.made(n)["x"], self.spec)
        train, held, schema = self.source.train_frame, self.source.held_frame, self.source.codec.schema
        return Sides(train, held, make, schema, self.items, self.seed)

    def seen(self, side: Side) -> Tensor:
        """Features [n, d] of one side: generated items, held-out ones, training ones, or items of independent numbers."""
        return self._look(side)[0]

    def chances(self, side: Side) -> Tensor | None:
        """Class probabilities [n, classes] of one side, where the network is a classifier."""
        return self._look(side)[1]

    def _look(self, side: Side) -> tuple[Tensor, Tensor | None]:
        if side not in self._seen:
            self._seen[side] = self._looked(side)
        return self._seen[side]

    def _looked(self, side: Side) -> tuple[Tensor, Tensor | None]:
        if side == "held":
            return self.features.look(self.held["x"])
        if side == "train":
            return self.features.look(self.train["x"])
        inputs = self.asked if side == "made" else {}
        found = []
        for start in range(0, self.items, PART):  # generated items are looked at and let go
            end = min(start + PART, self.items)
            if side == "made":
                part = self.maker.generate({name: value[start:end] for name, value in inputs.items()})
            else:
                part = independent(self.train, end - start, seed=start)
            found.append(self.features.look(part["x"]))
        features, chances = zip(*found, strict=True)
        return torch.cat(features), None if chances[0] is None else torch.cat(chances)

    def name(self, what: str, official: str = "") -> str:
        """A score's name: the field's own only where the official network made the features."""
        return official if official and self.features.official else f"{what}, {self.features.name}"

    def protocol(self, what: str, counts: str) -> str:
        """A sentence: what was measured, between how many of what, by which features, with which seed."""
        f = self.features
        return f"{what}: {counts}; features: {f.how}; SHA-256 {f.hash[:16]}, {f.dim} numbers; seed {self.seed}"
