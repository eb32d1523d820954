"""Which of an .npz file's arrays are the data, the labels and the classes' names."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zerosum.errors import UserError

DATA = ("x", "images", "data", "x_train", "train_images", "train_x")
LABELS = ("y", "label", "labels", "target", "targets", "y_train", "train_labels", "train_y")
NAMES = ("classes", "class_names", "label_names", "names")


@dataclass(frozen=True)
class Arrays:
    """Data with what lies beside them."""

    x: np.ndarray
    y: np.ndarray | None = None
    labels: str = "the array beside"  # where y came from
    notes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # names of the classes 0, 1 ...


def named(what: str | Path) -> tuple[Path, list[str]]:
    """The file and the names behind it, from FILE.npz:DATA:LABELS."""
    text = str(what)
    at = text.lower().rfind(".npz:")
    return (Path(what), []) if at < 0 or Path(what).exists() else (Path(text[: at + 4]), text[at + 5 :].split(":"))


def read(path: Path) -> np.ndarray | dict[str, np.ndarray]:
    """What a NumPy file holds; that counts, not its suffix. Raises whatever a damaged file ends in."""
    with path.open("rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        arrays: dict[str, Any] = {name: loaded[name] for name in loaded.files}
        return {name: value for name, value in arrays.items() if isinstance(value, np.ndarray)}  # a zip may hold other files


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays of real numbers in an .npz file, from their headers. Raises whatever a damaged file ends in."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            with archive.open(name) as file:
                old = np.lib.format.read_magic(file) == (1, 0)
                header = (np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0)(file)
                if header[2].kind in "biuf":
                    found[name.removesuffix(".npy")] = header[0]
    return found


def choose(path: Path, arrays: Mapping[str, np.ndarray], chosen: list[str]) -> Arrays:
    """The data: the array that was chosen, the only one that can be, or the one named so. Raises UserError where none is."""
    for name in chosen:
        if name not in arrays:
            raise UserError(f"{path}: holds no array {name}: it holds {', '.join(arrays)}")
    wide = {name: value for name, value in arrays.items() if 2 <= value.ndim <= 5 and not _labels(name, value)}
    if chosen:
        wide = {chosen[0]: arrays[chosen[0]]}
    elif len(wide) > 1:
        wide = {name: wide[name] for name in [name for name in DATA if name in wide][:1]}
    if len(wide) != 1:
        said = f"{path}: which array is the data? It holds {', '.join(arrays)}"
        raise UserError(f"{said}: choose with {path}:NAME, or name it x, and the labels y")
    name, x = next(iter(wide.items()))
    y, origin, notes, words = beside(arrays, len(x), chosen[1:])
    others = [other for other, value in arrays.items() if value.ndim > 2 and other != name and value.shape[1:] == x.shape[1:]]
    if others and not chosen:
        notes = (*notes, f"read {name}, and not {', '.join(others)}; choose with {path.name}:NAME")
    return Arrays(x, y, origin, notes, words)


def beside(
    arrays: Mapping[str, np.ndarray], count: int, chosen: list[str]
) -> tuple[np.ndarray | None, str, tuple[str, ...], tuple[str, ...]]:
    """Labels of `count` items, where from, what to say beside, and the classes' names."""
    words = next((tuple(map(str, arrays[name])) for name in NAMES if name in arrays and arrays[name].dtype.kind == "U"), ())
    if chosen:
        return arrays[chosen[0]], f"array {chosen[0]}", (), words
    name = next((name for name in LABELS if name in arrays and _labels(name, arrays[name])), None)
    if name is not None:
        return arrays[name], f"array {name}", (), words
    columns = {n: v for n, v in arrays.items() if v.shape == (count,) and v.dtype.kind in "iuU"}
    kinds = {n: len(np.unique(v)) for n, v in columns.items()}
    could = [f"{n} ({kinds[n]} values)" for n in columns if 1 < kinds[n] <= count // 2]
    return None, "", ((f"{', '.join(could)} could be labels: choose with FILE.npz:DATA:LABELS",) if could else ()), words


def _labels(name: str, value: np.ndarray) -> bool:
    return name in LABELS and value.ndim <= 2
