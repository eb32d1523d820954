"""CIFAR-10 from any copy of it, as one .npz of `x` [n, 32, 32, 3] bytes and `y` [n]. Nothing that is read is executed."""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.errors import UserError

PIXELS = 3 * 32 * 32
STRINGS = {"BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "STRING"}
WHOLE = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1"}


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of a folder of the python version's batches, a folder with a folder of pictures for each class, or an .npz: of
    JPEGs (jpeg, offsets, labels) or of arrays (x, y). Raises UserError where it is none of them."""
    if path.is_dir():
        batches = sorted(path.glob("data_batch_*")) or sorted(path.glob("*/data_batch_*"))
        if batches:
            parts = [read_batch(one) for one in batches]
            return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
        return read_pictures(path)
    if not path.is_file():
        raise UserError(f"no CIFAR-10 at {path}: give a folder or an .npz")
    try:
        with np.load(path, allow_pickle=False) as file:
            if "jpeg" in file:
                stream, at = file["jpeg"], file["offsets"]
                each = [stream[at[i] : at[i + 1]].tobytes() for i in range(len(at) - 1)]
                return np.stack([decoded(io.BytesIO(one)) for one in each]), np.asarray(file["labels"]).astype(np.int64)
            return np.asarray(file["x"]), np.asarray(file["y"]).astype(np.int64)
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{path} is no .npz of CIFAR-10 ({error}): give one with x and y, or jpeg, offsets and labels"
        ) from error


def decoded(file: io.BytesIO | Path) -> np.ndarray:
    """One picture as bytes [32, 32, 3]."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def read_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """A class for each sub-folder, in their names' order."""
    classes = sorted(one for one in folder.iterdir() if one.is_dir())
    files = [(file, y) for y, home in enumerate(classes) for file in sorted(home.glob("*.png"))]
    if not files:
        raise UserError(f"{folder}: neither data_batch_1 nor folders of PNGs, one for each class")
    return np.stack([decoded(file) for file, _ in files]), np.array([y for _, y in files])


def read_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """One batch of the python version. It is a pickle, which could run anything: its parts are only looked at, never built.

    The pixels are its longest string of bytes, n x 3072; the labels its run of n whole numbers.
    """
    opcodes = list(pickletools.genops(path.read_bytes()))
    strings: list[bytes] = [
        argument.encode("latin-1") if isinstance(argument, str) else bytes(argument or b"")
        for code, argument, _ in opcodes
        if code.name in STRINGS
    ]
    raw = max(strings, key=len, default=b"")
    count, rest = divmod(len(raw), PIXELS)
    labels = [label for run in runs(opcodes) for label in run]
    if rest or not count or len(labels) != count or not 0 <= min(labels) <= max(labels) < 10:
        raise UserError(f"{path} is no batch of CIFAR-10's python version: give another copy, or a folder of PNGs")
    x = np.frombuffer(raw, np.uint8).reshape(count, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), np.array(labels, np.int64)


def runs(opcodes: list[tuple[pickletools.OpcodeInfo, object, int | None]]) -> Iterator[list[int]]:
    """What is appended to lists: whole numbers between a mark and APPENDS, where there is nothing else."""
    run: list[int] | None = None
    for code, argument, _ in opcodes:
        if code.name == "MARK":
            run = []
        elif code.name in WHOLE and run is not None and isinstance(argument, int):
            run.append(argument)
        elif code.name == "APPENDS" and run:
            yield run
            run = None
        elif code.name not in ("BINPUT", "LONG_BINPUT", "MEMOIZE"):
            run = None
