"""Tables: a pandas DataFrame, .csv, .tsv (.gz or not) or .parquet, split and described before anything is learned from them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.data.found import Found
from zerosum.data.rows import TableSource, from_frame
from zerosum.data.source import divide
from zerosum.errors import UserError
from zerosum.private.budget import Budget
from zerosum.private.columns import fit, public_schema
from zerosum.tables.codec import Codec
from zerosum.tables.fit import healthy
from zerosum.tables.infer import checked, infer
from zerosum.tables.infer import healthy as mixed
from zerosum.tables.schema import Schema
from zerosum.tables.words import words

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".csv.gz", ".tsv", ".tsv.gz")
STRATA = 50
"""Values of the target up to which the split keeps their shares."""


def accepts(what: Any) -> bool:
    """Whether this is a DataFrame, or the path of a table: a Parquet file that holds no images."""
    if not isinstance(what, str | Path):
        pandas = sys.modules.get("pandas")  # who has a DataFrame has pandas already
        return pandas is not None and isinstance(what, pandas.DataFrame)
    path = Path(what)
    return path.is_file() and (path.name.lower().endswith(ENDINGS) or _plain_parquet(path))


def _plain_parquet(path: Path) -> bool:
    if path.suffix.lower() != ".parquet":
        return False
    try:
        import pyarrow as pa
        import pyarrow.parquet

        fields = list(pyarrow.parquet.read_schema(path))
    except Exception:  # no pyarrow, or a damaged file: the reader of pictures says so
        return False
    nested = (pa.types.is_struct, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_list)
    return not any(kind(field.type) for field in fields for kind in nested)


def load(
    what: Any,
    labels: Any = None,
    held_out: float | None = None,
    target: str | None = None,
    schema: Schema | Mapping[str, Any] | str | Path | None = None,
    codec: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
) -> TableSource:
    """A source of the rows of a table. Rows are held out, in the target's proportions, before anything is fitted.

    `target`: the column to be predicted. `schema`: one to take instead of the inferred, or a JSON file of it. `codec`: what
    `Codec.to_json` gave, to read the same data again. `budget`: read privately, see `zerosum.private`. Raises UserError where
    the table is broken, empty or of one row.
    """
    if isinstance(labels, str):
        target, labels = labels, None
    if labels is not None:
        raise UserError("a table brings its own labels: name the column with target instead")
    origin = str(what) if isinstance(what, str | Path) else "table"
    frame = read(Path(what)) if isinstance(what, str | Path) else what
    given = None if schema is None else opened(schema)
    target = target or (given.target if given else None) or (codec["schema"]["target"] if codec else None)
    checked(frame)
    share = held_out if held_out is not None else (0.2 if len(frame) < 10_000 else 0.1)
    if budget is not None:
        return _private(frame, given, target, share, origin, codec, budget)
    if given is not None:
        healthy(frame, given)
    elif codec is None:
        mixed(frame, target)
    rows, kept = (np.sort(part) for part in divide(len(frame), _strata(frame, target), share, origin))
    train = frame.iloc[rows]
    if codec is not None:
        fitted = Codec.from_json(codec)
    else:
        given = infer(train, target) if given is None else Schema(given.columns, given.constraints, target)
        fitted = Codec.fit(train, given)
    found = Found("table", len(frame), notes=tuple(words(fitted, train)))
    return from_frame(frame, fitted, (rows, kept), origin, found)


def _private(
    frame: pd.DataFrame,
    given: Schema | None,
    target: str | None,
    share: float,
    origin: str,
    codec: Mapping[str, Any] | None,
    budget: Budget,
) -> TableSource:
    """The same where rows are private: held out by a coin for each place, described by private mechanisms alone."""
    held = np.random.default_rng(0).random(len(frame)) < share
    parts = np.flatnonzero(~held), np.flatnonzero(held)
    train = frame.iloc[parts[0]]
    if codec is not None:
        return from_frame(frame, Codec.from_json(codec), parts, origin, key=budget.key, ledger=budget.ledger)
    schema = public_schema(frame, target) if given is None else Schema(given.columns, given.constraints, target)
    fitted, ledger = fit(train, schema, budget.of(len(train)))
    found = Found("table", len(frame), notes=tuple(words(fitted)))
    return from_frame(frame, fitted, parts, origin, found, budget.key, ledger)


def read(path: Path) -> pd.DataFrame:
    """A table from a file. Raises UserError where it is broken, and says in which line."""
    import pandas as pd

    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        separator = "\t" if ".tsv" in path.name.lower() else ","
        header = pd.read_csv(path, sep=separator, header=None, nrows=1, dtype=str, skipinitialspace=True)
        names = [str(name) for name in header.iloc[0]]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UserError(f"{path}: two columns are called {twice[0]}: rename one")
        return pd.read_csv(path, sep=separator, skipinitialspace=True, low_memory=False)
    except UserError:
        raise
    except pd.errors.EmptyDataError:
        raise UserError(f"{path} is empty: give a table with a line of column names and rows below") from None
    except Exception as error:  # a damaged file ends in anything
        why = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise UserError(f"{path}: cannot be read as a table ({why}): mend that place, or write the table anew") from error


def opened(schema: Schema | Mapping[str, Any] | str | Path) -> Schema:
    """A schema as it is, from plain values, or from a JSON file. Raises UserError where the file is none."""
    if isinstance(schema, Schema):
        return schema
    if isinstance(schema, str | Path):
        try:
            schema = json.loads(Path(schema).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{schema}: no schema can be read ({error}): `zerosum schema DATA -o FILE` writes one") from error
    if not isinstance(schema, Mapping):
        raise UserError("a schema is a JSON object with columns: `zerosum schema DATA -o FILE` writes one")
    return Schema.from_json(schema)


def _strata(frame: pd.DataFrame, target: str | None) -> np.ndarray | None:
    import pandas as pd

    if target is None:
        return None
    column = frame.iloc[:, [str(name) for name in frame.columns].index(target)]
    codes = np.asarray(pd.factorize(column, use_na_sentinel=False)[0])
    return codes if codes.max() < STRATA else None
