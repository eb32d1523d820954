"""Which items are alike: equal ones by a hash of their bytes, nearly equal ones by what is left of them at a glance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations, pairwise

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

BITS = 3
"""Bits of 64 in which the hashes of two pictures that are nearly equal may differ."""
BANDS = 6
WINDOW = 32
PART, BYTES = 2000, 2**26
"""Items that are looked at together, at most, and their bytes."""
GLANCE = 16


def equal(x: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray | None:
    """A number for each item, int64 [n], the same for items of equal bytes and for items of one group.

    None where every item is a group of its own.
    """
    first: dict[bytes, int] = {}
    same = np.array([first.setdefault(_digest(row), i) for i, row in enumerate(x)])
    if groups is None:
        return same if len(first) < len(x) else None
    return united(same, groups)


def united(*groups: np.ndarray) -> np.ndarray:
    """A number for each item, int64 [n], the same for items that are together in any of several groupings, int [n] each."""
    every = np.arange(len(groups[0]))
    edges = []
    for grouping in groups:
        _, start, group = np.unique(grouping, return_index=True, return_inverse=True)
        edges.append(np.stack([every, start[group]]))
    return joined(len(every), *edges)


def _digest(row: np.ndarray) -> bytes:
    return blake2b(np.ascontiguousarray(row).data, digest_size=16).digest()


def joined(count: int, *edges: np.ndarray) -> np.ndarray:
    """A number for each of `count` items, the same for those that edges [2, m] connect."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = np.concatenate(edges, 1)
    return connected_components(coo_array((np.ones(len(a), bool), (a, b)), (count, count)), directed=False)[1]


@dataclass(frozen=True)
class Glances:
    """What is compared: `contents` uint64 [n, 2], a hash of all bytes; `hashes` uint64 [n], of the looks; `small` float32
    [n, channels * 16 * 16], of mean 0 and norm 1 each."""

    contents: np.ndarray
    hashes: np.ndarray
    small: np.ndarray


def glances(count: int, take: Callable[[np.ndarray], np.ndarray]) -> Glances:
    """Of `count` > 0 images, of which `take(rows)` gives some as uint8 [n, channels, height, width].

    The hash of the looks holds for each of 8 x 8 places whether its grey is brighter than its right neighbour's by more
    than a level (a difference hash).
    """
    contents, hashes, small = [], [], []
    part = max(1, min(PART, BYTES // take(np.arange(1)).nbytes))
    for start in range(0, count, part):
        items = take(np.arange(start, min(count, start + part)))
        contents.append(np.frombuffer(b"".join(map(_digest, items)), np.uint64).reshape(-1, 2))
        parts = [some.float() for some in torch.from_numpy(items).split(200)]
        grey = adaptive_avg_pool2d(torch.cat([some.mean(1, keepdim=True) for some in parts]), (8, 9))[:, 0]
        bits = (grey[:, :, :-1] > grey[:, :, 1:] + 1).flatten(1).numpy()
        hashes.append(np.packbits(bits, axis=1).view(np.uint64)[:, 0])
        flat = torch.cat([adaptive_avg_pool2d(some, GLANCE) for some in parts]).flatten(1)
        flat = flat - flat.mean(1, keepdim=True)
        small.append((flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-3)).numpy())
    return Glances(np.concatenate(contents), np.concatenate(hashes), np.concatenate(small))


def near(seen: Glances, least: float = 0.998) -> np.ndarray:
    """Pairs of items that look alike, int64 [2, m], first < second: hashes within 3 bits and a correlation of `least`.

    Two hashes that differ in 3 of 64 bits agree in at least 3 of 6 bands of about 11 bits (Manku, Jain, Das Sarma 2007,
    "Detecting near-duplicates for web crawling", section 3): for each choice of 3 bands, items are sorted by these and
    compared with the 32 that follow. So the cost grows like n log n; of large heaps of equal hashes not every pair is seen.
    """
    count, found = len(seen.hashes), [np.empty(0, np.int64)]
    edges = [int(edge) for edge in np.linspace(0, 64, BANDS + 1)]
    bands = [np.uint64((1 << b) - (1 << a)) for a, b in pairwise(edges)]
    for chosen in combinations(bands, BANDS - BITS):
        key = seen.hashes & np.bitwise_or.reduce(np.array(chosen))
        order = np.argsort(key, kind="stable")
        key = key[order]
        for step in range(1, min(WINDOW, count - 1) + 1):
            together = np.flatnonzero(key[step:] == key[:-step])
            if not len(together):
                break
            a, b = order[together], order[together + step]
            close = np.bitwise_count(seen.hashes[a] ^ seen.hashes[b]) <= BITS
            found.append(np.minimum(a, b)[close] * count + np.maximum(a, b)[close])
    a, b = np.divmod(np.unique(np.concatenate(found)), count)
    parts = [slice(i, i + PART) for i in range(0, len(a), PART)]
    alike = np.concatenate([np.empty(0), *(np.einsum("ij,ij->i", seen.small[a[p]], seen.small[b[p]]) for p in parts)])
    return np.stack([a, b])[:, alike >= least]
