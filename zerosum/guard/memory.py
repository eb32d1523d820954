"""What the guard must remember over a stop or a kill: plain values in a checkpoint's meta.json."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from zerosum.guard.probe import Reading

KEPT = 64
"""Readings that are remembered."""


@dataclass
class Memory:
    """Numbers and words alone."""

    items: int = 0  # generated for a reading; 0: not chosen yet
    first: Reading | None = None
    best: Reading | None = None
    stale: int = 0  # readings since the best was last beaten by 1 %
    readings: list[Reading] = field(default_factory=list)  # since training last went back
    remedies: list[str] = field(default_factory=list)  # what was mended, in order
    replayed: list[int] = field(default_factory=list)  # steps at which numbers broke and training was played again
    stopped: str = ""  # why training was ended before its plan
    shown: int | None = None  # the step to show, where it is not the last
    phase: int = 0  # of training, as the game counts them

    def note(self, reading: Reading) -> None:
        """Add a reading, and forget the oldest beyond 64."""
        self.first = self.first or reading
        self.readings = [*self.readings, reading][-KEPT:]

    def begin(self, phase: int) -> None:
        """Another phase of training: its readings are compared with each other alone."""
        self.phase, self.best, self.stale, self.readings = phase, None, 0, []

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> Memory:
        """What `to_json` gave; a fresh memory where the values are not of that kind."""
        try:
            read = lambda one: None if one is None else Reading(**one)
            return Memory(
                items=int(values["items"]),
                first=read(values["first"]),
                best=read(values["best"]),
                stale=int(values["stale"]),
                readings=[Reading(**one) for one in values["readings"]][-KEPT:],
                remedies=[str(one) for one in values["remedies"]],
                replayed=[int(one) for one in values["replayed"]],
                stopped=str(values["stopped"]),
                shown=None if values["shown"] is None else int(values["shown"]),
                phase=int(values.get("phase", 0)),  # not yet remembered by older runs
            )
        except (KeyError, TypeError, ValueError):
            return Memory()
