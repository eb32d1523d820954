"""Arrays: in memory, or in .npy, .npz and idx files (.gz or not), with labels where they lie beside."""

from __future__ import annotations

import gzip
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data import encoded, images, npz, pictures, vectors
from zerosum.data.found import Found
from zerosum.data.npz import Arrays
from zerosum.data.source import Source, classes
from zerosum.errors import UserError


def accepts(what: Any) -> bool:
    """Whether this is an array, the path of an array file, or a folder that holds idx files."""
    if isinstance(what, np.ndarray | torch.Tensor):
        return True
    if not isinstance(what, str | Path):
        return False
    path, _ = npz.named(what)
    return (path.is_file() and (path.suffix.lower() in (".npy", ".npz") or _is_idx(path))) or bool(_idx(path, "train-images"))


def load(what: Any, labels: Any = None, held_out: float | None = None, size: str | None = None) -> Source:
    """A source of images ([n, h, w] and up) or vectors ([n, d]).

    `what` may choose among an .npz file's arrays: FILE.npz:DATA or FILE.npz:DATA:LABELS. `size` is for images.

    Raises UserError for a broken file, object arrays (which could run code), NaN or infinity, and labels that do not match.
    """
    if isinstance(what, np.ndarray | torch.Tensor):
        if isinstance(what, torch.Tensor):
            what = what.detach().cpu()
            what = (what.float() if what.dtype == torch.bfloat16 else what).numpy()
        return _source(Arrays(what), labels, "array", held_out, size)
    path, chosen = npz.named(what)
    if path.is_dir():
        return _idx_folder(path, held_out, size)
    if path.suffix.lower() not in (".npy", ".npz"):
        return _source(Arrays(_read_idx(path), _idx_labels(path)), labels, str(path), held_out, size)
    held = guarded(path, lambda: npz.read(path))
    if isinstance(held, np.ndarray):
        return _source(Arrays(held), labels, str(path), held_out, size)
    if pair := encoded.find(held):
        shelf = encoded.Encoded(path, held[pair[0]], held[pair[1]], *npz.beside(held, len(held[pair[1]]) - 1, chosen[1:]))
        return pictures.from_shelf(shelf, labels, held_out, size)
    return _source(npz.choose(path, held, chosen), labels, str(what), held_out, size)


def _source(held: Arrays, labels: Any, origin: str, held_out: float | None, size: str | None) -> Source:
    x, groups = held.x, None
    if x.ndim == 5 and x.shape[4] in (1, 3, 4):  # several images an item, such as views: they stay on one side of the split
        groups = np.repeat(np.arange(len(x)), x.shape[1])
        y = None if held.y is None else np.repeat(held.y, x.shape[1])
        note = f"{len(x):,} items of {x.shape[1]} images each: the images of an item are held out together"
        held = Arrays(x.reshape(-1, *x.shape[2:]), y, held.labels, (*held.notes, note))
    x, y, names = checked(held.x, held.y if labels is None else labels, origin)
    numbers = bool(held.words) and labels is None and y is not None and all(name.isdigit() for name in names)
    if numbers and max(map(int, names)) < len(held.words):
        names = tuple(held.words[int(name)] for name in names)
    if x.ndim == 2:
        if size is not None:
            raise UserError(f"{origin} holds vectors, which have no size: leave --size out")
        return vectors.from_array(x, y, names, origin, held_out)
    source = images.from_array(x, y, names, origin, held_out, size=size, groups=groups)
    where = ("as given" if labels is not None else held.labels) if names else ""
    source.found = replace(source.found or Found(), labels=where, notes=held.notes)
    return source


