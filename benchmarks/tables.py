"""Several tables, one after the other: utility, quality and detection of recipes, a copula, a peer and real rows side by side.

    python benchmarks/tables.py FOLDER [--tables adult_train heart_cleveland ...] [--makers tabular copula] [--seeds 3]
                                [--set NAME=VALUE ...] [--peer PYTHON] [--epochs 300]

FOLDER holds CSV files (.gz or not) whose last column is to be predicted, unless TARGETS says otherwise. 80 % of the rows
of each are for training, the rest for the test, drawn with seed 0. utility: F1 or R2 and AUC of learners trained on made
rows and tested on the test rows; quality: shapes and pair trends against the test rows; detection against the test rows:
as `zerosum score` takes them. Means over seeds, with the standard deviation.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from _asked import asked

sys.path.insert(0, str(Path(__file__).parent))
from _contestants import named
from sklearn.model_selection import train_test_split

from zerosum.metrics.tables.detection import detection
from zerosum.metrics.tables.quality import quality
from zerosum.metrics.tables.utility import utility
from zerosum.tables.infer import infer
from zerosum.tables.schema import Schema

TARGETS = {"ai4i2020_maintenance": "Machine failure"}
"""Columns to be predicted that are not the last: there, the kinds of failure follow."""


def measure(made: pd.DataFrame, test: pd.DataFrame, schema: Schema) -> dict[str, float]:
    """Scores by name."""
    rows = np.arange(len(test))
    found = {name: score(rows) for name, score in utility(made, test, schema).items()}
    return found | {"quality": quality(test, made, schema).overall, "detection": detection(test, made, schema)[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tables", nargs="*", help="their names without .csv; all of the folder's by default")
    parser.add_argument("--makers", nargs="+", default=["tabular", "copula"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--epochs", type=int, default=300)
    args = parser.parse_args()
    settings = asked(args.set)
    print("| table | maker | utility | AUC | quality | detection | seconds |\n|---|---|---|---|---|---|---|", flush=True)
    for path in sorted(args.folder.glob("*.csv*")):
        name = path.name.split(".csv")[0]
        if args.tables and name not in args.tables:
            continue
        frame = pd.read_csv(path, skipinitialspace=True)
        target = TARGETS.get(name, str(frame.columns[-1]))
        few = frame[target].nunique() < 10
        train, test = train_test_split(frame, test_size=0.2, random_state=0, stratify=frame[target] if few else None)
        train, test = train.reset_index(drop=True), test.reset_index(drop=True)
        schema = infer(train, target)
        show(name, "real", [measure(train, test, schema)])
        for maker, make in named(args.makers, settings, args.peer, args.epochs).items():
            rows = []
            for seed in range(args.seeds):
                made, seconds = make(train, target, seed)
                rows.append(measure(made, test, schema) | {"seconds": seconds})
            show(name, maker, rows)


def show(table: str, maker: str, rows: list[dict[str, float]]) -> None:
    def cell(*names: str) -> str:
        values = [row[name] for row in rows for name in names if name in row]
        spread = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
        return f"{np.mean(values):.3f}{spread}" if values else ""

    cells = cell("F1", "R2"), cell("AUC"), cell("quality"), cell("detection"), cell("seconds")
    print(f"| {table} | {maker} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
