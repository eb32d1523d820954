"""Two sets of images that do not belong together: found, brought to one form, drawn apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import lasting, open_source
from zerosum.data.preflight import inspect, lines
from zerosum.data.unpaired import channelled
from zerosum.errors import UserError

rng = np.random.default_rng(0)
HORSES = rng.integers(0, 256, (30, 8, 8, 3), np.uint8)
ZEBRAS = rng.integers(0, 256, (22, 6, 6), np.uint8)


def save_all(folder, items, stem=""):
    folder.mkdir(parents=True, exist_ok=True)
    for i, item in enumerate(items):
        Image.fromarray(item).save(folder / f"{stem}{i:03d}.png")


@pytest.fixture
def folders(tmp_path):
    save_all(tmp_path / "trainA", HORSES, "horse")
    save_all(tmp_path / "trainB", ZEBRAS, "zebra")
    return tmp_path


def rows(x):
    return {row.tobytes() for row in x.add(1).mul(127.5).round().byte().numpy()}


def test_folders_of_other_names_are_two_sets_without_a_word(folders):
    source = open_source(folders)
    assert (source.spec.given, source.spec.made, source.spec.matched) == ({"A": [1, 6, 6]}, "B", False)
    batch = next(source.batches(10, 0))
    assert batch["a"].shape == batch["x"].shape == (10, 1, 6, 6)
    said = "\n".join(lines(inspect(source)))
    for words in (
        "not matched: each is drawn by itself",
        "A: 24 images to train on, stored as 8 x 8 (30)",
        "3 channels were made 1",
    ):
        assert words in said
    back = open_source(folders, need="domains", inputs="B", target="A")
    assert (back.spec.given, back.spec.shape) == ({"B": [3, 8, 8]}, (3, 8, 8))


def test_a_test_part_of_each_is_held_out(folders):
    save_all(folders / "testA", HORSES[:5] // 2, "horse")
    save_all(folders / "testB", ZEBRAS[:7] // 2, "zebra")
    source = open_source(folders)
    held = source.held_out()
    assert len(held["x"]) == len(held["a"]) == 5
    assert rows(held["x"]) <= {item[None].tobytes() for item in ZEBRAS[:7] // 2}


def test_batches_are_drawn_apart_and_are_functions_of_seed_and_cursor(folders):
    source = open_source(folders, size="8")
    stream = source.batches(6, 5)
    batches = [next(stream) for _ in range(12)]
    again = next(source.batches(6, 5, start=7))
    parts = [next(source.batches(6, 5, 7, rank, 3)) for rank in range(3)]
    for key in "ax":
        assert torch.equal(again[key], batches[7][key])
        assert torch.equal(torch.cat([part[key] for part in parts]), again[key])
        assert set().union(*(rows(batch[key]) for batch in batches)) == every(source, key)
    beside = {
        (a.numpy().tobytes(), x.numpy().tobytes()) for batch in batches for a, x in zip(batch["a"], batch["x"], strict=True)
    }
    assert len(beside) > 60  # of 72: what is beside what changes from epoch to epoch


def every(source, key):
    """All training items of one side: an epoch of it."""
    side = source._a if key == "a" else source._inner
    return rows(channelled(side._x / 127.5 - 1, 1))


def test_pairs_are_taken_apart_but_what_is_held_out_stays_matched(tmp_path):
    for name, items in (("a", 255 - HORSES), ("b", HORSES)):
        save_all(tmp_path / name, items)
    source = open_source(tmp_path, need="domains")
    held, paired = source.held_out(), open_source(tmp_path, need="pairs").held_out()
    assert torch.equal(held["a"], paired["a"]) and torch.equal(held["x"], paired["x"])
    batch = next(source.batches(24, 0))
    assert not torch.allclose(batch["a"], -batch["x"], atol=1e-6)
    assert rows(batch["a"]) == {
        bytes(255 - np.frombuffer(row, np.uint8)) for row in rows(batch["x"])
    }  # one epoch: the same items


def test_real_pairs_side_by_side_taken_apart(shared_data):
    source = open_source(shared_data("maps128"), need="domains")
    assert (source.spec.given, source.spec.made) == ({"left": [3, 128, 128]}, "right")
    assert len(source.held_out()["a"]) == 80
    other = open_source(shared_data("maps128"), need="domains", target="left")
    assert torch.equal(other.held_out()["x"], source.held_out()["a"])


def test_arrays_of_different_length_and_size(tmp_path):
    np.savez(tmp_path / "digits.npz", mnist=HORSES[..., 0], usps=ZEBRAS, labels=np.arange(22))
    source = open_source(tmp_path / "digits.npz", need="domains", inputs="mnist", target="usps")
    assert (source.spec.given, source.spec.shape) == ({"mnist": [1, 6, 6]}, (1, 6, 6))
    assert {len(part) for part in source.held_out().values()} == {5}
    with pytest.raises(UserError, match="no array svhn"):
        open_source(tmp_path / "digits.npz", need="domains", inputs="svhn", target="usps")
    with pytest.raises(UserError, match="name it alone"):
        open_source(tmp_path / "digits.npz", need="domains", inputs="mnist,usps", target="usps")


def test_two_paths_with_a_comma_between(tmp_path, monkeypatch):
    save_all(tmp_path / "horses", HORSES)
    np.savez(tmp_path / "zebras.npz", u=ZEBRAS, v=HORSES)
    monkeypatch.chdir(tmp_path)
    source = open_source("horses,zebras.npz:u")
    assert (source.spec.given, source.spec.made) == ({"horses": [1, 6, 6]}, "zebras")
    words = lasting("horses,zebras.npz:u")
    assert words == f"{tmp_path}/horses,{tmp_path}/zebras.npz:u"
    monkeypatch.chdir("/")
    assert open_source(words).fingerprint() == open_source(words, need="domains").fingerprint() == source.fingerprint()


def test_one_set_is_not_two(tmp_path):
    save_all(tmp_path / "all", HORSES)
    with pytest.raises(UserError, match="neither pictures side by side"):
        open_source(tmp_path / "all", need="domains")
    np.savez(tmp_path / "one.npz", x=HORSES)
    with pytest.raises(UserError, match="only one array, x"):
        open_source(tmp_path / "one.npz", need="domains")
    with pytest.raises(UserError, match="holds no two sets"):
        open_source("digits", need="domains")


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
@pytest.mark.parametrize("into", [1, 3, 4])
def test_channels_are_made_others_as_they_are_seen(mode, channels, into):
    """As Pillow does it, over a white ground; at most a level of rounding apart."""
    item = rng.integers(0, 256, (5, 5, channels), np.uint8)
    shown = Image.fromarray(item.squeeze(2) if channels == 1 else item)
    if mode == "RGBA" and into < 4:
        shown = Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown)
    wanted = np.asarray(shown.convert({1: "L", 3: "RGB", 4: "RGBA"}[into])).reshape(5, 5, into)
    got = channelled(torch.from_numpy(item).permute(2, 0, 1)[None] / 127.5 - 1, into)[0]
    assert np.abs((got.permute(1, 2, 0).numpy() + 1) * 127.5 - wanted).max() < 1.6


def test_where_one_image_of_either_set_is_held_out_there_are_no_scores(tmp_path):
    from zerosum import GAN

    a, x = rng.integers(0, 256, (10, 16, 16), np.uint8), rng.integers(0, 256, (40, 16, 16), np.uint8)
    np.savez(tmp_path / "sets.npz", a=a, b=x)
    gan = GAN("cyclegan", steps=1, width=4, blocks=1, batch=1, held_out=0.05, device="cpu").fit(tmp_path / "sets.npz")
    with pytest.raises(UserError, match="1 held-out image"):
        gan.score()
