"""Plan: how much noise the pairs and D's steps get, so that everything together costs what was asked."""

from __future__ import annotations

from dataclasses import dataclass
from math import log1p

from zerosum.private.accountant import least
from zerosum.private.ledger import Ledger, Read


@dataclass(frozen=True)
class Plan:
    """The columns are described already; this is about the rest."""

    columns: Ledger
    pairs: float  # deviation of the noise on pairs of values, over their sensitivity
    d: float  # deviation of the noise on D's summed gradient, over the clipping norm
    steps: int  # of D
    rate: float  # chance of a row to be in a batch of D

    @staticmethod
    def of(columns: Ledger, share: float, steps: int, rate: float) -> Plan:
        """The least noise with which epsilon is kept; `share` of what is left goes to D's steps, the rest to the pairs."""

        def at(noise: float) -> Plan:
            """Both together about what one Gaussian mechanism of this noise would cost.

            D's part by the central limit theorem of Dong, Roth & Su 2022, "Gaussian Differential Privacy", corollary 4; it only
            chooses: what is claimed is added up exactly.
            """
            d = log1p(share / (noise**2 * rate**2 * steps)) ** -0.5
            return Plan(columns, noise / (1 - share) ** 0.5, d, steps, rate)

        return at(least(lambda noise: at(noise).ledger(1.0, 1.0).spent <= columns.epsilon))

    def ledger(self, sensitivity: float, clip: float) -> Ledger:
        """Every read of rows, those of the columns included."""
        return self.columns.plus(
            Read("how often values come together", "Gaussian, once", self.pairs, sensitivity, 1),
            Read("D's steps", "DP-SGD: Poisson sampling, clipping row by row, Gaussian", self.d, clip, self.steps, self.rate),
            Read("choice of the model", "none: the last step is shown, no row has a say"),
        )
