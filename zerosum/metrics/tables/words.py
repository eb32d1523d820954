"""Privacy scores in words, for people who must decide whether a table may be passed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COPIES, CLOSER, CLOSEST = "exact copies of training rows", "closer to a training row", "distance to the closest training row"
MEMBERS, ATTRIBUTE = "membership inference AUC", "attribute disclosure"
NAMES = COPIES, CLOSER, CLOSEST, MEMBERS, ATTRIBUTE
BEWARE = "That these attacks failed proves nothing about better ones; only differential privacy does."


@dataclass(frozen=True)
class Finding:
    """What one attack found."""

    leak: bool
    words: str


def findings(scores: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """What the privacy scores among these (as `Score.to_json` gives them) say. A leak: beyond what luck explains."""
    by = {one["name"]: one for one in scores}
    found = []
    says = dict(zip(NAMES, (_copies, _closer, _closest, _members, _attribute), strict=True))
    for name, say in says.items():
        if name in by:
            one = by[name]
            low, high = (one["value"] if one.get(end) is None else one[end] for end in ("low", "high"))
            found.append(say(one["value"], low, high, one["real"]))
    return found


def verdict(found: Sequence[Finding]) -> str:
    """All of them in a sentence."""
    leaks = sum(one.leak for one in found)
    if leaks:
        return f"{leaks} of {len(found)} checks found a leak: look into it before this table, or this model, is passed on."
    return f"None of {len(found)} checks found a leak."


def _copies(value: float, low: float, high: float, real: float) -> Finding:
    words = f"{value:.2%} of generated rows equal a training row. Of real rows that were held out, {real:.2%} do so by chance."
    return Finding(low > real, words)


def _closer(value: float, low: float, high: float, real: float) -> Finding:
    words = f"{value:.1%} of generated rows lie nearer to a training row than to any held-out one. Without memory it were 50 %."
    return Finding(low > 0.5, words)


def _closest(value: float, low: float, high: float, real: float) -> Finding:
    words = (
        f"One generated row in twenty lies within {value:.3f} of a training row, where 0 is equal and 1 is nothing in common. "
        f"To held-out rows, which it cannot have copied, the distance is {real:.3f}."
    )
    return Finding(high < real, words)


def _members(value: float, low: float, high: float, real: float) -> Finding:
    words = (
        f"Shown two rows, one of them a training row, an attacker who holds the generated table tells which in {value:.1%} of "
        "cases. A coin does in 50 %."
    )
    return Finding(low > 0.5, words)


def _attribute(value: float, low: float, high: float, real: float) -> Finding:
    more = "more" if value >= 0 else "less"
    words = (
        f"An attacker who knows a row but for one column guesses that column {abs(100 * value):.1f} points {more} often in "
        "training rows than in held-out ones."
    )
    return Finding(low > 0, words)
