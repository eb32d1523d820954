"""Area under the ROC curve, with an interval."""

from __future__ import annotations

import numpy as np

from zerosum.metrics.intervals import Interval


def auc(yes: np.ndarray, no: np.ndarray) -> float:
    """Share of pairs in which a score of `yes` [n] is above one of `no` [m], equal ones half: 0.5 where they tell nothing."""
    return float(_placements(yes, no).mean())


def interval(yes: np.ndarray, no: np.ndarray) -> Interval:
    """95 % interval of the area: DeLong et al. 1988, "Comparing the Areas under Two or More Correlated ROC Curves"."""
    if min(len(yes), len(no)) < 2:
        return None, None
    over, under = _placements(yes, no), 1 - _placements(no, yes)
    error = np.sqrt(over.var(ddof=1) / len(over) + under.var(ddof=1) / len(under))
    return max(0.0, float(over.mean() - 1.96 * error)), min(1.0, float(over.mean() + 1.96 * error))


def _placements(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """For each of a, the share of b below it, equal ones half."""
    b = np.sort(b)
    return (np.searchsorted(b, a, "left") + np.searchsorted(b, a, "right")) / (2 * len(b))
