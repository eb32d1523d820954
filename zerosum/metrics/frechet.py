"""Fréchet distance between two sets of features. The scores made of it are in `pixels` and `judge`."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def frechet(a: ArrayLike, b: ArrayLike) -> float:
    """Squared Fréchet distance between Gaussians fitted to features a [n, d] and b [m, d]; 0 for equal moments.

    |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) (Dowson & Landau 1982; Heusel et al. 2017, "GANs Trained by a Two
    Time-Scale Update Rule", eq. 6). It is the FID only where the official Inception network made the features. The trace
    of the root comes from the eigenvalues of S_a^(1/2) S_b S_a^(1/2), in float64. n, m >= 2.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    cov_a, cov_b = np.cov(a, rowvar=False).reshape(a.shape[1], -1), np.cov(b, rowvar=False).reshape(b.shape[1], -1)
    values, vectors = np.linalg.eigh(cov_a)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ cov_b @ root).clip(0)).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * overlap)
