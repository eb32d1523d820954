"""scikit-learn's handwritten digits: 1,797 real images of 8 x 8 pixels, embedded in that package (UCI, CC BY 4.0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from zerosum.data.images import from_array
from zerosum.data.source import Source
from zerosum.errors import UserError


def accepts(what: Any) -> bool:
    """Whether this is the name of the set."""
    return isinstance(what, str) and what == "digits"


def load(what: Any, labels: Any = None, held_out: float | None = None) -> Source:
    """The digits with their labels; 20 % are held out unless told otherwise."""
    if labels is not None:
        raise UserError("digits bring their own labels: leave yours out")
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return from_array(pixels, digits.target, tuple("0123456789"), "digits", held_out or 0.2)
