"""Files say what made them, in every kind, and hostile files are read without harm."""

import gzip
import io
import json
import shutil
import struct
import zipfile
import zlib
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from conftest import finish, start
from PIL import Image

from zerosum.cli import main
from zerosum.errors import UserError
from zerosum.provenance import Origin, mark, mark_file, read
from zerosum.provenance.notes import xmp

ORIGIN = Origin("0123456789abcdef", "cgan", 6, seed=0, count=9, index=0, label="<&\"'>\x07]]>", truncation=0.7)
TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def pixels(mode, size=(13, 11)):
    random = np.random.default_rng(0)
    return Image.fromarray(random.integers(0, 256, (size[1], size[0], len(mode)), np.uint8).squeeze(), mode=None)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


STILLS = {
    "grey.png": lambda: saved(pixels("L"), "PNG"),
    "alpha.png": lambda: saved(pixels("RGBA"), "PNG"),
    "plain.jpg": lambda: saved(pixels("RGB"), "JPEG"),
    "exif.jpg": lambda: saved(pixels("RGB"), "JPEG", exif=Image.Exif(), icc_profile=b"profile" * 99),
    "lossless.webp": lambda: saved(pixels("RGBA"), "WEBP", lossless=True),
    "opaque.webp": lambda: saved(pixels("RGB"), "WEBP", lossless=True),
    "lossy.webp": lambda: saved(pixels("RGB", (14, 12)), "WEBP"),
    "film.webp": lambda: saved(pixels("RGB"), "WEBP", save_all=True, append_images=[pixels("RGB").rotate(90)]),
    "deflated.tif": lambda: saved(pixels("RGB"), "TIFF", compression="tiff_adobe_deflate"),
    "grey.gif": lambda: saved(pixels("L"), "GIF"),
    "film.gif": lambda: saved(pixels("L"), "GIF", save_all=True, append_images=[pixels("L").rotate(90)], loop=0),
}


@pytest.mark.parametrize("name", STILLS)
def test_a_picture_keeps_its_pixels_and_carries_one_mark_that_others_find(name, tmp_path):
    before = STILLS[name]()
    after = mark(mark(before, replace(ORIGIN, seed=5)), ORIGIN)  # the second takes the first one's place
    if not name.endswith(".tif"):  # there the old one stays in the file, where nothing points to it
        assert after == mark(before, ORIGIN)
    (tmp_path / name).write_bytes(after)
    with Image.open(io.BytesIO(before)) as a, Image.open(io.BytesIO(after)) as b:
        assert (a.mode, a.size, getattr(a, "n_frames", 1)) == (b.mode, b.size, getattr(b, "n_frames", 1))
        for i in range(getattr(a, "n_frames", 1)):
            a.seek(i)
            b.seek(i)
            assert a.tobytes() == b.tobytes()
        told = b.info.get("xmp") or b.info.get("XML:com.adobe.xmp") or (b.tag_v2[700] if b.format == "TIFF" else b"")
    if name.endswith(".gif"):  # Pillow passes it over; the specification says that it lies there as it is
        told = after.split(b"XMP DataXMP")[1].split(b"\1\xff\xfe\xfd")[0]
    root = ElementTree.fromstring(told.strip())
    description = root.find(".//{*}Description")
    assert description.get(f"{{{xmp.IPTC}}}DigitalSourceType") == TRAINED
    assert description.get(f"{{{xmp.XMP}}}CreatorTool").startswith("zerosum ")
    found = read(tmp_path / name)
    assert found.origin == replace(ORIGIN, label="<&\"'> ]]>") and found.source_type == TRAINED


