"""Masks for inpainting: which pixels of an image are to be made. Random ones, from the shared stream of `zerosum.noise`.

Both kinds are drawn as a field of distances, from boxes or from lines drawn by a free hand, and the nearest pixels are
taken until the wanted share is reached; so every mask has its share to the pixel, and few lines make thick strokes, many
make thin ones. Free-form masks are those of Yu et al. 2019, "Free-Form Image Inpainting with Gated Convolution", section
3.4, in kind, not in their constants.
"""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from zerosum import noise

SHARE = (0.1, 0.4)
"""Least and largest share of masked pixels; uniform between."""

STROKES, CORNERS = 5, 5
"""Most strokes in a mask, and the points that each goes through."""

BOXES = 3


def holes(n: int, height: int, width: int, share: tuple[float, float] = SHARE, device: torch.device | str = "cpu") -> Tensor:
    """Masks [n, 1, height, width], float32: 1 where pixels are to be made, 0 where they are known. Half of them boxes.

    `share`: of masked pixels, uniform between the two. n is this rank's part of the batch.
    """
    draw = noise.uniform(n, 2, device=device)
    wanted = share[0] + (share[1] - share[0]) * draw[:, :1]
    field = torch.where(draw[:, 1:, None] < 0.5, _boxes(n, height, width, device), _strokes(n, height, width, device))
    return nearest(field, wanted)


def nearest(field: Tensor, share: Tensor) -> Tensor:
    """[n, h, w] -> masks [n, 1, h, w] of the `share` [n, 1] of pixels with the smallest values, rounded to a pixel."""
    flat = field.flatten(1)
    count = (share * flat.shape[1]).round().long().clamp(0, flat.shape[1])
    order = flat.argsort(dim=1, stable=True)
    taken = (torch.arange(flat.shape[1], device=field.device) < count).to(torch.float32)
    return torch.zeros_like(flat).scatter_(1, order, taken).view(len(field), 1, *field.shape[1:])


def _grid(height: int, width: int, device: torch.device | str) -> tuple[Tensor, Tensor]:
    """Rows [h, 1] and columns [1, w] of pixel centres, in units of the shorter side."""
    short = min(height, width)
    rows, columns = ((torch.arange(side, device=device) + 0.5) / short for side in (height, width))
    return rows[:, None], columns[None]


def _boxes(n: int, height: int, width: int, device: torch.device | str) -> Tensor:
    """How much the nearest of one to three boxes must grow until it covers a pixel, [n, h, w]."""
    rows, columns = _grid(height, width, device)
    bottom, right = float(rows.max()), float(columns.max())
    draw = noise.uniform(n, BOXES, 5, device=device)
    field = torch.full((n, height, width), torch.inf, device=device)
    for i in range(BOXES):
        y, x, shape, size, there = (draw[:, i, k, None, None] for k in range(5))
        tall = torch.exp2((shape - 0.5) * 2)  # from half as wide as tall to twice
        grow = torch.maximum((rows - y * bottom).abs() / tall, (columns - x * right).abs() * tall) / (0.5 + size)
        field = torch.minimum(field, grow if i == 0 else torch.where(there < 0.4, grow, torch.inf))
    return field


def _strokes(n: int, height: int, width: int, device: torch.device | str) -> Tensor:
    """Distance to the nearest of some lines with bends, less its own thickness, [n, h, w]."""
    rows, columns = _grid(height, width, device)
    bottom, right = float(rows.max()), float(columns.max())
    draw = noise.uniform(n, STROKES, 2 * CORNERS + 3, device=device)
    field = torch.full((n, height, width), torch.inf, device=device)
    for i in range(STROKES):
        start, thick, there = draw[:, i, :2], draw[:, i, 2, None, None] * 0.05, draw[:, i, 3, None, None]
        angle, length = draw[:, i, 4 : 4 + CORNERS - 1].clone(), draw[:, i, 4 + CORNERS : 4 + 2 * CORNERS - 1] * 0.4
        turn = (angle - 0.5) * 1.5 * pi
        turn[:, 0] = angle[:, 0] * 2 * pi  # off in any direction, then bends of up to 135 degrees
        heading = turn.cumsum(1)
        ends_y = torch.cat([start[:, :1] * bottom, start[:, :1] * bottom + (length * heading.sin()).cumsum(1)], 1)
        ends_x = torch.cat([start[:, 1:] * right, start[:, 1:] * right + (length * heading.cos()).cumsum(1)], 1)
        for j in range(CORNERS - 1):
            away = _from_segment(rows, columns, ends_y[:, j : j + 2], ends_x[:, j : j + 2]) - thick
            field = torch.minimum(field, away if i == 0 else torch.where(there < 0.5, away, torch.inf))
    return field


def _from_segment(rows: Tensor, columns: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Distance of every pixel to the segments from (y[:, 0], x[:, 0]) to (y[:, 1], x[:, 1]), [n, h, w]."""
    y0, x0 = y[:, 0, None, None], x[:, 0, None, None]
    dy, dx = y[:, 1, None, None] - y0, x[:, 1, None, None] - x0
    along = (((rows - y0) * dy + (columns - x0) * dx) / (dy * dy + dx * dx + 1e-12)).clamp(0, 1)
    return ((rows - y0 - along * dy).square() + (columns - x0 - along * dx).square()).sqrt()
