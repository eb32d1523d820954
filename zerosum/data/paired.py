"""Paired: images to start from beside what they should become, matched item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np
import torch
from torch import Tensor

from zerosum.data.found import Found
from zerosum.data.likeness import equal
from zerosum.data.source import InMemory, Rows, Source, Spec, as_batch, divide
from zerosum.errors import UserError
from zerosum.game import Batch


class Paired(Source):
    """Pairs kept in memory as bytes. Batches are `a` [n, channels of all inputs, h, w] and `x` [n, *spec.shape] in [-1, 1].

    `a` and `held_a`: uint8, the inputs that `spec.given` names, in that order along the channels; `x` and `held_x`: uint8, what
    they should become.
    """

    def __init__(
        self,
        spec: Spec,
        a: Tensor,
        x: Tensor,
        held_a: Tensor,
        held_x: Tensor,
        device: str = "cpu",
        known: str | None = None,
    ) -> None:
        """`known`: the fingerprint, where another hash of the same pairs stands already."""
        self.spec, self._a, self._held_a, self._known = spec, a, held_a, known
        self._x = InMemory(spec, x, torch.arange(len(x)), held_x, torch.arange(len(held_x))).to(device)
        self._whole = (x, held_x)  # on the processor

    def __len__(self) -> int:
        return len(self._a)

    def to(self, device: str) -> Paired:
        source = Paired(self.spec, self._a, self._whole[0], self._held_a, self._whole[1], device, self._known)
        source.found = self.found
        return source

    def stored(self) -> tuple[Rows, Rows]:
        return self._x.stored()

    def apart(self) -> tuple[InMemory, InMemory]:
        """The inputs and the outputs, each as plain items, split as the pairs are."""
        shape = tuple(self._a.shape[1:])
        spec = replace(self.spec, given={}, made="")
        inputs = InMemory(replace(spec, shape=shape), self._a, None, self._held_a, None)
        return inputs, InMemory(spec, self._whole[0], None, self._whole[1], None)

    def fingerprint(self) -> str:
        if self._known is not None:
            return self._known
        digest = sha256((self._x.fingerprint() + repr((dict(self.spec.given), self.spec.made))).encode())
        for part in (self._a, self._held_a):
            digest.update(part.contiguous().numpy().data)
        return digest.hexdigest()

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        for batch in self._x.batches(size, seed, start, rank, world):
            yield _beside(self._a, batch)

    def held_out(self) -> Batch:
        return _beside(self._held_a, self._x.held_out())

    def some(self, n: int, seed: int = 0) -> Batch:
        return _beside(self._a, self._x.some(n, seed))


def _beside(a: Tensor, batch: Batch) -> Batch:
    """The inputs of a batch whose labels are row numbers, and its items."""
    rows, x = batch["y"], batch["x"]
    return {"a": as_batch(a[rows.cpu()].to(x.device, non_blocking=True), None)["x"], "x": x}


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
    a = np.concatenate(list(inputs.values()), 1)
    names = list(names) or [f"pair {i}" for i in range(len(x) + (0 if test is None else len(test[1])))]
    if test is None:
        share = held_out if held_out is not None else (0.2 if len(x) < 10_000 else 0.1)
        rows, kept = divide(len(x), None, share, origin, equal(x, groups))
        names = [names[i] for part in (rows, kept) for i in part]
        parts = [a[rows], x[rows], a[kept], x[kept]]
    else:
        parts = [a, x, np.concatenate(list(test[0].values()), 1), test[1]]
    left, right, held_left, held_right = (torch.from_numpy(np.ascontiguousarray(part)) for part in parts)
    source = Paired(replace(spec, items=len(left)), left, right, held_left, held_right)
    source.found = Found(files=len(names), sizes={(x.shape[2], x.shape[3]): len(x)}, reason="their own size", names=names)
    return source
