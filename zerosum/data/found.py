"""What a reader found: facts about files that the items themselves no longer show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Found:
    """Facts for the report before training. `names` are of the training items, then of the held-out ones."""

    kind: str = "array"  # folder, zip, tar, Parquet ...
    files: int = 0  # files or items that were there
    skipped: tuple[tuple[str, str], ...] = ()  # (file, why) of those that could not be read
    sizes: Mapping[tuple[int, int], int] = field(default_factory=dict)  # (height, width) as stored: how many
    modes: Mapping[str, int] = field(default_factory=dict)  # as stored: how many
    enlarged: int = 0  # pictures that had fewer pixels than they were brought to
    reason: str = ""  # why they were brought to this size
    labels: str = ""  # where the labels came from
    cache: str = ""  # the pack's path
    streamed: bool = False  # whether items come from disk while training
    alone: tuple[str, ...] = ()  # files without a partner, which were left out
    cut: str = ""  # how items are cut from pictures, in words
    pieces: int = 0  # training items that lie beside each other in such pictures
    notes: tuple[str, ...] = ()  # what else the user should know, a sentence each
    names: Sequence[str] = ()
