"""Unpaired: two sets of images that do not belong together item by item."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import torch
from torch import Tensor

from zerosum.data.source import Rows, Source
from zerosum.game import Batch
from zerosum.noise import mix

STREAM = 2**31 + 7  # tells this file's order of `a` from that of `x` by the same seed
GREY = (0.299, 0.587, 0.114)
"""What red, green and blue add to the grey that is seen (ITU-R BT.601)."""


class Domains(Source):
    """Batches of `a`, drawn from one source, beside `x`, drawn from another: each by an order of its own.

    `a` gets as many channels as `x` has. Held-out items are as many of each as the smaller held-out part has.
    """

    def __init__(self, a: Source, x: Source, names: tuple[str, str]) -> None:
        """`names`: of what is given and of what is to be made. Both sources hold images of one height and width."""
        self._a, self._inner, self._names, self.found = a, x, names, x.found
        given = {names[0]: [x.spec.shape[0], *a.spec.shape[1:]]}
        self.spec = replace(x.spec, counts=(), names=(), given=given, made=names[1], matched=False)

    def stored(self) -> tuple[Rows, Rows] | None:
        return self._inner.stored()

    def to(self, device: str) -> Domains:
        return Domains(self._a.to(device), self._inner.to(device), self._names)

    def fingerprint(self) -> str:
        return sha256(repr((self._a.fingerprint(), self._inner.fingerprint(), self._names)).encode()).hexdigest()

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        first = self._a.batches(size, mix(seed, STREAM), start, rank, world)
        second = self._inner.batches(size, seed, start, rank, world)
        for a, x in zip(first, second, strict=True):  # both are endless
            yield self._beside(a, x)

    def held_out(self, most: int | None = None) -> Batch:
        a, x = self._a.held_out(most), self._inner.held_out(most)
        count = min(len(a["x"]), len(x["x"]))
        return self._beside({"x": a["x"][:count]}, {"x": x["x"][:count]})

    def some(self, n: int, seed: int = 0) -> Batch:
        a, x = self._a.some(n, mix(seed, STREAM)), self._inner.some(n, seed)
        count = min(len(a["x"]), len(x["x"]))
        return self._beside({"x": a["x"][:count]}, {"x": x["x"][:count]})

    def _beside(self, a: Batch, x: Batch) -> Batch:
        return {"a": channelled(a["x"], self.spec.shape[0]), "x": x["x"]}


def channelled(x: Tensor, channels: int) -> Tensor:
    """Images [n, c, h, w] in [-1, 1] with another number of channels: grey, RGB or RGBA.

    Grey is colour as it is seen; what alpha lets through is white. Other numbers of channels are left as they are.
    """
    have = x.shape[1]
    if have == channels or not {have, channels} <= {1, 3, 4}:
        return x
    if have == 4:
        alpha = (x[:, 3:] + 1) / 2
        x = x[:, :3] * alpha + (1 - alpha)
    if channels == 1 and x.shape[1] == 3:
        return (x * x.new_tensor(GREY)[:, None, None]).sum(1, keepdim=True)
    x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 and channels > 1 else x
    return torch.cat([x, torch.ones_like(x[:, :1])], 1) if channels == 4 else x
