"""Train on synthetic, test on real: does a classifier that saw only generated items read real ones?"""

from __future__ import annotations

from math import prod

from zerosum.data.source import Source, Spec
from zerosum.game import Batch
from zerosum.metrics.score import Maker, Score
from zerosum.metrics.trivial import independent

ITEMS = 2000
QUICK = True


def applies(spec: Spec, labelled: bool) -> bool:
    """Labelled data that are small enough for a support vector machine, and a generator that takes labels."""
    return labelled and spec.classes > 1 and prod(spec.shape) <= 1024


def measure(make: Maker, source: Source, seed: int = 0) -> list[Score]:
    """Accuracy on held-out real items of an SVC (rbf kernel, scikit-learn's defaults) trained on 2,000 generated ones.

    Esteban et al. 2017, "Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs", section 4 (TSTR).
    Real: the same SVC trained on as many real training items (or all, where there are fewer).
    """
    held, real = source.held_out(), source.some(ITEMS)
    accuracy = lambda train: svc_accuracy(train, held)
    protocol = (
        f"SVC (rbf) trained on {ITEMS:,} generated items, tested on {len(held['x']):,} real ones held out before training; "
        f"real: trained on {len(real['x']):,} real training items; trivial: on items of independent numbers; seed {seed}"
    )
    values = accuracy(make(ITEMS, seed)), accuracy(real), accuracy(independent(real, ITEMS))
    return [Score("accuracy, trained on generated", values[0], "higher", values[1], values[2], protocol)]


def svc_accuracy(train: Batch, test: Batch) -> float:
    """Share of `test` that an SVC trained on `train` labels rightly, in [0, 1]; 0 where `train` has one class only."""
    from sklearn.svm import SVC

    if len(train["y"].unique()) < 2:
        return 0.0
    svc = SVC().fit(train["x"].flatten(1).numpy(), train["y"].numpy())
    return float(svc.score(test["x"].flatten(1).numpy(), test["y"].numpy()))
