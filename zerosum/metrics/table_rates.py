"""Rates: how far the shares of the target's classes are off."""

from __future__ import annotations

import numpy as np
import torch

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.score import Score
from zerosum.metrics.tables.columns import codes
from zerosum.metrics.tables.sides import MEANS, as_score
from zerosum.metrics.tables.utility import classifies

QUICK = True


def applies(case: Case) -> bool:
    """Any table; scores come where a target is named and is a class."""
    return case.spec.kind == "tables"


def measure(case: Case) -> list[Score]:
    """The largest error of a class's share among generated rows."""
    sides = case.tables
    target = sides.schema.target
    if target is None or not classifies(sides.train, sides.schema):
        return []
    names, tables = list(sides.tables), list(sides.tables.values())
    held, train, *found = codes(sides.held[target], sides.train[target], *(table[target] for table in tables))
    size = 1 + max(int(one.max(initial=0)) for one in (held, train, *found))
    share = lambda one: np.bincount(one, minlength=size) / max(1, len(one))
    real = (share(held) * len(held) + share(train) * len(train)) / (len(held) + len(train))
    wrong = {name: float(np.abs(share(one) - real).max()) for name, one in zip(names, found, strict=True)}
    worst = int(np.abs(share(found[0]) - real).argmax())
    flags = torch.from_numpy(found[0] == worst).double()
    value = sides.made[target].iloc[int(flags.argmax())] if flags.any() else "a class that was never generated"
    protocol = (
        f"largest error of the share of a value of {target} among {len(sides.made):,} generated rows: here that of {value}, "
        f"{float(flags.mean()):.4f} in place of {real[worst]:.4f} of all {len(held) + len(train):,} real rows; {MEANS}; "
        f"interval: bootstrap over generated rows; seed {case.seed}"
    )
    low, high = bootstrap(flags, lambda drawn: (drawn.mean(1) - float(real[worst])).abs())
    return [as_score(f"{target}: error of a share", "lower", wrong, protocol, (low, high))]
