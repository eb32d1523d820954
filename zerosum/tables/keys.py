"""Keys and other values that every row has to itself: new ones of the same form are made, and none is kept.

A form is a small part of regular expressions: characters as they are, `[0-9]`, `[a-z]`, `[A-Z]`, each perhaps with `{n}`.
"""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np

from zerosum.errors import UserError

CLASSES = {"[0-9]": "0123456789", "[a-z]": "abcdefghijklmnopqrstuvwxyz", "[A-Z]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
PART = re.compile(r"(\[0-9\]|\[a-z\]|\[A-Z\]|\\?.)(?:\{(\d+)\})?", re.S)
SHORT = 40


def form(values: list[str], name: str) -> str:
    """The form of text keys: of those of the commonest length. Free text gets `NAME-[0-9]{6}`."""
    lengths = [len(value) for value in values]
    length = max(set(lengths), key=lengths.count)
    if not 0 < length <= SHORT or lengths.count(length) < 0.5 * len(lengths) or any(" " in value for value in values):
        return f"{_literal(name)}-[0-9]{{6}}"
    alike = [value for value in values if len(value) == length]
    classes = []
    for place in zip(*alike, strict=True):
        seen = set(place)
        fitting = next((one for one, letters in CLASSES.items() if seen <= set(letters)), None)
        classes.append(_literal(place[0]) if len(seen) == 1 else fitting or "[0-9]")
    counted = [(one, len(list(run))) for one, run in groupby(classes)]
    return "".join(one + (f"{{{count}}}" if count > 1 else "") for one, count in counted)


def _literal(text: str) -> str:
    return re.sub(r"([\[\]{}\\])", r"\\\1", text)


def make(form: str, n: int, column: str) -> np.ndarray:
    """n different keys of a form, object [n]: counted up, in digits wide enough. Raises UserError for a form without digits."""
    places: list[str] = []
    for one, times in PART.findall(form):
        letters = CLASSES.get(one, one.removeprefix("\\"))
        places += [letters] * int(times or 1)
    if all(len(letters) == 1 for letters in places):
        raise UserError(f"column {column}: form {form} gives one key alone: put [0-9]{{6}} into it")
    while np.prod([float(len(letters)) for letters in places]) < n + 1:
        places.append(CLASSES["[0-9]"])
    left, parts = np.arange(1, n + 1), []
    for letters in reversed(places):
        parts.append(np.array(list(letters), object)[left % len(letters)])
        left = left // len(letters)
    return np.array(["".join(key) for key in zip(*reversed(parts), strict=True)], dtype=object)


def after(highest: float, most: float) -> float:
    """The number from which whole-number keys are counted: a power of ten beyond the training keys, or 0 where none fits."""
    start = 10.0 ** len(str(int(abs(highest))))
    return start if start < most / 10 else 0.0
