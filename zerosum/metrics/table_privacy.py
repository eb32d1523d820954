"""Privacy of tables: what generated rows give away of the training rows, beside what they say of rows held out."""

from __future__ import annotations

import numpy as np
import torch

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import Interval, bootstrap
from zerosum.metrics.score import Score
from zerosum.metrics.tables.auc import auc, interval
from zerosum.metrics.tables.privacy import CLOSE, copied, disclosed, distances, secret
from zerosum.metrics.tables.sides import as_score
from zerosum.metrics.tables.words import ATTRIBUTE, CLOSER, CLOSEST, COPIES, MEMBERS

QUICK = False
FEWEST = 20
"""Held-out rows without which nothing can be said: half of them stand in for generated ones."""

MEANS = (
    "real: one half of the held-out rows in place of generated ones, against the other half; trivial: columns drawn "
    "independently; copula: Gaussian; copies: training rows themselves"
)


def applies(case: Case) -> bool:
    """Any table."""
    return case.spec.kind == "tables"


def measure(case: Case) -> list[Score]:
    """Exact copies, distances to the closest rows, and two attacks; nothing where fewer than 20 rows are held out."""
    sides = case.tables
    if len(sides.held) < FEWEST:
        return []
    schema, seed = sides.schema, case.seed
    luck = np.random.default_rng(seed).permutation(len(sides.held))
    fresh, rest = (sides.held.iloc[np.sort(half)] for half in np.array_split(luck, 2))
    others = {name: table for name, table in sides.tables.items() if name != "real"}
    found = {name: distances(table, sides.train, sides.held, schema, seed) for name, table in others.items()}
    found["real"] = distances(fresh, sides.train, rest, schema, seed)
    same = {name: copied(table, sides.train, schema) for name, table in others.items()}
    same["real"] = copied(sides.held, sides.train, schema)
    made, n = found["made"], len(found["made"].train_made)
    rows = f"{len(sides.made):,} generated rows, {n:,} training and {n:,} held-out rows, Gower's distance"
    tail = lambda how: f"{rows}; {MEANS}; interval: {how}; seed {seed}"
    fifth = {name: one.fifth()[0] for name, one in found.items()}
    _, fifth["real"], around = made.fifth()
    scores = [
        as_score(
            COPIES,
            "lower",
            {name: float(flags.mean()) for name, flags in same.items()},
            f"share of {len(sides.made):,} generated rows that equal one of all {len(sides.train):,} training rows in every "
            f"column but keys; real: held-out rows; {MEANS[MEANS.index('trivial') :]}; interval: bootstrap; seed {seed}",
            bootstrap(torch.from_numpy(same["made"])),
        ),
        as_score(
            CLOSER,
            "lower",
            {name: float(one.closer.mean()) for name, one in found.items()},
            f"share of generated rows that lie nearer to a training row than to any held-out one, ties half: 0.5 where nothing "
            f"was memorised; {tail('normal, by as many rows as were held out')}",
            _normal(float(made.closer.mean()), n),
        ),
        as_score(
            CLOSEST,
            "higher",
            fifth,
            f"5th percentile of generated rows' distance to the closest training row; {rows}; real: of their distance to the "
            f"closest held-out row; {MEANS[MEANS.index('trivial') :]}; interval: jackknife over tenths of held-out "
            f"rows; seed {seed}",
            around,
        ),
        as_score(
            MEMBERS,
            "lower",
            {name: auc(-one.train_made, -one.held_made) for name, one in found.items()},
            f"ROC AUC of an attacker who says that a row was trained on by how near a generated row lies (Chen et al. 2020, "
            f"GAN-Leaks): 0.5 where that tells nothing; {tail('DeLong')}",
            interval(-made.train_made, -made.held_made),
        ),
    ]
    return [*scores, *_attribute(case, fresh, rest)]


def _normal(share: float, n: int) -> Interval:
    """95 % interval of a share: of n rows, however many were generated, for it is they that are near or far by luck."""
    error = 1.96 * float(np.sqrt(max(share * (1 - share), 1 / n) / n))
    return max(0.0, share - error), min(1.0, share + error)


def _attribute(case: Case, fresh, rest) -> list[Score]:
    """How much oftener an attacker guesses a column of training rows than of held-out ones."""
    sides = case.tables
    column = secret(sides.schema)
    if column is None:
        return []

    def gain(table, held) -> tuple[float, Interval, tuple[float, float]]:
        right = [disclosed(table, victims, sides.schema, case.seed) for victims in (sides.train, held)]
        means = float(right[0].mean()), float(right[1].mean())
        error = 1.96 * float(np.sqrt(sum(one.var() / len(one) for one in right)))
        value = means[0] - means[1]
        return value, (value - error, value + error), means

    found = {name: gain(table, sides.held) for name, table in sides.tables.items() if name != "real"}
    found["real"] = gain(fresh, rest)
    on_train, on_held = found["made"][2]
    protocol = (
        f"an attacker who knows all else of a row guesses its {column.name} from the nearest generated row (numbers: within "
        f"{CLOSE:.0%} of the range): right for {on_train:.3f} of up to 1,000 training rows and {on_held:.3f} of held-out "
        f"ones; the score is the difference; {MEANS}; interval: normal; seed {case.seed}"
    )
    values = {name: value for name, (value, _, _) in found.items()}
    return [as_score(ATTRIBUTE, "lower", values, protocol, found["made"][1])]
