"""Pictures that come in over HTTP, from anyone: a file's bytes as the body of a request, decoded in a confined process."""

from __future__ import annotations

import json
import struct
import subprocess
import threading
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from math import prod
from typing import Annotated, Any

import numpy as np
from fastapi import Depends, Request
from PIL import Image
from starlette.responses import Response

from zerosum.data import confined
from zerosum.data.program import program
from zerosum.pictures import Picture
from zerosum.pictures import picture as as_picture
from zerosum.web.trouble import TooMuch, Unfit

MOST_PIXELS = 25_000_000
"""Of a picture that is taken, unless told otherwise."""
AT_ONCE = 2
"""Pictures decoded at one time, each in up to a GiB; the others wait."""
PATIENCE = 40.0
"""Seconds after which a decoding process that is still at work is ended."""

_few = threading.BoundedSemaphore(AT_ONCE)


def picture(data: bytes, name: str = "the picture", most: int = MOST_PIXELS) -> Picture:
    """A picture file's bytes as a picture: every kind that training takes.

    It is decoded in a process of its own with 1 GiB of memory and 20 seconds of processor time, so that no file can take
    more, whatever its header says. Raises TooMuch beyond `most` pixels, Unfit where it is no picture or is damaged.
    """
    if not data:
        raise Unfit(f"{name}: nothing came: send a picture file as the request's body")
    if _drawn(data):
        raise Unfit(f"{name}: an SVG is a drawing and has no pixels: save it as a PNG first")
    with _few:
        about, profile, pixels = _confined(data, most)
    if why := about["why"]:
        raise (TooMuch if about.get("large") else Unfit)(f"{name}: {why}")
    x = np.frombuffer(bytearray(pixels), np.uint8)  # which can be written to
    return replace(as_picture(x.reshape(about["shape"]), name), profile=profile or None)


def _drawn(data: bytes) -> bool:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<svg", b"<!doctype svg")) or (start.startswith((b"<?xml", b"<!--")) and b"<svg" in start)


def _confined(data: bytes, most: int) -> tuple[dict[str, Any], bytes, bytes]:
    """What the confined process says of a file, its colour profile and its pixels."""
    failed = {"why": "decoding it takes too much memory or time: save it anew, smaller, as PNG or JPEG", "large": True}
    largest = 4 * most + 2 * confined.MOST_PROFILE
    pipe, decoding = subprocess.PIPE, program(confined.__file__, str(most))
    with subprocess.Popen(**decoding, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as child:
        clock = threading.Timer(PATIENCE, child.kill)
        clock.start()
        try:
            assert child.stdin is not None and child.stdout is not None
            with suppress(BrokenPipeError):  # it ended before it had read all
                child.stdin.write(data)
            with suppress(BrokenPipeError):
                child.stdin.close()
            said = child.stdout.read(largest + 1)
            if len(said) > largest:
                child.kill()
            code = child.wait()
        finally:
            clock.cancel()
            child.kill()
    try:
        return understood(said if code == 0 else b"", most)
    except ValueError:
        return failed, b"", b""


def understood(said: bytes, most: int) -> tuple[dict[str, Any], bytes, bytes]:
    """What a confined process has answered, of a picture of at most `most` pixels: about it, its profile, its pixels.

    The answer is looked at as what it is: a stranger's, should a file have taken that process over. Raises ValueError where
    it is no such answer.
    """
    if len(said) < 4:
        raise ValueError("cut short")
    (size,) = struct.unpack("<I", said[:4])
    try:
        about = json.loads(said[4 : 4 + size])
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(about, dict) or not isinstance(about.get("why"), str):
        raise ValueError("no answer")
    if about["why"]:
        return {"why": about["why"][:500], "large": about.get("large") is True}, b"", b""
    shape, length = about.get("shape"), about.get("profile")
    if not isinstance(shape, list) or len(shape) != 3 or not all(type(side) is int and side > 0 for side in shape):
        raise ValueError("no shape")
    if type(length) is not int or not 0 <= length <= confined.MOST_PROFILE or shape[0] * shape[1] > most:
        raise ValueError("too large")
    profile, pixels = said[4 + size : 4 + size + length], said[4 + size + length :]
    if len(profile) != length or len(pixels) != prod(shape):
        raise ValueError("cut short")
    return {"why": "", "shape": tuple(shape)}, profile, pixels


async def body(request: Request) -> bytes:
    """A request's raw body, as large as the shield lets in. Raises Unfit where it is sent as something else than a picture."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise Unfit(f"content type {kind or 'missing'}: send a picture file as the body, as image/png or its like")
    return await request.body()


def _received(data: Annotated[bytes, Depends(body)]) -> Picture:
    return picture(data)


Body = Annotated[bytes, Depends(body)]
"""An endpoint's argument: the bytes of the file that was sent."""
Upload = Annotated[Picture, Depends(_received)]
"""An endpoint's argument: the picture that was sent as the body, decoded with limits."""


def png(shown: Picture | np.ndarray, fast: bool = False) -> bytes:
    """A PNG file of a picture, or of uint8 [h, w] or [h, w, c]; of other channels than 1, 3 and 4, the first is shown.

    `fast`: larger, for large pictures that somebody waits for.
    """
    profile = shown.profile if isinstance(shown, Picture) else None
    x = shown.array() if isinstance(shown, Picture) else shown
    if x.ndim == 3 and x.shape[2] not in (3, 4):
        x = x[..., 0]
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(x)).save(buffer, "PNG", icc_profile=profile, compress_level=1 if fast else 6)
    return buffer.getvalue()


def answer(shown: Picture | np.ndarray, fast: bool = False) -> Response:
    """A PNG as a response."""
    return Response(png(shown, fast), media_type="image/png")
