"""Signals: what counts as trouble. Functions of what was measured, which return a sentence's worth, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from zerosum.guard.probe import Reading

Kind = Literal["broken", "collapse", "partial", "worse", "saturated", "vanished", "oscillation"]

FAR, FAR_READINGS = 3.0, 2
"""So many times the best score, in so many readings in a row, is a breakdown."""
WORSE, WORSE_READINGS = 1.6, 4
PATIENT = 6
"""Readings that it takes where the first one was not much worse than the best."""
OSCILLATION, WINDOW = 1.5, 24
LEARNED = 2.0
"""How many times the best score the first one must be before anything counts as lost."""
ALIKE = 0.15
"""Spread below which items count as all alike, and it must have been three times as large before."""
LOST = 0.5
"""Share of the best coverage that may be lost."""
SURE = 0.98
"""Mean sign of D's logits on real items above which D makes no mistake."""
GAP = 10.0
"""Distance between D's mean logits above which a logistic loss gives nothing more to learn (e^-10)."""
DEAD = 1e-8
"""Root mean square of a gradient below which Adam, whose epsilon it is, hardly moves."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and the numbers that say so."""

    kind: Kind
    said: str


@dataclass(frozen=True)
class Verdicts:
    """What D said on average at a look-up."""

    step: int
    real: float  # mean logit on real items
    fake: float  # mean logit on generated items
    sign: float | None = None  # mean sign of its logits on real items, where the recipe logs it
    gradient: float | None = None  # root mean square of the gradient that the generator got


def excess(reading: Reading, best: Reading) -> float:
    """How many times the best score this one is. The real data's own distance is added to both: it is noise."""
    return (reading.score + 1) / (best.score + 1)


def collapse(readings: Sequence[Reading], best: Reading | None) -> Trouble | None:
    """All items alike in the last two readings, and more varied before."""
    last = readings[-2:]
    most = max((one.spread for one in readings), default=0.0)
    if best is not None and len(last) == 2 and all(one.spread < min(ALIKE, max(most, best.spread) / 3) for one in last):
        return Trouble("collapse", f"generated items are all alike: their spread fell to {last[-1].spread:.2f} of real items'")
    return None


def stillborn(readings: Sequence[Reading]) -> Trouble | None:
    """All items alike in twelve readings in a row: they never were anything else."""
    if len(readings) >= 12 and all(one.spread < ALIKE / 3 for one in readings[-12:]):
        said = f"generated items are all alike: their spread stays at {readings[-1].spread:.2f} of real items'"
        return Trouble("collapse", said)
    return None


def partial(readings: Sequence[Reading], best: Reading | None) -> Trouble | None:
    """Coverage below half of the best's in three readings, and the score no better."""
    last = readings[-3:]
    if best is None or len(last) < 3 or best.coverage < 0.1:
        return None
    if all(one.coverage < LOST * best.coverage and excess(one, best) > 1.1 for one in last):
        said = f"kinds of items were lost: coverage fell from {best.coverage:.2f} to {last[-1].coverage:.2f}"
        return Trouble("partial", said)
    return None


def worse(readings: Sequence[Reading], best: Reading | None) -> Trouble | None:
    """The score is above the best, for good."""
    return far(readings, best) or far(readings, best, WORSE, WORSE_READINGS)


def far(readings: Sequence[Reading], best: Reading | None, times: float = FAR, count: int = FAR_READINGS) -> Trouble | None:
    """The last readings are all so many times the best."""
    last = readings[-count:]
    if best is None or len(last) < count or any(excess(one, best) <= times for one in last):
        return None
    now, then = f"{last[-1].score:.3g}", f"{best.score:.3g}"
    return Trouble("worse", f"samples got worse: distance to real items {now}, after {then} at step {best.step:,}")


def oscillation(readings: Sequence[Reading], best: Reading | None) -> Trouble | None:
    """Twenty-four readings without a new best, their median well above it, going up and down."""
    last = readings[-WINDOW:]
    if best is None or len(last) < WINDOW or last[0].step <= best.step:
        return None
    scores = [one.score for one in last]
    turns = sum((b - a) * (c - b) < 0 for a, b, c in zip(scores, scores[1:], scores[2:], strict=False))
    if median(excess(one, best) for one in last) > OSCILLATION and turns >= WINDOW // 3:
        return Trouble("oscillation", f"samples go up and down without getting better since step {best.step:,}")
    return None


def saturated(said: Sequence[Verdicts], readings: Sequence[Reading], best: Reading | None) -> Trouble | None:
    """D makes no mistake, its lead has grown to twice what it was at half the time, and samples got no better for it."""
    last = said[-8:]
    if len(last) < 8 or best is None or not readings or excess(readings[-1], best) < 1.1:
        return None
    before = [one.real - one.fake for one in said if one.step <= best.step]
    gaps = [one.real - one.fake for one in last]
    sure = all(one.sign is None or one.sign >= SURE for one in last)
    if sure and min(gaps) > GAP and min(gaps) > 2 * (median(before[-8:]) if before else 0.0):
        said_ = f"D is sure of everything: its lead grew to {gaps[-1]:.0f}, so that the generator learns nothing from it"
        return Trouble("saturated", said_)
    return None


def vanished(said: Sequence[Verdicts]) -> Trouble | None:
    """The generator's gradient was next to nothing the last eight times it was measured."""
    last = [one.gradient for one in said if one.gradient is not None][-8:]
    if len(last) == 8 and max(last) < DEAD:
        return Trouble("vanished", f"the generator gets no gradient any more (root mean square {last[-1]:.1e})")
    return None


def learned(first: Reading | None, best: Reading | None) -> bool:
    """Whether there is something to lose: the best is far from where training began. Before, readings leap about."""
    return first is not None and best is not None and excess(first, best) > LEARNED


def trouble(
    said: Sequence[Verdicts], readings: Sequence[Reading], first: Reading | None, best: Reading | None
) -> Trouble | None:
    """The first of all signals but the broken numbers. `readings` and `said`: since training last went back."""
    if not learned(first, best):
        return stillborn(readings) or far(readings, best) or far(readings, best, WORSE, PATIENT) or vanished(said)
    return (
        collapse(readings, best)
        or worse(readings, best)
        or partial(readings, best)
        or saturated(said, readings, best)
        or vanished(said)
        or oscillation(readings, best)
    )
