"""An audit of `dptabular`: canaries are put among rows, or not, and an attacker who sees all that is noisy tells which.

The attacker knows all else: every other row, and D's weights at each step. The rows beside the canaries are the generator's
own, so that an audit reads no private row and costs nothing; what is promised is promised for every table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from zerosum.data.source import Spec
from zerosum.data.tables import codec
from zerosum.game import Batch
from zerosum.play import Run, play
from zerosum.private.bound import at_least
from zerosum.private.gradient import RowLoss, Weights, clipped_each
from zerosum.private.key import Key
from zerosum.private.moments import Pairs
from zerosum.private.plan import Plan
from zerosum.recipes.dptabular import Config, game_of, row_loss

CANARIES = 500
STEPS = 50
"""Of D that are attacked, at most."""
SHARES = (0.1, 0.3, 1.0)
"""Of the canaries: how many are guessed, the surest first. Of all attacks the best counts, each at its part of the doubt."""
DOUBT = 0.05
KNOWN = 256
"""Other rows by which the attacker reckons what they add to D's gradient."""


@dataclass(frozen=True)
class Audit:
    """What the attacker managed."""

    bound: float  # epsilon is at least this, but for a chance of 5 %
    canaries: int
    guesses: int  # of the share that proved most
    right: int
    where: str  # what was attacked, of what proved most

    def words(self) -> str:
        """For people, in a line."""
        return (
            f"epsilon is at least {self.bound:.3g} (95 %): of {self.canaries:,} canaries {self.guesses:,} were guessed and "
            f"{self.right:,} of the guesses were right (attacked: {self.where}); a bound above the claim would refute it"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass
class _Table:
    """Rows as a source: some places of the table are empty."""

    rows: Tensor
    places: int
    key: Key

    def by_poisson(self) -> _Table:
        return self

    def __len__(self) -> int:
        return self.places

    def whole(self) -> Iterator[Tensor]:
        yield from self.rows.split(5000)

    def batches(self, size: int, seed: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[Batch]:
        cursor = start
        while True:
            chosen = self.key.uniform(len(self.rows), "rows", cursor) < size / self.places
            yield {"x": self.rows[torch.from_numpy(chosen)]}
            cursor += 1


@dataclass
class _Attacker:
    """Log-odds for each canary, from D's steps."""

    canaries: Tensor
    known: Tensor
    others: int
    plan: Plan
    clip: float
    loss: RowLoss
    odds: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.odds = torch.zeros(len(self.canaries), dtype=torch.float64)

    def watch(self, weights: Weights, released: Weights) -> None:
        """Take one step's noisy sum into account."""
        mine, rest = (_flat(clipped_each(self.loss, weights, rows, self.clip)) for rows in (self.canaries, self.known))
        seen = torch.cat([released[name].flatten() for name in weights])
        rate = self.plan.rate
        seen = seen - rate * (self.others * rest.mean(0) + mine.sum(0) / 2)
        noise = max(self.plan.d, 0.01) * min(self.clip, float(mine.norm(dim=1).max()))
        # what all others add, the canaries too, spreads about its mean: R^T R, beside noise^2
        spread = torch.cat(
            [mine * (rate / 2 * (1 - rate / 2)) ** 0.5, rest * (rate * (1 - rate) * self.others / len(rest)) ** 0.5]
        )
        gram, to_mine = spread @ spread.T, spread @ mine.T
        solved = torch.linalg.solve(
            gram.double() + noise**2 * torch.eye(len(gram), dtype=torch.float64),
            torch.cat([to_mine, (spread @ seen)[:, None]], 1).double(),
        )
        lean = ((mine @ seen).double() - to_mine.T.double() @ solved[:, -1]) / noise**2
        own = (mine.square().sum(1).double() - (to_mine.double() * solved[:, :-1]).sum(0)) / noise**2
        left = (1 - rate / 2 * (1 - rate / 2) * own).clamp_min(1e-6)  # its own part does not count as spread
        lean = lean / left - own / left / 2
        if rate < 1:
            lean = torch.logaddexp(torch.tensor(1 - rate, dtype=torch.float64).log(), lean + float(np.log(rate)))
        self.odds += lean


def audit(
    cfg: Config,
    spec: Spec,
    made: Tensor,
    plan: Plan,
    canaries: int = CANARIES,
    steps: int = STEPS,
    known: int = KNOWN,
    key: Key | None = None,
) -> Audit:
    """Attack the mechanisms of a plan. `made`: generated rows [n, width] to put canaries among; `known`: how many of them the
    attacker reckons D's gradients by."""
    key = key or Key.fresh()
    m = min(canaries, spec.items // 2)
    spans = codec(spec).spans
    asked = torch.zeros(m, spans[-1].stop)
    for number, span in enumerate(span for span in spans if span.kind == "choice"):
        choice = torch.from_numpy((key.uniform(m, "canaries", number) * span.size).astype(np.int64))
        asked[torch.arange(m), span.start + choice] = 1.0
    present = torch.from_numpy(key.uniform(m, "present") < 0.5)
    others = made[: spec.items - m]
    table = _Table(torch.cat([others, asked[present]]), spec.items, key)
    places = torch.cat([torch.arange(span.start, span.stop) for span in spans if span.kind == "choice"])
    attacker: list[_Attacker] = []
    game = game_of(cfg, spec, plan, lambda weights, released: attacker[0].watch(weights, released))
    game = replace(game, turns=(replace(game.turns[0], every=1, span=(0, float("inf"))),), ema={})
    parts = asked[:, places], others[:known, places]
    attacker.append(_Attacker(*parts, len(others), plan, cfg.clip, row_loss(cfg, game.nets["D"])))
    steps = min(steps, cfg.d_steps)
    run = Run(game, steps, cfg.batch, seed=0)
    for _ in play(run, cast(Any, table)):
        pass
    pairs, d = from_pairs(cast(Pairs, game.nets["pairs"]), asked, others, plan.pairs), attacker[0].odds
    attacks = {"the pairs": pairs, f"{steps:,} of D's steps": d, f"the pairs and {steps:,} of D's steps": pairs + d}
    found = [
        one for where, odds in attacks.items() for one in guessed(odds, present, spec.private["delta"], len(attacks), where)
    ]
    return max(found, key=lambda one: one.bound)


def from_pairs(pairs: Pairs, asked: Tensor, others: Tensor, noise: float) -> Tensor:
    """Log-odds for each canary, from the noisy pairs: the best linear estimate of who is there, others' parts subtracted."""
    assert pairs.noisy is not None
    rest = torch.triu(pairs.noisy - sum(pairs.sums(part) for part in others.split(5000)))
    y, z = (part.double() for part in pairs.parts(asked))
    alike = z @ z.T
    kernel = (y @ y.T) * (alike.square() + alike) / 2  # products of canaries' parts in the sums, each pair of values once
    seen = torch.stack([((z @ one) * z).sum(1) for one in rest], 1)
    spread = max(noise, 0.01) * pairs.sensitivity
    half = torch.full((len(asked),), 0.5, dtype=torch.float64)
    system = kernel / spread**2 + 4 * torch.eye(len(asked), dtype=torch.float64)
    estimate = half + torch.linalg.solve(system, ((seen * y).sum(1) - kernel @ half) / spread**2)
    return torch.logit(estimate.clamp(1e-6, 1 - 1e-6))


def guessed(odds: Tensor, present: Tensor, delta: float, attacks: int, where: str) -> list[Audit]:
    """One of so many attacks, for each of `SHARES`: the highest odds are said to be there; as many of the lowest not to be,
    or nothing is said of them."""
    order, m = odds.argsort(), len(odds)
    found = []
    for share in SHARES:
        half = int(share * m / 2)
        there, not_there = int(present[order[m - half :]].sum()), int((~present[order[:half]]).sum())
        for guesses, right in ((2 * half, there + not_there), (half, there)):
            bound = at_least(m, guesses, right, delta, DOUBT / (2 * len(SHARES) * attacks))
            found.append(Audit(bound, m, guesses, right, where))
    return found


def _flat(gradients: Weights) -> Tensor:
    return torch.cat([g.flatten(1) for g in gradients.values()], 1)
