"""Spec and Source: what every modality gives to a recipe and to the loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from math import ceil, prod
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.found import Found
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.noise import mix

ALONE = 2**20
"""Numbers of a batch up to which one thread gathers and maps them. Several would do so sooner, could they begin at once: they
sleep, or share their processors with what reads ahead, and to wait for the last takes many times as long as the work."""
MOST_NUMBERS = 2**29
"""Numbers of real items held in memory at once (2 GiB): of large images fewer are compared, and protocols say how many."""


@dataclass(frozen=True)
class Spec:
    """All that a recipe, a sampler or a picture needs to know of the data. It holds no item of them."""

    kind: str  # the modality: the name of its file in zerosum.data
    shape: tuple[int, ...]  # of one item in model space: (channels, height, width) or (numbers,)
    counts: tuple[int, ...] = ()  # training items of each class; () where there are no labels
    names: tuple[str, ...] = ()  # the classes' names
    offset: tuple[float, ...] = ()  # vectors: data = offset + scale * model space
    scale: tuple[float, ...] = ()
    origin: str = ""  # where the data came from, as the user named them
    items: int = 0  # training items; 0 where there is no end of them
    table: dict[str, Any] = field(default_factory=dict, hash=False)  # tables: their codec, as plain values
    private: dict[str, Any] = field(default_factory=dict, hash=False)  # what reading them so far cost, where that is limited
    given: dict[str, Any] = field(default_factory=dict, hash=False)  # images to start from, by name: [channels, height, width]
    made: str = ""  # the name of what is to be made of them
    matched: bool = True  # whether each item has images of its own to be made of

    @property
    def classes(self) -> int:
        """How many classes the labels name; 0 where there are no labels."""
        return len(self.counts)

    @property
    def at_once(self) -> int:
        """How many items may be in memory at once: 2 GiB of float32, with what they are made of; at least 2."""
        sizes = [prod(self.shape), *(prod(size) for size in self.given.values())]
        return max(2, MOST_NUMBERS // max(1, sum(sizes)))

    def draw_labels(self, n: int) -> Tensor:
        """n labels, int64 on the CPU, as frequent as in the training data, from torch's global stream."""
        return torch.multinomial(torch.tensor(self.counts, dtype=torch.float64), n, replacement=True)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Spec:
        """The spec that `to_json` wrote. Raises TypeError where fields are missing, unknown or of another kind."""
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        spec = Spec(**fields)
        for name, kind in _KINDS.items():
            value = getattr(spec, name)
            whole = isinstance(value, tuple) and all(type(part) in _PARTS[name] for part in value) if name in _PARTS else True
            if type(value) is not kind or not whole:
                raise TypeError(f"spec.{name} is no {kind.__name__} of what it should be")
        if not spec.shape or min(spec.shape) < 1 or min(spec.counts, default=0) < 0:
            raise TypeError("spec.shape or spec.counts holds a size that nothing has")
        return spec


_KINDS: dict[str, type] = {
    **dict.fromkeys(("kind", "origin", "made"), str),
    **dict.fromkeys(("table", "private", "given"), dict),
    **dict.fromkeys(("shape", "counts", "names", "offset", "scale"), tuple),
    "items": int,
    "matched": bool,
}
_PARTS: dict[str, set[type]] = {"shape": {int}, "counts": {int}, "names": {str}, "offset": {int, float}, "scale": {int, float}}


Items = Any
"""Items as people have them: an array [n, ...], or a pandas DataFrame of n rows."""


class Modality(Protocol):
    """A kind of data as people look at it: a module in zerosum.data."""

    def decode(self, x: Tensor, spec: Spec) -> Items:
        """Items in model space -> items as people have them."""

    def encode(self, items: Items, spec: Spec) -> Tensor:
        """The way back: decoded items -> model space, on the CPU."""

    def picture(self, items: Items, spec: Spec, columns: int) -> Image.Image:
        """Decoded items in one picture."""

    def write(self, items: Items, spec: Spec, folder: Path) -> None:
        """Decoded items as files in a folder that exists."""


@dataclass(frozen=True)
class Rows:
    """Items that are looked at a part at a time: `take(rows)` gives those of an int64 [n] as [n, *shape]."""

    count: int
    take: Callable[[np.ndarray], np.ndarray]


