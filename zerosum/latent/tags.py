"""Tags of a run's own items in a CSV, by the seeds of the items, and the boundaries that they teach."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zerosum.errors import UserError
from zerosum.latent.boundary import boundary, conditioned
from zerosum.latent.direction import LONGEST, Direction
from zerosum.latent.space import Space

MOST = 20_000
"""Rows of a file."""
FORM = "give a header with seed and a column for each tag"
YES, NO = {"1", "yes", "true", "y", "+"}, {"0", "no", "false", "n", "-"}


@dataclass(frozen=True)
class Tagged:
    """Items by their seeds, and what people said of them: words by tag, "" where nothing was said."""

    seeds: list[int]
    labels: list[str]
    tags: dict[str, list[str]]


def read(path: Path) -> Tagged:
    """A CSV with a column seed, perhaps label, and one for each tag. Raises UserError where it is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = []
            for row in csv.DictReader(file):
                rows.append({_word(name): _word(value) for name, value in row.items() if name is not None})
                if len(rows) > MOST:
                    raise UserError(f"{path}: more than {MOST:,} rows: fewer are enough")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{path}: cannot be read as CSV ({error}): give a header with seed and a column for each tag"
        ) from error
    names = [name for name in (rows[0] if rows else {}) if name not in ("seed", "label", "")]
    if not rows or "seed" not in rows[0] or not names:
        raise UserError(f"{path}: {FORM}, and rows below it")
    for line, row in enumerate(rows, 2):
        if not row["seed"].isdecimal() or int(row["seed"]) >= 2**63:
            raise UserError(f"{path}, line {line}: seed {row['seed'][:30] or 'missing'}: must be a number from 0")
    tags = {name[:LONGEST]: [row.get(name, "") for row in rows] for name in names}
    return Tagged([int(row["seed"]) for row in rows], [row.get("label", "") for row in rows], tags)


def _word(value: str | None) -> str:
    return "".join(c for c in (value or "") if c.isprintable()).strip()


def enter(space: Space, tagged: Tagged) -> Tensor:
    """The points [n, layers, dim] of tagged items: those of `Sampler.inputs(1, seed, label)`."""
    rows = zip(tagged.seeds, tagged.labels, strict=True)
    return torch.cat([space.enter(space.sampler.inputs(1, seed, label or None)) for seed, label in rows])


def boundaries(space: Space, path: Path, apart: bool = False, first: int = 0, last: int | None = None) -> list[Direction]:
    """A direction for each tag of a file; of a column with words, one for each word that 3 items have, against the others.

    `apart`: each is made independent of those of the other columns. Raises UserError where nothing can be learned.
    """
    tagged = read(path)
    points, found = enter(space, tagged), dict[str, list[Direction]]()
    for name, words in tagged.tags.items():
        said = torch.tensor([word != "" for word in words])
        low = [word.lower() for word in words if word]
        counts = Counter(low)
        if set(counts) <= YES | NO:
            sides = {name: torch.tensor([word in YES for word in low], dtype=torch.bool)}
        else:
            common = [word for word, count in counts.most_common(32) if 3 <= count <= len(low) - 3]
            sides = {f"{name} {word}"[:LONGEST]: torch.tensor([other == word for other in low]) for word in common}
            if not sides:
                raise UserError(f"{path}: no word of column {name} is there three times, beside three others: tag more items")
        found[name] = [boundary(space, points[said], side, tag, first, last) for tag, side in sides.items()]
    if not apart:
        return [one for some in found.values() for one in some]
    others = {name: [one for other, some in found.items() if other != name for one in some] for name in found}
    return [conditioned(one, others[name], space) if others[name] else one for name, some in found.items() for one in some]
