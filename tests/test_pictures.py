"""Picture files of every kind, as people have them: odd ones, broken ones, archives, label files, mixed sizes, duplicates."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import signal
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import cache, decoder, modality, open_source, pictures, target
from zerosum.data.likeness import glances, near
from zerosum.data.preflight import inspect, lines
from zerosum.errors import UserError

rng = np.random.default_rng(0)
PIXELS = rng.integers(0, 256, (20, 6, 5), np.uint8)


@pytest.fixture(autouse=True)
def empty_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path_factory.mktemp("cache")))


def save_all(folder, items=PIXELS, suffix=".png", **options):
    folder.mkdir(parents=True, exist_ok=True)
    for i, item in enumerate(items):
        Image.fromarray(item).save(folder / f"{i:03d}{suffix}", **options)
    return folder


def encoded(item, kind="PNG", **options):
    file = io.BytesIO()
    (item if isinstance(item, Image.Image) else Image.fromarray(item)).save(file, kind, **options)
    return file.getvalue()


def items_of(source):
    """Everything as people see it, by name of the file."""
    both = [modality(source.spec).decode(part["x"], source.spec) for part in (source.some(10**6), source.held_out())]
    order = source._order.permutation(0, __import__("zerosum.noise", fromlist=["mix"]).mix(0, 1))
    train = np.empty_like(both[0])
    train[order.numpy()] = both[0]
    return dict(zip(source.found.names, np.concatenate([train, both[1]]), strict=True))


def class_of_each(source):
    stored = {}
    names = list(source.found.names)
    x, y = source._x, source._y
    for name, label in zip(names, [*y.tolist(), *source._held_y.tolist()], strict=True):
        stored[name] = source.spec.names[label]
    assert len(x) + len(source._held_x) == len(names)
    return stored


def refused(what, *words, **options):
    with pytest.raises(UserError) as caught:
        open_source(what, **options)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert str(word) in message, message


def test_the_search_for_cycles_is_whole_again_after_packing_and_where_it_failed(tmp_path):
    save_all(tmp_path / "good"), save_all(tmp_path / "few", PIXELS[:3])
    open_source(str(tmp_path / "good"))
    assert gc.isenabled() and not gc.get_freeze_count()
    refused(str(tmp_path / "few"), "3 images")
    assert gc.isenabled() and not gc.get_freeze_count()
    gc.freeze()  # who has left something out leaves it out still
    try:
        save_all(tmp_path / "more", 255 - PIXELS)
        open_source(str(tmp_path / "more"))
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()


def test_a_file_that_comes_in_pieces_is_read_whole(tmp_path):
    os.mkfifo(tmp_path / "slow.png")
    data = encoded(PIXELS[0])

    def write():
        with open(tmp_path / "slow.png", "wb", 0) as file:
            for part in (data[:30], data[30:]):
                file.write(part)
                time.sleep(0.2)

    writing = threading.Thread(target=write)
    writing.start()
    _, pixels = decoder.examine(0, str(tmp_path / "slow.png"), decoder.Shape(6, 5, 1, 0))
    writing.join()
    assert pixels == PIXELS[0].tobytes()


def test_a_file_of_several_parts_is_read_whole(tmp_path, monkeypatch):
    save_all(tmp_path)
    monkeypatch.setattr(decoder, "PART", 16)
    x = np.stack(
        [
            Image.frombytes("L", (5, 6), decoder.examine(0, str(path), decoder.Shape(6, 5, 1, 0))[1])
            for path in sorted(tmp_path.iterdir())
        ]
    )
    assert (x == PIXELS).all()


# -- what is in a file


SHAPE = decoder.Shape(6, 5, 3, 8)


def look(data, shape=SHAPE):
    fact, pixels = decoder.examine(0, data, shape)
    return fact, None if pixels is None else np.frombuffer(pixels, np.uint8).reshape(shape[:3])


COLOUR = rng.integers(0, 256, (6, 5, 3), np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_lossless_kinds_give_their_pixels(kind):
    fact, pixels = look(encoded(COLOUR, kind, **({"lossless": True} if kind == "WEBP" else {})))
    assert (fact.height, fact.width, fact.channels, fact.why) == (6, 5, 3, "")
    if kind == "GIF":  # a palette of 256 colours holds 30 pixels' worth
        assert abs(pixels.astype(int) - COLOUR).mean() < 40
    else:
        assert np.array_equal(pixels, COLOUR)


def test_plain_pngs_are_read_as_pillow_reads_them():
    for mode, bands in (("L", 1), ("RGB", 3)):
        for size in ((1, 1), (1, 9), (300, 2), (64, 48)):
            smooth = np.add.outer(np.arange(size[0]), np.arange(size[1]))[..., None] * np.arange(1, bands + 1)
            x = (smooth % 256).astype(np.uint8).squeeze(2) if bands == 1 else (smooth % 256).astype(np.uint8)
            data = encoded(x, optimize=True)
            own = decoder._plain_png(data)
            assert own is not None and own.mode == mode and np.array_equal(np.asarray(own), x)
    assert decoder._plain_png(encoded(COLOUR)[:-20]) is None
    damaged = bytearray(encoded(COLOUR))
    damaged[60] ^= 1
    assert decoder._plain_png(bytes(damaged)) is None and look(bytes(damaged))[0].why


def test_cmyk_jpegs_become_rgb():
    fact, pixels = look(encoded(Image.new("CMYK", (5, 6), (0, 255, 255, 0)), "JPEG", quality=95))
    assert fact.mode == "CMYK" and fact.channels == 3
    assert pixels[..., 0].min() > 200 and pixels[..., 1:].max() < 60  # no cyan, full magenta and yellow: red


@pytest.mark.parametrize(("high", "shift"), [(255, 0), (1000, 2), (4095, 4), (65535, 8)])
def test_deep_pictures_keep_the_bits_that_they_use(tmp_path, high, shift):
    x = rng.integers(0, high + 1, (12, 6, 5)).astype(np.uint16)
    x[0, 0, 0] = high
    source = open_source(save_all(tmp_path / "in", x))
    shown = items_of(source)
    assert all(np.array_equal(shown[f"{i:03d}.png"], (x[i] >> shift).astype(np.uint8)) for i in range(12))


def test_transparent_palettes_are_rgba_and_alpha_that_hides_nothing_is_dropped(tmp_path):
    palette = Image.fromarray(PIXELS[0], "L").convert("P")
    fact, pixels = look(encoded(palette, transparency=int(PIXELS[0, 0, 0])), decoder.Shape(6, 5, 4, 8))
    assert fact.channels == 4 and pixels[0, 0, 3] == 0 and pixels[..., 3].max() == 255
    opaque = np.dstack([COLOUR, np.full((6, 5), 255, np.uint8)])
    assert look(encoded(opaque))[0].channels == 3
    assert open_source(save_all(tmp_path / "in", [opaque] * 6 + [COLOUR] * 6)).spec.shape == (3, 6, 5)


@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_orientation_is_obeyed(turned):
    """As Pillow's own transposition has it, for each of the eight values, in JPEG and PNG."""
    from PIL import ImageOps

    x = np.zeros((24, 16, 3), np.uint8)
    x[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = turned
    for kind in ("JPEG", "PNG"):
        data = encoded(x, kind, exif=exif)
        upright = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
        fact, pixels = look(data, decoder.Shape(*upright.shape[:2], 3, 0))
        assert (fact.height, fact.width) == upright.shape[:2] and np.array_equal(pixels, upright)
        small = look(data, decoder.Shape(upright.shape[0] // 8, upright.shape[1] // 8, 3, 0))[1]
        assert abs(small.astype(int) - upright.reshape(small.shape[0], 8, small.shape[1], 8, 3).mean((1, 3))).max() < 40


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_moving_pictures_the_first_is_taken(kind):
    frames = [Image.new("RGB", (5, 6), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    _, pixels = look(encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options))
    assert (pixels == (255, 0, 0)).all()


def test_one_pixel_is_a_picture(tmp_path):
    save_all(tmp_path / "in")
    Image.new("L", (1, 1), 77).save(tmp_path / "in" / "dot.png")
    assert (items_of(open_source(tmp_path / "in"))["dot.png"] == 77).all()


def png_bomb():
    chunk = lambda name, data: struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


def test_bombs_and_empty_files_are_lines_of_the_report(tmp_path):
    folder = save_all(tmp_path / "in")
    (folder / "bomb.png").write_bytes(png_bomb())
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.webp").write_text("hello")
    report = inspect(open_source(folder))
    why = dict(report.skipped_first)
    assert report.skipped == 3 and "bomb" in why["bomb.png"] and why["empty.jpg"] == "the file is empty"
    assert why["text.webp"] == "not an image of a known format"
    assert "3 of 23 files cannot be read and were left out: bomb.png" in "\n".join(lines(report))


def tiff(x, planar=1, packed=False, order="<", predictor=1):
    """A TIFF of any number of channels, by the specification: one strip a plane."""
    height, width, channels = x.shape
    stored = x.astype(x.dtype.newbyteorder(order))
    if predictor == 2:
        stored = np.diff(stored, axis=1, prepend=np.zeros_like(stored[:, :1]))
    planes = [stored] if planar == 1 else [stored[..., i] for i in range(channels)]
    strips = [zlib.compress(p.tobytes()) if packed else p.tobytes() for p in planes]
    count, bits = len(strips), [8 * x.dtype.itemsize] * channels
    tags = {256: [width], 257: [height], 258: bits, 259: [8 if packed else 1], 262: [1], 273: [0] * count}
    tags |= {277: [channels], 278: [height], 279: [len(s) for s in strips], 284: [planar], 317: [predictor]}
    where = 8 + 2 + 12 * len(tags) + 4
    body, entries = b"", b""
    for tag, values in tags.items():
        if tag == 273:
            values = [where + 2000 + sum(map(len, strips[:i])) for i in range(count)]
        kind = "I" if tag in (273, 279) else "H"
        data = struct.pack(f"{order}{len(values)}{kind}", *values)
        code = {"I": 4, "H": 3}[kind]
        if len(data) > 4:
            at, body = where + len(body), body + data
            data = struct.pack(f"{order}I", at)
        entries += struct.pack(f"{order}HHI", tag, code, len(values)) + data.ljust(4, b"\0")
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + body.ljust(2000, b"\0") + b"".join(strips)


@pytest.mark.parametrize("options", [{}, {"planar": 2}, {"packed": True, "predictor": 2}, {"order": ">"}])
@pytest.mark.parametrize("kind", ["u1", "u2"])
def test_tiffs_of_many_channels(tmp_path, options, kind):
    x = rng.integers(0, 256 if kind == "u1" else 65536, (12, 6, 5, 7)).astype(kind)
    x[:, 0, 0] = 255 if kind == "u1" else 65535
    for i, item in enumerate(x):
        (tmp_path / f"{i:03d}.tif").write_bytes(tiff(item, **options))
    source = open_source(tmp_path)
    assert source.spec.shape == (7, 6, 5)
    shown = items_of(source)
    assert all(np.array_equal(shown[f"{i:03d}.tif"], x[i] >> (0 if kind == "u1" else 8)) for i in range(12))


def test_a_folder_of_arrays_of_many_channels(tmp_path):
    x = rng.integers(0, 256, (12, 6, 5, 9), np.uint8)
    for i, item in enumerate(x):
        np.save(tmp_path / f"{i:03d}.npy", item)
    np.save(tmp_path / "bad.npy", np.array([{}], object), allow_pickle=True)
    source = open_source(tmp_path)
    assert source.spec.shape == (9, 6, 5) and source.found.skipped[0][0] == "bad.npy"
    assert np.array_equal(items_of(source)["003.npy"], x[3])


# -- where files lie


def test_names_of_every_kind(tmp_path):
    folder = tmp_path / "in"
    names = ["Ä ö\u4e2d.png", "a\nb.PNG", "deep/er/x.JpEg", "deep/-.bmp", "spaces in it.WEBP"]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(COLOUR).save(folder / name, "PNG")
    odd = os.fsencode(folder) + b"/\xff\xfe.png"  # no UTF-8
    with open(odd, "wb") as file:
        file.write(encoded(255 - COLOUR))
    save_all(folder / "more")
    for hidden in (".hidden.png", ".git/x.png", "deep/.x.png"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        Image.fromarray(COLOUR).save(folder / hidden)
    (folder / "loop").symlink_to(folder)
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "gone.png").symlink_to(tmp_path / "nowhere.png")
    source = open_source(folder)
    assert source.found.files == 27 and [name for name, _ in source.found.skipped] == ["gone.png"]
    assert set(names) < set(source.found.names)
    for line in lines(inspect(source), whole=True):
        assert line.isprintable() and line.encode()


def test_a_folder_that_holds_something_else_says_so(tmp_path):
    np.savez(tmp_path / "set.npz", x=PIXELS)
    (tmp_path / "readme.txt").write_text("hello")
    refused(tmp_path, "0 images", "at least 10", f"{tmp_path / 'set.npz'} may be what you mean")


ENDINGS = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz"]


def archive(path, files):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, data in files.items():
                file.writestr(name, data)
        return path
    with tarfile.open(path, {".tar": "w", ".xz": "w:xz"}.get(path.suffix, "w:gz")) as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_archive_is_read_as_the_folder_in_it(tmp_path, ending):
    words = ["cat", "dog"]
    files = {f"photos/{words[i % 2]}/{i:03d}.png": encoded(item) for i, item in enumerate(PIXELS)}
    strays = {"photos/.DS_Store": b"x", "__MACOSX/photos/cat/._000.png": b"x", "photos/readme.txt": b"x"}
    backwards = dict(reversed([*files.items(), *strays.items()]))
    source = open_source(archive(tmp_path / f"a{ending}", backwards))
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    folder = open_source(tmp_path / "photos")
    assert source.spec.names == ("cat", "dog") and source.fingerprint() == folder.fingerprint()
    assert {name.removeprefix("photos/"): word for name, word in class_of_each(source).items()} == class_of_each(folder)


@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_archives_that_would_write_elsewhere_write_nothing(tmp_path, ending):
    files = {f"{i:02d}.png": encoded(item) for i, item in enumerate(PIXELS)}
    files |= {"../../evil.png": encoded(PIXELS[0]), "a/../../evil.png": encoded(PIXELS[0]), "/abs.png": encoded(PIXELS[0])}
    where = tmp_path / "a" / "b"
    where.mkdir(parents=True)
    source = open_source(archive(where / f"x{ending}", files))
    assert source.found.files == 21 and "/abs.png" in source.found.names
    assert {p.name for p in tmp_path.rglob("*") if p.is_file()} == {f"x{ending}"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_damaged_archives(tmp_path, ending):
    path = archive(tmp_path / f"a{ending}", {f"{i}.png": encoded(item) for i, item in enumerate(PIXELS)})
    path.write_bytes(path.read_bytes()[:400])
    refused(path, path)


def test_one_bad_file_of_a_zip_is_left_out(tmp_path):
    path = archive(tmp_path / "a.zip", {f"{i:02d}.png": encoded(item) for i, item in enumerate(PIXELS)})
    with zipfile.ZipFile(path) as file:
        at = file.getinfo("07.png").header_offset
    data = bytearray(path.read_bytes())
    data[at + 60] ^= 255
    path.write_bytes(data)
    assert [name for name, _ in open_source(path).found.skipped] == ["07.png"]


def parquet(path, columns, **options):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    table = pa.table(columns)
    if options:
        table = table.replace_schema_metadata({"huggingface": json.dumps(options)})
    pyarrow.parquet.write_table(table, path, row_group_size=7)
    return path


def test_parquet_as_hugging_face_writes_it(tmp_path):
    cells = [{"bytes": encoded(item), "path": f"{i}.png"} for i, item in enumerate(PIXELS)]
    told = {"info": {"features": {"label": {"names": ["ant", "bee"], "_type": "ClassLabel"}}}}
    path = parquet(tmp_path / "x.parquet", {"image": cells, "label": [i % 2 for i in range(20)]}, **told)
    source = open_source(path)
    assert source.spec.names == ("ant", "bee") and source.found.labels == "column label"
    assert class_of_each(source)["x.parquet:3"] == "bee"
    assert np.array_equal(items_of(source)["x.parquet:3"], PIXELS[3])


def test_a_folder_of_parquet_files_of_bytes(tmp_path):
    for part in range(2):
        rows = [encoded(item) for item in PIXELS[10 * part : 10 * part + 10]]
        parquet(tmp_path / f"train-{part}.parquet", {"img": rows, "caption": [f"words {i}" for i in range(10)]})
    source = open_source(tmp_path)
    assert source.spec.classes == 0 and len(source.found.names) == 20
    assert np.array_equal(items_of(source)["train-1.parquet:2"], PIXELS[12])


def test_parquet_without_images_or_damaged(tmp_path):
    refused(parquet(tmp_path / "x.parquet", {"a": [{"b": 1}] * 20}), "no column of encoded images among a")
    refused(parquet(tmp_path / "z.parquet", {"a": list(range(20))}), "no column to learn from")  # it is a table
    (tmp_path / "y.parquet").write_bytes(b"PAR1" + bytes(100))
    refused(tmp_path / "y.parquet", "y.parquet", "damaged")


def test_parquet_without_its_extra_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    refused(tmp_path / "x.parquet", "needs pyarrow: pip install 'zerosum[parquet]'")


# -- labels


CSV = "\n".join(["file_name,label", *(f"{i:03d}.png,{'ab'[i % 2]}" for i in range(20))])
TABLES = {
    "labels.csv": CSV,
    "anything.csv": CSV.replace(",", ";"),
    "train.csv": "\n".join(f"{i:03d},{'ab'[i % 2]}" for i in range(20)),  # no head, no suffixes
    "labels.json": json.dumps({f"{i:03d}.png": "ab"[i % 2] for i in range(20)}),
    "dataset.json": json.dumps({"labels": [[f"{i:03d}.png", i % 2] for i in range(20)]}),
    "metadata.jsonl": "\n".join(json.dumps({"file_name": f"{i:03d}.png", "class": "ab"[i % 2]}) for i in range(20)),
    "metadata.csv": CSV.replace("label", "label,caption").replace("a\n", "a,words\n"),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("zipped", [False, True])
def test_label_files_are_found(tmp_path, name, zipped):
    save_all(tmp_path / "in")
    (tmp_path / "in" / name).write_text(TABLES[name])
    what = tmp_path / "in"
    if zipped:
        what = archive(tmp_path / "in.zip", {f"in/{p.name}": p.read_bytes() for p in what.iterdir()})
    source = open_source(what)
    words = ("0", "1") if name == "dataset.json" else ("a", "b")
    assert source.spec.names == words and source.found.labels.endswith(name)
    assert all(label == words[int(name[-7:-4]) % 2] for name, label in class_of_each(source).items())
    assert f"2 classes from {source.found.labels}" in "\n".join(lines(inspect(source)))


def test_label_files_of_parts_each_speak_of_their_own_folder(tmp_path):
    for part in ("one", "two"):
        save_all(tmp_path / part, PIXELS[:10] if part == "one" else PIXELS[10:])
        rows = [f"{i:03d}.png,{part}{i % 2}" for i in range(10)]
        (tmp_path / part / "metadata.csv").write_text("\n".join(["file_name,label", *rows]))
    source = open_source(tmp_path)
    assert source.spec.names == ("one0", "one1", "two0", "two1")
    assert class_of_each(source)["two/003.png"] == "two1"


@pytest.mark.parametrize("text", ["file_name,label\nx.png,1\ny.png,2", '{"labels": [["x.png", 1]]}'])
def test_a_label_file_that_matches_nothing(tmp_path, text):
    save_all(tmp_path)
    name = "labels.csv" if text[0] == "f" else "dataset.json"
    (tmp_path / name).write_text(text)
    refused(tmp_path, name, "names no image that is here", "x.png", "000.png")


def test_a_label_file_that_leaves_some_out_or_is_broken(tmp_path):
    save_all(tmp_path)
    (tmp_path / "labels.csv").write_text("\n".join(CSV.split("\n")[:-1]))
    refused(tmp_path, "labels.csv labels 19 of 20 images, and not 019.png")
    (tmp_path / "labels.csv").unlink()
    (tmp_path / "labels.json").write_text("{")
    refused(tmp_path, "labels.json cannot be read as labels")


def test_tables_of_other_things_are_left_alone(tmp_path):
    save_all(tmp_path)
    (tmp_path / "prices.csv").write_text("name,price\napple,3\npear,4")
    (tmp_path / "package.json").write_text('{"version": 3')
    (tmp_path / "captions.jsonl").write_text(
        "\n".join(json.dumps({"file_name": f"{i:03d}.png", "text": f"words {i}"}) for i in range(20)) * 2
    )
    assert open_source(tmp_path).spec.classes == 0


def test_columns_that_could_be_labels_are_named(tmp_path):
    save_all(tmp_path)
    (tmp_path / "metadata.csv").write_text("file_name,colour,shape\n" + "\n".join(f"{i:03d}.png,red,round" for i in range(20)))
    source = open_source(tmp_path)
    assert source.spec.classes == 0
    assert "metadata.csv has columns colour, shape: name one of them label" in "\n".join(lines(inspect(source)))


# -- sizes


@pytest.mark.parametrize(("text", "size"), [("64", (64, 64)), ("64x48", (64, 48)), (" 7 × 9 ", (7, 9)), ("64X48", (64, 48))])
def test_sizes_are_height_by_width(text, size):
    assert target.parse(text) == size


@pytest.mark.parametrize("text", ["", "0", "64x", "x64", "64x0", "-3", "1e3", "64x48x3", "99999"])
def test_sizes_that_are_none(tmp_path, text):
    save_all(tmp_path)
    refused(tmp_path, f"size {text}", size=text)


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ({(321, 481): 90, (481, 321): 40}, (128, 128)),
        ({(30, 40): 95, (31, 40): 5}, (30, 40)),
        ({(300, 400): 50, (600, 800): 50}, (128, 171)),
        ({(40, 50): 50, (70, 60): 50}, (32, 32)),
        ({(3, 4): 5, (5, 4): 5}, (16, 16)),
    ],
)
def test_the_size_that_is_chosen_for_mixed_ones(sizes, chosen):
    assert target.choose(sizes)[0] == chosen
    assert target.choose(sizes, (9, 7))[0] == (9, 7)


def test_resizing_is_antialiased_and_cut_to_the_middle(tmp_path):
    """Fine stripes become grey rather than one of their colours; a wide picture keeps its middle, not stretched."""
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    wide = np.zeros((40, 100), np.uint8)
    wide[:, 30:70] = 200
    save_all(tmp_path, [stripes] * 5 + [wide] * 5)
    shown = items_of(open_source(tmp_path, size="20"))
    assert abs(shown["000.png"].astype(int) - 127)[2:-2, 2:-2].max() < 12
    assert abs(shown["007.png"][2:-2, 2:-2].astype(int) - 200).max() <= 1


def test_transparent_colours_do_not_bleed(tmp_path):
    x = np.zeros((12, 32, 32, 4), np.uint8)
    x[..., 0] = 255  # red where it cannot be seen
    x[:, 8:24, 8:24] = (0, 0, 255, 255)
    shown = items_of(open_source(save_all(tmp_path, x), size="9"))["000.png"].astype(int)
    assert shown[..., 0][shown[..., 3] > 40].max() < 10


def test_a_large_jpeg_shrinks_as_exactly_as_a_png(tmp_path):
    y, x = np.mgrid[:960, :1280] / 100
    smooth = (127 + 60 * np.sin(x)[..., None] * np.cos(y)[..., None] * np.array([1, 0.5, -1])).astype(np.uint8)
    small = [
        look(encoded(smooth, kind, **more), decoder.Shape(48, 64, 3, 0))[1]
        for kind, more in (("PNG", {}), ("JPEG", {"quality": 95}))
    ]
    assert abs(small[0].astype(int) - small[1]).max() <= 6


def test_arrays_are_resized_too(tmp_path):
    x = rng.integers(0, 256, (12, 16, 16, 3), np.uint8)
    assert open_source(x, size="8x4").spec.shape == (3, 8, 4)
    assert open_source(x[..., 0], size="8").spec.shape == (1, 8, 8)
    assert open_source(np.concatenate([x, x], 3), size="8").spec.shape == (6, 8, 8)
    refused(rng.normal(size=(20, 3)), "vectors, which have no size", size="8")
    for name in ("digits", "ring8"):
        refused(name, f"{name} cannot be brought to another size", size="8")


# -- the cache


def packs():
    return sorted(p.name for p in (cache.home() / "packs").iterdir())


def test_a_second_start_reads_the_pack_and_not_the_files(tmp_path, monkeypatch):
    folder = save_all(tmp_path / "in")
    first = open_source(folder)
    with monkeypatch.context() as patched:
        patched.setattr(pictures.Folder, "loads", None)  # nobody looks inside
        again = open_source(folder)
    assert again.fingerprint() == first.fingerprint() and torch.equal(again._x, first._x)
    (folder / "003.png").write_bytes(bytes((folder / "003.png").stat().st_size))
    assert [name for name, _ in open_source(folder).found.skipped] == ["003.png"]


def test_packs_are_found_by_content(tmp_path):
    open_source(save_all(tmp_path / "a"))
    before = packs()
    open_source(save_all(tmp_path / "elsewhere"))
    assert packs() == before  # the same pictures
    open_source(tmp_path / "a", size="4")
    assert len(packs()) == 2


def test_a_pack_may_be_removed_or_damaged(tmp_path):
    import shutil

    folder = save_all(tmp_path / "in")
    first = open_source(folder)
    (pack,) = (cache.home() / "packs").iterdir()
    for harm in ("meta.json", "pixels.u8", "same.npy"):
        (pack / harm).write_bytes(b"{}")
        assert open_source(folder).fingerprint() == first.fingerprint()
    shutil.rmtree(pack)
    assert open_source(folder).fingerprint() == first.fingerprint()
    shutil.rmtree(cache.home())
    assert open_source(folder).fingerprint() == first.fingerprint()


def test_a_full_disk_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", "/dev/full/cache")
    refused(save_all(tmp_path), "cannot write the cache in /dev/full/cache", "ZEROSUM_CACHE")


def test_the_cache_goes_where_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "own"))
    assert cache.home() == tmp_path / "own"
    monkeypatch.delenv("ZEROSUM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.home() == tmp_path / "xdg" / "zerosum"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.home() == tmp_path / ".cache" / "zerosum"


PACKING = "import sys; from zerosum.data import open_source; print(open_source(sys.argv[1]).fingerprint())"


def packing(folder):
    return subprocess.Popen([sys.executable, "-c", PACKING, str(folder)], stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """6,000 pictures: enough for decoding processes of their own."""
    path = tmp_path_factory.mktemp("many") / "many.zip"
    x = np.random.default_rng(3).integers(0, 256, (6000, 4, 4), np.uint8)
    return archive(path, {f"{i:05d}.png": encoded(item) for i, item in enumerate(x)}), x


def test_many_processes_decode_what_one_does(many, monkeypatch):
    from zerosum.data import decoders

    path, x = many
    source = open_source(path)
    names = items_of(source)
    assert all(np.array_equal(names[f"{i:05d}.png"], x[i]) for i in range(0, 6000, 97))
    print_of_many = source.fingerprint()
    monkeypatch.setenv("ZEROSUM_CACHE", str(cache.home()) + "-alone")
    monkeypatch.setattr(decoders, "MANY", 10**9)
    assert open_source(path).fingerprint() == print_of_many


def test_two_at_once_both_succeed_and_a_kill_leaves_no_half(many):
    path, _ = many
    victim = packing(path)
    while not list(cache.home().glob("packs/.packing-*")) and victim.poll() is None:
        time.sleep(0.01)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert all(name.startswith(".") for name in packs())
    both = [packing(path) for _ in range(2)]
    outputs = [process.communicate()[0] for process in both]
    assert outputs[0] == outputs[1] != "" and [p.returncode for p in both] == [0, 0]
    assert len(packs()) == 1 and not packs()[0].startswith(".")  # and what the victim left is gone


def test_a_script_without_a_main_guard_packs_once(many, tmp_path):
    """With multiprocessing's spawn the script would run itself again in every process."""
    path, _ = many
    script = tmp_path / "script.py"
    script.write_text(f"import torch\nfrom zerosum import open_source\nprint('once', len(open_source({str(path)!r})))\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout == "once 4800\n"


def test_a_file_that_kills_its_decoder_is_left_out(monkeypatch, tmp_path):
    from zerosum.data import decoders

    deadly = tmp_path / "deadly.py"
    deadly.write_text(
        f"import sys, os; sys.path.insert(0, {os.path.dirname(decoder.__file__)!r}); import decoder as d; real = d.examine\n"
        "def examine(slot, load, shape):\n    return os._exit(9) if slot == 37 else real(slot, load, shape)\n"
        "d.examine = examine; d.serve()\n"
    )
    monkeypatch.setattr(decoder, "__file__", str(deadly))
    monkeypatch.setattr(decoders, "MANY", 1)
    (tmp_path / "in").mkdir()
    source = open_source(save_all(tmp_path / "in", np.concatenate([PIXELS] * 3)))
    assert source.found.skipped == (("037.png", "decoding it kills the decoder"),)


# -- streaming


@pytest.fixture
def both_ways(tmp_path, monkeypatch):
    for word in ("ant", "bee"):
        save_all(tmp_path / word, rng.integers(0, 256, (30, 6, 5, 3), np.uint8))
    memory = open_source(tmp_path)
    monkeypatch.setattr(pictures, "IN_MEMORY", 0.0)
    streamed = open_source(tmp_path)
    assert streamed.found.streamed and not memory.found.streamed
    return memory, streamed


def test_streamed_items_are_those_from_memory_bit_for_bit(both_ways):
    memory, streamed = both_ways
    assert memory.spec == streamed.spec and memory.fingerprint() == streamed.fingerprint()
    for start, rank, world in ((0, 0, 1), (5, 0, 1), (3, 1, 2), (100, 2, 3)):
        pair = [source.batches(12, 7, start, rank, world) for source in both_ways]
        for _ in range(9):  # into the second epoch
            a, b = (next(stream) for stream in pair)
            assert a.keys() == b.keys() == {"x", "y"} and all(torch.equal(a[key], b[key]) for key in a)
        pair[1].close()
    for a, b in ((memory.held_out(), streamed.held_out()), (memory.some(9, 3), streamed.some(9, 3))):
        assert all(torch.equal(a[key], b[key]) for key in a)
    assert inspect(memory).nearly == inspect(streamed).nearly


def test_reading_ahead_ends_with_its_reader(both_ways):
    import threading

    _, streamed = both_ways
    before = threading.active_count()
    for _ in range(5):
        stream = streamed.batches(8, 0)
        next(stream)
        stream.close()
    assert threading.active_count() == before


# -- twins


def test_exact_duplicates_stay_on_one_side(tmp_path):
    x = rng.integers(0, 256, (60, 6, 5), np.uint8)
    twice = np.concatenate([x, x[:30], x[:10]])
    save_all(tmp_path / "in", twice)
    Image.fromarray(x[40]).save(tmp_path / "in" / "another.bmp")  # the same picture in another kind of file
    for source in (open_source(tmp_path / "in"), open_source(twice)):
        held = {row.numpy().tobytes() for row in source.held_out()["x"]}
        assert held and not held & {row.numpy().tobytes() for row in source.some(1000)["x"]}
        report = inspect(source)
        assert report.equal == (41 if report.kind == "folder" else 40) and report.leaked == 0
        assert "exact duplicates were put on one side" in "\n".join(lines(report))


def test_a_split_of_different_items_is_as_it_was():
    """Grouping moves nothing where nothing is equal: stored runs and benchmarks keep their split."""
    from sklearn.model_selection import train_test_split

    x = rng.integers(0, 256, (50, 6, 5), np.uint8)
    rows, kept = train_test_split(np.arange(50), test_size=0.2, random_state=0)
    source = open_source(x)
    assert np.array_equal(source._x[:, 0].numpy(), x[rows]) and np.array_equal(source._held_x[:, 0].numpy(), x[kept])


def test_a_set_of_equal_items_is_split_all_the_same():
    source = open_source(np.full((20, 4, 4), 7, np.uint8))
    assert len(source) == 16 and inspect(source).leaked == 4
    assert "of 4 held-out images 4 have an exact" in "\n".join(lines(inspect(source)))


def test_near_duplicates_are_found_and_different_pictures_are_not(tmp_path):
    def photo(seed):
        waves = np.random.default_rng(seed).normal(size=(6, 3))
        y, x = np.mgrid[:96, :96] / 96
        return sum(a * np.sin(9 * (b * x + c * y) + a) for a, b, c in waves) * 25 + 128

    photos = [np.clip(photo(i), 0, 255).astype(np.uint8) for i in range(200)]
    folder = save_all(tmp_path / "in", photos)
    for i in range(10):  # stored again as JPEG, and brightened
        Image.fromarray(photos[i]).save(folder / f"{i:03d}-again.jpg", quality=60)
        Image.fromarray((photos[i] * 0.9 + 8).astype(np.uint8)).save(folder / f"{i:03d}-bright.png")
    report = inspect(open_source(folder))
    assert report.equal == 0 and 18 <= report.nearly <= 20
    assert all(a[:3] == b[:3] for a, b in report.examples)


def test_the_search_for_near_duplicates_finds_every_planted_pair_and_grows_gently():
    """100,000 random hashes with 500 twins of up to 3 other bits: all found, in seconds rather than 10^10 comparisons."""
    from zerosum.data.likeness import Glances

    dice = np.random.default_rng(5)
    hashes = dice.integers(0, 2**64, 100_000, np.uint64)
    small = dice.normal(size=(100_000, 8)).astype(np.float32)
    small /= np.linalg.norm(small, axis=1, keepdims=True)
    for i in range(500):
        hashes[50_000 + i] = hashes[i]
        for bit in dice.choice(64, i % 4, replace=False):
            hashes[50_000 + i] ^= np.uint64(1 << int(bit))
        small[50_000 + i] = small[i]
    started = time.process_time()
    pairs = near(Glances(np.zeros((100_000, 2), np.uint64), hashes, small))
    assert {(i, 50_000 + i) for i in range(500)} <= {(a, b) for a, b in pairs.T.tolist()}
    assert pairs.shape[1] < 510 and time.process_time() - started < 10


def test_hashes_tell_left_from_right():
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))[None, None]
    seen = glances(2, lambda rows: np.concatenate([ramp, ramp[..., ::-1]])[rows])
    assert seen.hashes[0] == 0 and seen.hashes[1] == 2**64 - 1


# -- arrays of several kinds in one file


def test_encoded_images_in_an_npz(tmp_path):
    files = [encoded(item) for item in PIXELS]
    offsets = np.cumsum([0, *map(len, files)])
    data = np.frombuffer(b"".join(files), np.uint8)
    np.savez(tmp_path / "x.npz", jpeg=data, offsets=offsets, labels=np.arange(20) % 2, classes=np.array(["ant", "bee"]))
    source = open_source(tmp_path / "x.npz")
    assert source.spec.names == ("ant", "bee") and class_of_each(source)["item 3"] == "bee"
    assert np.array_equal(items_of(source)["item 3"], PIXELS[3])


def test_views_of_an_item_stay_together(tmp_path):
    x = rng.integers(0, 256, (30, 4, 6, 5, 3), np.uint8)
    x[..., 0, 0, 0] = np.arange(30, dtype=np.uint8)[:, None]
    np.savez(tmp_path / "x.npz", rgb=x)
    source = open_source(tmp_path / "x.npz")
    item = lambda batch: {int(v) for v in modality(source.spec).decode(batch["x"], source.spec)[:, 0, 0, 0]}
    assert len(source) + len(source.held_out()["x"]) == 120 and not item(source.held_out()) & item(source.some(1000))
    assert "30 items of 4 images each" in "\n".join(lines(inspect(source)))


def test_arrays_of_an_npz_are_chosen_by_name(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez(path, person=PIXELS, shirt=255 - PIXELS, kind=np.arange(20) % 4, shot=np.arange(20) % 5)
    refused(path, "which array is the data? It holds person, shirt, kind, shot", f"{path}:NAME")
    assert sorted(source_bytes(open_source(f"{path}:shirt"))) == sorted(row.tobytes() for row in 255 - PIXELS)
    assert "kind (4 values), shot (5 values) could be labels" in "\n".join(lines(inspect(open_source(f"{path}:person"))))
    assert open_source(f"{path}:person:shot").spec.classes == 5
    refused(f"{path}:preson", "no array preson")
    from zerosum.data import lasting

    monkeypatch.chdir(tmp_path)
    assert lasting("x.npz:target") == f"{path}:target"


def source_bytes(source):
    return [row.tobytes() for part in (source._x, source._held_x) for row in part.numpy()]


# -- the report


def test_the_report_says_what_a_stranger_wants_to_know(tmp_path):
    for word, count in (("cat", 60), ("dog", 3)):
        save_all(tmp_path / word, rng.integers(0, 256, (count, 6, 5), np.uint8))
    Image.fromarray(PIXELS[0, :3]).save(tmp_path / "cat" / "small.png")
    report = inspect(open_source(tmp_path, size="6x5"))
    said = "\n".join(lines(report))
    for part in (
        "64 images of 1 x 6 x 5",
        "63 L" if "63 L" in said else "64 L",
        "6 x 5 (63), 3 x 5 (1)",
        "6 x 5, as asked",
        "1 enlarged",
        "2 classes from sub-folders: cat: ",
        "none, exact or near",
        "images are few to train on",
        "unbalanced classes: cat has",
        str(cache.home().name),
    ):
        assert part in said, said
    assert json.loads(json.dumps(report.to_json()))["held_out"] == report.held_out
    assert len(lines(report)) <= 13


def test_a_clean_set_takes_ten_lines(tmp_path):
    save_all(tmp_path, rng.integers(0, 256, (700, 4, 4), np.uint8))
    assert len(lines(inspect(open_source(tmp_path)))) <= 10


# -- real data


def test_real_sets(shared_data):
    bsds = open_source(shared_data("bsds500") / "images")
    assert bsds.spec.shape == (3, 128, 128) and bsds.found.sizes == {(321, 481): 86, (481, 321): 44}
    sets = inspect(open_source(shared_data("sr_set5_set14")))
    assert ("Set5/head.png", "Set14/img_006.png") in {*sets.examples, *(pair[::-1] for pair in sets.examples)}
    faces = shared_data("orl_faces_28x23") / "orl_28x23.npz"
    assert open_source(f"{faces}:images:subject").spec.classes == 40


# -- what breaks while it is read


def children(number):
    """Processes that a process has started."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found += [file.parent.name] if file.read_text().rpartition(")")[2].split()[1] == str(number) else []
    return found


def test_ctrl_c_while_packing_is_one_line_and_soon(tmp_path):
    """As a terminal sends it: to every process of the group, the decoding ones too."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "0.jpg").write_bytes(encoded(rng.integers(0, 256, (400, 400, 3), np.uint8), "JPEG", quality=95))
    for i in range(1, 3000):
        os.link(folder / "0.jpg", folder / f"{i}.jpg")
    words = [sys.executable, "-m", "zerosum", "check", str(folder)]
    process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not children(process.pid):
        time.sleep(0.05)
    time.sleep(0.5)  # the decoding processes are at it
    begun = time.perf_counter()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "zerosum: stopped\n")
    assert time.perf_counter() - begun < 3 and not packs()


@pytest.mark.parametrize("column", ["image", "label"])
def test_a_parquet_file_that_is_damaged_in_its_middle_is_one_line(tmp_path, column):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "x.parquet"
    columns = {"image": [encoded(item) for item in PIXELS], "label": list(range(2)) * 10}
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
    at = pq.read_metadata(path).row_group(0).column(list(columns).index(column)).data_page_offset
    data = bytearray(path.read_bytes())
    data[at : at + 30] = b"\xff" * 30
    path.write_bytes(data)
    refused(path, str(path), "get it anew")


def test_an_archive_that_vanishes_while_it_is_read_is_not_blamed_on_the_cache(tmp_path, monkeypatch):
    path = archive(tmp_path / "x.zip", {f"{i}.png": encoded(item) for i, item in enumerate(PIXELS)})
    looked = pictures.Archive

    def gone(where):
        shelf = looked(where)
        where.unlink()
        return shelf

    monkeypatch.setattr(pictures, "Archive", gone)
    refused(path, str(path), "gone")


def test_a_table_that_cannot_be_read_is_one_line(tmp_path):
    save_all(tmp_path)
    (tmp_path / "labels.csv").symlink_to("/proc/self/mem")  # an input/output error, whoever reads
    refused(tmp_path, "labels.csv cannot be read")


def test_a_tiff_that_unpacks_to_more_than_its_size_is_left_out(tmp_path):
    """One small strip, pointed to by two thousand entries."""
    items = rng.integers(0, 256, (12, 6, 5, 7), np.uint8)
    for i, item in enumerate(items):
        (tmp_path / f"{i:03d}.tif").write_bytes(tiff(item, packed=True))
    many = np.zeros((6, 5, 2000), np.uint8)
    bomb = tiff(many, packed=True, planar=2).replace(struct.pack("<HHII", 277, 3, 1, 2000), struct.pack("<HHII", 277, 3, 1, 7))
    (tmp_path / "bomb.tif").write_bytes(bomb)
    skipped = open_source(tmp_path).found.skipped
    assert [name for name, _ in skipped] == ["bomb.tif"] and "strips" in skipped[0][1]


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_seen(tmp_path):
    x = np.zeros((20, 6, 5), np.uint8)
    for i, item in enumerate(x):
        np.save(tmp_path / f"{i:03d}.npy", item + i)
    before = open_source(tmp_path).fingerprint()
    target_file = tmp_path / "003.npy"
    times = target_file.stat()
    np.save(target_file, x[0] + 99)
    os.utime(target_file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as rsync -t and cp -p do
    assert target_file.stat().st_size == times.st_size
    assert open_source(tmp_path).fingerprint() != before


def test_a_file_written_anew_while_it_is_packed_is_seen_the_next_time(tmp_path, monkeypatch):
    folder = save_all(tmp_path / "in")
    found, times = os.read, []

    def read(file, count):
        data = found(file, count)
        times.append(data == encoded(PIXELS[3]))
        if times[-1] and sum(times) == 2:  # for the first time a few files are looked at
            (folder / "003.png").write_bytes(encoded(255 - PIXELS[3]))  # the old ones are under way
        return data

    with monkeypatch.context() as patched:
        patched.setattr(decoder.os, "read", read)
        first = open_source(folder)
    assert (items_of(first)["003.png"] == PIXELS[3]).all()
    assert (items_of(open_source(folder))["003.png"] == 255 - PIXELS[3]).all()


def test_a_mark_is_the_same_read_or_not(tmp_path):
    save_all(tmp_path)
    (tmp_path / "empty.png").touch()
    shelf = pictures.Folder(tmp_path)
    for slot, path in shelf.loads(list(range(21))):
        for shape in (None, decoder.Shape(6, 5, 1, 0), decoder.Shape(3, 3, 3, 0)):
            assert decoder.examine(slot, path, shape)[0].mark == shelf.marks[slot]
        assert decoder.examine(slot, (path, 1), SHAPE)[0].mark == shelf.marks[slot]


def test_images_that_a_table_names_and_nobody_has_are_told(tmp_path):
    save_all(tmp_path)
    rows = [f"{i:03d}.png,{i % 2}" for i in range(25)]
    (tmp_path / "labels.csv").write_text("\n".join(["file_name,label", *rows]))
    source = open_source(tmp_path)
    assert source.spec.names == ("0", "1")
    assert "note      labels.csv also names 5 images that are not here" in lines(inspect(source))


def test_train_and_test_folders_are_no_classes(tmp_path):
    for part, stop in (("train", 20), ("test", 12)):
        for kind in ("cat", "dog"):
            save_all(tmp_path / part / kind, rng.integers(0, 256, (stop, 6, 5), np.uint8))
    source = open_source(tmp_path)
    assert source.spec.names == ("cat", "dog")
    assert any("test, train are parts of one set" in note for note in source.found.notes)
    for name in ("cat", "dog"):
        for part in ("train", "test"):
            for i, file in enumerate((tmp_path / part / name).iterdir()):
                file.rename(tmp_path / part / f"{name}{i}.png")
    assert open_source(tmp_path).spec.classes == 0


def test_large_images_are_looked_at_a_few_at_a_time():
    asked = []

    def take(rows):
        asked.append(len(rows))
        return np.zeros((len(rows), 3, 1024, 1024), np.uint8)

    assert len(glances(40, take).hashes) == 40
    assert max(asked) * 3 * 1024 * 1024 <= 2**26