def checked(x: np.ndarray, labels: Any, origin: str) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Images or vectors with labels from 0 and the classes' names. Raises UserError where they are none, or not healthy."""
    if x.ndim not in (2, 3, 4):
        raise UserError(f"{origin}: an array of shape {x.shape}: give vectors [n, d] or images [n, h, w] or [n, h, w, c]")
    if x.dtype.kind not in "biuf":
        raise UserError(f"{origin}: values of type {x.dtype}: give real numbers")
    if len(x) < 10:
        raise UserError(f"{origin}: {len(x)} items: a GAN needs at least 10, and wants thousands")
    if x.size == 0:
        raise UserError(f"{origin}: an array of shape {x.shape}: its items hold no numbers; give vectors or images that do")
    if np.issubdtype(x.dtype, np.floating) and not np.isfinite(x).all():
        bad = np.argwhere(~np.isfinite(x.reshape(len(x), -1)).all(1))[:, 0]
        raise UserError(f"{origin}: NaN or infinity in {len(bad)} items, first in item {bad[0]}: remove or fill them")
    return x, *classes(labels, len(x), origin)


def guarded(path: Path, read: Any) -> Any:
    """What `read` gives, or one clear line where the file is broken."""
    try:
        return read()
    except Exception as error:  # a damaged file ends in anything: TokenError, SyntaxError, MemoryError ...
        if "allow_pickle" in str(error):
            raise UserError(f"{path}: holds Python objects, which could run code: save plain numbers instead") from error
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: cannot be read ({why}): it is damaged or not of this format; make it anew") from error


def _is_idx(path: Path) -> bool:
    return "idx" in path.name and "label" not in path.name


def _idx(folder: Path, stem: str) -> list[Path]:
    return sorted(folder.glob(f"{stem}*idx*")) if folder.is_dir() else []


def _read_idx(path: Path) -> np.ndarray:
    """An idx file of bytes: two zeros, type 8, number of dimensions, each size as big-endian int32, the bytes."""
    stored = guarded(path, path.read_bytes)
    raw = guarded(path, lambda: gzip.decompress(stored)) if path.suffix == ".gz" else stored
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise UserError(f"{path}: not an idx file of bytes: give one, or an .npy")
    head = 4 + 4 * raw[3]
    sizes = [int.from_bytes(raw[at : at + 4], "big") for at in range(4, head, 4)]
    if len(raw) < head or len(raw) - head != prod(sizes):
        raise UserError(f"{path}: its header says {sizes} and it holds {len(raw)} bytes: it is cut short; get it anew")
    return np.frombuffer(raw, np.uint8)[head:].reshape(sizes).copy()  # a copy, for bytes cannot be written to


def _idx_labels(path: Path) -> np.ndarray | None:
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    return _read_idx(beside) if beside != path and beside.is_file() else None


def _idx_folder(folder: Path, held_out: float | None, size: str | None) -> Source:
    """train-images and train-labels for training, t10k or test files, where there are any, as the held-out part."""
    first = _idx(folder, "train-images")[0]
    x, y, names = checked(_read_idx(first), _idx_labels(first), str(first))
    if x.ndim == 2:
        raise UserError(f"{first}: vectors, and a folder of idx files is read as images: give this file itself, or an .npy")
    tests = _idx(folder, "t10k-images") + _idx(folder, "test-images")
    if held_out is not None or not tests:
        source = images.from_array(x, y, names, str(folder), held_out, size=size)
        source.found = replace(source.found or Found(), kind="idx files", labels="the file of labels" if names else "")
        return source
    test_x, test_y, test_names = checked(_read_idx(tests[0]), _idx_labels(tests[0]), str(tests[0]))
    if test_x.ndim == 2 or (y is not None and not set(test_names) <= set(names)):
        raise UserError(f"{tests[0]}: not images of the training images' classes: give both parts the same form and classes")
    if y is not None and test_y is None:
        raise UserError(
            f"{tests[0]}: no labels beside it, and the training images have some: add them, or take the images away"
        )
    held_y = None if y is None else np.array([names.index(name) for name in test_names])[test_y]
    source = images.from_array(x, y, names, str(folder), test=(test_x, held_y), size=size)
    note = f"held out: {tests[0].name}, which came with the data"
    source.found = replace(
        source.found or Found(), kind="idx files", labels="the file of labels" if names else "", notes=(note,)
    )
    return source
