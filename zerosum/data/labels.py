"""Labels found by themselves: in a table beside the pictures (CSV, JSON), or as names of sub-folders."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from zerosum.data.shelf import Shelf
from zerosum.errors import UserError

OWN = ("labels", "label", "metadata", "dataset", "annotations", "classes", "train", "train_labels", "trainlabels")
"""Tables of these names are there for the pictures: one that matches none of them is an error."""
FILES = ("file_name", "filename", "file", "image", "image_name", "image_id", "img", "path", "filepath", "name", "id")
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev", "eval"}
LABELS = ("label", "labels", "class", "class_name", "target", "category", "y", "class_id", "label_id", "categories")


class Labels(NamedTuple):
    """A word or number for each picture, or None, where from, and what to say beside."""

    values: list[Any] | None
    origin: str
    notes: tuple[str, ...] = ()


def find(shelf: Shelf) -> Labels:
    """Labels of a shelf's pictures: its own, a table's, or its folders' names.

    Raises UserError where a table that is meant for them matches none, or not all, of the pictures.
    """
    values, origin = shelf.labels()
    if values is not None:
        return Labels(values, origin)
    notes: list[str] = []
    tables: dict[str, list[str]] = {}
    for name in shelf.tables:
        tables.setdefault(name.rpartition("/")[0], []).append(name)
    found: dict[int, Any] = {}
    used: list[str] = []
    for names in tables.values():
        for name in sorted(names, key=lambda name: (not _own(name), name)):
            pairs, said = _read(shelf, name)
            notes += said
            matched = _matched(shelf.names, pairs, name) if pairs else {}
            if matched:
                found |= matched
                used.append(name)
                if (strangers := len({key for key, _ in pairs}) - len(matched)) > 0:
                    notes.append(f"{name} also names {strangers:,} images that are not here")
                break
    if used:
        where = ", ".join(used[:3]) + (" ..." if len(used) > 3 else "")
        missing = [name for slot, name in enumerate(shelf.names) if slot not in found]
        if missing:
            raise UserError(
                f"{shelf.origin}: {where} labels {len(found):,} of {len(shelf.names):,} images, and not {missing[0]}: "
                "add the others, or take the table away"
            )
        return Labels([found[slot] for slot in range(len(shelf.names))], where, tuple(notes))
    words, parts = folders(shelf.names)
    if parts:
        listed = ", ".join(parts)
        notes.append(f"the folders {listed} are parts of one set, not classes: taken together, and split anew")
    return Labels(words, "sub-folders" if words else "", tuple(notes))


def folders(names: list[str]) -> tuple[list[str] | None, list[str]]:
    """The first folder that tells pictures apart, where every picture is in one, or None; and the folders that split them.

    Folders called train, test and the like are parts of a set, and say nothing of what is in a picture.
    """
    parts, halves = [name.split("/")[:-1] for name in names], list[str]()
    while all(part for part in parts):
        first = {part[0] for part in parts}
        if len(first) > 1 and not {name.lower() for name in first} <= SPLITS:
            break
        halves += sorted(first) if len(first) > 1 else []
        parts = [part[1:] for part in parts]
    return ([part[0] for part in parts] if all(part for part in parts) else None), halves


def _own(name: str) -> bool:
    return name.rpartition("/")[2].rpartition(".")[0].lower() in OWN


def _read(shelf: Shelf, name: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """(file, label) pairs of a table, and what to say of it. A table that is none at all gives no pairs."""
    strict = _own(name)
    try:
        text = shelf.table(name).decode("utf-8-sig")
        read = {"json": _json, "jsonl": _lines}.get(name.rpartition(".")[2].lower(), _csv)
        rows = read(text)
        if not rows and strict and text.strip():
            raise ValueError("no pairs of a file and a label in it")
        return _pairs(rows, name)
    except (OSError, ValueError, KeyError, TypeError, csv.Error, RecursionError) as error:
        if strict:
            raise UserError(f"{shelf.origin}: {name} cannot be read as labels ({error}): put it right, or away") from error
        return [], []


def _csv(text: str) -> list[dict[str, Any]]:
    sample = text[:4096]
    delimiter = max(",;\t", key=sample.split("\n")[0].count)
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    rows = [row for row in rows if row]
    if not rows or len(rows[0]) < 2:
        return []
    head = [cell.strip() for cell in rows[0]]
    if head[0].lower() not in FILES and not any(cell.lower() in FILES + LABELS for cell in head):
        head = ["file_name", "label"] if len(head) == 2 else ["file_name", *(f"column {i}" for i in range(2, len(head) + 1))]
    else:
        rows = rows[1:]
    return [dict(zip(head, (cell.strip() for cell in row), strict=False)) for row in rows]


def _lines(text: str) -> list[dict[str, Any]]:
    return [row for line in text.splitlines() if line.strip() for row in [json.loads(line)] if isinstance(row, dict)]


def _json(text: str) -> list[dict[str, Any]]:
    said = json.loads(text)
    if isinstance(said, dict) and isinstance(said.get("labels"), list):
        return [{"file_name": pair[0], "label": pair[1]} for pair in said["labels"]]
    if isinstance(said, dict) and "labels" in said and said["labels"] is None:
        return []
    if isinstance(said, dict):
        return [{"file_name": file, "label": label} for file, label in said.items() if isinstance(label, str | int)]
    if isinstance(said, list):
        pairs = [{"file_name": row[0], "label": row[1]} for row in said if isinstance(row, list) and len(row) == 2]
        return pairs or [row for row in said if isinstance(row, dict)]
    return []


def _pairs(rows: list[dict[str, Any]], name: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """The file's and the label's column of a table."""
    if not rows:
        return [], []
    columns = list(rows[0])
    named: Callable[[tuple[str, ...]], list[str]] = lambda words: [c for w in words for c in columns if c.lower() == w]
    file = next(iter(named(FILES)), columns[0])
    others = [column for column in columns if column != file]
    labels = [column for column in named(LABELS) if column != file] or (others if len(others) == 1 else [])
    if not labels:
        listed = ", ".join(others[:6]) + (" ..." if len(others) > 6 else "")
        return [], [f"{name} has columns {listed}: name one of them label to train on classes"] if others else []
    pairs = [(str(row[file]), row[labels[0]]) for row in rows if file in row and row.get(labels[0]) is not None]
    if any(not isinstance(value, str | int) for _, value in pairs):
        raise ValueError(f"labels in {labels[0]} that are neither whole numbers nor words")
    distinct = len({value for _, value in pairs})
    if distinct > 20 and distinct > len(pairs) // 2:
        return [], [f"{name}: {labels[0]} has {distinct:,} values for {len(pairs):,} images: no classes, so it was left aside"]
    numbers = all(isinstance(value, int) or value.lstrip("-").isdigit() for _, value in pairs)
    return [(key, int(value) if numbers else str(value)) for key, value in pairs], []


def _matched(names: list[str], pairs: list[tuple[str, Any]], table: str) -> dict[int, Any]:
    """Slot and label of each picture that a table names: by path from the table, by path, by name, or without suffix.

    Raises UserError where the table is meant for the pictures and names none of them.
    """
    here = table.rpartition("/")[0]
    inside = [(slot, name) for slot, name in enumerate(names) if not here or name.startswith(here + "/")]
    ways: list[Callable[[str], str]] = [
        lambda name: name.removeprefix(here + "/") if here else name,
        lambda name: name,
        lambda name: name.rpartition("/")[2],
        lambda name: name.rpartition("/")[2].rpartition(".")[0],
    ]
    best: dict[int, Any] = {}
    wanted = {key.replace("\\", "/").removeprefix("./"): value for key, value in pairs}
    for way in ways:
        seen: dict[str, int] = {}
        twice: set[str] = set()
        for slot, name in inside:
            key = way(name)
            twice |= {key} & seen.keys()
            seen[key] = slot
        deep = way in ways[:2]
        keys = [(key if deep else key.rpartition("/")[2], value) for key, value in wanted.items()]
        got = {seen[key]: value for key, value in keys if key in seen and key not in twice}
        best = got if len(got) > len(best) else best
        if len(best) == len(inside):
            break
    if not best and _own(table):
        raise UserError(
            f"{table} names no image that is here: it says {pairs[0][0]}, and the images are called {names[0]} ...; "
            "put its names right, or take it away"
        )
    return best if _own(table) or 2 * len(best) >= len(inside) else {}
