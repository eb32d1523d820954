"""Classifier score: does a classifier name each image firmly, and all images diversely? Inception's is the Inception Score."""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import GROUPS, jackknife, part_count
from zerosum.metrics.score import Score

QUICK = False


def classifier_score(chances: Tensor) -> float:
    """exp(mean KL(p(y|x) || p(y))) of class probabilities [n, k], n >= 1: from 1 to k.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 4. All items at once, not a mean over ten splits:
    with fewer items the score is lower.
    """
    chances = chances.double()
    return _of(torch.special.entr(chances).sum(1).sum(), chances.sum(0), len(chances))


def _of(entropy: Tensor, total: Tensor, n: int) -> float:
    """From the sum of the rows' entropies and the sum of the rows: exp(H(mean) - mean H)."""
    return float((torch.special.entr(total / n).sum() - entropy / n).exp())


def applies(case: Case) -> bool:
    """Any images; scores come from networks that are classifiers alone."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """The score of generated images; nothing where the network is no classifier."""
    made, held, trivial = (case.chances(side) for side in ("made", "held", "trivial"))
    if made is None or held is None or trivial is None:
        return []
    value = classifier_score(made)
    p = made.double()
    entropy = torch.special.entr(p).sum(1)
    without = [
        _of(entropy.sum() - e.sum(), p.sum(0) - part.sum(0), len(p) - len(part))
        for e, part in zip(entropy.tensor_split(GROUPS), p.tensor_split(GROUPS), strict=True)
    ]
    low, high = jackknife(value, [without]) if part_count(len(made)) >= 3 else (None, None)
    counts = (
        f"{len(made):,} generated images, {made.shape[1]} classes; real: {len(held):,} held-out images; "
        f"trivial: {len(trivial):,} of independent pixels; interval: jackknife over tenths"
    )
    what = "exp of the mean divergence of an image's class probabilities from all images', in one split"
    name = case.name("classifier score", "Inception Score")
    real, worst = classifier_score(held), classifier_score(trivial)
    return [Score(name, value, "higher", real, worst, case.protocol(what, counts), low, high)]
