"""Parts of whole photographs: from everywhere, the same again for the same seed, never from a photograph that is held out."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import open_source, pictures
from zerosum.data.cut import spread
from zerosum.data.preflight import inspect, lines
from zerosum.errors import UserError

SIZES = [(40 + 3 * i, 70 - 2 * i) for i in range(20)]


def photograph(i, size=None):
    """Each pixel tells its photograph, row and column."""
    height, width = size or SIZES[i]
    down, right = np.mgrid[:height, :width]
    return np.stack([np.full((height, width), i), down, right], -1).astype(np.uint8)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photos").mkdir()
    for i in range(20):
        Image.fromarray(photograph(i)).save(tmp_path / "photos" / f"{i:02d}.png")
    return tmp_path / "photos"


def decoded(x):
    return x.add(1).mul(127.5).round().long()


def check_parts(x, size):
    """Every item is a part of one photograph, as it is or mirrored; their numbers, and which are mirrored."""
    numbers, mirrored = [], []
    for number, down, right in decoded(x):
        assert (number == number[0, 0]).all()
        assert torch.equal(down, down[:, :1].expand(size)) and (down[1:, 0] - down[:-1, 0] == 1).all()
        steps = right[0, 1:] - right[0, :-1]
        assert (steps == steps[0]).all() and abs(int(steps[0])) == 1
        numbers.append(int(number[0, 0]))
        mirrored.append(int(steps[0]) < 0)
    return numbers, mirrored


def test_batches_are_parts_of_photographs_half_of_them_mirrored_and_all_taken_in_turn(folder):
    source = open_source(folder, need="crops", size="16x24")
    assert (source.spec.shape, source.spec.items, len(source)) == ((3, 16, 24), 16, 16)
    stream = source.batches(16, 0)
    batches = [next(stream)["x"] for _ in range(20)]
    found = [check_parts(x, (16, 24)) for x in batches]
    held = set(check_parts(source.held_out()["x"], (16, 24))[0])
    assert all(sorted(numbers) == sorted(set(range(20)) - held) for numbers, _ in found)  # an epoch a batch
    assert 110 < sum(sum(mirrored) for _, mirrored in found) < 210  # of 320
    tops = {int(item[1, 0, 0]) for x in batches for item in decoded(x) if int(item[0, 0, 0]) == found[0][0][0]}
    assert len(tops) > 8  # of 20, of one photograph


def test_batches_are_functions_of_seed_and_cursor_and_ranks_share_them(folder):
    source = open_source(folder, need="crops", size="16")
    stream = source.batches(8, 3)
    fourth = [next(stream)["x"] for _ in range(4)][3]
    assert torch.equal(next(source.batches(8, 3, start=3))["x"], fourth)
    assert torch.equal(torch.cat([next(source.batches(8, 3, 3, rank, 2))["x"] for rank in range(2)]), fourth)
    assert not torch.equal(next(source.batches(8, 4, start=3))["x"], fourth)


def test_read_from_files_each_time_they_are_the_same(folder, monkeypatch):
    memory = open_source(folder, need="crops", size="16")
    monkeypatch.setattr(pictures, "IN_MEMORY", 0.0)
    files = open_source(folder, need="crops", size="16")
    assert files.found.streamed and not memory.found.streamed and files.fingerprint() == memory.fingerprint()
    stream = files.batches(8, 3, start=2)
    for wanted, _ in zip(memory.batches(8, 3, start=2), range(3), strict=False):
        assert torch.equal(next(stream)["x"], wanted["x"])
    assert torch.equal(files.held_out()["x"], memory.held_out()["x"])
    assert torch.equal(files.some(9)["x"], memory.some(9)["x"])
    for one, other in zip(files.stored(), memory.stored(), strict=True):
        assert np.array_equal(one.take(np.arange(3)), other.take(np.arange(3)))
    (folder / "03.png").unlink()
    with pytest.raises(UserError, match=r"03\.png has changed or gone"):
        for _ in range(9):  # some batches are there already
            next(stream)


def test_what_is_held_out_is_fixed_and_spread_without_overlap(folder):
    source = open_source(folder, need="crops", size="16")
    held = source.held_out()["x"]
    assert torch.equal(held, open_source(folder, need="crops", size="16").held_out()["x"])
    numbers, mirrored = check_parts(held, (16, 16))
    assert not any(mirrored) and len(numbers) > 20
    pixels = decoded(held).permute(0, 2, 3, 1).reshape(-1, 3).tolist()
    covered = {tuple(pixel) for pixel in pixels}
    assert len(covered) == 256 * len(numbers)


@pytest.mark.parametrize(
    ("whole", "part", "most"), [((100, 60), (20, 20), 7), ((32, 32), (32, 32), 5), ((481, 321), (128, 128), 400)]
)
def test_places_lie_inside_and_apart(whole, part, most):
    places = spread(whole, part, most)
    assert 1 <= len(places) <= most
    assert all(0 <= top <= whole[0] - part[0] and 0 <= left <= whole[1] - part[1] for top, left in places)
    apart = [abs(a[0] - b[0]) >= part[0] or abs(a[1] - b[1]) >= part[1] for i, a in enumerate(places) for b in places[:i]]
    assert all(apart)


def test_the_size_that_nearly_all_reach_is_chosen(folder):
    assert open_source(folder, need="crops").spec.shape == (3, 36, 36)  # 90 % have 36 pixels, and it can be halved twice


def test_photographs_of_one_small_size_are_taken_whole(tmp_path):
    for i in range(12):
        Image.fromarray(photograph(i, (20, 30))).save(tmp_path / f"{i}.png")
    source = open_source(tmp_path, need="crops")
    assert source.spec.shape == (3, 20, 30) and source.found.enlarged == 0


def test_small_photographs_are_enlarged_and_said_so(folder):
    Image.fromarray(photograph(0, (10, 90))).save(folder / "low.png")
    source = open_source(folder, need="crops", size="32")
    assert next(source.batches(21, 0))["x"].shape == (21, 3, 32, 32)
    said = "\n".join(lines(inspect(source), whole=True))
    for words in ("21 photographs of 3 channels", "random parts of 32 x 32 (as asked)", "1 photographs are enlarged"):
        assert words in said


def test_broken_ones_are_left_out_and_copies_stay_together(folder):
    (folder / "broken.png").write_bytes(b"none")
    for i in range(5):
        (folder / f"copy{i}.png").write_bytes((folder / f"{i:02d}.png").read_bytes())
    source = open_source(folder, need="crops", size="16")
    assert source.found.skipped == (("broken.png", "not an image of a known format"),)
    train, held = set(source.found.names[: len(source)]), set(source.found.names[len(source) :])
    for i in range(5):
        assert (f"copy{i}.png" in train) == (f"{i:02d}.png" in train) and (f"copy{i}.png" in held) == (f"{i:02d}.png" in held)
    assert inspect(source).equal == 5
    for path in list(folder.iterdir())[5:]:
        path.write_bytes(b"none")
    with pytest.raises(UserError, match="5 photographs can be read, and at least 10"):
        open_source(folder, need="crops")


def test_an_archive_grey_turned_and_deep_ones_among_colour(tmp_path):
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        for i in range(12):
            file = io.BytesIO()
            picture, options = Image.fromarray(photograph(i, (30, 50))), {}
            if i == 1:
                picture = picture.convert("L")
            if i == 2:
                exif = Image.Exif()
                exif[0x0112] = 6
                options = {"exif": exif.tobytes()}
            picture.save(file, "PNG", **options)
            info = tarfile.TarInfo(f"{i:02d}.png")
            info.size = file.tell()
            file.seek(0)
            tar.addfile(info, file)
    source = open_source(tmp_path / "photos.tar", need="crops", size="12")
    assert source.spec.shape == (3, 12, 12) and source.found.sizes == {(30, 50): 11, (50, 30): 1}
    assert source.found.kind == "tar"


def test_arrays_are_taken_whole(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (30, 3, 12, 12, 4), np.uint8)
    np.savez(tmp_path / "x.npz", rgba=x)
    source = open_source(tmp_path / "x.npz", need="crops")
    assert source.spec.shape == (4, 12, 12) and len(source) + len(source.held_out()["x"]) == 90
    assert open_source("digits", need="crops").spec.shape == (1, 8, 8)


def test_real_photographs(shared_data):
    source = open_source(shared_data("bsds500") / "images", need="crops")
    assert source.spec.shape == (3, 128, 128) and len(source) == 104
    assert len(source.held_out()["x"]) == 26 * 6  # as many as lie side by side
    assert next(source.batches(16, 0))["x"].abs().max() <= 1
