"""Quality of tables: are columns, and pairs of columns, distributed as in rows that were held out?"""

from __future__ import annotations

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import GROUPS
from zerosum.metrics.score import Score
from zerosum.metrics.tables.quality import quality
from zerosum.metrics.tables.sides import MEANS, as_score

QUICK = True


def applies(case: Case) -> bool:
    """Any table."""
    return case.spec.kind == "tables"


def measure(case: Case) -> list[Score]:
    """Column shapes, pair trends and their mean, as SDMetrics' QualityReport defines them."""
    sides = case.tables
    cut = lambda name: GROUPS if name == "made" else 1
    found = {name: quality(sides.held, table, sides.schema, cut(name)) for name, table in sides.tables.items()}
    pairs = len(found["real"].trends)
    shapes = "mean over columns of 1 - Kolmogorov-Smirnov's distance (numbers, times) or 1 - total variation (all others)"
    trends = f"mean of the likeness of correlations or contingency tables over the {pairs} pairs with |r| > 0.5 or V > 0.3"
    rows = (
        f"{len(sides.made):,} generated against {len(sides.held):,} held-out rows; {MEANS}; interval: jackknife over tenths; "
        f"seed {case.seed}"
    )
    within = found["made"].intervals()
    scores = [as_score("column shapes", "higher", {k: q.shape for k, q in found.items()}, f"{shapes}; {rows}", within[0])]
    if not pairs:  # nothing hangs together, so that overall is the shapes' again
        return scores
    both = "mean of column shapes and pair trends, as SDMetrics' QualityReport takes it"
    scores += [
        as_score("pair trends", "higher", {k: q.trend for k, q in found.items()}, f"{trends}; {rows}", within[1]),
        as_score("overall quality", "higher", {k: q.overall for k, q in found.items()}, f"{both}; {rows}", within[2]),
    ]
    return scores
