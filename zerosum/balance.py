"""Balance: synthetic rows of a rare class beside a table's own, and whether learners gain by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zerosum.errors import UserError, suggest
from zerosum.estimator import GAN
from zerosum.metrics.tables.gain import found
from zerosum.metrics.tables.smote import smote
from zerosum.tables.infer import infer

if TYPE_CHECKING:
    from pandas import DataFrame

FEWEST = 10
"""Rows of the rare class without which there is nothing to learn from."""

OTHERS = "nothing", "class weights", "SMOTE"


def rare_value(frame: DataFrame, target: str, minority: str | None = None) -> Any:
    """The target's value that is named, or its rarest. Raises UserError where there is none, or too few rows of it."""
    names = [str(name) for name in frame.columns]
    if target not in names:
        raise UserError(f"no column {target}: {suggest(target, names)}")
    counts = frame[target].value_counts()
    if len(counts) < 2:
        raise UserError(f"column {target} has {len(counts)} value: with one class there is nothing to balance")
    by_word = {str(value): value for value in counts.index}
    if minority is not None and minority not in by_word:
        raise UserError(f"{target} is never {minority}: {suggest(minority, list(by_word))}")
    value = counts.index[-1] if minority is None else by_word[minority]
    if counts[value] < FEWEST:
        raise UserError(f"{target} is {value} in {counts[value]} rows: at least {FEWEST} are needed to learn from")
    return value


def missing_rows(frame: DataFrame, target: str, value: Any, ratio: float) -> int:
    """How many rows of the value there must be more, to be `ratio` times as many as those of the most frequent one.

    Raises UserError where there are as many already.
    """
    counts = frame[target].value_counts()
    n = round(ratio * int(counts.max())) - int(counts[value])
    if n < 1:
        raise UserError(
            f"{target} is {value} in {counts[value]:,} of {len(frame):,} rows, {ratio:g} of the most frequent: no rows to add"
        )
    return n


def more(frame: DataFrame, target: str, value: Any, n: int, recipe: str = "auto", **settings: Any) -> DataFrame:
    """n synthetic rows whose target is `value`, from a GAN trained on the whole table. `settings`: as of `GAN`."""
    gan = GAN(recipe, **({"target": target, "scores": 0, "pictures": 0} | settings)).fit(frame)
    return gan.sample(n, seed=int(settings.get("seed", 0)), where={target: value})


def compare(
    frame: DataFrame,
    target: str,
    value: Any,
    ratio: float,
    seeds: int,
    make: Callable[[DataFrame, int, int], DataFrame],
    held_out: float = 0.3,
    say: Callable[[str], None] = lambda words: None,
) -> dict[str, list[dict[str, float]]]:
    """Held-out scores by way ("nothing", "class weights", "SMOTE", "synthetic rows"), one row a seed.

    For each seed another part is held out, in the target's proportions; `make(training part, n, seed)` gives n synthetic
    rows of the value and never sees the held-out part, nor does anything else.
    """
    import pandas as pd
    from sklearn.model_selection import train_test_split

    schema = infer(frame, target)
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in (*OTHERS, "synthetic rows")}
    for seed in range(seeds):
        train, test = train_test_split(frame, test_size=held_out, random_state=seed, stratify=frame[target] == value)
        n = missing_rows(train, target, value, ratio)
        rare = train[train[target] == value]
        with_rows = lambda rows, train=train: pd.concat([train, rows], ignore_index=True)
        scores["nothing"].append(found(train, test, schema, value))
        scores["class weights"].append(found(train, test, schema, value, weights=True))
        scores["SMOTE"].append(found(with_rows(smote(rare, schema, n, seed)), test, schema, value))
        scores["synthetic rows"].append(found(with_rows(make(train, n, seed)), test, schema, value))
        say(f"seed {seed}: average precision " + ", ".join(f"{k} {v[-1]['average precision']:.3f}" for k, v in scores.items()))
    return scores
