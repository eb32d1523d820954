"""Decode picture files: what is inside, upright and without surprises, and if asked its bytes at one size.

This file is also the program that decoding processes run, so it imports nothing of zerosum and nothing heavy: a process
that had to load torch first would be slower than the decoding it saves.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import struct
import sys
import warnings
import zlib
from io import BytesIO
from typing import Any, NamedTuple

from PIL import (  # the plug-ins are named so that Pillow does not load all it has to find one
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageMath,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)

Load = str | bytes | tuple[str | bytes, int]
"""A file's path, or its bytes where it has none of its own; or either with 1 or 2, for its left or right half."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "DIB")  # JPEG opens MPO too
PART = 2**18
"""Bytes of a file that are read in one call."""
LARGEST = 2 * (Image.MAX_IMAGE_PIXELS or 89_478_485)  # pixels; Pillow's own line between a large picture and a bomb


class Shape(NamedTuple):
    """What every picture is brought to."""

    height: int
    width: int
    channels: int
    shift: int  # bits dropped from pictures of more than 8 bits a channel: 8 for the full 16


class Fact(NamedTuple):
    """What one file holds. `why` is empty where it can be read."""

    slot: int
    content: bytes  # hash of the file
    height: int = 0
    width: int = 0
    channels: int = 0
    bits: int = 8  # that its brightest pixel needs
    pixels: bytes = b""  # hash of the bytes that were written
    mode: str = ""  # as stored, in words
    why: str = ""
    mark: str = ""  # of a file with a path of its own, as it was opened


def mark(stat: os.stat_result) -> str:
    """What changes when a file is written anew: its length, and the times of its content and of its entry.

    The second time cannot be set by hand, so a copy that keeps the first (cp -p, rsync -t, an unpacked archive) shows too.
    """
    return f"{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"


def examine(slot: int, load: Load, shape: Shape | None) -> tuple[Fact, bytes | None]:
    """One file, by path or as bytes: what it is, and its bytes [height, width, channels] where a shape is asked for.

    Of a half, the half counts as the file. The bytes are left out where the shape has too few channels or bits for it. Never
    raises for what a file holds.
    """
    content, marked = b"", ""
    load, half = load if isinstance(load, tuple) else (load, 0)
    try:
        if isinstance(load, str):
            load, marked = _read(load)
        content = hashlib.blake2b(load, digest_size=16, person=bytes([half])).digest()
        if not load:
            raise ValueError("the file is empty")
        plain = None if shape is None or half else _plain_png(load)
        if plain is not None and shape is not None:
            height, width, channels = plain.height, plain.width, len(plain.mode)
            if (height, width, channels) == shape[:3]:  # most files of most sets, by the shortest way
                pixels = plain.tobytes()
                digest = hashlib.blake2b(pixels, digest_size=16).digest()
                return Fact(slot, content, height, width, channels, 8, digest, plain.mode, "", marked), pixels
            bands, fact = [plain], Fact(slot, content, height, width, channels, mode=plain.mode)
        else:
            bands, fact = _opened(load, shape, 2 if half else 1)
        if half:
            bands, fact = _halved(bands, fact, half, shape is not None)
        slotted = fact._replace(slot=slot, content=content, mark=marked)
        if shape is not None and fact.channels != shape.channels and not {fact.channels, shape.channels} <= {1, 3, 4}:
            raise ValueError(f"{fact.channels} channels, and the others have {shape.channels}")
        if shape is None or fact.channels > shape.channels or max(0, fact.bits - 8) > shape.shift:
            return slotted, None
        pixels = _brought(bands, fact, shape)
        return slotted._replace(pixels=hashlib.blake2b(pixels, digest_size=16).digest()), pixels
    except Exception as error:  # a damaged file ends in anything: OSError, SyntaxError, struct.error, zlib.error ...
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        why = " ".join(said.split()) or type(error).__name__
        if isinstance(error, Image.UnidentifiedImageError):
            why = "not an image of a known format"
        return Fact(slot, content, why=why[:200], mark=marked), None


