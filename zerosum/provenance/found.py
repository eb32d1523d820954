"""Found: what a file says of what made it, as a person or a program reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerosum.provenance.origin import PART, TYPES, WHOLE, Origin

WORDS = {WHOLE: "made by a trained model", PART: "made in part by a trained model, the rest was given"}


@dataclass(frozen=True)
class Found:
    """What a file says. All of it is text that anyone could have written."""

    source_type: str = ""  # IPTC's address of a digital source type; empty: it says none
    tool: str = ""  # the program that it says wrote it
    origin: Origin | None = None  # where that was zerosum
    stale: bool = False  # whether it is said beside the file, of another content

    def words(self) -> str:
        """In a sentence."""
        if self.stale:
            return "the note beside it is of another content: it was changed since, or is another file"
        if not self.source_type and self.origin is None:
            said = f" (written by {clean(self.tool)})" if self.tool else ""
            return f"nothing says what made it{said}, which proves nothing: a mark is easily lost"
        term = self.source_type.removeprefix(TYPES)
        what = WORDS.get(term, f"digital source type {clean(term)}" if term else "made by")
        by = ", ".join(part for part in (clean(self.tool), *_details(self.origin)) if part)
        return f"{what}: {by}" if by else what

    def to_plain(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        marked = bool(self.source_type or self.origin)
        told = None if self.origin is None else {**self.origin.to_plain(), "part": self.origin.part}
        return {
            "marked": marked and not self.stale,
            "stale": self.stale,
            "digital_source_type": self.source_type or None,
            "tool": self.tool or None,
            "origin": told,
        }


def _details(origin: Origin | None) -> list[str]:
    if origin is None:
        return []
    which = "" if origin.count is None else f"{origin.count:,} items" if origin.count != 1 else "1 item"
    which = f"item {origin.index} of {which}" if origin.index is not None and which else which
    known = (
        ("", origin.act if origin.act != "sample" else ""),
        ("recipe", origin.recipe),
        ("run", origin.run),
        ("step", None if origin.step is None else f"{origin.step:,}"),
        ("seed", origin.seed),
        ("seeds", origin.seeds),
        ("", which),
        ("label", origin.label),
        ("truncation", origin.truncation),
        ("where", origin.where),
        ("direction", origin.direction),
    )
    return [f"{name} {clean(str(value))}".strip() for name, value in known if value not in (None, "")]


def clean(text: str) -> str:
    """Without what could move a terminal's cursor, change its colours or turn its text around; short."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:300]).strip()
