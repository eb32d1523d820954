"""Utility: do learners that saw only generated rows predict a column of real ones?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zerosum.metrics.tables.auc import auc
from zerosum.metrics.tables.columns import MOST, codes, compared, is_number, numbers, some
from zerosum.metrics.tables.features import Features
from zerosum.tables.schema import Schema

if TYPE_CHECKING:
    from pandas import DataFrame

FEW = 10
"""Values that a number may have and still be a class."""

LEAST = -1.0
"""The coefficient of determination below which learners are equally useless."""


def classifies(train: DataFrame, schema: Schema) -> bool:
    """Whether the target is a class, and not a number."""
    assert schema.target is not None
    return not is_number(schema[schema.target]) or train[schema.target].nunique() <= FEW


def learners(classes: bool, seed: int = 0) -> dict[str, Any]:
    """Learners by name, each with scikit-learn's defaults but for what keeps them quick and fair to rare classes."""
    from sklearn import ensemble, linear_model, tree

    if classes:
        return {
            "logistic regression": linear_model.LogisticRegression(max_iter=300, class_weight="balanced"),
            "decision tree": tree.DecisionTreeClassifier(max_depth=20, class_weight="balanced", random_state=seed),
            "AdaBoost": ensemble.AdaBoostClassifier(random_state=seed),
            "gradient boosting": ensemble.HistGradientBoostingClassifier(random_state=seed),
        }
    return {
        "ridge regression": linear_model.Ridge(),
        "decision tree": tree.DecisionTreeRegressor(max_depth=10, random_state=seed),
        "gradient boosting": ensemble.HistGradientBoostingRegressor(random_state=seed),
    }


def utility(fit: DataFrame, test: DataFrame, schema: Schema, seed: int = 0) -> dict[str, Callable[[np.ndarray], float]]:
    """Learners trained on `fit`, on up to 10,000 rows of which the target is known, and put to the test.

    Returns score functions by name: given rows of `test` (int64), what the learners reach on them. "F1" (of the rarer
    class; of more than two classes, the mean over classes) and "R2" (none below -1) are means over the learners, "AUC" is
    gradient boosting's (of more than two classes, the mean of one against the rest). Esteban et al. 2017, "Real-valued
    (Medical) Time Series Generation with Recurrent Conditional GANs", section 4, TSTR.
    """
    target = schema.target
    assert target is not None
    columns = [column for column in compared(schema) if column.name != target and column.name in fit]
    fit = some(fit[fit[target].notna()], MOST, seed)
    features = Features(fit, columns)
    x, seen = features(fit), features(test)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks of learners on data they did not choose
        if classifies(test, schema):
            return _classes(x, seen, codes(fit[target], test[target]), seed)
        column = schema[target]
        return _numbers(x, seen, numbers(fit[target], column), numbers(test[target], column), seed)


def _classes(x: np.ndarray, seen: np.ndarray, y: Sequence[np.ndarray], seed: int) -> dict[str, Callable[[np.ndarray], float]]:
    train, test = y
    known = np.unique(test[test > 0])
    told, chances = [], np.zeros((len(test), len(known)))
    for name, learner in learners(True, seed).items():
        if len(np.unique(train)) < 2:
            told.append(np.full(len(test), train[0] if len(train) else -1))
            continue
        learner.fit(x, train)
        told.append(learner.predict(seen))
        if name == "gradient boosting":
            found = learner.predict_proba(seen)
            for i, one in enumerate(known):
                if one in learner.classes_:
                    chances[:, i] = found[:, list(learner.classes_).index(one)]
    rare = known[np.argmin([(test == one).sum() for one in known])] if len(known) else 0

    def f1(rows: np.ndarray) -> float:
        rows = rows[test[rows] > 0]
        wanted = known if len(known) > 2 else [rare]
        return float(np.mean([_f1(test[rows] == one, guess[rows] == one) for guess in told for one in wanted]))

    def area(rows: np.ndarray) -> float:
        rows = rows[test[rows] > 0]
        which = [list(known).index(rare)] if len(known) == 2 else range(len(known))
        sides = [(chances[rows, i], test[rows] == known[i]) for i in which]
        return float(np.mean([auc(p[y], p[~y]) for p, y in sides if 0 < y.sum() < len(y)] or [np.nan]))

    return {"F1": f1, "AUC": area}


def _f1(real: np.ndarray, told: np.ndarray) -> float:
    """2 TP / (2 TP + FP + FN); 0 where there is neither a real nor a told one."""
    hits = (real & told).sum()
    return float(2 * hits / max(1, real.sum() + told.sum()))


def _numbers(
    x: np.ndarray, seen: np.ndarray, y: np.ndarray, test: np.ndarray, seed: int
) -> dict[str, Callable[[np.ndarray], float]]:
    known = ~np.isnan(y)
    told = [learner.fit(x[known], y[known]).predict(seen) for learner in learners(False, seed).values()] if known.any() else []

    def determined(rows: np.ndarray) -> float:
        rows = rows[~np.isnan(test[rows])]
        whole = np.square(test[rows] - test[rows].mean()).sum() if len(rows) else 0.0
        scores = [1 - np.square(test[rows] - one[rows]).sum() / whole for one in told] if whole > 0 else []
        return float(np.mean([max(LEAST, one) for one in scores])) if scores else float("nan")

    return {"R2": determined}
