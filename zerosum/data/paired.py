"""Paired: images to start from beside what they should become, matched item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np
import torch

from zerosum.data.found import Found
from zerosum.data.likeness import equal
from zerosum.data.source import InMemory, Rows, Source, Spec, divide
from zerosum.errors import UserError
from zerosum.game import Batch


class Paired(Source):
    """Batches are `a` [n, channels of all inputs, h, w] and `x` [n, *spec.shape] in [-1, 1], row by row matched."""

    def __init__(self, spec: Spec, inputs: Sequence[Source], x: Source) -> None:
        """`inputs`: in the order of `spec.given`. All sources have equally many items, and so draw them in one order."""
        self.spec, self._inputs, self._x = spec, list(inputs), x

    def __len__(self) -> int:
        return self.spec.items

    def to(self, device: str) -> Paired:
        source = Paired(self.spec, [part.to(device) for part in self._inputs], self._x.to(device))
        source.found = self.found
        return source

    def stored(self) -> tuple[Rows, Rows] | None:
        return self._x.stored()

    def apart(self) -> tuple[Source, Source]:
        """The first input and the outputs, each as plain items, split as the pairs are."""
        return self._inputs[0], self._x

    def fingerprint(self) -> str:
        parts = [part.fingerprint() for part in (*self._inputs, self._x)]
        return sha256(repr((dict(self.spec.given), self.spec.made, self.spec.shape, parts)).encode()).hexdigest()

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for parts in zip(*(part.batches(size, seed, start, rank, world) for part in (*self._inputs, self._x)), strict=True):
            yield _beside(parts)

    def held_out(self, most: int | None = None) -> Batch:
        return _beside([part.held_out(most) for part in (*self._inputs, self._x)])

    def some(self, n: int, seed: int = 0) -> Batch:
        return _beside([part.some(n, seed) for part in (*self._inputs, self._x)])


def _beside(parts: Sequence[Batch]) -> Batch:
    return {"a": torch.cat([part["x"] for part in parts[:-1]], 1), "x": parts[-1]["x"]}


def plain(spec: Spec, shape: Sequence[int]) -> Spec:
    """The spec of one side of pairs by itself."""
    return replace(spec, shape=tuple(shape), given={}, made="")


def spec_of(given: Mapping[str, Sequence[int]], shape: Sequence[int], made: str, origin: str) -> Spec:
    """Of pairs with inputs and outputs of these shapes (channels, height, width)."""
    inputs = {name: list(one) for name, one in given.items()}
    return Spec("images", tuple(shape), offset=(0.0,), scale=(255.0,), origin=origin, given=inputs, made=made)


def from_arrays(
    inputs: Mapping[str, np.ndarray],
    x: np.ndarray,
    made: str = "output",
    origin: str = "array",
    held_out: float | None = None,
    groups: np.ndarray | None = None,
    test: tuple[Mapping[str, np.ndarray], np.ndarray] | None = None,
    names: Sequence[str] = (),
) -> Paired:
    """A source from named inputs, each uint8 [n, c, h, w] of one height and width, and their outputs, uint8 [n, c, h, w].

    `held_out`: its share, by default 0.2 below 10,000 items and 0.1 from there on. Items with equal outputs, or of one of
    `groups` (int [n]), are held out together. `test`: a held-out part that came with the data instead. `names`: of the
    items, then of those of `test`. Raises UserError where numbers or sizes of inputs and outputs differ.
    """
    for name, part in inputs.items():
        if len(part) != len(x):
            raise UserError(f"{origin}: {len(part)} images of {name} and {len(x)} of {made}: pairs need as many of each")
        if part.shape[2:] != next(iter(inputs.values())).shape[2:]:
            raise UserError(f"{origin}: inputs of different sizes, {name} {part.shape[2:]}: bring them to one")
    spec = spec_of({name: part.shape[1:] for name, part in inputs.items()}, x.shape[1:], made, origin)
    names = list(names) or [f"pair {i}" for i in range(len(x) + (0 if test is None else len(test[1])))]
    sides = [*inputs.values(), x]
    if test is None:
        share = held_out if held_out is not None else (0.2 if len(x) < 10_000 else 0.1)
        rows, kept = divide(len(x), None, share, origin, equal(x, groups))
        names = [names[i] for part in (rows, kept) for i in part]
        parts = [(side[rows], side[kept]) for side in sides]
    else:
        parts = list(zip(sides, [*test[0].values(), test[1]], strict=True))
    spec = replace(spec, items=len(parts[-1][0]))
    stored = [in_memory(plain(spec, train.shape[1:]), train, held) for train, held in parts]
    source = Paired(spec, stored[:-1], stored[-1])
    source.found = Found(files=len(names), sizes={(x.shape[2], x.shape[3]): len(x)}, reason="their own size", names=names)
    return source


def in_memory(spec: Spec, train: np.ndarray, held: np.ndarray, known: str | None = None) -> InMemory:
    """One side of pairs from bytes [n, c, h, w], for training and held out. `known`: the fingerprint, where it stands."""
    x, held_x = (torch.from_numpy(np.ascontiguousarray(part)) for part in (train, held))
    return InMemory(spec, x, None, held_x, None, known=known)