def test_films_and_sounds(tmp_path):
    av = pytest.importorskip("av")
    from zerosum.shows._file import _mp4

    before = _mp4([Image.new("RGB", (16, 16), (0, 0, 9 * i)) for i in range(4)], 10)
    (tmp_path / "film.mp4").write_bytes(mark(mark(before, Origin()), ORIGIN))
    assert read(tmp_path / "film.mp4").origin.seed == 0
    with av.open(tmp_path / "film.mp4") as film, av.open(io.BytesIO(before)) as plain:
        same = zip(film.decode(video=0), plain.decode(video=0), strict=True)
        assert all((a.to_ndarray() == b.to_ndarray()).all() for a, b in same)

    import wave

    with wave.open(str(tmp_path / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(range(250)))
    mark_file(tmp_path / "tone.wav", ORIGIN)
    with wave.open(str(tmp_path / "tone.wav")) as sound:
        assert sound.readframes(200) == bytes(range(250))
    assert read(tmp_path / "tone.wav").origin.run == ORIGIN.run


def test_arrays_and_tables_are_read_as_before(tmp_path):
    frame = pd.DataFrame({"age": [1, 2], "word": ["a", "b"]})
    np.savez_compressed(tmp_path / "x.npz", x=np.arange(6), y=np.arange(2))
    np.save(tmp_path / "x.npy", np.arange(6))
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    notes = [mark_file(tmp_path / name, ORIGIN) for name in ("x.npz", "x.npy", "t.csv", "t.csv.gz", "t.parquet")]
    assert [note and note.name for note in notes] == [None, "x.npy.provenance.json", "t.csv.provenance.json", None, None]
    with np.load(tmp_path / "x.npz") as arrays:
        assert arrays.files == ["x", "y"] and (arrays["x"] == np.arange(6)).all()
    for name, reader in {"t.csv": pd.read_csv, "t.csv.gz": pd.read_csv, "t.parquet": pd.read_parquet}.items():
        pd.testing.assert_frame_equal(reader(tmp_path / name), frame)
        assert read(tmp_path / name).origin.label == ORIGIN.label
    assert read(tmp_path / "x.npz").origin == read(tmp_path / "x.npy").origin == ORIGIN
    assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()) == (tmp_path / "t.csv").read_bytes()
    (tmp_path / "t.csv").write_text("age\n3\n")
    assert read(tmp_path / "t.csv").stale and "changed" in read(tmp_path / "t.csv").words()


