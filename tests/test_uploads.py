"""Pictures from strangers: what they hold is read, what they threaten is refused in words, and memory stays bounded."""

import asyncio
import json
import marshal
import re
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from memory import HELD
from PIL import Image

from zerosum.errors import UserError
from zerosum.web import uploads
from zerosum.web.shield import Shield
from zerosum.web.trouble import TooMuch, Unfit, in_words

SHOWN = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)


def saved(kind, x=SHOWN, **options):
    buffer = BytesIO()
    Image.fromarray(x).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width, height, data, colour=2):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_a_file_is_read_as_it_is(kind):
    assert np.array_equal(uploads.picture(saved(kind)).pixels, SHOWN)


def test_alpha_orientation_profile_and_depth_are_understood():
    alpha = np.dstack([SHOWN, np.arange(63, dtype=np.uint8).reshape(9, 7)])
    assert np.array_equal(uploads.picture(saved("PNG", alpha)).alpha, alpha[..., 3])
    exif = Image.Exif()
    exif[0x0112] = 6
    assert uploads.picture(saved("PNG", exif=exif)).size == (7, 9)
    assert uploads.picture(saved("PNG", icc_profile=b"colours")).profile == b"colours"
    deep = np.full((4, 5), 65535, np.uint16)
    assert uploads.picture(saved("PNG", deep)).pixels.tolist() == np.full((4, 5, 1), 255).tolist()
    many = np.random.default_rng(0).integers(0, 256, (4, 5, 6), np.uint8)
    np.save(buffer := BytesIO(), many)
    assert np.array_equal(uploads.picture(buffer.getvalue()).pixels, many)


def test_a_png_comes_back_as_the_picture_it_was():
    assert np.array_equal(uploads.picture(uploads.png(SHOWN)).pixels, SHOWN)


def aliased_tiff(tags, size):
    """A TIFF in which every tag names the same bytes: read, each has a copy of its own."""
    entries = b"".join(struct.pack("<HHII", 40000 + i, 7, size, 10 + 12 * tags + 4) for i in range(tags))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", tags) + entries + b"\0\0\0\0" + b"\0" * size


def wide_webp(width, height):
    """A WebP of almost no bytes whose canvas is enormous."""
    canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    plain = saved("WEBP", lossless=True)[12:]
    parts = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + canvas
    parts += b"ANIM" + struct.pack("<I", 6) + bytes(6)
    frame = bytes(6) + (6).to_bytes(3, "little") + (8).to_bytes(3, "little") + bytes(4) + plain
    parts += b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WEBP" + parts


def huge_npy():
    np.save(buffer := BytesIO(), np.zeros((2, 2), np.uint8))
    return buffer.getvalue().replace(b"(2, 2)", b"(1048576, 1048576)")[: 10 + 118 + 4]


BOMBS = {
    "a header of 10 gigapixels": (png_of(100_000, 100_000, zlib.compress(b"\0" * 1000)), "TooMuch the picture: .+"),
    "a few more pixels than are taken": (png_of(5001, 5000, zlib.compress(b"\0")), "TooMuch the picture: .+"),
    "a gigabyte in a megabyte": (png_of(5000, 4900, zlib.compress(bytes(2**28))), r"\(4900, 5000\)"),
    "text that grows": (
        png_of(3, 3, zlib.compress(bytes(30))).replace(
            chunk(b"IEND", b""), 80 * chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**22)))
        ),
        "Unfit the picture: .+",
    ),
    "a TIFF whose tags are one": (aliased_tiff(3000, 2**20), "(TooMuch|Unfit) the picture: .+"),
    "a WebP with a canvas of gigabytes": (wide_webp(2**15, 2**16), "(TooMuch|Unfit) the picture: .+"),
    "an array that is not there": (huge_npy(), "(TooMuch|Unfit) the picture: .+"),
}


