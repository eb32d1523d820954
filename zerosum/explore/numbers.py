"""Numbers that come as bytes: checked for how many there are and whether they are numbers."""

from __future__ import annotations

from math import prod

import numpy as np
import torch
from torch import Tensor

from zerosum.errors import UserError

LARGEST = 1e4
"""Of a coordinate: noise and styles are about 1."""


def floats(body: bytes, *shapes: tuple[int, ...]) -> list[Tensor]:
    """Little-endian float32, one tensor after the other -> tensors of these shapes.

    Raises UserError where there are more or fewer numbers, or one is infinite, no number or beyond `LARGEST`.
    """
    counts = [prod(shape) for shape in shapes]
    if len(body) != 4 * sum(counts):
        raise UserError(f"{len(body)} bytes: send {sum(counts)} little-endian float32 numbers, {4 * sum(counts)} bytes")
    x = torch.from_numpy(np.frombuffer(body, "<f4").astype(np.float32))
    if not bool((x.abs() <= LARGEST).all()):  # false for what is no number, too
        raise UserError(f"a number is infinite, none at all or beyond {LARGEST:g}: send finite coordinates")
    return [part.reshape(shape) for part, shape in zip(x.split(counts), shapes, strict=True)]