class Source(ABC):
    """Training items in model space, in an order that is a function of (seed, cursor); and items held out of training."""

    spec: Spec
    found: Found | None = None
    """What the reader has to say of the files, where there were any."""

    def stored(self) -> tuple[Rows, Rows] | None:
        """Training and held-out items as they are kept, for inspection; None where there is no end of them."""
        return None

    @abstractmethod
    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        """Endless batches from cursor `start` on: this rank's size // world rows of each, x [n, *shape] (and y [n])."""

    @abstractmethod
    def held_out(self, most: int | None = None) -> Batch:
        """The items that no training batch holds, on the CPU; with `most`, no more of them than the first so many."""

    @abstractmethod
    def some(self, n: int, seed: int = 0) -> Batch:
        """Up to n different training items, on the CPU."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the training items, their units and their classes' names: equal for equal data in equal order."""

    @abstractmethod
    def to(self, device: str) -> Source:
        """The same source with its data, and its batches, on a device."""


class Order:
    """An endless row of permutations of `count` items, one for each epoch: a function of the seed and the position."""

    def __init__(self, count: int, device: torch.device | str = "cpu") -> None:
        self._count, self._device = count, device
        self._last: tuple[tuple[int, int], Tensor] | None = None

    def rows(self, at: int, n: int, seed: int) -> Tensor:
        """Positions [at, at + n) of it, int64 [n]."""
        parts = []
        while n:
            epoch, first = divmod(at, self._count)
            taken = min(n, self._count - first)
            parts.append(self.permutation(epoch, seed)[first : first + taken])
            at, n = at + taken, n - taken
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def permutation(self, epoch: int, seed: int) -> Tensor:
        """One epoch's order, int64 [count]."""
        last = self._last
        if last is None or last[0] != (epoch, seed):
            generator = torch.Generator().manual_seed(mix(seed, epoch, 2**31))
            last = (epoch, seed), torch.randperm(self._count, generator=generator).to(self._device)
            self._last = last
        return last[1]


class InMemory(Source):
    """Items kept on the training device, as they came (bytes stay bytes), and scaled there batch by batch.

    A set that would take more than half of a GPU's free memory stays with the processor; then the batches travel.

    `x` and `held_x`: [n, *shape]; bytes are mapped to [-1, 1], floats are taken as model space. `y`: int64 [n]. `known`:
    the fingerprint, where another hash of the same items stands already.
    """

    def __init__(
        self,
        spec: Spec,
        x: Tensor,
        y: Tensor | None,
        held_x: Tensor,
        held_y: Tensor | None,
        device: str = "cpu",
        known: str | None = None,
    ) -> None:
        self.spec, self._device, self._known = spec, device, known
        self._x, self._y, self._held_x, self._held_y = x, y, held_x, held_y
        self._order = Order(len(x), x.device)

    def __len__(self) -> int:
        return len(self._x)

    def to(self, device: str) -> InMemory:
        home = device if _fits(self._x, device) else "cpu"
        y = None if self._y is None else self._y.to(home)
        return InMemory(self.spec, self._x.to(home), y, self._held_x, self._held_y, device, self._known)

    def stored(self) -> tuple[Rows, Rows]:
        def rows(x: Tensor) -> Rows:
            return Rows(len(x), lambda at: x[torch.from_numpy(at).to(x.device)].cpu().numpy())

        return rows(self._x), rows(self._held_x)

    def fingerprint(self) -> str:
        if self._known is not None:
            return self._known
        digest = sha256(repr((self.spec.shape, self.spec.names, self.spec.offset, self.spec.scale)).encode())
        for part in (self._x, self._y, self._held_x, self._held_y):
            digest.update(b"" if part is None else part.cpu().contiguous().numpy().data)
        return digest.hexdigest()

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        share = size // world
        at = start * size + rank * share
        while True:
            rows = self._order.rows(at, share, seed)
            x, y = _at(self._x, rows), None if self._y is None else _at(self._y, rows)
            yield as_batch(x.to(self._device), None if y is None else y.to(self._device))
            at += size

    def held_out(self, most: int | None = None) -> Batch:
        return as_batch(self._held_x[:most], None if self._held_y is None else self._held_y[:most])

    def some(self, n: int, seed: int = 0) -> Batch:
        rows = self._order.permutation(0, mix(seed, 1))[:n]
        batch = as_batch(self._x[rows], None if self._y is None else self._y[rows])
        return {name: value.cpu() for name, value in batch.items()}


def _fits(x: Tensor, device: str) -> bool:
    """Whether items leave a GPU half of its free memory. Elsewhere they lie in the processor's memory already."""
    return not device.startswith("cuda") or 2 * x.nbytes <= torch.cuda.mem_get_info(device)[0]