TAKEN = f"""
import resource, sys
from zerosum.errors import UserError
from zerosum.web import uploads

before = {HELD}
try:
    said = str(uploads.picture(sys.stdin.buffer.read()).size)
except UserError as error:
    said = type(error).__name__ + " " + str(error)
print({HELD} - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, said)
"""
"""Prints the KiB that reading a file takes here and elsewhere, and what comes of it."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_memory_here_and_little_elsewhere(name):
    data, outcome = BOMBS[name]
    ran = subprocess.run([sys.executable, "-c", TAKEN], input=data, capture_output=True, check=True)
    here, elsewhere, said = ran.stdout.decode().rstrip("\n").split(" ", 2)
    assert re.fullmatch(outcome, said)  # one line
    assert int(here) < 300 * 1024  # the pixels that were asked for, where they fit
    assert int(elsewhere) < 1.1 * 2**20


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "nothing came"),
        (saved("PNG")[:-40], "the picture: "),
        (saved("JPEG")[:200], "the picture: "),
        (b"hello, this is a poem", "not an image of a known format"),
        (b"PK\x03\x04" + bytes(500), "not an image of a known format"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "an SVG is a drawing"),
        (b'<?xml version="1.0"?>\n<!-- x -->\n<svg width="9"></svg>', "an SVG is a drawing"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_line(data, why):
    with pytest.raises(Unfit, match=why) as told:
        uploads.picture(data)
    assert isinstance(told.value, UserError)
    assert "\n" not in str(told.value)


def answered(about, *parts):
    head = json.dumps(about).encode()
    return b"".join((struct.pack("<I", len(head)), head, *parts))


def test_an_answer_of_the_decoding_process_is_read_as_a_strangers():
    fine = {"why": "", "shape": [2, 3, 1], "profile": 2}
    assert uploads.understood(answered(fine, b"ab", bytes(6)), 6) == ({"why": "", "shape": (2, 3, 1)}, b"ab", bytes(6))
    wrong = [
        b"",
        b"\xff\xff\xff\xff",
        struct.pack("<I", 4) + marshal.dumps(fine),
        answered("["),
        answered(fine, b"ab", bytes(7)),
        answered(fine | {"shape": [2, -3, -1]}, b"ab", bytes(6)),
        answered(fine | {"shape": [2, 3.0, 1]}, b"ab", bytes(6)),
        answered(fine | {"shape": [2, 4, 1]}, b"ab", bytes(8)),
        answered(fine | {"profile": -2}, bytes(6)),
        answered({"why": 3}),
    ]
    for said in wrong:
        with pytest.raises(ValueError):
            uploads.understood(said, 6)


def test_a_decoding_process_that_was_taken_over_is_ended(monkeypatch, tmp_path):
    taken = tmp_path / "taken.py"
    taken.write_text("import sys\nwhile True:\n    sys.stdout.buffer.write(bytes(2**20))\n")
    monkeypatch.setattr(uploads.confined, "__file__", str(taken))
    before = eval(HELD)
    with pytest.raises(TooMuch, match="too much memory or time"):
        uploads.picture(saved("PNG"), most=2**20)
    assert eval(HELD) - before < 200 * 1024
    taken.write_text("import time\ntime.sleep(100)\n")
    monkeypatch.setattr(uploads, "PATIENCE", 0.5)
    with pytest.raises(TooMuch, match="too much memory or time"):
        uploads.picture(saved("PNG"))


def test_over_http_the_status_says_what_is_wrong():
    app = FastAPI()
    in_words(app)

    @app.post("/picture")
    def _(shown: uploads.Upload) -> list[int]:
        return list(shown.size)

    async def asked(*bodies):
        transport = httpx.ASGITransport(Shield(app, most=2**20))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.post("/picture", content=data, headers={"content-type": kind}) for data, kind in bodies]

    good = asyncio.run(asked((saved("PNG"), "image/png"), (saved("JPEG"), "image/jpeg")))
    assert [answer.json() for answer in good] == [[9, 7], [9, 7]]
    wrong = [
        (saved("PNG"), "text/html", 415),
        (saved("PNG"), "multipart/form-data; boundary=x", 415),
        (b"<svg></svg>", "image/svg+xml", 415),
        (saved("PNG")[:50], "image/png", 415),
        (b"", "image/png", 415),
        (png_of(100_000, 100_000, b""), "image/png", 413),
        (bytes(2**21), "image/png", 413),
    ]
    for answer, (_, _, status) in zip(asyncio.run(asked(*(one[:2] for one in wrong))), wrong, strict=True):
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"error"}
