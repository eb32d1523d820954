"""Pictures one by one: files, Pillow images and arrays as bytes, upright and with their alpha apart, and files again."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from zerosum.data.decoder import Shape, examine
from zerosum.errors import UserError
from zerosum.files import writing
from zerosum.provenance import Origin
from zerosum.shows._file import write as write_whole

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".npy")
"""Of files that can be written."""
SETTINGS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    ".webp": {"format": "WEBP", "lossless": True},
    ".tif": {"format": "TIFF", "compression": "tiff_adobe_deflate"},
}
SETTINGS |= {".jpeg": SETTINGS[".jpg"], ".tiff": SETTINGS[".tif"]}


@dataclass(frozen=True)
class Picture:
    """One picture in memory, upright."""

    pixels: np.ndarray  # uint8 [height, width, channels], without alpha
    alpha: np.ndarray | None = None  # uint8 [height, width]; None where nothing is transparent
    profile: bytes | None = None  # what its colours mean (ICC), as its file said

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def array(self) -> np.ndarray:
        """uint8 [height, width] of a grey picture, else [height, width, channels], alpha last where there is some."""
        if self.alpha is not None:
            return np.dstack([as_channels(self.pixels, 3, "a picture"), self.alpha])
        return self.pixels[..., 0] if self.pixels.shape[2] == 1 else self.pixels


def read(path: str | Path) -> Picture:
    """A picture file: every kind, depth and orientation that training takes. 16 bits are brought to 8: 65535 is white.

    Raises UserError, with the file's name and the reason, where it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    return _decoded(data, str(path))


def picture(what: Any, name: str = "image") -> Picture:
    """A path, a Pillow image, or an array [h, w] or [h, w, c] of bytes (or floats in [0, 1]) as a picture.

    Four channels are red, green, blue and alpha. Raises UserError where it is none of these.
    """
    if isinstance(what, Picture):
        return what
    if isinstance(what, str | Path):
        return read(what)
    if isinstance(what, Image.Image):
        upright = ImageOps.exif_transpose(what)
        buffer = BytesIO()
        plain = upright.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16")
        (upright if plain else upright.convert("RGB")).save(buffer, "PNG", compress_level=0)
        return _decoded(buffer.getvalue(), name)
    x = np.asarray(what)
    if x.dtype.kind == "f" and x.size and x.min() >= 0 and x.max() <= 1:
        x = np.rint(x * 255).astype(np.uint8)
    elif x.dtype == bool:
        x = x.astype(np.uint8) * 255
    if x.dtype != np.uint8 or x.ndim not in (2, 3) or 0 in x.shape:
        raise UserError(f"{name} of shape {x.shape} and type {x.dtype}: give uint8 [h, w] or [h, w, c], a picture or a path")
    return _parted(x if x.ndim == 3 else x[..., None], None)


def _decoded(data: bytes, name: str) -> Picture:
    fact, _ = examine(0, data, None)
    if not fact.why:
        fact, pixels = examine(0, data, Shape(fact.height, fact.width, fact.channels, 8 if fact.bits > 8 else 0))
    if fact.why or pixels is None:
        raise UserError(f"{name}: {fact.why or 'cannot be read'}")
    x = np.frombuffer(pixels, np.uint8).reshape(fact.height, fact.width, fact.channels)
    return _parted(x, _profile(data))


def _parted(x: np.ndarray, profile: bytes | None) -> Picture:
    return Picture(x[..., :3], x[..., 3], profile) if x.shape[2] == 4 else Picture(x, None, profile)


def _profile(data: bytes) -> bytes | None:
    try:
        found = Image.open(BytesIO(data)).info.get("icc_profile")
    except (OSError, ValueError, SyntaxError):  # arrays, and TIFFs that Pillow has no mode for
        return None
    return found if isinstance(found, bytes) else None


def as_channels(pixels: np.ndarray, channels: int, name: str) -> np.ndarray:
    """[h, w, c] with another number of channels: grey is repeated, colours become their luma (BT.601).

    Raises UserError where the numbers have nothing to do with each other.
    """
    have = pixels.shape[2]
    if have == channels:
        return pixels
    if (have, channels) == (1, 3):
        return np.repeat(pixels, 3, 2)
    if (have, channels) == (3, 1):
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))[..., None]
    raise UserError(f"{name}: {have} channel{'s' if have > 1 else ''}, and this run takes {channels}")


def write(shown: Picture, out: Path, origin: Origin | None = None) -> None:
    """Write a whole file, or leave what was there; its kind by its suffix. `origin`: what made it, to be said in the file.

    JPEG has no transparency: there the picture is laid on white. Raises UserError where it cannot be written.
    """
    suffix, buffer = out.suffix.lower(), BytesIO()
    if suffix == ".npy":
        np.save(buffer, shown.array(), allow_pickle=False)
    elif shown.pixels.shape[2] not in (1, 3):
        raise UserError(f"{out}: a picture of {shown.pixels.shape[2]} channels: end the name in .npy")
    else:
        image = Image.fromarray(np.ascontiguousarray(shown.array()))
        if image.mode == "RGBA" and suffix in (".jpg", ".jpeg"):
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
        with writing(out):
            try:
                image.save(buffer, **SETTINGS[suffix], icc_profile=shown.profile)
            except ValueError as error:  # more pixels a side than the format counts
                raise UserError(f"{out}: {error}: take .png or .tif") from error
    write_whole(out, buffer.getvalue(), origin)
