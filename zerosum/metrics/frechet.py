"""Fréchet distance between two sets of features. It is the FID where the official Inception network made them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import GROUPS, Interval, jackknife, part_count
from zerosum.metrics.score import Score

QUICK = False


def frechet(a: ArrayLike, b: ArrayLike) -> float:
    """Squared Fréchet distance between Gaussians fitted to features a [n, d] and b [m, d]; 0 for equal moments.

    |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) (Dowson & Landau 1982; Heusel et al. 2017, "GANs Trained by a Two
    Time-Scale Update Rule", eq. 6). It is the FID only where the official Inception network made the features. The trace
    of the root comes from the eigenvalues of S_a^(1/2) S_b S_a^(1/2), in float64. n, m >= 2.
    """
    first, second = Sums.of(a), Sums.of(b)
    return _distance(first.moments(), second.moments(), _root(first.moments()[1]))


def interval(a: ArrayLike, b: ArrayLike, value: float) -> Interval:
    """Its 95 % interval: the jackknife over tenths of either side. (None, None) where a side has fewer than 75 items."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(part_count(len(a)), part_count(len(b))) < 3:
        return None, None
    without = []
    for moving, fixed in ((a, b), (b, a)):
        whole, still = Sums.of(moving), Sums.of(fixed).moments()
        root = _root(still[1])
        left = [whole.minus(Sums.of(group)).moments() for group in np.array_split(moving, GROUPS)]
        without.append([_distance(still, one, root) for one in left])
    low, high = jackknife(value, without)
    return max(0.0, low or 0.0), high


@dataclass(frozen=True)
class Sums:
    """How many items, their sum and the sum of their outer products: what moments are made of, and can be taken from."""

    n: int
    first: np.ndarray
    second: np.ndarray

    @staticmethod
    def of(x: ArrayLike) -> Sums:
        """Sums of features [n, d]."""
        x = np.asarray(x, np.float64)
        return Sums(len(x), x.sum(0), x.T @ x)

    def minus(self, part: Sums) -> Sums:
        """Without a part of the items."""
        return Sums(self.n - part.n, self.first - part.first, self.second - part.second)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """(mean [d], unbiased covariance [d, d])."""
        mean = self.first / self.n
        return mean, (self.second - self.n * np.outer(mean, mean)) / (self.n - 1)


def _root(cov: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(cov)
    root: np.ndarray = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    return root


def _distance(a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray], root_a: np.ndarray) -> float:
    overlap = np.sqrt(np.linalg.eigvalsh(root_a @ b[1] @ root_a).clip(0)).sum()
    return float(np.square(a[0] - b[0]).sum() + np.trace(a[1]) + np.trace(b[1]) - 2 * overlap)


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """The distance between generated and held-out images."""
    made, held, train, trivial = (case.seen(side).numpy() for side in ("made", "held", "train", "trivial"))
    value = frechet(made, held)
    counts = (
        f"{len(made):,} generated against {len(held):,} held-out real images; real: {len(train):,} training images; "
        f"trivial: {len(trivial):,} of independent pixels; interval: jackknife over tenths"
    )
    name = case.name("Fréchet distance", "FID")
    protocol = case.protocol("FID" if name == "FID" else "Fréchet distance (no FID: another network)", counts)
    low, high = interval(made, held, value)
    return [Score(name, value, "lower", frechet(train, held), frechet(trivial, held), protocol, low, high)]
