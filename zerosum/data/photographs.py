"""Whole pictures of any size, of which parts are taken: kept in memory as bytes, or read from their files each time."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from PIL import Image

from zerosum.data.decoder import Fact, Load, Shape, examine, fitted
from zerosum.data.decoders import cores, decode
from zerosum.data.shelf import Shelf
from zerosum.data.target import Size
from zerosum.errors import UserError

Place = tuple[int, int, int]
"""A picture's number, and top and left in it."""


@dataclass(frozen=True)
class Photograph:
    """One picture: its slot on the shelf, its size as stored, and the size in which parts are taken of it."""

    slot: int
    stored: Size
    size: Size


def survey(shelf: Shelf) -> list[Fact]:
    """What every file of a shelf holds, by all processors."""
    slots = list(range(len(shelf.names)))
    facts: list[Fact] = [Fact(slot, b"", why="missing from the archive") for slot in slots]
    for part in decode(shelf.loads(slots), len(slots), None, os.devnull):
        for fact in part:
            facts[fact.slot] = fact
    return facts


class Photographs(ABC):
    """Pictures by number, in one number of channels."""

    def __init__(self, shelf: Shelf, every: Sequence[Photograph], channels: int, shift: int) -> None:
        self._shelf, self.every, self.channels, self._shift = shelf, every, channels, shift

    def __len__(self) -> int:
        return len(self.every)

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures, whole."""
        return self.channels * sum(one.size[0] * one.size[1] for one in self.every)

    @abstractmethod
    def whole(self, number: int) -> np.ndarray:
        """One picture, uint8 [height, width, channels]."""

    def parts(self, places: Sequence[Place], size: Size) -> Iterator[np.ndarray]:
        """Parts of pictures, uint8 [channels, *size] each."""
        for place in places:
            yield self._part(place, size)

    def _part(self, place: Place, size: Size) -> np.ndarray:
        number, top, left = place
        return self.whole(number)[top : top + size[0], left : left + size[1]].transpose(2, 0, 1)

    def glance(self, number: int, size: Size) -> np.ndarray:
        """All of one, scaled to cover a size and cut to its middle, uint8 [channels, *size]."""
        whole = self.whole(number)
        if self.channels in (3, 4):
            return np.asarray(fitted(Image.fromarray(whole), size[1], size[0])).transpose(2, 0, 1)
        planes = [np.asarray(fitted(Image.fromarray(whole[..., i]), size[1], size[0])) for i in range(self.channels)]
        return np.stack(planes)

    def _read(self, number: int, size: Size) -> np.ndarray:
        """A picture from its file, at a size. Raises UserError where it has gone since it was looked at."""
        for _, load in self._shelf.loads([self.every[number].slot]):
            return self._decoded(number, load, size)
        return self._gone(number)

    def _decoded(self, number: int, load: Load, size: Size) -> np.ndarray:
        one = self.every[number]
        shape = Shape(*size, self.channels, self._shift)
        _, pixels = examine(one.slot, load, shape)
        return self._gone(number) if pixels is None else np.frombuffer(pixels, np.uint8).reshape(shape[:3])

    def _gone(self, number: int) -> NoReturn:
        name = self._shelf.names[self.every[number].slot]
        raise UserError(f"{self._shelf.origin}: {name} has changed or gone while it was in use: put it back, and begin anew")


class Filed(Photographs):
    """Pictures that are read from their files each time, several at once: too many for memory."""

    def whole(self, number: int) -> np.ndarray:
        return self._read(number, self.every[number].size)

    def parts(self, places: Sequence[Place], size: Size) -> Iterator[np.ndarray]:
        with ThreadPoolExecutor(cores()) as threads:
            yield from threads.map(lambda place: self._part(place, size).copy(), places)  # the whole is let go

    def glance(self, number: int, size: Size) -> np.ndarray:
        return self._read(number, size).transpose(2, 0, 1)  # with no more detail than that takes


class Kept(Photographs):
    """Pictures in memory, decoded at once by all processors."""

    def __init__(self, shelf: Shelf, every: Sequence[Photograph], channels: int, shift: int) -> None:
        super().__init__(shelf, every, channels, shift)
        numbers = {one.slot: number for number, one in enumerate(every)}
        with ThreadPoolExecutor(cores()) as threads:
            loads = shelf.loads(sorted(numbers))  # once from beginning to end, as archives like it
            read = lambda pair: (numbers[pair[0]], self._decoded(numbers[pair[0]], pair[1], every[numbers[pair[0]]].size))
            found = dict(threads.map(read, loads))
        self._whole = [found[number] if number in found else self._gone(number) for number in range(len(every))]

    def whole(self, number: int) -> np.ndarray:
        return self._whole[number]


def sized(fact: Fact, least: Size) -> Photograph:
    """A picture in its own size, or in that in which it covers `least`."""
    scale = max(1.0, least[0] / fact.height, least[1] / fact.width)
    size = (max(least[0], round(scale * fact.height)), max(least[1], round(scale * fact.width)))
    return Photograph(fact.slot, (fact.height, fact.width), size if scale > 1 else (fact.height, fact.width))
