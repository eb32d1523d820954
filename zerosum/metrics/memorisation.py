"""Memorisation: do generated items lie nearer to training items than real items do that were never trained on?"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.data.source import MOST_NUMBERS
from zerosum.metrics.case import Case
from zerosum.metrics.intervals import bootstrap
from zerosum.metrics.neighbours import squared
from zerosum.metrics.score import Score

QUICK = False
TRAINING = 50_000
"""Training items that neighbours are looked for among."""

SHARE = 0.05


def nearest(x: Tensor, training: Tensor) -> Tensor:
    """Distance [n] from each row of x [n, d] to the nearest row of training [m, d]."""
    centre = training.double().mean(0)
    rows = [part.min(1).values for _, part in squared(x.double() - centre, training.double() - centre)]
    return torch.cat(rows).sqrt()


def memorised(made: Tensor, held: Tensor) -> Tensor:
    """Which of the distances made [n] are no larger than the 5 % quantile of the held-out ones [m], as 0 and 1.

    Their mean is about 0.05 for items of the data's own law, and 1 for copies.
    """
    return (made <= held.quantile(SHARE)).double()


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """Share of generated images that lie nearer to a training image than 95 % of held-out images do.

    `real` is the share of one half of the held-out images by the other half's quantile; `trivial` that of a copier, of
    training images themselves.
    """
    most = max(2, min(TRAINING, MOST_NUMBERS // case.train["x"][0].numel()))
    training = case.seen("train") if most <= case.items else case.features(case.source.some(most)["x"])
    made, held, copied = (nearest(x, training) for x in (case.seen("made"), case.seen("held"), case.seen("train")[:1000]))
    flags = memorised(made, held)
    low, high = bootstrap(flags)
    real = float(memorised(held[::2], held[1::2]).mean())
    counts = (
        f"{len(made):,} generated images, nearest of {len(training):,} training images; 5 % quantile of {len(held):,} "
        f"held-out images; median distance {made.median():.4g} (held-out: {held.median():.4g}); real: one half of the held-out "
        f"images by the other's quantile; trivial: copies of training images; interval: bootstrap over generated images"
    )
    what = "share of generated images nearer to a training image than 95 % of held-out images are"
    value, worst = float(flags.mean()), float(memorised(copied, held).mean())
    return [Score(case.name("memorisation"), value, "lower", real, worst, case.protocol(what, counts), low, high)]
