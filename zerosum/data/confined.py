"""Decode one picture of a stranger in a process of its own, with limits on its memory and time.

This file is the program of that process: it takes the file's bytes on standard input and gives back what they hold. A header
check cannot promise little memory by itself: a TIFF may name the same bytes as a thousand tags, a WebP reserves its canvas
when it is opened. What a process may have at most, can.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import warnings
from io import BytesIO
from typing import Any

MEMORY = 2**30
"""Bytes of address space; 25 megapixels of 16 bits take half of it."""
SECONDS = 20
"""Of a processor's time."""
MOST_PROFILE = 2**22
"""Bytes of a colour profile; a larger one is left out."""


def limit(memory: int = MEMORY, seconds: int = SECONDS) -> None:
    """Let this process have no more than that, where the system knows limits."""
    try:
        import resource
    except ImportError:  # not a POSIX system: there the checks of sizes stand alone
        return
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # a lower one stands already, or the system has none of this kind
            continue


def decode(data: bytes, most: int) -> tuple[dict[str, Any], bytes]:
    """What a picture of up to `most` pixels is, and its bytes [height, width, channels]; `why` where it is refused."""
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))  # last, so that no file here hides one of Python's own
    from decoder import FORMATS, Shape, examine
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # what follows has a lower line and better words
    profile = None
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
        if why := _too_large(image.width, image.height, most):
            return {"why": why, "large": True}, b""
        profile = image.info.get("icc_profile")
    except Exception:  # examined below, which says why; or an array, which Pillow does not open
        pass
    fact, pixels = examine(0, data, None)
    if not fact.why and (why := _too_large(fact.width, fact.height, most, fact.channels)):
        return {"why": why, "large": True}, b""
    if not fact.why:
        fact, pixels = examine(0, data, Shape(fact.height, fact.width, fact.channels, 8 if fact.bits > 8 else 0))
    if fact.why or pixels is None:
        return {"why": fact.why if " " in fact.why else f"damaged ({fact.why or 'no pixels'})"}, b""
    kept = profile if isinstance(profile, bytes) and len(profile) <= MOST_PROFILE else None
    return {"why": "", "shape": (fact.height, fact.width, fact.channels), "profile": kept}, pixels


def _too_large(width: int, height: int, most: int, channels: int = 1) -> str:
    if width * height <= most and width * height * channels <= 4 * most:
        return ""
    planes = f" of {channels} channels" if channels > 4 else ""
    return f"{width:,} x {height:,} pixels{planes}, and at most {most / 1e6:.3g} million are taken: make it smaller"


def main() -> None:
    """Answer with a length, so many bytes of JSON, the colour profile and the pixels.

    JSON and bytes alone: a file that takes this process over must not take over the one that reads its answer.
    """
    limit()
    warnings.simplefilter("ignore")  # Pillow's remarks on odd files
    give, sys.stdout = sys.stdout.buffer, sys.stderr
    about, pixels = decode(sys.stdin.buffer.read(), int(sys.argv[1]))
    profile = about.pop("profile", None) or b""
    head = json.dumps(about | {"profile": len(profile)}).encode()
    give.write(struct.pack("<I", len(head)) + head + profile)
    give.write(pixels)


if __name__ == "__main__":
    main()
