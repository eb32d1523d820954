"""Which files belong together: columns of pictures found by folders' names, and rows matched by files' names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from zerosum.data.labels import SPLITS
from zerosum.errors import UserError

INPUTS = ("input", "inputs", "a", "x", "before", "source", "sources")
TARGETS = ("target", "targets", "output", "outputs", "b", "y", "after", "gt")
_IN_PART = re.compile(rf"({'|'.join(sorted(SPLITS, key=len, reverse=True))})[ _-]?(.+)", re.I)

Key = tuple[bool, str]
"""(whether it came as part of a test set, the path below its column without suffix): the same for what belongs together."""


@dataclass(frozen=True)
class Layout:
    """Files sorted into columns. `loose` lie in none; `twice` have the key of another file of their column."""

    columns: dict[str, dict[Key, int]] = field(default_factory=dict)  # in order of their names; each key's slot
    loose: list[int] = field(default_factory=list)
    twice: list[int] = field(default_factory=list)


def lay_out(names: Sequence[str]) -> Layout:
    """Columns of files by relative names: the first folder that is no part of a set (train, test ...), or what follows
    train and test in it (trainA, testB). A folder around everything counts for nothing."""
    split = [name.split("/") for name in names]
    while split and len({parts[0] for parts in split}) == 1 and all(len(parts) > 2 for parts in split):
        split = [parts[1:] for parts in split]
    found = Layout()
    for slot, parts in enumerate(split):
        part, column, below = _placed(parts[:-1])
        if not column:
            found.loose.append(slot)
            continue
        key = (part not in ("", "train", "training"), "/".join([*below, parts[-1].rpartition(".")[0] or parts[-1]]))
        if found.columns.setdefault(column, {}).setdefault(key, slot) != slot:
            found.twice.append(slot)
    return found


def _placed(folders: list[str]) -> tuple[str, str, list[str]]:
    """The part of the set, the column ("" for none) and the folders below it."""
    part = column = ""
    for i, word in enumerate(folders):
        inside = _IN_PART.fullmatch(word)
        if not part and word.lower() in SPLITS:
            part = word.lower()
        elif not part and not column and inside and inside[2].lower() in INPUTS + TARGETS:
            part, column = inside[1].lower(), inside[2]
        elif not column:
            column = word
        else:
            return part, column, folders[i:]
    return part, column, []


def is_test(name: str) -> bool:
    """Whether a file lies in a folder of test or validation items."""
    return any(folder.lower() in SPLITS - {"train", "training"} for folder in name.split("/")[:-1])


def plainly(columns: Sequence[str]) -> bool:
    """Whether names of columns leave no doubt that they are inputs and a target: input and target, a and b ..."""
    names = {name.lower() for name in columns}
    return bool(names & set(INPUTS)) and len(names & set(TARGETS)) == 1 and names <= {*INPUTS, *TARGETS}


def roles(columns: Sequence[str], inputs: str | None, target: str | None, origin: str, noun: str) -> tuple[list[str], str]:
    """Names of the columns to start from, in order, and of the one to be made.

    What was asked for, "left,back" for several inputs; else the target is the column named so (target, output, b, y ...),
    or the last, and all others are inputs. Raises UserError where a name is none of the columns, or is asked for twice.
    """

    def known(word: str) -> str:
        word = word.strip()
        if word in columns:
            return word
        near = [column for column in columns if column.lower() == word.lower()]
        if len(near) != 1:
            raise UserError(f"{origin}: no {noun} {word}: there are {', '.join(columns)}")
        return near[0]

    given = [known(word) for word in inputs.split(",")] if inputs else []
    left = [column for column in columns if column not in given]
    if target is not None:
        made = known(target)
    elif not left:
        raise UserError(f"{origin}: all of {', '.join(columns)} are inputs, and nothing is left to be made: leave one out")
    else:
        made = next((column for word in TARGETS for column in left if column.lower() == word), left[-1])
    given = given or [column for column in columns if column != made]
    if made in given or len(set(given)) < len(given):
        raise UserError(f"{origin}: {made} is asked for twice: give each {noun} once, and the target apart from the inputs")
    if not given:
        raise UserError(f"{origin}: only one {noun}, {made}: pairs need something to start from as well")
    return given, made


def partners(found: Layout, columns: Sequence[str]) -> tuple[list[Key], list[int]]:
    """Keys that every one of the columns has, in order; and slots of the files of these columns that have no partner."""
    shared = set.intersection(*(set(found.columns[column]) for column in columns))
    alone = [slot for column in columns for key, slot in found.columns[column].items() if key not in shared]
    return sorted(shared), sorted(alone)
