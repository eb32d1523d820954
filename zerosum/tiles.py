"""A function of small images on images of any size: overlapping tiles, laid over one another without a seam.

Along each axis every tile has a weight for each pixel. In the overlap of two neighbours it goes over from one to the other
along half a cosine, in the middle half of the overlap: pixels nearer to a cut edge than a quarter of it, where a network has
seen padding in place of the image, do not count at all. The weights are differences of a falling sequence from 1 to 0, so
that they sum to 1 however the tiles lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import pi

import torch
from torch import Tensor

from zerosum.game import Batch

PIXELS = 16 * 128 * 128
"""Of all tiles in one call, of their inputs or outputs, unless a batch is asked for."""


def tiled(
    function: Callable[[Batch], Tensor],
    inputs: Mapping[str, Tensor],
    tile: tuple[int, int],
    multiple: int = 1,
    scale: int = 1,
    overlap: int | None = None,
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """What `function` makes of images of any size, float32 [1, c', h * scale, w * scale]. See `bands` for the arguments."""
    return torch.cat(list(bands(function, inputs, tile, multiple, scale, overlap, batch, progress)), 2)


def bands(
    function: Callable[[Batch], Tensor],
    inputs: Mapping[str, Tensor],
    tile: tuple[int, int],
    multiple: int = 1,
    scale: int = 1,
    overlap: int | None = None,
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Tensor]:
    """The rows of `tiled` from the top on, a band at a time, so that no more than a row of tiles is in memory as floats.

    `inputs`: named images [1, c, h, w] of one height and width, of any type. `function` gets them as tiles [n, c, *tile] and
    gives [n, c', tile * scale]. `tile`: height and width, rounded up to a `multiple`; an axis shorter than it is mirrored at
    its ends. `overlap`: pixels of the input that neighbours share at least, below a whole tile (default: a quarter of a
    tile). `batch`: tiles in one call. `progress(done, all)` is told after each call.
    """
    height, width = next(iter(inputs.values())).shape[2:]
    high, wide = (-(-side // multiple) * multiple for side in tile)
    if overlap is not None and not 0 <= overlap < min(high, wide):
        raise ValueError(f"overlap {overlap}: must be at least 0 and below the tile's shorter side, {min(high, wide)}")
    rows, columns = _mirrored(height, high), _mirrored(width, wide)
    shares = (high // 4, wide // 4) if overlap is None else (overlap, overlap)
    tops, lefts = starts(len(rows), high, shares[0]), starts(len(columns), wide, shares[1])
    down, across = weights(tops, high, scale), weights(lefts, wide, scale)
    count = batch or max(1, PIXELS // (high * wide * scale * scale))
    first, last = _middle(height, len(rows), scale)
    side, done = slice(*_middle(width, len(columns), scale)), 0
    open_rows: Tensor | None = None  # rows that the next row of tiles may still add to, from output row `at` on
    at = 0
    for i, top in enumerate(tops):
        found: Tensor | None = None
        strip = {name: value[:, :, rows[top : top + high]] for name, value in inputs.items()}
        for start in range(0, len(lefts), count):
            some = lefts[start : start + count]
            made = function(
                {name: torch.cat([value[..., columns[x : x + wide]] for x in some]) for name, value in strip.items()}
            )
            if found is None:
                found = torch.zeros(made.shape[1], high * scale, len(columns) * scale)
            for one, x, weight in zip(made.float().cpu(), some, across[start : start + count], strict=True):
                found[:, :, x * scale : (x + wide) * scale] += one * weight
            done += len(some)
            if progress is not None:
                progress(done, len(tops) * len(lefts))
        assert found is not None
        found *= down[i][:, None]
        if open_rows is not None:
            found[:, : open_rows.shape[1]] += open_rows
        ready = (tops[i + 1] - top if i + 1 < len(tops) else high) * scale
        begin, end = max(first - at, 0), min(last - at, ready)
        if begin < end:
            yield found[None, :, begin:end, side].contiguous()
        open_rows, at = found[:, ready:], at + ready


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin so that they cover `length` >= tile pixels and neighbours share at least `overlap`, evenly spread."""
    count = -(-(length - overlap) // (tile - overlap)) if length > tile else 1
    return [(length - tile) * i // max(1, count - 1) for i in range(count)]


def weights(begins: list[int], tile: int, scale: int = 1) -> list[Tensor]:
    """The weight of each of a tile's pixels along one axis, [tile * scale], for tiles that begin there. They sum to 1."""
    place = torch.arange(tile * scale, dtype=torch.float64) + 0.5
    found = []
    for i, begin in enumerate(begins):
        weight = torch.ones_like(place)
        if i > 0:
            weight = _ramp(place, (begins[i - 1] + tile - begin) * scale)
        if i + 1 < len(begins):
            ahead = (begins[i + 1] - begin) * scale
            weight = weight - _ramp(place - ahead, tile * scale - ahead)
        found.append(weight.float())
    return found


def _ramp(place: Tensor, overlap: int) -> Tensor:
    """From 0 to 1 across the middle half of an overlap that begins at 0; a step where there is none."""
    if overlap == 0:
        return (place > 0).double()
    return (1 - torch.cos(pi * (2 * place / overlap - 0.5).clamp(0, 1))) / 2


def _mirrored(length: int, least: int) -> Tensor:
    """Indices of an axis, mirrored at both ends (without counting its ends twice) until there are `least`."""
    short = max(0, least - length)
    before = short // 2
    place = torch.arange(-before, length + short - before)
    if length == 1:
        return torch.zeros_like(place)
    place = place.remainder(2 * length - 2)
    return torch.minimum(place, 2 * length - 2 - place)


def _middle(length: int, padded: int, scale: int) -> tuple[int, int]:
    """Where the image lies among its mirrored pixels, in pixels of the output."""
    before = (padded - length) // 2
    return before * scale, (before + length) * scale
