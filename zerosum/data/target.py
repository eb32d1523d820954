"""The one size that all pictures of a set are brought to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from zerosum.errors import UserError

Size = tuple[int, int]
"""(height, width) in pixels."""

SIDES = (16, 24, 32, 48, 64, 96, 128)
COMMON = 0.9


def parse(text: str) -> Size:
    """(height, width) from "64" (a square) or "64x48" (height x width). Raises UserError where it is neither."""
    found = re.fullmatch(r"\s*(\d{1,5})(?:\s*[x×X]\s*(\d{1,5}))?\s*", str(text))
    if found is None:
        raise UserError(f"size {text}: give pixels as 64 (a square) or 64x48 (height x width)")
    height, width = int(found[1]), int(found[2] or found[1])
    if not (1 <= height <= 8192 and 1 <= width <= 8192):
        raise UserError(f"size {text}: sides must lie between 1 and 8192 pixels")
    return height, width


def words(size: Size) -> str:
    """A size as people are told it."""
    return f"{size[0]} x {size[1]}"


def choose(sizes: Mapping[Size, int], asked: Size | None = None) -> tuple[Size, str]:
    """The size for pictures of these sizes (with how many have each), and why in words.

    What was asked for; else the size of at least 90 % of them; else a size that at least 90 % of them need not be
    enlarged to, of at most 128 pixels on the short side: of the common shape where 90 % share one (within 3 %), else a
    square.
    """
    if asked is not None:
        return asked, "as asked"
    total = sum(sizes.values())
    most, count = Counter(sizes).most_common(1)[0]
    if count == total:
        return most, "their own size"
    if count >= COMMON * total:
        return most, f"the size of {count:,} of {total:,}"
    short = reached({s: n for s, n in sizes.items()})
    side = max((s for s in SIDES if s <= short), default=SIDES[0])
    height, width = _shape(sizes, total)
    if height == width:
        return (side, side), f"a square that {100 * COMMON:.0f} % need not be enlarged to, of {SIDES[-1]} at most"
    scale = side / min(height, width)
    bent = (max(1, round(height * scale)), max(1, round(width * scale)))
    return bent, f"their common shape, short side {side}: {100 * COMMON:.0f} % need not be enlarged; {SIDES[-1]} at most"


def reached(sizes: Mapping[Size, int]) -> int:
    """The short side that 90 % of the pictures reach."""
    total, seen = sum(sizes.values()), 0
    for side, count in sorted(((min(size), n) for size, n in sizes.items()), reverse=True):
        seen += count
        if seen >= COMMON * total:
            return side
    return 1


def _shape(sizes: Mapping[Size, int], total: int) -> Size:
    """A size whose shape 90 % of the pictures have, or a square."""
    for height, width in sorted(sizes, key=lambda size: -sizes[size])[:8]:
        near = sum(n for (h, w), n in sizes.items() if abs(h * width - w * height) <= 0.03 * w * height)
        if near >= COMMON * total:
            return height, width
    return 1, 1
