"""What the guard did, from a run folder's log, for people: rows of notes, and which stretches were given up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]


def notes(rows: Iterable[Row]) -> list[Row]:
    """The rows in which the guard says what it did, each with "from", the step at which it noticed."""
    found = []
    for row in rows:
        guard = row.get("guard")
        if isinstance(row.get("note"), str) and isinstance(guard, dict):
            start = guard.get("from")
            found.append({**row, "from": start if type(start) is int else row["step"]})
    return found


def standing(rows: Iterable[Row]) -> list[Row]:
    """The rows of the training that stands: those of stretches that were given up left out."""
    kept: list[Row] = []
    for row in rows:
        if notes([row]) and row["guard"].get("name") != "shown":
            kept = [one for one in kept if one["step"] <= row["step"] or "note" in one]
        kept.append(row)
    return kept


def readings(rows: Iterable[Row]) -> list[Row]:
    """The rows that hold a look at samples: step and guard's score, spread and coverage, all numbers."""
    whole = lambda guard: all(_number(guard.get(name)) for name in ("score", "spread", "coverage"))
    return [row for row in rows if isinstance(row.get("guard"), dict) and whole(row["guard"])]


def judged(seen: list[Row]) -> list[tuple[float, Row]]:
    """Readings with the distance by which they compare: the eye's, of those that it took, where it took six; else the score."""
    eyed = [(row["guard"]["fine"], row) for row in seen if _number(row["guard"].get("fine"))]
    return eyed if len(eyed) >= 6 else [(row["guard"]["score"], row) for row in seen]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1e100  # which NaN is not
