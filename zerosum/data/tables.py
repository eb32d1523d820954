"""Tables as people look at them: DataFrames, CSV files, small histograms of the columns."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torch import Tensor

from zerosum.data.source import Spec
from zerosum.tables.codec import Codec
from zerosum.tables.modes import Modes
from zerosum.tables.plain import to_plain
from zerosum.tables.schema import Column

if TYPE_CHECKING:
    import pandas as pd

PANELS = 20
BARS = 12
MADE, REAL = "#3b6ea8", "#222222"


@lru_cache(8)
def codec(spec: Spec) -> Codec:
    """The codec that a spec tells of."""
    return Codec.from_json(spec.table)


def decode(x: Tensor, spec: Spec) -> pd.DataFrame:
    """Model space [n, width] -> a table with the columns, order and types of the training table."""
    return codec(spec).decode(x)


def encode(items: pd.DataFrame, spec: Spec) -> Tensor:
    """A table -> model space [n, width], on the CPU. Raises UserError where a column is missing or of another kind."""
    return codec(spec).encode(items)


def picture(items: pd.DataFrame, spec: Spec, columns: int) -> Image.Image:
    """Small histograms of the first 20 columns that are modelled. Dots: how frequent values are among training rows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    known = codec(spec)
    shown = [column for column in known.schema.columns if column.kind not in ("id", "constant")][:PANELS]
    across = next(c for c in range(1, PANELS + 1) if c * c >= len(shown))
    down = -(-len(shown) // across)
    figure = Figure((2.4 * across, 1.7 * down), dpi=90, layout="constrained")
    for number, column in enumerate(shown, 1):
        axes = figure.add_subplot(down, across, number)
        place = [str(label) for label in items.columns].index(column.name)
        _panel(axes, items.iloc[:, place], column, known)
        axes.set_title(_short(column.name, 24), fontsize=7, loc="left", pad=2)
        axes.tick_params(labelsize=5, length=2, pad=1)
        axes.set_yticks([])
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
    canvas, file = FigureCanvasAgg(figure), BytesIO()
    canvas.print_png(file)
    return Image.open(file).convert("RGB")


def _panel(axes: Any, series: pd.Series, column: Column, known: Codec) -> None:
    coder = known.coders.get(column.name)
    if isinstance(coder, Modes):
        values = _numbers(series, column)
        low, high = coder.low, coder.high
        if coder.squeeze is not None and len(values):
            low, high = np.quantile(values, [0.02, 0.98])
        axes.hist(values[(values >= low) & (values <= high)], 40, range=(low, max(high, low + 1e-9)), color=MADE)
        axes.locator_params(axis="x", nbins=3)
        axes.ticklabel_format(axis="x", scilimits=(-3, 5))
        axes.xaxis.get_offset_text().set_fontsize(5)
        return
    span = known.span(column.name)
    if coder is None or span is None:
        share = series.value_counts(normalize=True, dropna=False)
        _bars(axes, share.tolist()[:BARS], [], [str(value) for value in share.index[:BARS].tolist()])
        return
    counts = np.array(span.counts[: len(coder.values)])
    top = np.argsort(counts)[::-1]
    if column.kind in ("integer", "continuous", "datetime", "ordinal"):
        top = np.arange(len(counts)) if len(counts) > BARS else np.sort(top[:BARS])
    else:
        top = top[:BARS]
    shown = [coder.values[i] for i in top]
    plain = to_plain(series, column)
    made = [float((plain == value).mean()) for value in shown]
    _bars(axes, made, (counts[top] / max(1, sum(span.counts))).tolist(), [_word(value, column) for value in shown])


def _bars(axes: Any, made: list[float], real: list[float], words: list[str]) -> None:
    few = len(made) <= BARS
    axes.bar(range(len(made)), made, color=MADE, width=0.8 if few else 1.0)
    axes.scatter(range(len(real)), real, s=5 if few else 1.5, color=REAL, zorder=2)
    ticks = list(range(0, len(words), 1 if few else -(-len(words) // 6)))
    turn = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"} if few else {}
    axes.set_xticks(ticks, [_short(words[i], 9) for i in ticks], **turn)


def _numbers(series: pd.Series, column: Column) -> np.ndarray:
    plain = to_plain(series, column)
    return plain[~np.isnan(plain)]


def _word(value: Any, column: Column) -> str:
    if column.kind == "datetime":
        return str(np.datetime64(round(value), "s"))[:10]
    return f"{value:g}" if isinstance(value, float) else str(value)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 2] + ".."


def write(items: pd.DataFrame, spec: Spec, folder: Path) -> None:
    """One CSV file with a line of column names, a row an item."""
    items.to_csv(folder / "samples.csv", index=False)
