"""Ledger: every read of private rows, by which mechanism, with what noise, and what share of epsilon it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from zerosum.private.accountant import renyi, spent


@dataclass(frozen=True)
class Read:
    """One measurement, or `steps` alike."""

    what: str  # what is read of the rows
    mechanism: str  # how
    noise: float = 0.0  # deviation of the noise over the sensitivity; of no meaning where `steps` is 0
    sensitivity: float = 0.0  # how far one row can move what is measured, in L2
    steps: int = 0  # how often; 0: the rows are not read
    rate: float = 1.0  # chance of each row to be in the sample that is read
    delta: float = 0.0  # chance that it fails to hide a row, beside what noise costs

    @property
    def cost(self) -> np.ndarray:
        """Rényi costs at the accountant's orders."""
        return renyi(self.noise, self.rate, self.steps)


@dataclass(frozen=True)
class Ledger:
    """What is claimed, and the reads that it is claimed of."""

    epsilon: float
    delta: float
    reads: tuple[Read, ...] = ()

    def plus(self, *reads: Read) -> Ledger:
        """The same with more reads."""
        return replace(self, reads=(*self.reads, *reads))

    @property
    def left(self) -> float:
        """The part of delta that is not any read's own."""
        return self.delta - sum(read.delta for read in self.reads)

    @property
    def spent(self) -> float:
        """Epsilon of all reads together, at delta."""
        return spent(self._cost, self.left)[0] if self.reads else 0.0

    @property
    def shares(self) -> tuple[float, ...]:
        """Each read's share of what is spent: they sum to it. At the order that decides, costs are proportional to them."""
        epsilon, best = spent(self._cost, self.left)
        costs = [read.cost[best] for read in self.reads]
        total = sum(costs)
        return tuple(epsilon * cost / total if np.isfinite(total) and total else epsilon for cost in costs)

    @property
    def _cost(self) -> np.ndarray:
        return np.sum([read.cost for read in self.reads], axis=0)

    def words(self) -> list[str]:
        """The ledger for people, a line each."""
        wide = max(len(read.what) for read in self.reads)
        said = [f"privacy   epsilon {self.spent:.4g} at delta {self.delta:g}: one row, there or not, in whatever is published"]
        for read, share in zip(self.reads, self.shares, strict=True):
            how = f"noise {read.noise:.3g} x sensitivity {read.sensitivity:.3g}" if read.steps else ""
            how += f", {read.steps:,} times at rate {read.rate:.3g}" if read.rate < 1 else ""
            how += f"; delta {read.delta:.2g}" if read.delta else ""
            said.append(f"          {share:6.3f}  {read.what:{wide}}  {read.mechanism}{', ' if how else ''}{how}")
        return said

    def to_json(self) -> dict[str, Any]:
        """Plain values, with the sums."""
        rows = [asdict(read) | {"epsilon": share} for read, share in zip(self.reads, self.shares, strict=True)]
        return {"epsilon": self.epsilon, "delta": self.delta, "spent": self.spent, "reads": rows}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Ledger:
        """What `to_json` wrote."""
        reads = tuple(Read(**{name: one[name] for name in Read.__dataclass_fields__}) for one in values["reads"])
        return Ledger(values["epsilon"], values["delta"], reads)
