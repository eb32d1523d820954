"""Synthetic Adult tables: utility, quality, detection, label rate and the time to fit.

    python benchmarks/adult.py ADULT.csv[.gz] [--makers tabular ctgan copula copies] [--seeds 3] [--set NAME=VALUE ...]
                               [--peer PYTHON] [--epochs 300] [--keep DIR]

80 % of the rows are for training and 20 % for the test, drawn by income with seed 0. Each maker learns from the training
rows and makes as many. mean F1: logistic regression, decision tree, AdaBoost and a multi-layer perceptron learn income from
the made rows and are tested on real ones; F1 of ">50K". AUC: the same by gradient boosting. quality: shapes and pair
trends against the training rows, as SDMetrics. detection: gradient boosting told 8,000 real training rows from 8,000 made
ones, three folds. `real` learns from the training rows themselves; `copies` are training rows drawn with replacement:
what a generator would get that keeps no secret. --set gives every recipe a setting (minutes, steps ...). --peer is the
Python of an environment with ctgan installed, which is then run in turn.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from _asked import asked

sys.path.insert(0, str(Path(__file__).parent))
from _contestants import named
from sklearn.ensemble import AdaBoostClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from zerosum.machine import describe
from zerosum.metrics.tables.quality import quality
from zerosum.tables.schema import Column, Schema

TARGET, RARE = "income", ">50K"
DETECTED = 8000
COLUMNS = ("F1", "AUC", "quality", "detection", "rate", "seconds")


class Encoder:
    """Words one-hot, numbers standardised, as one matrix."""

    def __init__(self, frame: pd.DataFrame, without: str = "") -> None:
        self._numbers = [c for c in frame.select_dtypes("number") if c != without]
        self._words = [c for c in frame if c not in self._numbers and c != without]
        self._hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(frame[self._words])
        self._scale = StandardScaler().fit(frame[self._numbers])

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        return np.hstack([self._hot.transform(frame[self._words]), self._scale.transform(frame[self._numbers])])


def learners() -> dict[str, Any]:
    """The four whose F1 is averaged."""
    return {
        "LR": LogisticRegression(max_iter=300, class_weight="balanced"),
        "DT": DecisionTreeClassifier(max_depth=20, class_weight="balanced", random_state=0),
        "AdaBoost": AdaBoostClassifier(random_state=0),
        "MLP": MLPClassifier((50,), max_iter=50, random_state=0),
    }


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Words as plain text without blanks around them."""
    words = frame.columns.difference(frame.select_dtypes("number").columns)
    return frame.assign(**{name: frame[name].astype(str).str.strip() for name in words})


def measure(train: pd.DataFrame, test: pd.DataFrame, made: pd.DataFrame, schema: Schema) -> dict[str, float]:
    """All but the seconds."""
    train, test, made = tidy(train), tidy(test), tidy(made)
    rare = lambda frame: (frame[TARGET] == RARE).to_numpy()
    encode = Encoder(made, TARGET)
    x, seen, y = encode(made), encode(test), rare(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the perceptron stops before it has converged
        told = {name: f1_score(rare(test), learner.fit(x, y).predict(seen)) for name, learner in learners().items()}
        boosted = HistGradientBoostingClassifier(random_state=0).fit(x, y)
    found = quality(train, made, schema)
    return told | {
        "F1": float(np.mean(list(told.values()))),
        "AUC": roc_auc_score(rare(test), boosted.predict_proba(seen)[:, 1]),
        "quality": found.overall,
        "shapes": found.shape,
        "trends": found.trend,
        "detection": detected(train, made),
        "rate": float(y.mean()),
    }


def detected(train: pd.DataFrame, made: pd.DataFrame) -> float:
    """ROC AUC of gradient boosting that tells made rows from training rows, mean of three folds."""
    n = min(DETECTED, len(train), len(made))
    x = Encoder(train)(pd.concat([side.sample(n, random_state=0) for side in (train, made)]))
    y = np.repeat([0, 1], n)
    scores = []
    for fit, test in StratifiedKFold(3).split(x, y):
        chance = HistGradientBoostingClassifier(random_state=0).fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
        scores.append(roc_auc_score(y[test], chance))
    return float(np.mean(scores))


def opened(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, Schema]:
    """Training rows, test rows and the columns' kinds; prints the machine and the head of the table of results."""
    frame = pd.read_csv(path, skipinitialspace=True)
    train, test = train_test_split(frame, test_size=0.2, random_state=0, stratify=frame[TARGET])
    train, test = train.reset_index(drop=True), test.reset_index(drop=True)
    numbers = list(train.select_dtypes("number"))
    schema = Schema(tuple(Column(name=name, kind="continuous" if name in numbers else "categorical") for name in train))
    machine = describe("cpu")
    print(f"{len(train):,} training and {len(test):,} test rows; {machine['processor']}, {torch.get_num_threads()} threads\n")
    print(f"| maker | seed | LR | DT | AdaBoost | MLP | {' | '.join(COLUMNS)} |\n|{'---|' * (6 + len(COLUMNS))}", flush=True)
    return train, test, schema


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--makers", nargs="+", default=["tabular", "ctgan", "copula", "copies"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--keep", type=Path, help="a folder for what was made, as CSV")
    args = parser.parse_args()
    train, test, schema = opened(args.data)
    show("real", "", measure(train, test, train, schema) | {"seconds": 0.0})
    settings = asked(args.set)
    found: dict[str, list[dict[str, float]]] = {}
    for seed in range(args.seeds):
        for name, make in named(args.makers, settings, args.peer, args.epochs).items():
            made, seconds = make(train, TARGET, seed)
            if args.keep:
                args.keep.mkdir(parents=True, exist_ok=True)
                made.to_csv(args.keep / f"{name.split(',')[0].replace(' ', '-')}-{seed}.csv", index=False)
            found.setdefault(name, []).append(measure(train, test, made, schema) | {"seconds": seconds})
            show(name, str(seed), found[name][-1])
    print(f"\n| mean of {args.seeds} (least to most) | {' | '.join(COLUMNS)} |\n|{'---|' * (1 + len(COLUMNS))}")
    for name, rows in found.items():
        cells = []
        for column in COLUMNS:
            values = [row[column] for row in rows]
            form = "{:.1f}" if column == "seconds" else "{:.3f}"
            cells.append(
                " ".join([form.format(np.mean(values)), f"({form.format(min(values))} to {form.format(max(values))})"])
            )
        print(f"| {name} | {' | '.join(cells)} |")


def show(name: str, seed: str, row: dict[str, float]) -> None:
    cells = [f"{row[column]:.3f}" for column in ("LR", "DT", "AdaBoost", "MLP", *COLUMNS[:-1])]
    print(f"| {name} | {seed} | {' | '.join(cells)} | {row['seconds']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
