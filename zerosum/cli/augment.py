"""zerosum augment: a table with synthetic rows of its rare class, and what learners gain by them."""

from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli._common import parse, say
from zerosum.errors import UserError

PLACE = 6
USAGE = """
zerosum augment TABLE --target COLUMN -o OUT.csv                            add rows of the rare class, and tell the gain
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(augment, words, "augment")


def augment(
    data: tyro.conf.Positional[Path],
    target: str,
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    minority: str | None = None,
    ratio: float = 1.0,
    recipe: str = "auto",
    minutes: float = 2.0,
    steps: int | None = None,
    seeds: int = 3,
    held_out: float = 0.3,
    seed: int = 0,
    threads: int = 0,
    json: Path | None = None,
) -> int:
    """Add synthetic rows of a rare class to a training table, after measuring whether that helps.

    For each of --seeds, a part of the rows is held out, a GAN learns from the rest, and learners tell the rare class in the
    held-out part, having learned from the rest alone, with class weights, with rows of SMOTE, and with synthetic rows. Then
    a GAN learns from the whole table, and its rows are added. Test on rows that were never in this table.

    Args:
        data: a table: .csv, .tsv (.gz) or .parquet
        target: the column that says the class
        out: the table with the rows added: .csv, .tsv (.gz) or .parquet
        minority: the class of which rows are added (default: the rarest)
        ratio: rows of that class for each row of the most frequent one
        recipe: as in `zerosum train`
        minutes: of each training
        steps: of each training, in place of minutes
        seeds: splits on which the gain is measured; 0: it is not measured
        held_out: share of the rows on which it is measured
        seed: of the last training
        threads: processor threads; 0: torch's choice
        json: also write the measured scores into this file
    """
    import pandas as pd

    from zerosum.balance import compare, missing_rows, more, rare_value
    from zerosum.data import frames, tables
    from zerosum.files import writing
    from zerosum.provenance import Origin, mark_file
    from zerosum.provenance.origin import recipe_name
    from zerosum.tables.infer import healthy

    if not out.name.lower().endswith(tables.ENDINGS):
        raise UserError(f"--out {out}: end it in {', '.join(tables.ENDINGS)}")
    if not 0 < held_out < 1:
        raise UserError(f"--held-out {held_out}: must lie between 0 and 1")
    if not 0 < ratio <= 10:
        raise UserError(f"--ratio {ratio}: must lie between 0 and 10")
    if not (data.is_file() and frames.accepts(data)):
        raise UserError(f"no table at {data}: give a .csv, .tsv (.gz) or .parquet file")
    frame = frames.read(data)
    healthy(frame, target)
    value = rare_value(frame, target, minority)
    known = frame[frame[target].notna()].reset_index(drop=True)  # all of the table is kept, and these are learned from
    n = missing_rows(frame, target, value, ratio)
    plan = {"steps": steps} if steps is not None else {"minutes": minutes}
    make = lambda rows, count, at: more(rows, target, value, count, recipe, seed=at, threads=threads, **plan)
    say(f"{target} is {value} in {int((frame[target] == value).sum()):,} of {len(frame):,} rows: {n:,} rows are to be added")
    if seeds:
        scores = compare(known, target, value, ratio, seeds, make, held_out, say)
        _table(scores, int(held_out * 100))
        if json is not None:
            import json as plain

            with writing(json):
                json.write_text(plain.dumps(scores, indent=2) + "\n", "utf-8")
    rows = make(known, n, seed)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        tables.save(pd.concat([frame, rows], ignore_index=True), out)
        mark_file(out, Origin(recipe=recipe_name(recipe), act="augment", seed=seed, count=n, part=True))
    say(f"{len(frame):,} rows and {n:,} synthetic ones below them: {out}")
    return 0


def _table(scores: dict[str, list[dict[str, float]]], percent: int) -> None:
    """Print what each way reached: mean and standard deviation over seeds."""
    from statistics import fmean, stdev

    from rich.table import Table

    from zerosum.cli._common import console

    measures = list(next(iter(scores.values()))[0])
    sheet = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    sheet.add_column("learned from the table and")
    for name in measures:
        sheet.add_column(name, justify="right")
    for way, rows in scores.items():
        cells = [[row[name] for row in rows] for name in measures]
        sheet.add_row(way, *(f"{fmean(one):.3f}" + (f" ± {stdev(one):.3f}" if len(one) > 1 else "") for one in cells))
    console.print(sheet)
    best = max(scores, key=lambda way: fmean(row["average precision"] for row in scores[way]))
    say(f"on {percent} % held out, mean of logistic regression and gradient boosting; best average precision: {best}")
    if best != "synthetic rows":
        say(f"synthetic rows are not the best here: {best} is simpler, take it", "bold yellow")
