"""Gain: how well learners find a rare class in rows that were held out, after they learned from this table or that."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from zerosum.metrics.tables.columns import compared
from zerosum.metrics.tables.features import Features
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    from pandas import DataFrame

MEASURES = "AUC", "F1", "average precision"


def found(fit: DataFrame, test: DataFrame, schema: Schema, value: object, weights: bool = False) -> dict[str, float]:
    """AUC, F1 and average precision of telling rows with `value` from all others in `test`, each the mean of two learners.

    Logistic regression and gradient boosting learn from all rows of `fit`; with `weights`, classes weigh the same there. F1 is
    that of the learners' own decision.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    columns = [column for column in compared(schema) if column.name != schema.target]
    features = Features(fit, columns)
    x, seen = features(fit), features(test)
    y, truth = ((side[schema.target] == value).to_numpy(bool) for side in (fit, test))
    how = "balanced" if weights else None
    rows = []
    for learner in (
        LogisticRegression(max_iter=300, class_weight=how),
        HistGradientBoostingClassifier(class_weight=how, random_state=0),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an optimiser that stopped before it had converged
            chance = learner.fit(x, y).predict_proba(seen)[:, 1]
        rows.append((roc_auc_score(truth, chance), f1_score(truth, chance > 0.5), average_precision_score(truth, chance)))
    return dict(zip(MEASURES, np.mean(rows, 0).tolist(), strict=True))
