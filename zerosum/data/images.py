"""Images: bytes [n, channels, height, width] at rest, [-1, 1] in model space, [n, height, width(, channels)] to people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data import decoder, target
from zerosum.data.found import Found
from zerosum.data.likeness import equal
from zerosum.data.source import InMemory, Spec, split
from zerosum.errors import UserError


def decode(x: Tensor, spec: Spec) -> np.ndarray:
    """[-1, 1] [n, c, h, w] -> uint8 [n, h, w] for one channel, [n, h, w, c] for more."""
    items = ((x.float().clamp(-1, 1) + 1) * 127.5).round().byte().cpu().numpy()
    return items[:, 0] if items.shape[1] == 1 else items.transpose(0, 2, 3, 1)


def encode(items: np.ndarray, spec: Spec) -> Tensor:
    """What `decode` gives -> [-1, 1] [n, c, h, w]. Raises UserError where the images are not of the spec's shape."""
    if items.ndim not in (3, 4) or _planes(items).shape[1:] != spec.shape:
        raise UserError(f"items of shape {items.shape[1:]}: this run knows images of {spec.shape} (channels, height, width)")
    low, high = _scale(items) or (spec.offset[0], spec.offset[0] + spec.scale[0])
    return torch.from_numpy(np.ascontiguousarray(_planes(items))).float().sub(low).mul(2 / (high - low)).sub(1)


def picture(items: np.ndarray, spec: Spec, columns: int) -> Image.Image:
    """A grid, row by row, on mid-grey; small images are enlarged by whole factors, without smoothing."""
    count, height, width = items.shape[:3]
    rows, gap = -(-count // columns), max(1, height // 16)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, *items.shape[3:]), 128, np.uint8)
    if items.shape[3:] == (4,):
        sheet[..., 3] = 255
    for i, item in enumerate(items):
        top, left = gap + (i // columns) * (height + gap), gap + (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = item
    zoom = max(1, 48 // height)
    return _to_pil(sheet).resize((sheet.shape[1] * zoom, sheet.shape[0] * zoom), Image.Resampling.NEAREST)


def write(items: np.ndarray, spec: Spec, folder: Path) -> None:
    """One PNG an image, numbered from 00000."""
    for i, item in enumerate(items):
        _to_pil(item).save(folder / f"{i:05d}.png")


def _to_pil(item: np.ndarray) -> Image.Image:
    if item.ndim == 3 and item.shape[2] not in (3, 4):
        item = item[..., 0]  # other channel counts have no picture format; their first channel is shown
    return Image.fromarray(item)


def from_array(
    x: np.ndarray,
    y: np.ndarray | None,
    names: tuple[str, ...],
    origin: str,
    held_out: float | None = None,
    test: tuple[np.ndarray, np.ndarray | None] | None = None,
    size: str | None = None,
    groups: np.ndarray | None = None,
) -> InMemory:
    """A source of images from [n, h, w], [n, h, w, c] or [n, c, h, w]: bytes, or floats in [0, 1], [-1, 1] or [0, 255].

    `size` is what they are brought to. Items that are equal, or of one of `groups` (int [n]), are held out together.
    """
    wanted = None if size is None else target.parse(size)
    planes = at_rest(x, origin, None)
    sizes = {(planes.shape[2], planes.shape[3]): len(planes)}
    planes = sized(planes, wanted)
    low, high = _range(x, origin)
    spec = Spec("images", tuple(planes.shape[1:]), names=names, offset=(low,), scale=(high - low,), origin=origin)
    if test is not None:
        test = (at_rest(test[0], origin, wanted), test[1])
        if test[0].shape[1:] != planes.shape[1:]:
            both = f"training images are {planes.shape[1:]} and test images {test[0].shape[1:]}"
            raise UserError(f"{origin}: {both}: make them alike")
    source = split(spec, planes, y, held_out, test, equal(planes, groups))
    reason = "their own size" if wanted is None else "as asked"
    every = [*(source.found or Found()).names, *(f"test item {i}" for i in range(0 if test is None else len(test[0])))]
    source.found = Found(files=len(every), sizes=sizes, reason=reason, names=every)
    return source


def at_rest(x: np.ndarray, origin: str, size: target.Size | None) -> np.ndarray:
    """Bytes [n, c, h, w] of images as `from_array` takes them, brought to a size.

    Raises UserError where their scale is unknown.
    """
    return sized(_planes(_bytes(x, origin)), size)


def sized(planes: np.ndarray, size: target.Size | None) -> np.ndarray:
    """Bytes [n, c, h, w] scaled to cover a size, antialiased, and cut to their middle."""
    if size is None or planes.shape[2:] == size or not len(planes):
        return planes
    items = planes.transpose(0, 2, 3, 1)
    whole = planes.shape[1] in (3, 4)
    parts = [items[..., : planes.shape[1]]] if whole else [items[..., i] for i in range(planes.shape[1])]
    done = [
        np.stack([np.asarray(decoder.fitted(Image.fromarray(np.ascontiguousarray(x)), size[1], size[0])) for x in part])
        for part in parts
    ]
    return done[0].transpose(0, 3, 1, 2) if whole else np.stack(done, 1)


def _planes(x: np.ndarray) -> np.ndarray:
    if x.ndim == 3:
        return x[:, None]
    channels_last = x.shape[3] <= 4 or (x.shape[1] > 4 and x.shape[3] < x.shape[1])
    return x.transpose(0, 3, 1, 2) if channels_last else x


def _scale(x: np.ndarray) -> tuple[float, float] | None:
    """(black, white) where the type of the numbers alone says it."""
    return {"uint8": (0.0, 255.0), "bool": (0.0, 1.0)}.get(str(x.dtype))


def _range(x: np.ndarray, origin: str) -> tuple[float, float]:
    """(black, white): what the darkest and the brightest possible pixel are. Raises UserError where it is none of the usual."""
    if known := _scale(x):
        return known
    low, high = float(x.min()), float(x.max())
    if np.issubdtype(x.dtype, np.floating) and low >= -1 and high <= 1:
        return (0.0 if low >= 0 else -1.0), 1.0
    if low >= 0 and 64 <= high <= 255:  # a set whose brightest pixel is below 64 is on another scale, not so dark
        return 0.0, 255.0
    raise UserError(f"{origin}: pixel values from {low:g} to {high:g}: scale them to 0..255, 0..1 or -1..1")


def _bytes(x: np.ndarray, origin: str) -> np.ndarray:
    if x.dtype == np.uint8:
        return x
    black, white = _range(x, origin)
    return np.rint((x.astype(np.float64) - black) * (255 / (white - black))).astype(np.uint8)
