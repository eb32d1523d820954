"""Tables as people look at them: DataFrames, CSV files, small histograms of the columns."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torch import Tensor

from zerosum.data import panels
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.tables.choices import Choice
from zerosum.tables.codec import Codec
from zerosum.tables.modes import Modes
from zerosum.tables.plain import to_plain
from zerosum.tables.schema import Column
from zerosum.tables.span import Span

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet")
"""Files that `save` writes."""
PANELS = 20


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
    """Small histograms of the first columns. Dots and lines: how frequent values are among training rows."""
    known = codec(spec)
    shown = [column for column in known.schema.columns if column.kind not in ("id", "constant")][:PANELS]
    image, places = panels.grid(len(shown))
    names = [str(label) for label in items.columns]
    for column, at in zip(shown, places, strict=True):
        panels.title(image, at, column.name)
        plain = to_plain(items.iloc[:, names.index(column.name)], column)
        coder = known.coders.get(column.name)
        if isinstance(coder, Modes):
            _histogram(image, at, plain, column, coder)
        elif isinstance(coder, Choice):
            _values(image, at, plain, column, coder, known.span(column.name))
        else:
            _counted(image, at, plain, column)
    return image


def _histogram(image: Image.Image, at: tuple[int, int], plain: np.ndarray, column: Column, coder: Modes) -> None:
    values = plain[~np.isnan(plain)]
    low, high = coder.low, coder.high
    if coder.squeeze is not None and len(values):
        low, high = (float(end) for end in np.quantile(values, [0.02, 0.98]))
    counts, edges = np.histogram(values, 44, (low, max(high, low + 1e-9)))
    panels.columns(image, at, counts.tolist(), [], (_word(edges[0], column), _word(edges[-1], column)))


def _values(
    image: Image.Image, at: tuple[int, int], plain: np.ndarray, column: Column, coder: Choice, span: Span | None
) -> None:
    counts = np.array(span.counts if span else [1], np.float64)
    real = counts[: len(coder.values)] / max(1, counts.sum())
    if coder.number and len(real) > panels.BARS:
        made = [float((plain == value).mean()) for value in coder.values]
        ends = _word(coder.values[0], column), _word(coder.values[-1], column)
        panels.columns(image, at, made, real.tolist(), ends)
        return
    top = np.argsort(-real, kind="stable")[: panels.BARS]
    top = np.sort(top) if coder.number or column.kind == "ordinal" else top
    words = [_word(coder.values[i], column) for i in top]
    panels.bars(image, at, words, [float((plain == coder.values[i]).mean()) for i in top], real[top].tolist())


def _counted(image: Image.Image, at: tuple[int, int], plain: np.ndarray, column: Column) -> None:
    """A column that follows from another: nothing is kept of how frequent its values were."""
    import pandas as pd

    share = pd.Series(plain).value_counts(normalize=True)[lambda one: one > 0].iloc[: panels.BARS]
    panels.bars(image, at, [_word(value, column) for value in share.index], share.tolist(), [])


def _word(value: Any, column: Column) -> str:
    if column.kind == "datetime":
        return str(np.datetime64(round(value), "s"))[:10]
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def save(items: pd.DataFrame, path: Path) -> None:
    """A table as one file of these endings, exactly as `zerosum train` reads them. Raises UserError without pyarrow."""
    if path.suffix.lower() != ".parquet":
        items.to_csv(path, index=False, sep="\t" if ".tsv" in path.name.lower() else ",", compression="infer")
        return
    try:
        items.to_parquet(path, index=False)
    except ImportError:
        raise UserError(
            f"{path.name}: writing Parquet needs pyarrow: pip install 'zerosum[parquet]', or end it in .csv"
        ) from None


def write(items: pd.DataFrame, spec: Spec, folder: Path) -> None:
    """One CSV file with a line of column names, a row an item."""
    items.to_csv(folder / "samples.csv", index=False)
