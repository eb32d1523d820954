"""Drawings of tables as inline SVG, from the values that `metrics.tables.views` gives; nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any

import numpy as np

from zerosum.charts import COLOURS, HUGE

REAL, MADE = "#8a939e", COLOURS[0]
MOST = 40
SPIKE = 0.5
"""Share of one bin from which heights are drawn as their square roots."""


def distributions(values: Mapping[str, Any]) -> list[str]:
    """A small drawing a column: real shares as grey bars, generated ones as a blue line or as blue points."""
    return [_column(one) for one in columns(values)]


def columns(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The columns among the values that can be drawn."""
    found = values.get("columns")
    return [one for one in found[:MOST] if _fits(one)] if isinstance(found, list) else []


def pairs(values: Mapping[str, Any]) -> str:
    """How columns hang together: real, generated, and the difference; "" where there are fewer than two columns."""
    if (found := matrices(values)) is None:
        return ""
    names, sides = [_plain(name) for name in found[0]], found[1:]
    size = max(2.6, 0.17 * len(names))

    def draw(figure: Any) -> None:
        cells = figure.subplots(1, 3)
        kinds = ("real", sides[0]), ("generated", sides[1]), ("difference", sides[1] - sides[0])
        for axes, (title, side) in zip(cells, kinds, strict=True):
            picture = axes.imshow(np.clip(side, -1, 1), cmap="RdBu_r", vmin=-1, vmax=1, interpolation="none")
            axes.set_title(title, loc="left", fontsize=11)
            axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=7)
            axes.set_yticks(range(len(names)), names if title == "real" else [], fontsize=7)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
        bar = figure.colorbar(picture, ax=cells, shrink=0.6, aspect=18, pad=0.02, ticks=[-1, 0, 1])
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=7, length=0)

    return _svg(draw, (3 * size + 1.8, size + 1.3), "pairs")


def matrices(values: Mapping[str, Any]) -> tuple[list[str], np.ndarray, np.ndarray] | None:
    """(names, real [n, n], generated [n, n]) of how columns hang together; None where there are fewer than two."""
    found = values.get("pairs")
    if not isinstance(found, dict) or not isinstance(found.get("names"), list):
        return None
    names = [str(name) for name in found["names"][:MOST]]
    try:
        real, made = (np.asarray(found[side], np.float64)[: len(names), : len(names)] for side in ("real", "made"))
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    if len(names) < 2 or any(side.shape != (len(names),) * 2 or not np.isfinite(side).all() for side in (real, made)):
        return None
    return names, real, made


def _fits(one: Any) -> bool:
    """Whether this is a column that can be drawn."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return False
    places: Any = one.get("edges", one.get("words"))
    sides: list[Any] = [one.get("real"), one.get("made")]
    if not isinstance(places, list) or not all(isinstance(side, list) and side for side in sides):
        return False
    count = len(places) - ("edges" in one)
    figures = [value for side in sides for value in side] + (places if "edges" in one else [])
    return all(len(side) == count for side in sides) and all(
        isinstance(value, int | float) and abs(value) < HUGE for value in figures
    )


def _column(one: Mapping[str, Any]) -> str:
    def draw(figure: Any) -> None:
        axes = figure.add_subplot()
        if "edges" in one:
            _steps(axes, one)
        else:
            _bars(axes, one)
        figure.suptitle(_plain(one["name"]), x=0.02, ha="left", fontsize=10)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelsize=8, length=2)

    return _svg(draw, (3.2, 2.1 if "edges" in one else 0.75 + 0.19 * len(one["words"])), str(one["name"]))


def _steps(axes: Any, one: Mapping[str, Any]) -> None:
    edges = np.asarray(one["edges"], np.float64)
    axes.stairs(one["real"], edges, fill=True, color=REAL, alpha=0.55, label="real")
    axes.stairs(one["made"], edges, color=MADE, linewidth=1.5, label="generated")
    most = max(max(one["real"]), max(one["made"]), 1e-9)
    if most > SPIKE:  # beside which nothing else could be seen
        axes.set_yscale("function", functions=(lambda y: np.sqrt(np.maximum(y, 0)), np.square))
        axes.set_xlabel("heights as square roots", fontsize=8)
    axes.set_yticks([])
    axes.margins(x=0.01)
    axes.locator_params(axis="x", nbins=4)
    axes.set_ylim(0, 1.15 * most)
    if one.get("time") is True:
        ticks = np.linspace(edges[0], edges[-1], 3)
        axes.set_xticks(ticks, [str(np.datetime64(int(tick), "ns"))[:10] for tick in ticks])
    gone: list[Any] = [one.get(name) for name in ("real_missing", "made_missing")]
    if all(isinstance(value, int | float) for value in gone) and max(gone) > 0:
        label = f"missing: real {gone[0]:.1%}, generated {gone[1]:.1%}"
        axes.set_xlabel("\n".join(filter(None, [axes.get_xlabel(), label])), fontsize=8)


def _bars(axes: Any, one: Mapping[str, Any]) -> None:
    places = np.arange(len(one["words"]))
    axes.barh(places, one["real"], color=REAL, alpha=0.55, height=0.8)
    axes.scatter(one["made"], places, color=MADE, s=22, zorder=3)
    axes.set_yticks(places, [_plain(str(word)) for word in one["words"]])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1 * max(max(one["real"]), max(one["made"]), 1e-9))
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")


def _svg(draw: Callable[[Any], None], size: tuple[float, float], salt: str) -> str:
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    file = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.family": "sans-serif"}):
        figure = Figure(size, layout="constrained")
        draw(figure)
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    return svg[svg.index("<svg") :]


def _plain(text: str) -> str:
    """Dollar signs would start mathematics."""
    return text.replace("$", "")