def test_what_others_wrote_is_told_and_silence_is_no_proof(tmp_path):
    packet = f"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{xmp.RDF}"><rdf:Description
        xmlns:e="{xmp.IPTC}" xmlns:p="{xmp.XMP}"><p:CreatorTool>Paint\x1b[31m</p:CreatorTool>
        <e:DigitalSourceType rdf:resource="http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"/>
        </rdf:Description></rdf:RDF></x:xmpmeta>""".replace("\x1b", "")
    saved_file = tmp_path / "camera.webp"
    saved_file.write_bytes(saved(pixels("RGB"), "WEBP", xmp=packet.encode()))
    assert read(saved_file).words() == "digital source type digitalCapture: Paint[31m"
    pixels("RGB").save(tmp_path / "bare.png")
    assert "proves nothing" in read(tmp_path / "bare.png").words()
    assert not read(tmp_path / "bare.png").to_plain()["marked"]


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_packet(packet):
    plain = saved(pixels("L"), "PNG")
    return plain[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet) + plain[33:]


BOMB = b"<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>"
FILE = b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"
HOSTILE = {
    "entities.png": lambda: with_packet(BOMB),
    "outside.png": lambda: with_packet(FILE),
    "deep.png": lambda: with_packet(b"<a>" * 5000 + b"</a>" * 5000),
    "no_encoding.png": lambda: with_packet(b'<?xml version="1.0" encoding="rot13"?><a/>'),
    "no_xml.png": lambda: with_packet(b"\xff\xfe not xml"),
    "zip_bomb.png": lambda: (
        saved(pixels("L"), "PNG")[:33]
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2**26)))
        + saved(pixels("L"), "PNG")[33:]
    ),
    "huge_mark.png": lambda: with_packet(b" " * (2**20 + 1)),
    "short.png": lambda: saved(pixels("L"), "PNG")[:40],
    "lying.png": lambda: saved(pixels("L"), "PNG")[:33] + struct.pack(">I", 2**31) + b"iTXt",
    "short.jpg": lambda: saved(pixels("RGB"), "JPEG")[:9],
    "broken.jpg": lambda: b"\xff\xd8\xff\xe0\0\0rest",
    "short.webp": lambda: mark(saved(pixels("RGB"), "WEBP"), ORIGIN)[:-9],
    "lying.webp": lambda: b"RIFF\x20\0\0\0WEBPXMP \xff\xff\xff\x7f" + bytes(32),
    "short.gif": lambda: saved(pixels("L"), "GIF")[:-9],
    "broken.gif": lambda: b"GIF89a" + bytes(30),
    "lying.mp4": lambda: struct.pack(">I4s", 16, b"ftyp") + bytes(8) + struct.pack(">I4sQ", 1, b"uuid", 2**63),
    "empty_box.mp4": lambda: struct.pack(">I4s", 16, b"ftyp") + bytes(8) + struct.pack(">I4s", 4, b"uuid"),
    "short.tif": lambda: b"II*\0\xff\0\0\0",
    "lying.tif": lambda: b"II*\0\x08\0\0\0\1\0" + struct.pack("<HHII", 700, 1, 2**31, 0) + bytes(4),
    "short.npz": lambda: b"PK\3\4" + bytes(50),
    "endless.gz": lambda: b"\x1f\x8b\x08\x10" + b"a" * 200,
    "broken.parquet": lambda: b"PAR1" + b"\xff" * 60 + b"PAR1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_file_is_one_line(name, tmp_path):
    (tmp_path / name).write_bytes(HOSTILE[name]())
    with pytest.raises(UserError) as told:
        read(tmp_path / name)
    assert name in str(told.value) and "\n" not in str(told.value) and len(str(told.value)) < 400


def test_values_of_a_mark_are_of_their_kinds_or_nothing(tmp_path):
    told = {"seed": "x" * 50000, "step": [1], "truncation": "nan", "recipe": 3, "stranger": 1}
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.comment = json.dumps({"zerosum": told}).encode()
    assert read(tmp_path / "x.npz").origin == Origin(recipe="3", version="")


def test_the_command_reads_back_what_the_other_commands_wrote(tiny_run, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(tiny_run, copy)
    (tmp_path / "photo.txt").write_text("by hand")
    for run, out in ((tiny_run, "a"), (copy, "b")):
        for name in (f"{out}.png", f"{out}.npz", out):
            with pytest.raises(SystemExit) as end:
                main(["sample", str(run), "-n", "4", "--seed", "7", "--label", "3", "--out", str(tmp_path / name)])
            assert end.value.code == 0
    for one, other in (("a.png", "b.png"), ("a.npz", "b.npz"), ("a/00003.png", "b/00003.png")):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()  # the same run wherever it lies, no times
    files = [tmp_path / name for name in ("a.png", "a.npz", "a/00003.png", "photo.txt")]
    code, out, _ = finish(start("inspect", "--json", *files))
    told = json.loads(out)
    assert code == 0 and [one["marked"] for one in told] == [True, True, True, False]
    assert told[2]["origin"] == told[0]["origin"] | {"index": 3}
    asked = {"recipe": "cgan", "step": 6, "act": "sample", "seed": 7, "count": 4, "label": "3", "part": False}
    assert {name: value for name, value in told[0]["origin"].items() if name not in ("run", "version")} == asked
    drawn = read(tiny_run / "samples" / "step-6.png").origin
    assert (drawn.run, drawn.act) == (told[0]["origin"]["run"], "train")  # the picture and the checkpoint are of one run
    with pytest.raises(SystemExit) as end:
        main(["inspect", str(tmp_path / "a.png"), str(tmp_path / "nothing.png")])
    out, wrong = capsys.readouterr()
    assert end.value.code == 1 and "made by a trained model" in out and "seed 7" in out and "no such file" in wrong


def test_a_runs_hash_can_be_recomputed_from_its_folder_alone(tiny_run):
    from zerosum.job import open_run

    config = json.loads((tiny_run / "config.json").read_text())
    nets = sha256((tiny_run / "step-6" / "nets.safetensors").read_bytes()).hexdigest()
    told = {"recipe": config["recipe"], "settings": config["settings"], "spec": config["spec"], "step": 6, "nets": nets}
    line = json.dumps(told, sort_keys=True, separators=(",", ":"))
    assert open_run(tiny_run).origin().run == sha256(line.encode()).hexdigest()[:16]
    assert open_run(tiny_run, step=5).origin().run != open_run(tiny_run).origin().run


def test_no_path_enters_a_mark(tmp_path):
    text = mark(saved(pixels("L"), "PNG"), Origin(recipe=Path("mine.py").name))
    assert b"mine.py" in text and str(tmp_path).encode() not in text
