"""Arrays: in memory, or in .npy, .npz and idx files (.gz or not), with labels where they lie beside."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from zerosum.data import images, vectors
from zerosum.data.source import Source
from zerosum.errors import UserError

LABEL_KEYS = ("y", "label", "labels", "target", "targets", "y_train", "train_labels")


def accepts(what: Any) -> bool:
    """Whether this is an array, the path of an array file, or a folder that holds idx files."""
    if isinstance(what, np.ndarray | torch.Tensor):
        return True
    if not isinstance(what, str | Path):
        return False
    path = Path(what)
    return (path.is_file() and (path.suffix in (".npy", ".npz") or _is_idx(path))) or bool(_idx(path, "train-images"))


def load(what: Any, labels: Any = None, held_out: float | None = None) -> Source:
    """A source of images ([n, h, w] and up) or vectors ([n, d]).

    Raises UserError for a broken file, object arrays (which could run code), NaN or infinity, and labels that do not match.
    """
    if isinstance(what, np.ndarray | torch.Tensor):
        x = what if isinstance(what, np.ndarray) else what.detach().cpu().numpy()
        return _source(x, labels, "array", held_out)
    path = Path(what)
    if path.is_dir():
        return _idx_folder(path, held_out)
    if path.suffix == ".npz":
        x, labels = _npz(path)
    elif path.suffix == ".npy":
        x = _guarded(path, lambda: np.load(path, allow_pickle=False))
    else:
        x, labels = _read_idx(path), _idx_labels(path)
    return _source(x, labels, str(path), held_out)


def _source(x: np.ndarray, labels: Any, origin: str, held_out: float | None) -> Source:
    x, y, names = _checked(x, labels, origin)
    if x.ndim == 2:
        return vectors.from_array(x, y, names, origin, held_out)
    return images.from_array(x, y, names, origin, held_out)


def _checked(x: np.ndarray, labels: Any, origin: str) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    if x.ndim not in (2, 3, 4):
        raise UserError(f"{origin}: an array of shape {x.shape}: give vectors [n, d] or images [n, h, w] or [n, h, w, c]")
    if not (np.issubdtype(x.dtype, np.number) or x.dtype == bool) or np.iscomplexobj(x):
        raise UserError(f"{origin}: values of type {x.dtype}: give real numbers")
    if len(x) < 10:
        raise UserError(f"{origin}: {len(x)} items: a GAN needs at least 10, and wants thousands")
    if np.issubdtype(x.dtype, np.floating) and not np.isfinite(x).all():
        bad = np.argwhere(~np.isfinite(x.reshape(len(x), -1)).all(1))[:, 0]
        raise UserError(f"{origin}: NaN or infinity in {len(bad)} items, first in item {bad[0]}: remove or fill them")
    if labels is None:
        return x, None, ()
    labels = np.asarray(labels.cpu() if isinstance(labels, torch.Tensor) else labels)
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.reshape(-1)
    if labels.shape != (len(x),):
        raise UserError(f"{origin}: {len(x)} items and labels of shape {labels.shape}: give one label an item")
    if np.issubdtype(labels.dtype, np.floating):
        raise UserError(f"{origin}: labels of type {labels.dtype}: give integers or words")
    names, y = np.unique(labels, return_inverse=True)
    return x, y, tuple(str(name) for name in names)


def _guarded(path: Path, read: Any) -> Any:
    """What `read` gives, or one clear line where the file is broken."""
    try:
        return read()
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise UserError(f"{path}: holds Python objects, which could run code: save plain numbers instead") from error
        raise UserError(f"{path}: cannot be read ({error}): it is damaged or not of this format; make it anew") from error


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    with _guarded(path, lambda: np.load(path, allow_pickle=False)) as archive:
        arrays = {name: _guarded(path, lambda name=name: archive[name]) for name in archive.files}
    labels = next((arrays[name] for name in LABEL_KEYS if name in arrays), None)
    wide = {name: value for name, value in arrays.items() if 2 <= value.ndim <= 4 and name not in LABEL_KEYS}
    if len(wide) > 1:
        wide = {name: value for name, value in wide.items() if name in ("x", "images", "data", "x_train", "train_images")}
    if len(wide) != 1:
        raise UserError(f"{path}: which array is the data? It holds {', '.join(arrays)}: name it x, and the labels y")
    return next(iter(wide.values())), labels


def _is_idx(path: Path) -> bool:
    return "idx" in path.name and "label" not in path.name


def _idx(folder: Path, stem: str) -> list[Path]:
    return sorted(folder.glob(f"{stem}*idx*")) if folder.is_dir() else []


def _read_idx(path: Path) -> np.ndarray:
    """An idx file of bytes: two zeros, type 8, number of dimensions, each size as big-endian int32, the bytes."""
    raw = _guarded(path, lambda: gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes())
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise UserError(f"{path}: not an idx file of bytes: give one, or an .npy")
    sizes = np.frombuffer(raw, ">i4", raw[3], 4) if len(raw) >= 4 + 4 * raw[3] else np.array([-1])
    if len(raw) - 4 - 4 * raw[3] != sizes.prod():
        raise UserError(f"{path}: its header says {sizes.tolist()} and it holds {len(raw)} bytes: it is cut short; get it anew")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)


def _idx_labels(path: Path) -> np.ndarray | None:
    beside = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    return _read_idx(beside) if beside != path and beside.is_file() else None


def _idx_folder(folder: Path, held_out: float | None) -> Source:
    """train-images and train-labels for training, t10k or test files, where there are any, as the held-out part."""
    first = _idx(folder, "train-images")[0]
    x, y, names = _checked(_read_idx(first), _idx_labels(first), str(folder))
    tests = _idx(folder, "t10k-images") + _idx(folder, "test-images")
    if held_out is not None or not tests:
        return images.from_array(x, y, names, str(folder), held_out)
    labels = _idx_labels(tests[0])
    known = {name: i for i, name in enumerate(names)}
    held_y = None if labels is None or y is None else np.array([known.get(str(label), -1) for label in labels])
    if held_y is not None and held_y.min() < 0:
        raise UserError(f"{tests[0]}: labels that no training image has: give both parts the same classes")
    return images.from_array(x, y, names, str(folder), test=(_read_idx(tests[0]), held_y))