def _alone(x: Tensor, numbers: int) -> bool:
    return x.device.type == "cpu" and numbers < ALONE


def _at(x: Tensor, rows: Tensor) -> Tensor:
    """Those rows of it."""
    if _alone(x, len(rows) * prod(x.shape[1:])):
        return torch.from_numpy(np.take(x.numpy(), rows.numpy(), 0))
    return x[rows]


def as_batch(x: Tensor, y: Tensor | None) -> Batch:
    """A batch in model space: bytes are mapped to [-1, 1]."""
    if x.dtype == torch.uint8 and _alone(x, x.numel()):
        x = torch.from_numpy(x.numpy().astype(np.float32) / np.float32(127.5) - np.float32(1))
    elif x.dtype == torch.uint8:
        x = x.float() / 127.5 - 1
    return {"x": x} if y is None else {"x": x, "y": y}


def classes(labels: Any, count: int, origin: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Labels as integers from 0, [count], and the names of the classes; None and () where there are no labels.

    Raises UserError where there is not one integer or word an item.
    """
    if labels is None:
        return None, ()
    try:
        labels = np.asarray(labels.detach().cpu() if isinstance(labels, torch.Tensor) else labels)
        if labels.ndim == 2 and 1 in labels.shape:
            labels = labels.reshape(-1)
        if labels.shape != (count,):
            raise UserError(f"{origin}: {count} items and labels of shape {labels.shape}: give one label an item")
        if np.issubdtype(labels.dtype, np.floating):
            raise UserError(f"{origin}: labels of type {labels.dtype}: give integers or words")
        names, y = np.unique(labels, return_inverse=True)
    except (TypeError, ValueError) as error:
        raise UserError(f"{origin}: labels that cannot be compared ({error}): give integers or words") from error
    return y, tuple(str(name) for name in names)


def divide(
    count: int, y: np.ndarray | None, share: float, origin: str, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and rows held out: stratified by label where every class has two items, the same each time.

    `groups`: int [count]; items of one group stay on one side, as far as both sides keep some.
    """
    from sklearn.model_selection import train_test_split

    if ceil(share * count) >= count:
        raise UserError(f"{origin}: a held-out share of {share} leaves none of {count} items for training: lower it")
    fits = y is not None and np.bincount(y).min(initial=2, where=np.bincount(y) > 0) > 1
    room = y is not None and min(share, 1 - share) * count >= len(np.unique(y))
    rows, kept = train_test_split(np.arange(count), test_size=share, random_state=0, stratify=y if fits and room else None)
    if groups is None:
        return rows, kept
    held = np.zeros(count, bool)
    held[kept] = True
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    together = held[first][group]  # a group goes where its first item went
    if 2 * together.sum() < len(kept) or 2 * (count - together.sum()) < len(rows):
        return rows, kept
    order = np.concatenate([rows, kept])
    return order[~together[order]], order[together[order]]


def split(
    spec: Spec,
    x: np.ndarray,
    y: np.ndarray | None,
    held_out: float | None = None,
    test: tuple[Any, Any] | None = None,
    groups: np.ndarray | None = None,
) -> InMemory:
    """A source from arrays, with a held-out part drawn before anything is learned from them.

    x: [n, *spec.shape]; y: int [n] from 0. `held_out`: its share, by default 0.2 below 10,000 items and 0.1 from there
    on. `test`: a held-out part that came with the data instead. `groups`: as in `divide`.
    """
    names = [f"item {i}" for i in range(len(x))]
    if test is None:
        share = held_out if held_out is not None else (0.2 if len(x) < 10_000 else 0.1)
        rows, kept = divide(len(x), y, share, spec.origin, groups)
        names = [names[i] for part in (rows, kept) for i in part]
        x, y, test = x[rows], None if y is None else y[rows], (x[kept], None if y is None else y[kept])
    counts = () if y is None else tuple(np.bincount(y, minlength=len(spec.names)).tolist())
    tensor = lambda values: None if values is None else torch.from_numpy(np.ascontiguousarray(values))
    labels = [None if values is None else values.astype(np.int64) for values in (y, test[1])]
    parts = [tensor(values) for values in (x, labels[0], test[0], labels[1])]
    source = InMemory(replace(spec, counts=counts, items=len(x)), *parts)  # type: ignore[arg-type]
    source.found = Found(files=len(names), names=names)
    return source
