"""A folder of images of one size; sub-folders, where there are any, name the classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from zerosum.data.images import from_array
from zerosum.data.source import Source, classes
from zerosum.errors import UserError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


def accepts(what: Any) -> bool:
    """Whether this is a folder without idx files."""
    return isinstance(what, str | Path) and Path(what).is_dir() and not list(Path(what).glob("train-images*idx*"))


def load(what: Any, labels: Any = None, held_out: float | None = None) -> Source:
    """Every image below the folder. Raises UserError where there are too few, one is broken, or sizes differ."""
    folder = Path(what)
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if len(files) < 10:
        kinds = ", ".join(sorted(SUFFIXES))
        raise UserError(f"{folder}: {len(files)} images: a GAN needs at least 10, and wants thousands ({kinds})")
    items = [_read(file) for file in files]
    first = items[0]
    for file, item in zip(files, items, strict=True):
        if item.size != first.size:
            sizes = f"{files[0].relative_to(folder)} is {first.width} x {first.height}"
            sizes += f", {file.relative_to(folder)} is {item.width} x {item.height}"
            raise UserError(f"{folder}: images of different sizes: {sizes}; bring them to one size")
    mode = max((item.mode for item in items), key=["L", "RGB", "RGBA"].index)
    pixels = np.stack([np.asarray(item.convert(mode)) for item in items])
    if labels is None:
        parts = [file.relative_to(folder).parts for file in files]
        labels = [part[0] for part in parts] if all(len(part) > 1 for part in parts) else None
    y, names = classes(labels, len(files), str(folder))
    return from_array(pixels, y if len(names) > 1 else None, names if len(names) > 1 else (), str(folder), held_out)


def _read(file: Path) -> Image.Image:
    try:
        with Image.open(file) as stored:
            opened = ImageOps.exif_transpose(stored)  # phones store some pictures lying down
            if opened.mode.startswith("I"):  # 16 bits a pixel: keep the upper 8
                pixels = np.asarray(opened).astype(np.int64)
                if pixels.min() < 0 or pixels.max() > 65535:
                    raise ValueError(f"pixel values from {pixels.min()} to {pixels.max()} do not fit 16 bits")
                return Image.fromarray((pixels >> 8).astype(np.uint8))
            if opened.mode == "F":
                raise ValueError("its pixels are floating-point numbers of unknown range; store 8 or 16 bits")
            if opened.mode in ("L", "RGB", "RGBA"):
                return opened.copy()
            opaque = "L" if opened.mode == "1" else "RGB"
            return opened.convert("RGBA" if "A" in opened.mode or "transparency" in opened.info else opaque)
    except Exception as error:  # a damaged file ends in anything: OSError, SyntaxError, struct.error, zlib.error ...
        why = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{file}: cannot be read as an image ({why}): remove it or put it right") from error
