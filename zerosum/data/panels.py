"""A table in one picture: a small panel a column, drawn with Pillow, which takes a hundredth of what axes and ticks would."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont

WIDE, HIGH, EDGE, TITLE = 240, 150, 10, 18
MADE, REAL, INK, FAINT = (72, 120, 176), (20, 20, 20), (50, 50, 50), (215, 215, 215)
WORD = 86
"""Pixels for the names of bars."""
BARS = 8
"""Bars of a panel."""


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def grid(count: int) -> tuple[Image.Image, list[tuple[int, int]]]:
    """An empty picture for so many panels, and where each begins."""
    across = next(c for c in range(1, count + 1) if c * c >= count)
    down = -(-count // across)
    image = Image.new("RGB", (across * WIDE, down * HIGH), "white")
    return image, [(i % across * WIDE, i // across * HIGH) for i in range(count)]


def title(image: Image.Image, at: tuple[int, int], text: str) -> None:
    """The name of a panel."""
    ImageDraw.Draw(image).text((at[0] + EDGE, at[1] + 3), _fitted(text, WIDE - 2 * EDGE, 12), INK, _font(12))


def bars(image: Image.Image, at: tuple[int, int], words: Sequence[str], made: Sequence[float], real: Sequence[float]) -> None:
    """Shares of values as bars that lie; a dot stands at each value's share among training rows, where that is known."""
    draw = ImageDraw.Draw(image)
    most = max([*made, *real, 1e-9])
    step = (HIGH - TITLE - EDGE) / BARS
    left, length = at[0] + EDGE + WORD, WIDE - WORD - 2 * EDGE - 4
    for i, (word, share) in enumerate(zip(words, made, strict=True)):
        top = at[1] + TITLE + i * step
        draw.text((at[0] + EDGE, top), _fitted(word, WORD - 6, 10), INK, _font(10))
        draw.rectangle((left, top + 2, left + length * share / most, top + step - 3), MADE)
        if i < len(real):
            x, y = left + length * real[i] / most, top + step / 2 - 0.5
            draw.ellipse((x - 2.5, y - 2.5, x + 2.5, y + 2.5), REAL, "white")


def columns(
    image: Image.Image, at: tuple[int, int], made: Sequence[float], real: Sequence[float], ends: tuple[str, str]
) -> None:
    """Shares of numbers in order, as bars that stand; a line is drawn through their shares among training rows."""
    draw = ImageDraw.Draw(image)
    most = max([*made, *real, 1e-9])
    bottom, room = at[1] + HIGH - EDGE - 12, HIGH - TITLE - EDGE - 16
    step = (WIDE - 2 * EDGE) / len(made)
    left = at[0] + EDGE
    draw.line((left, bottom, left + WIDE - 2 * EDGE, bottom), FAINT)
    for i, share in enumerate(made):
        draw.rectangle((left + i * step, bottom - room * share / most, left + (i + 1) * step - (step > 3), bottom), MADE)
    line = [(left + (i + 0.5) * step, bottom - room * share / most) for i, share in enumerate(real)]
    draw.line(line, REAL, 1)
    draw.text((left, bottom + 2), ends[0], INK, _font(10))
    draw.text((left + WIDE - 2 * EDGE - _font(10).getlength(ends[1]), bottom + 2), ends[1], INK, _font(10))


def _fitted(text: str, most: int, size: int) -> str:
    """The text, or as much of it as has room."""
    text = "".join(c if c.isprintable() else " " for c in text)
    while len(text) > 2 and _font(size).getlength(text) > most:
        text = text.removesuffix("..")[:-1] + ".."
    return text
