"""Detection: can a learner tell generated rows of a table from real ones?"""

from __future__ import annotations

from zerosum.metrics.case import Case
from zerosum.metrics.score import Score
from zerosum.metrics.tables.detection import FOLDS, detection
from zerosum.metrics.tables.sides import MEANS, as_score

QUICK = False


def applies(case: Case) -> bool:
    """Any table."""
    return case.spec.kind == "tables"


def measure(case: Case) -> list[Score]:
    """ROC AUC of gradient boosting that tells generated from held-out rows; nothing where there are too few of them."""
    sides = case.tables
    if min(len(sides.held), len(sides.train)) < FOLDS:
        return []
    found = {name: detection(sides.held, table, sides.schema, case.seed) for name, table in sides.tables.items()}
    n = min(len(sides.held), len(sides.made))
    protocol = (
        f"ROC AUC, mean of {FOLDS} folds, of gradient boosting (scikit-learn's HistGradientBoosting) told {n:,} generated from "
        f"{n:,} held-out rows: 0.5 where it cannot tell, 1 where it always can; {MEANS}; interval: DeLong; seed {case.seed}"
    )
    values = {name: value for name, (value, _) in found.items()}
    return [as_score("detection AUC", "lower", values, protocol, found["made"][1])]
