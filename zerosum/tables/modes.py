"""Mode-specific normalisation: a number as the mode it belongs to and its place within that mode.

Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", section 4.2: a variational Gaussian mixture of at most 10
modes; number = (x - mu) / (4 sigma), and the mode drawn from its posterior. Beyond the paper: values that stand for themselves
(spikes, special values, missing) are further choices beside the modes; a column with heavy tails is squeezed by asinh first;
and values that lie beyond every mode get a wide mode of their own, so that nothing is cut off.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_MODES = 10
LEAST_WEIGHT = 0.005
SAMPLE = 2000
"""Numbers the mixture is fitted to, at most: of more rows, order statistics at even distances."""
HEAVY = 30.0
"""Half interquartile ranges from the median to the farthest value from which on tails are squeezed."""


@dataclass(frozen=True)
class Modes:
    """Codes [0, size): the modes, then special values, then missing where `null`."""

    centres: tuple[float, ...]
    scales: tuple[float, ...]  # 4 sigma
    weights: tuple[float, ...]
    low: float
    high: float
    null: bool = False
    special: tuple[float, ...] = ()
    squeeze: tuple[float, float] | None = None  # (centre, scale) of the asinh
    step: float = 0.0  # values are multiples of it; 0: any

    @staticmethod
    def fit(
        plain: np.ndarray,
        special: tuple[float, ...] = (),
        low: float | None = None,
        high: float | None = None,
        step: float = 0.0,
    ) -> Modes:
        """The modes of plain numbers [n], NaN where missing. `low`, `high`: bounds other than their own."""
        gone = np.isnan(plain)
        known = plain[~gone]
        least = float(known.min()) if low is None else low
        most = float(known.max()) if high is None else high
        x = known[~np.isin(known, special)]
        x = known if len(x) == 0 else x
        middle = float(np.median(x))
        half = float(np.subtract(*np.quantile(x, [0.75, 0.25]))) / 2 or float(x.std())
        squeeze = (middle, half) if half > 0 and np.abs(x - middle).max() > HEAVY * half else None
        u = _squeezed(x, squeeze)
        centres, scales, weights = _mixture(u)
        beyond = u[(np.abs(u[:, None] - centres) > scales).all(1)]
        if len(beyond):
            a, b = beyond.min(), beyond.max()
            centres, scales = np.append(centres, (a + b) / 2), np.append(scales, max((b - a) / 2, 1e-6 * abs(a), 1e-9))
            weights = np.append(weights, len(beyond) / len(u))
        law: list[tuple[float, ...]] = [tuple(map(float, part)) for part in (centres, scales, weights / weights.sum())]
        return Modes(law[0], law[1], law[2], least, most, bool(gone.any()), tuple(special), squeeze, step)

    @property
    def size(self) -> int:
        """How many codes there are."""
        return len(self.centres) + len(self.special) + self.null

    def codes(self, plain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(float32 [n] in [-1, 1], int32 [n]): the place within the mode, 0 where there is none, and the code."""
        gone = np.isnan(plain)
        centres, scales = np.array(self.centres), np.array(self.scales)
        u = _squeezed(np.where(gone, 0, plain), self.squeeze)
        gap = np.abs(u[:, None] - centres) / scales
        logit = np.where(gap <= 1, np.log(self.weights) - np.log(scales) - 8 * gap**2, -1e9 * (1 + gap))  # sigma = scale / 4
        chance = np.random.default_rng(0).gumbel(size=logit.shape)
        code = np.where((gap <= 1).any(1), (logit + chance).argmax(1), gap.argmin(1))
        number = ((u - centres[code]) / scales[code]).clip(-1, 1)
        for i, value in enumerate(self.special):
            code = np.where(plain == value, len(centres) + i, code)
        code = np.where(gone, self.size - 1 if self.null else code, code)
        return np.where(code < len(centres), number, 0).astype(np.float32), code.astype(np.int32)

    def plain(self, number: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Plain numbers, within the bounds, of places in [-1, 1] and codes."""
        mode = np.minimum(codes, len(self.centres) - 1)
        u = np.array(self.centres)[mode] + np.array(self.scales)[mode] * np.clip(number.astype(np.float64), -1, 1)
        if self.squeeze is not None:
            u = self.squeeze[0] + self.squeeze[1] * np.sinh(u)
        x = self.within(u)
        for i, value in enumerate(self.special):
            x = np.where(codes == len(self.centres) + i, value, x)
        return np.where(codes == self.size - 1, np.nan, x) if self.null else x

    def within(self, x: np.ndarray) -> np.ndarray:
        """Numbers brought into the bounds and onto the step."""
        if self.step >= 1:
            x = np.rint(x / self.step) * self.step
        elif self.step:
            x = np.round(x, round(-np.log10(self.step)))
        return x.clip(self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("centres", "scales", "weights", "special", "squeeze")
        lists = {name: None if getattr(self, name) is None else list(getattr(self, name)) for name in names}
        return lists | {"low": self.low, "high": self.high, "null": self.null, "step": self.step}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Modes:
        """What `to_json` wrote."""
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return Modes(**fields)


def _squeezed(x: np.ndarray, squeeze: tuple[float, float] | None) -> np.ndarray:
    return x if squeeze is None else np.arcsinh((x - squeeze[0]) / squeeze[1])


def _mixture(u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, four deviations and weights of the modes of numbers [n]."""
    from sklearn.mixture import BayesianGaussianMixture

    spread = u.std()
    if len(u) < 2 or not spread > 0:
        return u[:1], np.array([max(1e-3 * abs(u[0]), 1e-3)]), np.ones(1)
    if len(u) > SAMPLE:
        u = np.sort(u)[np.linspace(0, len(u) - 1, SAMPLE).round().astype(int)]
    z = ((u - u.mean()) / spread)[:, None]
    most = min(MOST_MODES, len(np.unique(z)))
    model = BayesianGaussianMixture(n_components=most, weight_concentration_prior=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture that has not settled in 100 rounds serves as well
        model.fit(z)
    kept = model.weights_ > LEAST_WEIGHT
    centres = u.mean() + spread * model.means_[kept, 0]
    return centres, 4 * spread * np.sqrt(model.covariances_[kept, 0, 0]), model.weights_[kept]
