"""Train on synthetic, test on real: does a classifier that saw only generated items read real ones?"""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor

from zerosum.game import Batch
from zerosum.metrics.case import Case
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.score import Score
from zerosum.metrics.trivial import independent

ITEMS = 2000
QUICK = True
HURRIED = 1000
"""Items on either side while training waits, where more would take seconds."""
DEAR = 2**26
"""Numbers that an SVC compares, items by items by numbers an item, from which on it takes seconds."""


def applies(case: Case) -> bool:
    """Labelled data that are small enough for a support vector machine, and a generator that takes labels."""
    return case.labelled and case.spec.classes > 1 and prod(case.spec.shape) <= 1024


def measure(case: Case) -> list[Score]:
    """Accuracy on held-out real items of an SVC (rbf kernel, scikit-learn's defaults) trained on 2,000 generated ones; while
    training waits, and for large data, on 1,000 of them trained on 1,000.

    Esteban et al. 2017, "Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs", section 4 (TSTR).
    Real: the same SVC trained on as many real training items (or all, where there are fewer).
    """
    held, items = case.source.held_out(), ITEMS
    if case.hurried and items * len(held["x"]) * prod(case.spec.shape) > DEAR:
        held, items = case.source.held_out(HURRIED), HURRIED
    real = case.source.some(items)
    protocol = (
        f"SVC (rbf) trained on {items:,} generated items, tested on {len(held['x']):,} real ones held out before training; "
        f"real: trained on {len(real['x']):,} real training items; trivial: on items of independent numbers; "
        f"interval: bootstrap over held-out items; seed {case.seed}"
    )
    hits = svc_hits(case.made(items), held)
    low, high = bootstrap(hits)
    ends = svc_accuracy(real, held), svc_accuracy(independent(real, items), held)
    return [Score("accuracy, trained on generated", float(hits.mean()), "higher", *ends, protocol, low, high)]


def svc_accuracy(train: Batch, test: Batch) -> float:
    """Share of `test` that an SVC trained on `train` labels rightly, in [0, 1]; 0 where `train` has one class only."""
    return float(svc_hits(train, test).mean())


def svc_hits(train: Batch, test: Batch) -> Tensor:
    """Which items of `test` an SVC trained on `train` labels rightly, as 0 and 1; none where `train` has one class only."""
    from sklearn.svm import SVC

    if len(train["y"].unique()) < 2:
        return torch.zeros(len(test["y"]), dtype=torch.float64)
    svc = SVC().fit(train["x"].flatten(1).numpy(), train["y"].numpy())
    return torch.from_numpy(svc.predict(test["x"].flatten(1).numpy()) == test["y"].numpy()).double()
