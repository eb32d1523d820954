"""Utility of tables: do learners that saw only generated rows predict the target of real ones?"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.score import Score
from zerosum.metrics.tables.columns import MOST
from zerosum.metrics.tables.sides import MEANS, as_score
from zerosum.metrics.tables.utility import classifies, learners, utility

QUICK = False


def applies(case: Case) -> bool:
    """Any table; scores come where a target is named, with `--target` or in the schema."""
    return case.spec.kind == "tables"


def measure(case: Case) -> list[Score]:
    """F1 and AUC where the target is a class, R2 where it is a number; nothing where no column is to be predicted."""
    sides = case.tables
    target = sides.schema.target
    if target is None or len(sides.schema.columns) < 2:
        return []
    found = {name: utility(table, sides.held, sides.schema, case.seed) for name, table in sides.tables.items()}
    rows, classes = np.arange(len(sides.held)), classifies(sides.held, sides.schema)
    means = ", ".join(learners(classes))
    ways = {
        "F1": f"F1 of the rarer class of {target} (of more than two: mean over classes), mean of {means}",
        "AUC": f"ROC AUC of {target} by gradient boosting",
        "R2": f"coefficient of determination of {target} (none below -1), mean of {means}",
    }
    scores = []
    for name, score in found["made"].items():
        values = {side: one[name](rows) for side, one in found.items()}
        if values["real"] != values["real"]:
            continue  # one class alone was held out
        protocol = (
            f"{ways[name]}; trained on up to {MOST:,} generated rows, tested on {len(rows):,} held-out ones; {MEANS}; "
            f"interval: bootstrap over held-out rows; seed {case.seed}"
        )

        def again(drawn: Tensor, score=score) -> Tensor:
            return torch.tensor([one for row in drawn.long().numpy() if (one := score(row)) == one] or [0.0]).double()

        interval = bootstrap(torch.arange(len(rows)), again)
        scores.append(as_score(f"{name}, trained on generated", "higher", values, protocol, interval))
    return scores
