"""Images chosen among named arrays by words such as rgba[1]."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zerosum.data.matching import INPUTS, TARGETS
from zerosum.errors import UserError

_TERM = re.compile(r"(.+?)\[(-?\d+)(?::(\d+))?\]")
GROUPS = ("group", "groups")


@dataclass(frozen=True)
class Chosen:
    """Arrays of images [n, ...] by the words that chose them, and groups of items, int [n], where there are some."""

    inputs: dict[str, np.ndarray]
    made: str
    x: np.ndarray
    groups: np.ndarray | None


def images_among(arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Names of the arrays that can be images."""
    return [name for name, x in arrays.items() if 3 <= x.ndim <= 5 and x.dtype.kind in "biuf"]


def plainly(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether names leave no doubt: as many images called a as b, input as target, or some beside a target of as many."""
    able = {name.lower(): shape for name, shape in shapes.items() if len(shape) >= 3}
    alike = len({shape[0] for shape in able.values()}) == 1 and all(len(shape) < 5 for shape in able.values())
    named = set(able) in ({"a", "b"}, {"input", "target"}, {"inputs", "targets"}) or "target" in able
    return len(able) > 1 and alike and named


def choose(arrays: Mapping[str, np.ndarray], inputs: str | None, target: str | None, origin: str) -> Chosen:
    """The images asked for; where nothing is said, those named target (b, y ...) and the others of as many items.

    `rgba[1]` is the second image of each item of an array [n, images, h, w(, c)], `rgba[0:4]` its first four. Raises
    UserError where there are none such, or it is not clear which.
    """
    able = images_among(arrays)
    asked = [word for part in (inputs or "").split(",") if part.strip() for word in _spread(part.strip())]
    made = target.strip() if target is not None else _target(able, asked, origin)
    x = pick(arrays, made, origin)
    if not asked:
        named = [name for name in able if name.lower() in INPUTS and name != made]
        asked = named or [name for name in able if name != made and len(arrays[name]) == len(x)]
        if made not in able or not asked:  # rgba[0] says nothing of what the inputs are
            raise UserError(f"{origin}: which images are inputs? It holds {', '.join(arrays)}: say --inputs NAME,NAME")
    if made in asked or len(set(asked)) < len(asked):
        raise UserError(f"{origin}: {made} is asked for twice: give each array once, and the target apart from the inputs")
    chosen = {word: pick(arrays, word, origin) for word in asked}
    return Chosen(chosen, made, x, _groups(arrays, len(x), origin))


def pick(arrays: Mapping[str, np.ndarray], word: str, origin: str) -> np.ndarray:
    """The images [n, h, w(, c)] that a word names. Raises UserError where it names none."""
    term = _TERM.fullmatch(word)
    name, at = (term[1], int(term[2])) if term and word not in arrays else (word, None)
    if name not in arrays:
        raise UserError(f"{origin}: no array {name}: it holds {', '.join(arrays)}")
    x = arrays[name]
    if at is not None:
        if x.ndim < 4 or not -x.shape[1] <= at < x.shape[1]:
            raise UserError(f"{origin}: no {word}: {name} has shape {x.shape}, and the second number counts images of an item")
        return x[:, at]
    if x.ndim == 5:
        raise UserError(f"{origin}: {name} holds {x.shape[1]} images an item: choose with {name}[0], {name}[1] ...")
    return x


def _spread(word: str) -> list[str]:
    """rgba[0:3] -> rgba[0], rgba[1], rgba[2]; anything else as it is."""
    term = _TERM.fullmatch(word)
    if term is None or term[3] is None:
        return [word]
    if not 0 <= int(term[2]) < int(term[3]):
        raise UserError(f"inputs {word}: counts from the first of an item's images to before the second, as rgba[0:4]")
    return [f"{term[1]}[{i}]" for i in range(int(term[2]), int(term[3]))]


def _target(able: Sequence[str], asked: Sequence[str], origin: str) -> str:
    found = [name for word in TARGETS for name in able if name.lower() == word and name not in asked]
    if not found and len(able) == 1:
        one = able[0]
        raise UserError(
            f"{origin}: one array of images, {one}: say what is made of what, as --target {one}[0] --inputs {one}[1]"
        )
    if not found:
        raise UserError(f"{origin}: which images are to be made? It holds {', '.join(able) or 'none'}: say --target NAME")
    return found[0]


def _groups(arrays: Mapping[str, np.ndarray], count: int, origin: str) -> np.ndarray | None:
    name = next((name for name in GROUPS if name in arrays), None)
    if name is None:
        return None
    if arrays[name].shape != (count,) or arrays[name].dtype.kind not in "iuU":
        raise UserError(f"{origin}: {name} has shape {arrays[name].shape}: give a whole number for each of {count} items")
    return arrays[name]
