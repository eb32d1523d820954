"""Key: where all noise that protects rows comes from, and which rows are sampled. Whoever has it can take the noise off.

The stream is SHAKE-256 of the key and of what the numbers are for, so that it is a function of (key, step), as an exact resume
needs, and of nothing that is published. The seed of a training is written down for everybody to see, and has no part in it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import shake_256
from math import prod

import numpy as np
import torch
from torch import Tensor

from zerosum.errors import UserError

BYTES = 32


@dataclass(frozen=True)
class Key:
    """32 secret bytes."""

    secret: bytes = field(repr=False)

    @staticmethod
    def fresh() -> Key:
        """A new one, from the operating system."""
        return Key(secrets.token_bytes(BYTES))

    @staticmethod
    def from_words(words: str) -> Key:
        """The key that 64 hexadecimal digits name. Raises UserError where they are none."""
        try:
            found = bytes.fromhex(words)
        except ValueError:
            found = b""
        if len(found) != BYTES:
            raise UserError("a key of noise has 64 hexadecimal digits: the run's secret.json holds it")
        return Key(found)

    def uniform(self, n: int, *use: str | int) -> np.ndarray:
        """n numbers, uniform in (0, 1), float64, for one use: other words, other numbers."""
        name = "/".join(map(str, use)).encode()
        bits = np.frombuffer(shake_256(self.secret + name).digest(8 * n), np.uint64)
        return ((bits >> np.uint64(11)) + 0.5) / 2.0**53

    def normal(self, shape: tuple[int, ...], *use: str | int) -> np.ndarray:
        """Standard normal numbers, float64, for one use (Box & Muller 1958)."""
        n = prod(shape)
        half = (n + 1) // 2
        u = self.uniform(2 * half, *use)
        radius, angle = np.sqrt(-2 * np.log(u[:half])), 2 * np.pi * u[half:]
        return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])[:n].reshape(shape)

    def normal_like(self, x: Tensor, *use: str | int) -> Tensor:
        """The same in a tensor's shape and type, on its device."""
        return torch.from_numpy(self.normal(tuple(x.shape), *use)).to(x.device, x.dtype)
