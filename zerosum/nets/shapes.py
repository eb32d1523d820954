"""Sizes: how a convolutional pyramid fits images of any height and width."""

from __future__ import annotations


def levels(height: int, width: int) -> int:
    """How often to halve an image so that its shorter side keeps at least 4 pixels."""
    short = min(height, width)
    return max(0, (short // 4).bit_length() - 1)


def ceil_size(height: int, width: int, times: int) -> tuple[int, int]:
    """The smallest size which, doubled `times` times, covers the image."""
    step = 2**times
    return -(-height // step), -(-width // step)


def channels(width: int, level: int, most: int = 8) -> int:
    """Channels after halving `level` times: they double from the second time on, up to `most` times the first."""
    return width * min(2 ** max(0, level - 1), most)


def pyramid(height: int, width: int) -> list[tuple[int, int]]:
    """Sizes of an image halved again and again, rounded up, the smallest first; its shorter side keeps at least 4 pixels."""
    return [ceil_size(height, width, times) for times in range(levels(height, width), -1, -1)]


def tapered(width: int, size: tuple[int, int], full: int) -> int:
    """Channels at a size: `width` while the shorter side is at most `full` pixels, halved with each doubling beyond.

    A multiple of 8, and at least 8.
    """
    beyond = max(0, (-(-min(size) // full) - 1).bit_length())
    return max(8, (width >> beyond) // 8 * 8)
