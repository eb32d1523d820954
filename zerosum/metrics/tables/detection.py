"""Detection: can a learner tell generated rows from real ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.intervals import Interval
from zerosum.metrics.tables.auc import auc, interval
from zerosum.metrics.tables.columns import MOST, compared, some
from zerosum.metrics.tables.features import Features
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    from pandas import DataFrame

FOLDS = 3


def detection(real: DataFrame, made: DataFrame, schema: Schema, seed: int = 0) -> tuple[float, Interval]:
    """ROC AUC of gradient boosting that tells real from generated rows, mean of three folds; and an interval.

    0.5: it cannot; 1: it always can. As many rows of each, up to 10,000. Lopez-Paz & Oquab 2017, "Revisiting Classifier
    Two-Sample Tests", with the area in place of the accuracy. NaN where there are fewer than three rows of either.
    """
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold

    n = min(len(real), len(made), MOST)
    if n < FOLDS:
        return float("nan"), (None, None)
    columns = [column for column in compared(schema) if column.name in real]
    sides = [some(side, n, seed).reset_index(drop=True) for side in (real, made)]
    x = np.concatenate([Features(pd.concat(sides, ignore_index=True), columns)(side) for side in sides])
    y = np.repeat([0, 1], n)
    found, told = [], np.empty(len(y))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        learner = HistGradientBoostingClassifier(random_state=seed).fit(x[fit], y[fit])
        told[test] = learner.decision_function(x[test])
        found.append(auc(told[test][y[test] == 1], told[test][y[test] == 0]))
    value, (low, high) = float(np.mean(found)), interval(told[n:], told[:n])
    half = (high - low) / 2 if low is not None and high is not None else 0.0
    return value, (max(0.0, value - half), min(1.0, value + half))