def _read(path: str) -> tuple[bytes, str]:
    """A file's bytes and mark; in fewer calls than `open` makes, for of small files these are a fifth of the work.

    The mark is taken before the bytes: what is written to the file meanwhile then shows the next time.
    """
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        marked = mark(os.fstat(file))
        parts = [os.read(file, PART)]
        while parts[-1]:  # some file systems give less than is asked for before the end
            parts.append(os.read(file, PART))
        return parts[0] if len(parts) < 3 else b"".join(parts), marked
    finally:
        os.close(file)


def _halved(bands: list[Image.Image], fact: Fact, half: int, cut: bool) -> tuple[list[Image.Image], Fact]:
    """The left (1) or right (2) half of what `_opened` gave; a middle column of pixels belongs to neither."""
    if fact.width < 2:
        raise ValueError("one pixel wide: it has no halves")
    if cut:  # which decodes
        width, height = bands[0].size
        left = 0 if half == 1 else width - width // 2
        bands = [band.crop((left, 0, left + width // 2, height)) for band in bands]
    return bands, fact._replace(width=fact.width // 2)


def _opened(data: bytes, shape: Shape | None, across: int) -> tuple[list[Image.Image], Fact]:
    """The picture, whole and upright, as one image of L, RGB or RGBA or as several of L, and what it is.

    `across`: how many pictures of the shape it will be cut into.
    """
    if data[:6] == b"\x93NUMPY":
        return _bands(_array(data))
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError:
        if data[:4] in (b"II*\0", b"MM\0*"):
            return _bands(_tiff(data))
        raise
    if image.width * image.height > LARGEST:
        raise ValueError(f"{image.width} x {image.height} pixels: too large to be meant")
    full = image.size
    turned = 1
    if image.info.keys() & {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"} or image.format == "TIFF":
        turned = image.getexif().get(0x0112, 1)
    if shape is not None and image.format == "JPEG":  # decode no more detail than three times what is wanted
        wide = across * shape.width
        box = (shape.height, wide) if turned in (5, 6, 7, 8) else (wide, shape.height)
        scale = max(box[0] / full[0], box[1] / full[1])
        if scale < 0.3:
            image.draft(None, (int(3 * scale * full[0]) + 1, int(3 * scale * full[1]) + 1))
    mode = image.mode
    if mode not in ("L", "RGB") or turned != 1 or "transparency" in image.info:
        if mode == "F":
            raise ValueError("its pixels are floating-point numbers of unknown range; store 8 or 16 bits")
        image.load()
        if turned != 1:
            image = ImageOps.exif_transpose(image)  # phones store some pictures lying down
            full = full[::-1] if turned in (5, 6, 7, 8) else full
        if mode.startswith("I"):
            return _deep(image)
        if mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
            pass
        elif "A" in mode or "a" in mode or "transparency" in image.info:
            image = image.convert("RGBA")
        else:
            image = image.convert("L" if mode == "1" else "RGB")
        if image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 255:
            image = image.convert("RGB")  # an alpha channel that hides nothing is none
    elif shape is not None:
        image.load()
    return [image], Fact(0, b"", full[1], full[0], len(image.mode), mode=mode)


PNG_MODES = {(8, 0): "L", (8, 2): "RGB"}
IGNORED = {b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD", b"sBIT", b"tEXt", b"iCCP", b"hIST"}


def _plain_png(data: bytes) -> Image.Image | None:
    """A whole PNG of 8 bits, grey or RGB, with nothing that changes how it looks; None leaves it to Pillow's own opening.

    Most of the time Pillow takes for a small PNG goes into opening it; its decoder by itself is several times faster.
    """
    if data[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" or data[26:29] != b"\0\0\0":  # not interlaced
        return None
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    mode = PNG_MODES.get((depth, kind))
    if mode is None or not 0 < width * height <= LARGEST:
        return None
    at, parts = 8, []
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        end = at + 8 + length
        if end + 4 > len(data) or zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return None
        if name == b"IDAT":
            parts.append(data[at + 8 : end])
        elif name == b"IEND":
            break
        elif name != b"IHDR" and (name not in IGNORED or b"exif" in data[at + 8 : end]):
            return None
        at = end + 4
    else:
        return None
    try:
        return Image.frombytes(mode, (width, height), parts[0] if len(parts) == 1 else b"".join(parts), "zip", mode)
    except (ValueError, OSError):
        return None


def _deep(image: Image.Image) -> tuple[list[Image.Image], Fact]:
    """16 bits a pixel: as stored, in an image of 32-bit integers."""
    image = image.convert("I")
    low, high = (int(value) for value in image.getextrema())  # type: ignore[arg-type]
    if low < 0 or high > 65535:
        raise ValueError(f"pixel values from {low} to {high} do not fit 16 bits")
    bits = next(b for b in (8, 10, 12, 14, 16) if high < 2**b)
    return [image], Fact(0, b"", image.height, image.width, 1, bits, mode="16 bits")


def _bands(x: Any) -> tuple[list[Image.Image], Fact]:
    """An array [height, width, channels] of 8 or 16 bits as images, one a channel, or one of up to four."""
    if x.ndim == 2:
        x = x[..., None]
    if x.ndim != 3 or 0 in x.shape or x.dtype.str[1:] not in ("u1", "u2"):
        raise ValueError(f"an array of shape {x.shape} and type {x.dtype}: give [height, width(, channels)] of 8 or 16 bits")
    height, width, channels = x.shape
    if height * width > LARGEST:
        raise ValueError(f"{width} x {height} pixels: too large to be meant")
    high = int(x.max())
    bits = next(b for b in (8, 10, 12, 14, 16) if high < 2**b) if x.dtype.itemsize == 2 else 8
    kind = "int32" if x.dtype.itemsize == 2 else "uint8"
    bands = [Image.fromarray(x[..., i].astype(kind)) for i in range(channels)]
    mode = "16 bits" if x.dtype.itemsize == 2 else f"{channels} channels"
    return bands, Fact(0, b"", height, width, channels, bits, mode=mode)


def _array(data: bytes) -> Any:
    import numpy as np

    return np.load(BytesIO(data), allow_pickle=False)


def _tiff(data: bytes) -> Any:
    """A TIFF of a number of channels for which Pillow has no mode, plain or deflated (TIFF 6.0, sections 2, 8 and 15)."""
    import numpy as np

    file = BytesIO(data)
    tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
    file.seek(tags.next)
    tags.load(file)
    width, height, channels, depth = tags[256], tags[257], tags.get(277, 1), set(tags.get(258, (1,)))
    packing, planar, predictor = tags.get(259, 1), tags.get(284, 1), tags.get(317, 1)
    if depth not in ({8}, {16}) or set(tags.get(339, (1,))) != {1} or packing not in (1, 8, 32946) or predictor not in (1, 2):
        raise ValueError(f"a TIFF of {channels} channels in a coding unknown here; store it plain or deflated, 8 or 16 bits")
    if 273 not in tags:
        raise ValueError(f"a TIFF of {channels} channels in tiles; store it in strips")
    if width * height * max(1, channels) > 4 * LARGEST or not 1 <= channels <= 1024:
        raise ValueError(f"{width} x {height} pixels of {channels} channels: too large to be meant")
    kind = np.dtype(("<" if data[:2] == b"II" else ">") + ("u1" if depth == {8} else "u2"))
    deep, flat = (1, height * channels) if planar == 2 else (channels, height)
    rows = min(tags.get(278, height), height)
    parts = []
    if len(tags[273]) != -(-height // rows) * (channels if planar == 2 else 1):
        raise ValueError(f"a TIFF of {len(tags[273])} strips where there should be others; store it anew")
    for start, length in zip(tags[273], tags[279], strict=True):
        strip = data[start : start + length]
        most = rows * width * deep * kind.itemsize
        parts.append(strip if packing == 1 else zlib.decompressobj().decompress(strip, most))
    x = np.frombuffer(b"".join(parts), kind)
    x = x[: flat * width * deep].reshape(flat, width, deep)
    if predictor == 2:
        x = np.cumsum(x, 1, dtype=kind.newbyteorder("="))
    return x.reshape(channels, height, width).transpose(1, 2, 0) if planar == 2 else x


def _brought(bands: list[Image.Image], fact: Fact, shape: Shape) -> bytes:
    """Bytes [height, width, channels]: scaled to cover the shape, antialiased, and cut to its middle."""
    bands = [_eight(band, shape.shift if fact.mode == "16 bits" else 0) for band in bands]
    if len(bands) > 1 and len(bands) in (3, 4) and shape.channels == len(bands):
        bands = [Image.merge("RGB" if len(bands) == 3 else "RGBX", bands)]
    if bands[0].size != (shape.width, shape.height):
        bands = [fitted(band, shape.width, shape.height) for band in bands]
    if len(bands) == 1:
        named = {1: "L", 3: "RGB", 4: "RGBA"}.get(shape.channels)
        if named and bands[0].mode not in (named, "RGBX"):
            bands = [bands[0].convert(named)]
        if len(bands[0].mode) == shape.channels:
            return bands[0].tobytes()
    planes = [band.tobytes() for band in bands]
    woven = bytearray(len(planes) * len(planes[0]))
    for i, plane in enumerate(planes):
        woven[i :: len(planes)] = plane
    return bytes(woven)


def _eight(band: Image.Image, shift: int) -> Image.Image:
    if not band.mode.startswith("I"):
        return band
    return ImageMath.lambda_eval(lambda args: args["convert"](args["x"] >> shift, "L"), x=band)


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Scaled to cover a size, antialiased (Lanczos after a reduction by whole factors), and cut to its middle."""
    scale = max(width / image.width, height / image.height)
    wide, high = min(width / scale, image.width), min(height / scale, image.height)
    left, top = (image.width - wide) / 2, (image.height - high) / 2
    box = (left, top, left + wide, top + high)
    return image.resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def chunk(items: list[tuple[int, Load]], shape: Shape | None, out: str) -> list[Fact]:
    """Examine files, and write the bytes of each to its slot in the file `out`."""
    facts = []
    size = shape.height * shape.width * shape.channels if shape else 0
    with open(out, "r+b") if shape else open(os.devnull, "wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on odd files, which it reads all the same
        runs: list[tuple[int, list[bytes]]] = []
        for slot, load in items:
            fact, pixels = examine(slot, load, shape)
            facts.append(fact)
            if pixels is not None:
                if not runs or runs[-1][0] + len(runs[-1][1]) != slot or len(runs[-1][1]) * size > 2**24:
                    runs.append((slot, []))
                runs[-1][1].append(pixels)
                if len(runs) > 1 and size > 2**20:
                    _put(file, runs.pop(0), size)
        for run in runs:
            _put(file, run, size)
    return facts


def _put(file: Any, run: tuple[int, list[bytes]], size: int) -> None:
    file.seek(run[0] * size)
    file.write(b"".join(run[1]))


def serve() -> None:
    """Answer requests on standard input until it ends: a length, then a marshalled (items, shape, out) of our own making."""
    take, give = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    while head := take.read(8):
        items, shape, out = marshal.loads(take.read(*struct.unpack("<q", head)))
        try:
            answer: Any = [tuple(fact) for fact in chunk(items, Shape(*shape) if shape else None, out)]
        except OSError as error:  # of writing, for reading never raises
            answer = (error.errno, error.strerror)
        data = marshal.dumps(answer)
        give.write(struct.pack("<q", len(data)) + data)
        give.flush()


if __name__ == "__main__":
    serve()
