"""Files of pictures: which suffix is a still and which a film, and their bytes. Written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from zerosum.errors import UserError
from zerosum.files import writing
from zerosum.provenance import Origin, mark_file
from zerosum.shows._wishes import Look

STILLS, FILMS = (".png", ".webp", ".jpg", ".jpeg"), (".gif", ".mp4", ".webp")
SQUARE = 8
"""Side of the checkerboard's squares in pixels."""


def moves(out: Path, kind: str, film: bool) -> bool:
    """Whether the file is to be a film; a .webp is one where the kind has films. Refuses what cannot be written, beforehand."""
    suffix = out.suffix.lower()
    if suffix not in STILLS + FILMS:
        raise UserError(f"--out {out}: end it in {', '.join((*STILLS, *FILMS[:2]) if film else STILLS)}")
    if suffix not in STILLS and not film:
        raise UserError(f"--out {out}: {kind} is a picture that does not move: end it in {', '.join(STILLS)}")
    if out.is_dir():
        raise UserError(f"--out {out}: is a folder: name a file")
    if suffix == ".mp4":
        _av()
    return film and suffix in FILMS


def still(picture: Image.Image, suffix: str, look: Look) -> bytes:
    """A PNG or lossless WebP, which keep transparency, or a JPEG, which is flattened."""
    buffer = BytesIO()
    if suffix == ".png":
        picture.save(buffer, "PNG", optimize=True)
    elif suffix == ".webp":
        picture.save(buffer, "WEBP", lossless=True)
    else:
        flat(picture, look.background).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()


def film(frames: Sequence[Image.Image], suffix: str, look: Look) -> bytes:
    """A GIF, an MP4 (H.264), or a lossless animated WebP, which alone keeps transparency. All frames are of one size."""
    if suffix == ".webp":
        return _animation(frames, "WEBP", look, unit=1, lossless=True) if len(frames) > 1 else still(frames[0], suffix, look)
    frames = [flat(frame, look.background) for frame in frames]
    if suffix == ".mp4":
        return _mp4(frames, look.fps)
    if look.fps > 50:
        raise UserError(f"fps {look.fps:g}: a GIF has at most 50 frames a second: take less, or .webp or .mp4")
    return _animation(_palette(frames), "GIF", look, unit=10)


def write(out: Path, data: bytes, origin: Origin | None) -> None:
    """Write a whole file, with what made it in it, or leave what was there. Raises UserError where it cannot be written."""
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".showing-", dir=out.parent) as place:
            whole = Path(place) / out.name
            whole.write_bytes(data)
            beside = None if origin is None else mark_file(whole, origin)
            if beside is not None:
                beside.replace(out.parent / beside.name)
            whole.replace(out)


def flat(picture: Image.Image, background: str) -> Image.Image:
    """Without transparency: over a checkerboard of light greys, or over a colour."""
    if picture.mode != "RGBA":
        return picture
    if background == "checker":
        rows, columns = np.ogrid[: picture.height, : picture.width]
        squares = np.where((rows // SQUARE + columns // SQUARE) % 2, 255, 216).astype(np.uint8)
        ground = Image.fromarray(squares).convert("RGBA")
    else:
        ground = Image.new("RGBA", picture.size, (*ImageColor.getrgb(background)[:3], 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _animation(frames: Sequence[Image.Image], kind: str, look: Look, unit: int, **options: Any) -> bytes:
    """Frames last whole units of milliseconds; their ends are rounded, not their lengths, so that the film keeps its pace."""
    ends = [round((i + 1) * 1000 / look.fps / unit) * unit for i in range(len(frames))]
    options["duration"] = [end - start for start, end in zip([0, *ends], ends, strict=False)]
    if kind == "WEBP" or look.loop:
        options["loop"] = 0 if look.loop else 1
    buffer = BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=list(frames[1:]), **options)
    return buffer.getvalue()


def _palette(frames: Sequence[Image.Image]) -> Sequence[Image.Image]:
    """At most 256 colours, the same for all frames, without dithering. Greys stay exact, and so do up to 256 colours."""
    if frames[0].mode == "L":
        return frames
    packed = [np.asarray(frame).astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32) for frame in frames]
    colours = np.unique(np.concatenate([np.unique(frame) for frame in packed]))
    if len(colours) > 256:
        some = frames[:: -(-len(frames) // 16)]
        sheet = Image.fromarray(np.concatenate([np.asarray(frame) for frame in some]))
        fewer = sheet.quantize(256, Image.Quantize.MEDIANCUT)
        return [frame.quantize(palette=fewer, dither=Image.Dither.NONE) for frame in frames]
    exact = [Image.fromarray(np.searchsorted(colours, frame).astype(np.uint8)) for frame in packed]
    for frame in exact:
        frame.putpalette(bytes(level for c in colours.tolist() for level in (c >> 16, c >> 8 & 255, c & 255)))
    return exact


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise UserError("MP4 needs PyAV: pip install 'zerosum[video]', or end the file in .gif or .webp") from None
    return av


def _mp4(frames: Sequence[Image.Image], fps: float) -> bytes:
    """H.264 in yuv420p, which everything plays; it needs even sides, so a white line is added where they are odd."""
    av, buffer = _av(), BytesIO()
    width, height = (side + side % 2 for side in frames[0].size)
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(buffer, "w", format="mp4") as container:
        quality = {"crf": "16"} if codec == "libx264" else {"qscale": "2"}
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000), options=quality)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            even = Image.new("RGB", (width, height), "white")
            even.paste(frame, (0, 0))
            container.mux(stream.encode(av.VideoFrame.from_image(even)))
        container.mux(stream.encode(None))
    return buffer.getvalue()
