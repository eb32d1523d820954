"""Curves as inline SVG that takes its colours from the page, so that it reads in the dark and in the light."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from io import StringIO

COLOURS = ("#3b82c4", "#e07b39", "#3a9d5d", "#b6549b", "#8a6d3b", "#d04848", "#5b6bd0", "#7a7a7a")
MOST_POINTS = 600
HUGE = 1e100
"""Beyond, drawing overflows."""

Points = Sequence[tuple[float, float]]
Band = Sequence[tuple[float, float, float]]


def curves(lines: Mapping[str, Points], title: str, band: Band = (), marks: Sequence[int] = ()) -> str:
    """An SVG of named lines of (step, value), without points that are not finite; more than 600 are thinned by averaging.

    `band`: intervals (step, low, high), drawn as a bar through the line's point. `marks`: steps at which something
    happened, drawn as dotted lines.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    file = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "font.size": 11, "font.family": "sans-serif"}):
        figure = Figure((5.4, 3.0), layout="tight")
        axes = figure.add_subplot()
        for (name, points), colour in zip(lines.items(), COLOURS * 9, strict=False):
            x, y = thinned(points)
            axes.plot(x, y, color=colour, linewidth=1.3, label=_plain(name), marker="o" if len(x) < 8 else None, markersize=3)
        if whole := [(x, low, high) for x, low, high in band if max(abs(low), abs(high)) < HUGE]:
            steps, lows, highs = zip(*whole, strict=True)
            axes.vlines(steps, lows, highs, color=COLOURS[0], linewidth=1.2, alpha=0.55)
        for step in marks:
            axes.axvline(step, color=COLOURS[5], linewidth=1, linestyle=":")
        axes.set_title(_plain(title), loc="left", fontsize=12)
        axes.set_xlabel("step")
        axes.grid(alpha=0.25, linewidth=0.6)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.margins(x=0.01)
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize=10, ncols=min(4, len(lines)), loc="best")
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    return svg[svg.index("<svg") :]


def thinned(points: Points) -> tuple[list[float], list[float]]:
    """Finite points, each the mean of its neighbours where there are more than 600."""
    good = [(x, y) for x, y in points if abs(x) < HUGE and abs(y) < HUGE]  # which NaN is not either
    bunch = max(1, math.ceil(len(good) / MOST_POINTS))
    groups = [good[i : i + bunch] for i in range(0, len(good), bunch)]
    means = [tuple(sum(values) / len(group) for values in zip(*group, strict=True)) for group in groups]
    return [m[0] for m in means], [m[1] for m in means]


def _plain(text: str) -> str:
    """Dollar signs would start mathematics."""
    return text.replace("$", "")
