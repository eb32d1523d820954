"""A direction in latent space that changes one thing about items, and the file in which a run's directions are kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zerosum.errors import UserError
from zerosum.latent.space import Space

FILE = "directions.json"
"""In a run folder."""
FORMAT = 1
MOST = 256
"""Directions in a file."""
MOST_BYTES = 16 * 2**20
LONGEST = 80
"""Characters of a name."""


@dataclass(frozen=True)
class Direction:
    """One way to move points [n, layers, dim]: a step of 1 is one standard deviation of the points of drawn items."""

    name: str
    method: str  # how it was found: sefa, jacobian, ganspace, boundary
    vector: Tensor  # float32 [dim] on the CPU, of length 1
    sigma: float  # standard deviation of points along it, within a class
    first: int = 0  # layers first ... last - 1 are moved
    last: int = 1

    def move(self, points: Tensor, steps: float) -> Tensor:
        """Points [n, layers, dim] that many standard deviations along."""
        moved = points.clone()
        moved[:, self.first : self.last] += steps * self.sigma * self.vector.to(points.device)
        return moved

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        values = {"name": self.name, "method": self.method, "sigma": self.sigma, "first": self.first, "last": self.last}
        return values | {"vector": [float(f"{value:.7g}") for value in self.vector.tolist()]}


def as_text(directions: Sequence[Direction], step: int) -> str:
    """What directions.json holds. `step`: of the checkpoint that they were found in."""
    return json.dumps({"format": FORMAT, "step": step, "directions": [one.to_json() for one in directions]})


def read(path: Path, space: Space, step: int) -> list[Direction]:
    """The directions of a file that belong to the checkpoint at a step; [] where it does not exist or is of another.

    Raises UserError where it is damaged, larger than anything that is written here, or of another generator.
    """
    mend = "remove it, or run `zerosum directions` again"
    try:
        if not path.is_file():  # a pipe would keep its reader waiting for ever
            return []
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES // 2**20} MiB")
        values = json.loads(data)
        rows = values["directions"]
        if values["format"] != FORMAT:
            raise ValueError(f"format {str(values['format'])[:20]}, and this zerosum reads {FORMAT}")
        if values["step"] != step:
            return []
        if not isinstance(rows, list) or len(rows) > MOST:
            raise ValueError(f"not a list of at most {MOST} directions")
        return [_direction(row, space) for row in rows]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error}): {mend}") from error
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        why = " ".join(str(error).split())[:120]
        raise UserError(f"{path} is damaged or of another run ({type(error).__name__}: {why}): {mend}") from error


def _direction(row: dict[str, Any], space: Space) -> Direction:
    name, method, sigma, first, last = (row[key] for key in ("name", "method", "sigma", "first", "last"))
    if any(type(word) is not str or not 0 < len(word) <= LONGEST or not word.isprintable() for word in (name, method)):
        raise ValueError(f"a name that is not 1 to {LONGEST} printable characters")
    if type(first) is not int or type(last) is not int or not 0 <= first < last <= space.layers:
        raise ValueError(f"layers that are not among the {space.layers} there are")
    if type(sigma) not in (int, float) or not (isfinite(sigma) and 0 < sigma < 1e6):
        raise ValueError("a standard deviation that is none")
    numbers = row["vector"]
    if not isinstance(numbers, list) or len(numbers) != space.dim:
        raise ValueError(f"a vector that has not {space.dim} numbers")
    if any(type(number) not in (int, float) or not isfinite(number) or abs(number) > 1e6 for number in numbers):
        raise ValueError("a vector that is not all numbers")
    if (length := sqrt(sum(number**2 for number in numbers))) < 1e-6:
        raise ValueError("a vector of no length")
    return Direction(name, method, torch.tensor(numbers) / length, float(sigma), first, last)


def layers(space: Space, first: int, last: int | None) -> tuple[int, int]:
    """A range of layers, the whole by default. Raises UserError where the generator has none such."""
    last = space.layers if last is None else last
    if not 0 <= first < last <= space.layers:
        many = f"layers 0 to {space.layers}" if space.styled else "one layer, 0 to 1, because it has no styles"
        raise UserError(f"layers {first} to {last}: this generator has {many}")
    return first, last
