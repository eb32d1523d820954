"""Sources: what is read from memory and from files, in which order it comes, and what is said when it cannot be read."""

from __future__ import annotations

import gzip
import itertools
import struct
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import images, mixtures, modality, open_source
from zerosum.data.mirror import Mirrored
from zerosum.data.source import Spec
from zerosum.errors import UserError

rng = np.random.default_rng(0)
PIXELS = rng.integers(0, 256, (40, 6, 5), np.uint8)
COLOURS = rng.integers(0, 256, (40, 6, 5, 3), np.uint8)
LABELS = np.arange(40) % 4


def everything(source):
    """Training and held-out items together, as people have them, sorted so that order does not matter."""
    show = modality(source.spec).decode
    rows = [show(part["x"], source.spec) for part in (source.some(10**6), source.held_out())]
    return sorted(row.tobytes() for row in np.concatenate(rows))


def rows_of(x):
    return sorted(np.ascontiguousarray(row).tobytes() for row in x)


def idx(x):
    return b"\0\0\x08" + bytes([x.ndim]) + struct.pack(f">{x.ndim}i", *x.shape) + x.astype(np.uint8).tobytes()


def class_of_each_item(source, x, y):
    """Whether every item came back with the label it had."""
    known = {row.tobytes(): label for row, label in zip(x, y, strict=True)}
    show = modality(source.spec).decode
    for part in (source.some(10**6), source.held_out()):
        items = show(part["x"], source.spec)
        named = [source.spec.names[i] for i in part["y"]]
        assert [str(known[np.ascontiguousarray(item).tobytes()]) for item in items] == named


# -- order


@pytest.fixture(scope="module")
def digits():
    return open_source("digits")


def test_digits_hold_out_a_fifth_that_no_batch_holds(digits):
    held, kept = digits.held_out(), digits.some(10**6)
    assert len(held["x"]) == len(held["y"]) == 360 and len(kept["x"]) == len(digits) == 1437
    assert digits.spec.shape == (1, 8, 8) and digits.spec.names == tuple("0123456789") and sum(digits.spec.counts) == 1437
    assert held["x"].min() == -1 and held["x"].max() == 1
    shares = np.bincount(held["y"]) / (np.bincount(held["y"]) + np.array(digits.spec.counts))
    assert abs(shares - 0.2).max() < 0.02  # stratified
    batches = digits.batches(479, seed=0)
    trained = {row.numpy().tobytes() for _ in range(3) for row in next(batches)["x"]}
    assert not trained & {row.numpy().tobytes() for row in held["x"]}  # no two of the 1,797 images are alike


def numbered(n=100):
    """A source whose items carry their own number."""
    return open_source(np.stack([np.arange(n), np.arange(n)], 1).astype(float))


def numbers(source, batch):
    return modality(source.spec).decode(batch["x"], source.spec)[:, 0].round().astype(int).tolist()


def test_every_item_comes_exactly_once_an_epoch():
    source = numbered(100)  # 80 for training, not a multiple of the batch
    stream = source.batches(12, seed=3)
    order = [i for _ in range(20) for i in numbers(source, next(stream))]
    epochs = [order[at : at + 80] for at in (0, 80, 160)]
    assert [len(set(epoch)) for epoch in epochs] == [80, 80, 80]
    assert len({tuple(epoch) for epoch in epochs}) == 3  # each in an order of its own
    assert set(epochs[0]) | set(numbers(source, source.held_out())) == set(range(100))
    other = source.batches(12, seed=4)
    assert [i for _ in range(20) for i in numbers(source, next(other))] != order


def test_batches_that_one_thread_makes_are_those_of_many(monkeypatch):
    x = np.tile(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), (40, 1, 1))
    made = lambda: next(images.from_array(x, np.arange(40) % 4, ("a", "b", "c", "d"), "x").batches(16, 0))
    alone = made()
    monkeypatch.setattr("zerosum.data.source.ALONE", 0)
    together = made()
    assert alone["x"].unique().tolist() == (torch.arange(256) / 127.5 - 1).tolist()
    assert all(torch.equal(alone[name], together[name]) for name in ("x", "y"))


@pytest.mark.parametrize("name", ["digits", "ring8", "grid25", "numbered"])
def test_starting_late_equals_skipping(name):
    source = numbered() if name == "numbered" else open_source(name)
    for start in (1, 7, 50):
        late = next(source.batches(36, seed=1, start=start))
        skipped = next(itertools.islice(source.batches(36, seed=1), start, None))
        assert late.keys() == skipped.keys()
        assert all(torch.equal(late[key], skipped[key]) for key in late)


@pytest.mark.parametrize("name", ["digits", "ring8", "grid25", "numbered"])
def test_the_ranks_parts_make_the_whole_batch(name):
    source = numbered() if name == "numbered" else open_source(name)
    for world in (2, 3):
        whole = source.batches(36, 5, start=3)
        parts = [source.batches(36, 5, start=3, rank=rank, world=world) for rank in range(world)]
        for _ in range(4):
            batch, dealt = next(whole), [next(part) for part in parts]
            assert all(len(part["x"]) == 36 // world for part in dealt)
            assert all(torch.equal(torch.cat([part[key] for part in dealt]), batch[key]) for key in batch)


def test_batches_larger_than_the_data_go_round():
    source = numbered(20)
    batch = numbers(source, next(source.batches(40, seed=0)))
    assert sorted(batch[:16]) == sorted(batch[16:32]) and len(batch) == 40


def test_some_are_different_training_items():
    source = numbered()
    few = numbers(source, source.some(10))
    assert len(set(few)) == 10 and not set(few) & set(numbers(source, source.held_out()))
    assert numbers(source, source.some(10)) == few != numbers(source, source.some(10, seed=1))
    assert len(source.some(10**6)["x"]) == 80


def test_interleaved_streams_do_not_disturb_each_other():
    source = numbered()
    alone = [next(batch)["x"] for batch in [source.batches(30, 0)] for _ in range(6)]
    stream = source.batches(30, 0)
    for x in alone:
        assert torch.equal(next(stream)["x"], x)
        source.some(3), next(source.batches(30, 9))


def test_labels_are_drawn_as_often_as_they_occur():
    spec = Spec("images", (1, 2, 2), counts=(900, 0, 100), names=("a", "b", "c"))
    torch.manual_seed(0)
    drawn = spec.draw_labels(20_000)
    assert drawn.dtype == torch.int64 and (np.bincount(drawn, minlength=3)[1]) == 0
    assert (drawn == 2).float().mean().item() == pytest.approx(0.1, abs=0.01)


def test_a_spec_survives_json():
    import json

    for source in (open_source("ring8"), open_source(PIXELS, LABELS)):
        assert Spec.from_json(json.loads(json.dumps(source.spec.to_json()))) == source.spec
    with pytest.raises(TypeError):
        Spec.from_json({"kind": "images", "shape": [1, 2, 2], "colour": "red"})


# -- mixtures


@pytest.mark.parametrize(("name", "modes", "spread"), [("ring8", 8, 0.02), ("grid25", 25, 0.05)])
def test_mixtures_have_their_modes_and_spread(name, modes, spread):
    source = open_source(name)
    x = modality(source.spec).decode(source.held_out()["x"], source.spec)
    places, named = mixtures.centres(name)
    assert places.shape == (modes, 2) and named == spread
    nearest = ((x[:, None] - places[None]) ** 2).sum(2).argmin(1)
    counts = np.bincount(nearest, minlength=modes)
    assert ((counts - len(x) / modes) ** 2 / (len(x) / modes)).sum() < modes + 6 * np.sqrt(2 * modes)
    assert (x - places[nearest]).std() == pytest.approx(spread, rel=0.03)
    if name == "ring8":
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 2)
    else:
        assert {tuple(p) for p in places} == set(itertools.product([-4, -2, 0, 2, 4], repeat=2))
    model = source.held_out()["x"]
    assert model.mean(0).abs().max() < 0.05 and model.square().mean().item() == pytest.approx(1, abs=0.02)


def test_mixture_batches_never_repeat_and_are_unlike_the_noise_of_the_loop():
    from zerosum import noise

    source = open_source("ring8")
    streams = [next(source.batches(64, seed, start=b))["x"] for seed in (0, 1) for b in (0, 1)]
    parts = [*streams, source.held_out()["x"][:64], source.some(64)["x"]]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(parts, 2))
    noise.seed_step(0, 0)  # the same seed, the same position: and yet other numbers
    drawn = set(noise.normal(400).tolist()) | set(torch.randn(400).tolist())
    places, spread = (torch.as_tensor(part).float() / source.spec.scale[0] for part in mixtures.centres("ring8"))
    deviations = ((streams[0][:, None] - places).abs().amin(1) / spread).flatten()
    closest = min((torch.tensor(sorted(drawn)).abs() - d).abs().min().item() < 1e-5 for d in deviations)
    assert not closest


# -- arrays in memory


@pytest.mark.parametrize(
    ("scaled", "exact"),
    [
        (PIXELS, True),
        (PIXELS.astype(np.float32) / 255, True),
        (PIXELS.astype(np.float64) / 127.5 - 1, True),
        (PIXELS.astype(np.float32), True),
        (PIXELS.astype(np.int64), True),
        (PIXELS.astype(">u2"), True),
        (PIXELS.astype(np.float16) / 255, False),
    ],
    ids=["bytes", "0..1", "-1..1", "0..255", "int64", "big-endian", "half"],
)
def test_pixel_ranges_are_recognised(scaled, exact):
    source = open_source(scaled)
    assert source.spec.shape == (1, 6, 5) and source.spec.kind == "images"
    x = source.some(100)["x"]
    assert x.dtype == torch.float32 and x.min() >= -1 and x.max() <= 1
    if exact:
        assert everything(source) == rows_of(PIXELS)


def test_masks_are_black_and_white():
    source = open_source(PIXELS > 127)
    assert everything(source) == rows_of((PIXELS > 127).astype(np.uint8) * 255)


def test_every_byte_survives_the_way_to_model_space_and_back():
    source = open_source(np.arange(256, dtype=np.uint8).repeat(12).reshape(256, 3, 4))
    assert everything(source) == rows_of(np.arange(256, dtype=np.uint8).repeat(12).reshape(256, 3, 4))


def test_channels_may_come_last_or_first():
    first = np.ascontiguousarray(COLOURS.transpose(0, 3, 1, 2))
    wide = rng.integers(0, 256, (12, 8, 40, 30), np.uint8)  # eight channels
    for x, shape, shown in [
        (COLOURS, (3, 6, 5), COLOURS),
        (first, (3, 6, 5), COLOURS),
        (PIXELS[..., None], (1, 6, 5), PIXELS),
        (PIXELS[:, None], (1, 6, 5), PIXELS),
        (np.concatenate([COLOURS, PIXELS[..., None]], 3), (4, 6, 5), np.concatenate([COLOURS, PIXELS[..., None]], 3)),
        (wide, (8, 40, 30), wide.transpose(0, 2, 3, 1)),
        (wide.transpose(0, 2, 3, 1), (8, 40, 30), wide.transpose(0, 2, 3, 1)),
    ]:
        source = open_source(x)
        assert source.spec.shape == shape
        assert everything(source) == rows_of(shown)


def test_tensors_are_arrays():
    assert everything(open_source(torch.from_numpy(PIXELS), torch.from_numpy(LABELS))) == rows_of(PIXELS)
    assert open_source(torch.randn(20, 3, dtype=torch.bfloat16, requires_grad=True)).spec.shape == (3,)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (LABELS, "0123"),
        (LABELS[:, None], "0123"),
        (torch.from_numpy(LABELS), "0123"),
        (LABELS.astype(np.uint8) * 10, ("0", "10", "20", "30")),
        (np.array(["cat", "ant", "dog", "bee"])[LABELS], ("ant", "bee", "cat", "dog")),
        ([["cat", "ant", "dog", "bee"][i] for i in LABELS], ("ant", "bee", "cat", "dog")),
        (np.array(["cat", "ant", "dog", "bee"], object)[LABELS], ("ant", "bee", "cat", "dog")),
        (LABELS > 1, ("False", "True")),
    ],
    ids=["int", "column", "tensor", "sparse", "words", "list", "objects", "bool"],
)
def test_labels_stay_with_their_items(labels, names):
    source = open_source(PIXELS, labels)
    assert source.spec.names == tuple(names) and source.spec.classes == len(names)
    plain = labels.tolist() if hasattr(labels, "tolist") else labels
    class_of_each_item(source, PIXELS, [label[0] if isinstance(label, list) else label for label in plain])
    batch = next(source.batches(8, 0))
    assert batch["y"].dtype == torch.int64 and batch["y"].shape == (8,)
    assert source.spec.counts == tuple(np.bincount(source.some(10**6)["y"], minlength=len(names)))


@pytest.mark.parametrize(("share", "held"), [(None, 8), (0.5, 20), (0.25, 10), (0.01, 1)])
def test_the_held_out_share(share, held):
    source = open_source(PIXELS, LABELS, held_out=share)
    assert len(source.held_out()["x"]) == held and len(source) == 40 - held
    assert everything(source) == rows_of(PIXELS)


def test_a_class_of_one_item_does_not_stand_in_the_way():
    source = open_source(PIXELS, [0] * 39 + [1])
    assert sum(source.spec.counts) == 32 and source.spec.classes == 2


# -- vectors


def test_vectors_are_standardised_and_decoded_back():
    x = rng.normal(size=(500, 4)) * [1, 100, 1e-3, 5] + [0, 1e4, 7, -3]
    source = open_source(x)
    assert source.spec.kind == "vectors" and source.spec.shape == (4,)
    train = source.some(10**6)["x"]
    assert train.dtype == torch.float32
    torch.testing.assert_close(train.mean(0), torch.zeros(4), rtol=0, atol=1e-5)
    torch.testing.assert_close(train.std(0, correction=0), torch.ones(4), rtol=1e-5, atol=0)
    show = modality(source.spec)
    back = np.concatenate([show.decode(part["x"], source.spec) for part in (source.some(10**6), source.held_out())])
    np.testing.assert_allclose(np.sort(back, 0), np.sort(x, 0), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(show.encode(show.decode(train, source.spec), source.spec), train, rtol=1e-3, atol=1e-3)


def test_held_out_items_have_no_say_in_the_scale():
    x = np.zeros((100, 1))
    x[:, 0] = np.arange(100)
    source = open_source(x, held_out=0.5)
    own = modality(source.spec).decode(source.some(50)["x"], source.spec)
    assert source.spec.offset[0] == pytest.approx(own.mean(), rel=1e-5)
    assert source.spec.scale[0] == pytest.approx(own.std(), rel=1e-5)
    assert abs(source.spec.offset[0] - 49.5) > 1e-3


def test_large_numbers_keep_their_differences():
    """Seconds since 1970: their spread lies below float32's resolution there."""
    x = 1.7e9 + np.arange(100.0)[:, None]
    train = open_source(x).some(80)["x"]
    assert len(train.unique()) == 80 and train.std(correction=0).item() == pytest.approx(1, rel=1e-5)


def test_constant_and_integer_columns():
    x = np.stack([np.full(50, 7), np.arange(50)], 1)
    source = open_source(x)
    assert source.some(50)["x"].isfinite().all()
    back = modality(source.spec).decode(source.some(50)["x"], source.spec)
    np.testing.assert_allclose(back[:, 0], 7)
    np.testing.assert_allclose(back[:, 1], back[:, 1].round(), atol=1e-4)


# -- files


@pytest.mark.parametrize("x", [PIXELS, COLOURS, PIXELS / 255.0], ids=["grey", "colour", "floats"])
def test_npy_and_npz_round_trips(tmp_path, x):
    np.save(tmp_path / "a.npy", x)
    np.savez(tmp_path / "b.npz", x)
    np.savez_compressed(tmp_path / "c.npz", images=x, labels=LABELS)
    np.savez(tmp_path / "d.npz", train_images=x, train_labels=LABELS[:, None], val_images=x[:5], val_labels=LABELS[:5])
    for name in "a.npy", "b.npz", "c.npz", "d.npz":
        for path in (tmp_path / name, str(tmp_path / name)):
            source = open_source(path)
            assert everything(source) == rows_of(x if x.dtype == np.uint8 else PIXELS)
            assert source.spec.classes == (4 if name[0] in "cd" else 0)
            assert source.spec.origin == str(path)


def test_what_an_array_file_holds_counts_and_not_its_suffix(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez(tmp_path / "b.npz", x=PIXELS)
    (tmp_path / "a.npy").rename(tmp_path / "was_npy.npz")
    (tmp_path / "b.npz").rename(tmp_path / "was_npz.npy")
    for name in "was_npy.npz", "was_npz.npy":
        assert everything(open_source(tmp_path / name)) == rows_of(PIXELS)


def test_labels_given_beside_a_file_win(tmp_path):
    np.savez(tmp_path / "a.npz", x=PIXELS, y=LABELS)
    source = open_source(tmp_path / "a.npz", labels=["odd" if i % 2 else "even" for i in range(40)])
    assert source.spec.names == ("even", "odd")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("labelled", [False, True])
def test_idx_files_with_labels_beside(tmp_path, zipped, labelled):
    pack, end = (gzip.compress, ".gz") if zipped else (bytes, "")
    images = tmp_path / f"some-images-idx3-ubyte{end}"
    images.write_bytes(pack(idx(PIXELS)))
    if labelled:
        (tmp_path / f"some-labels-idx1-ubyte{end}").write_bytes(pack(idx(LABELS)))
    source = open_source(images)
    assert everything(source) == rows_of(PIXELS)
    assert source.spec.classes == 4 * labelled
    if labelled:
        class_of_each_item(source, PIXELS, LABELS)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("stem", ["t10k", "test"])
def test_an_idx_folder_keeps_its_own_test_part(tmp_path, zipped, stem):
    pack, end = (gzip.compress, ".gz") if zipped else (bytes, "")
    tests = rng.integers(0, 256, (12, 6, 5), np.uint8)
    for part, x, y in (("train", PIXELS, LABELS), (stem, tests, LABELS[:12])):
        (tmp_path / f"{part}-images-idx3-ubyte{end}").write_bytes(pack(idx(x)))
        (tmp_path / f"{part}-labels-idx1-ubyte{end}").write_bytes(pack(idx(y)))
    source = open_source(tmp_path)
    assert len(source) == 40 and source.spec.counts == (10, 10, 10, 10)
    held = source.held_out()
    assert np.array_equal(modality(source.spec).decode(held["x"], source.spec), tests)
    assert held["y"].tolist() == LABELS[:12].tolist()
    assert len(open_source(tmp_path, held_out=0.5)) == 20  # told otherwise, a share of the training part


def test_an_idx_folder_without_test_part_holds_some_out(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(PIXELS))
    source = open_source(tmp_path)
    assert len(source) == 32 and everything(source) == rows_of(PIXELS)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".PNG"])
@pytest.mark.parametrize("x", [PIXELS, COLOURS], ids=["grey", "colour"])
def test_a_folder_of_images(tmp_path, x, suffix):
    for i, item in enumerate(x):
        Image.fromarray(item).save(tmp_path / f"{i}{suffix}")
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / ".hidden.png").write_text("nor this")
    source = open_source(tmp_path)
    assert everything(source) == rows_of(x)
    assert source.spec.classes == 0 and source.spec.shape == ((3,) if x.ndim == 4 else (1,)) + (6, 5)


def test_sub_folders_name_the_classes(tmp_path):
    words = np.array(["cat", "ant", "dog", "bee"])[LABELS]
    for i, (item, word) in enumerate(zip(PIXELS, words, strict=True)):
        deep = tmp_path / word / f"deep{i % 2}"
        deep.mkdir(parents=True, exist_ok=True)
        Image.fromarray(item).save(deep / f"{i}.png")
    source = open_source(tmp_path)
    assert source.spec.names == ("ant", "bee", "cat", "dog")
    class_of_each_item(source, PIXELS, words)
    Image.fromarray(PIXELS[0]).save(tmp_path / "stray.png")
    assert open_source(tmp_path).spec.classes == 0  # where not all have one, none has


def test_one_sub_folder_is_no_class(tmp_path):
    (tmp_path / "all").mkdir()
    for i, item in enumerate(PIXELS):
        Image.fromarray(item).save(tmp_path / "all" / f"{i}.png")
    assert open_source(tmp_path).spec.classes == 0


def save_all(folder, pictures):
    for i, picture in enumerate(pictures):
        picture.save(folder / f"{i:02d}.png")


def stored_mode(folder):
    with Image.open(folder / "00.png") as picture:
        return picture.mode


def test_transparency_is_a_fourth_channel(tmp_path):
    x = rng.integers(0, 256, (12, 6, 5, 4), np.uint8)
    save_all(tmp_path, map(Image.fromarray, x))
    source = open_source(tmp_path)
    assert source.spec.shape == (4, 6, 5) and everything(source) == rows_of(x)


def test_sixteen_bits_are_read_by_their_upper_eight(tmp_path):
    x = rng.integers(0, 65536, (12, 6, 5)).astype(np.uint16)
    save_all(tmp_path, map(Image.fromarray, x))
    assert stored_mode(tmp_path).startswith("I")
    assert everything(open_source(tmp_path)) == rows_of((x >> 8).astype(np.uint8))


def test_palettes_are_looked_up(tmp_path):
    palette = rng.integers(0, 256, (256, 3), np.uint8)
    pictures = [Image.fromarray(item, "L") for item in PIXELS]
    for picture in pictures:
        picture.putpalette(palette.tobytes())
    save_all(tmp_path, pictures)
    assert stored_mode(tmp_path) == "P"
    assert everything(open_source(tmp_path)) == rows_of(palette[PIXELS])


def test_one_bit_images_are_black_and_white(tmp_path):
    save_all(tmp_path, (Image.fromarray(item > 127) for item in PIXELS))
    assert stored_mode(tmp_path) == "1"
    assert everything(open_source(tmp_path)) == rows_of((PIXELS > 127).astype(np.uint8) * 255)


def test_mixed_modes_take_the_richest(tmp_path):
    save_all(tmp_path, [*map(Image.fromarray, PIXELS[:10]), *map(Image.fromarray, COLOURS[:10])])
    grey_as_colour = np.repeat(PIXELS[:10, ..., None], 3, 3)
    assert everything(open_source(tmp_path)) == rows_of(np.concatenate([grey_as_colour, COLOURS[:10]]))


# -- what cannot be read: one line that names the path and says what to do


def refused(what, *words, **options):
    with pytest.raises(UserError) as caught:
        open_source(what, **options)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert str(word) in message, message


def test_missing_path(tmp_path):
    refused(tmp_path / "nowhere", tmp_path / "nowhere", "check the path", "digits")


def test_files_of_no_known_kind(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    refused(tmp_path / "a.txt", tmp_path / "a.txt", "give a folder of images")
    refused(None, "cannot read data of type NoneType", "give a NumPy array")


def test_empty_folder(tmp_path):
    refused(tmp_path, tmp_path, "0 images", "at least 10")


def test_folder_of_a_text_file(tmp_path):
    (tmp_path / "readme.txt").write_text("hello")
    refused(tmp_path, tmp_path, "0 images", ".png")


def folder_with(tmp_path, name, data):
    save_all(tmp_path, map(Image.fromarray, PIXELS))
    (tmp_path / name).write_bytes(data)
    return tmp_path / name


def test_broken_pictures_are_left_out_and_named(tmp_path):
    good = tmp_path / "good"
    good.mkdir()
    save_all(good, [Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8))])
    data = (good / "00.png").read_bytes()
    for i, broken in enumerate([b"", b"hello", data[:20], data[: len(data) // 2], data[:40] + b"\0" * 50 + data[90:]]):
        folder = tmp_path / f"bad{i}"
        folder.mkdir()
        folder_with(folder, "05.png", broken)
        source = open_source(folder)
        assert [name for name, why in source.found.skipped if why] == ["05.png"]
        assert everything(source) == rows_of(np.delete(PIXELS, 5, 0))


def test_more_broken_pictures_than_whole_ones_are_refused(tmp_path):
    save_all(tmp_path, map(Image.fromarray, PIXELS))
    for i in range(41):
        (tmp_path / f"broken{i}.jpg").write_bytes(b"hello")
    refused(tmp_path, tmp_path, "41 of 81 images cannot be read", "broken0.jpg (not an image", "put them right")


def test_float_pictures_have_no_known_range(tmp_path):
    save_all(tmp_path, map(Image.fromarray, PIXELS))
    Image.fromarray(rng.random((6, 5)).astype(np.float32)).save(tmp_path / "f.tif")
    ((name, why),) = open_source(tmp_path).found.skipped
    assert name == "f.tif" and "store 8 or 16 bits" in why


def test_truncated_array_files(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS)
    np.savez(tmp_path / "b.npz", x=PIXELS)
    (tmp_path / "c-idx3").write_bytes(idx(PIXELS))
    (tmp_path / "d-idx3.gz").write_bytes(gzip.compress(idx(PIXELS)))
    for path in list(tmp_path.iterdir()):
        whole = path.read_bytes()
        for length in (0, 1, 3, 4, 7, 15, 16, 17, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:length])
            refused(path, path)
        path.write_bytes(whole)
        assert everything(open_source(path)) == rows_of(PIXELS)


def test_an_idx_file_that_is_too_long_or_of_another_type(tmp_path):
    path = tmp_path / "x-idx3"
    path.write_bytes(idx(PIXELS) + b"\0")
    refused(path, path, "header says [40, 6, 5]", "get it anew")
    path.write_bytes(b"\0\0\x0d" + idx(PIXELS)[3:])  # floats
    refused(path, path, "not an idx file of bytes", "give one")


def test_damaged_files_never_end_in_a_traceback(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS[:20])
    np.savez_compressed(tmp_path / "b.npz", x=PIXELS[:20], y=LABELS[:20])
    (tmp_path / "c-idx3.gz").write_bytes(gzip.compress(idx(PIXELS[:20])))
    (tmp_path / "d").mkdir()
    save_all(tmp_path / "d", map(Image.fromarray, PIXELS[:10]))
    dice, outcomes = np.random.default_rng(1), []
    for path in [tmp_path / "a.npy", tmp_path / "b.npz", tmp_path / "c-idx3.gz", tmp_path / "d" / "03.png"]:
        whole = path.read_bytes()
        for _ in range(120):
            data = bytearray(whole)
            for at in dice.integers(0, min(len(data), 400), dice.integers(1, 5)):
                data[at] = dice.integers(256)
            path.write_bytes(data)
            try:
                open_source(path.parent if path.suffix == ".png" else path)
                outcomes.append("read")
            except UserError:
                outcomes.append("refused")
        path.write_bytes(whole)
    assert 100 < outcomes.count("refused") < len(outcomes)


class Trap:
    """What unpickling would run."""

    def __reduce__(self):
        return (print, ("ran",))


def test_pickles_are_refused_and_nothing_runs(tmp_path, capsys):
    objects = np.array([[Trap(), 1]] * 20, object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=objects, allow_pickle=True)
    for name in "a.npy", "b.npz":
        refused(tmp_path / name, tmp_path / name, "Python objects", "save plain numbers")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shape", [(20, 3), (20, 4, 4)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(tmp_path, shape, bad):
    x = rng.random(shape)
    x[7, 1] = x[9, 2] = bad
    np.save(tmp_path / "a.npy", x)
    refused(tmp_path / "a.npy", tmp_path / "a.npy", "2 items", "item 7", "remove or fill")
    refused(x, "2 items", "item 7")


@pytest.mark.parametrize("dtype", [complex, "U3", "m8[s]", "M8[s]", [("a", "f4")]])
def test_values_that_are_no_real_numbers(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.zeros((20, 4, 4), dtype))
    refused(tmp_path / "a.npy", tmp_path / "a.npy", "give real numbers")


@pytest.mark.parametrize("shape", [(), (20,), (20, 2, 3, 4, 5)])
def test_arrays_of_other_ranks(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refused(tmp_path / "a.npy", tmp_path / "a.npy", str(shape), "give vectors [n, d] or images")


@pytest.mark.parametrize("shape", [(0, 4, 4), (0, 3), (9, 4)])
def test_too_few_items(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refused(tmp_path / "a.npy", tmp_path / "a.npy", f"{shape[0]} items", "at least 10")


@pytest.mark.parametrize("shape", [(20, 0), (20, 0, 4), (20, 4, 4, 0)])
def test_items_of_nothing(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refused(tmp_path / "a.npy", tmp_path / "a.npy", "hold no numbers", "give")


@pytest.mark.parametrize(("low", "high"), [(-0.5, 200.0), (-2.0, 1.0), (0, 300), (0, 65535), (-1, 255)])
def test_pixels_out_of_range(tmp_path, low, high):
    x = np.full((20, 4, 4), low)
    x[0] = high
    np.save(tmp_path / "a.npy", x)
    refused(tmp_path / "a.npy", tmp_path / "a.npy", f"from {low:g} to {high:g}", "scale them")


def test_vectors_too_large_to_standardise(tmp_path):
    np.save(tmp_path / "a.npy", rng.normal(size=(20, 2)) * 1e300)
    refused(tmp_path / "a.npy", tmp_path / "a.npy", "overflows", "smaller units")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS[:-1], ["40 items", "(39,)", "one label an item"]),
        (np.eye(4)[LABELS], ["40 items", "(40, 4)"]),
        (3, ["40 items", "()"]),
        (LABELS.astype(np.float32), ["float32", "integers or words"]),
        (["a", None] * 20, ["integers or words"]),
        ([[1], [1, 2]] * 20, ["integers or words"]),
    ],
    ids=["short", "one-hot", "scalar", "float", "mixed", "ragged"],
)
def test_labels_that_do_not_fit(tmp_path, labels, words):
    refused(PIXELS, *words, labels=labels)
    save_all(tmp_path, map(Image.fromarray, PIXELS))
    refused(tmp_path, tmp_path, *words, labels=labels)


def test_label_files_that_do_not_fit(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(idx(PIXELS))
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(LABELS[:-3]))
    for what in (path, tmp_path):
        refused(what, path, "40 items", "(37,)")
    labels.write_bytes(idx(LABELS)[:-3])
    refused(tmp_path, labels, "cut short")
    labels.write_bytes(idx(LABELS))
    test, test_labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    test.write_bytes(idx(PIXELS))
    test_labels.write_bytes(idx(LABELS[:5]))
    refused(tmp_path, test, "40 items", "(5,)")
    test_labels.write_bytes(idx(LABELS + 1))
    refused(tmp_path, test, "classes")
    test_labels.write_bytes(idx(LABELS))
    test.write_bytes(idx(PIXELS[:, :4]))
    refused(tmp_path, tmp_path, "(1, 6, 5)", "(1, 4, 5)", "alike")


def test_an_archive_whose_data_cannot_be_told(tmp_path):
    np.savez(tmp_path / "a.npz", one=PIXELS, two=PIXELS)
    refused(tmp_path / "a.npz", tmp_path / "a.npz", "one, two", "name it x")
    with zipfile.ZipFile(tmp_path / "c.npz", "w") as archive:
        archive.writestr("readme.txt", "no array")
    refused(tmp_path / "c.npz", tmp_path / "c.npz", "name it x")
    np.savez(tmp_path / "b.npz", y=LABELS)
    refused(tmp_path / "b.npz", tmp_path / "b.npz", "name it x")


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_held_out_share_out_of_range(share):
    refused(PIXELS, "held-out share", "between 0 and 1", held_out=share)


def test_held_out_share_that_leaves_nothing():
    refused(PIXELS, "0.99", "40 items", "lower it", held_out=0.99)


def test_mixtures_take_no_labels():
    refused("ring8", "ring8", "leave them out", labels=[1, 2])


# -- real data


def test_mnist(shared_data):
    folder = shared_data("mnist")
    source = open_source(folder)
    assert len(source) == 60_000 and source.spec.shape == (1, 28, 28)
    assert source.spec.counts == (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
    held = source.held_out()
    assert held["x"].shape == (10_000, 1, 28, 28) and held["y"][:5].tolist() == [7, 2, 1, 0, 4]
    mean = (source.some(60_000)["x"].mean().item() + 1) / 2
    assert mean == pytest.approx(0.1307, abs=1e-4)  # as everybody's normalisation of MNIST has it


def test_orl_faces(shared_data):
    source = open_source(shared_data("orl_faces_28x23") / "orl_28x23.npz")
    assert source.spec.shape == (1, 28, 23) and len(source) == 320 and len(source.held_out()["x"]) == 80


def test_chest_radiographs(shared_data):
    source = open_source(shared_data("medmnist_pneumonia") / "pneumoniamnist_trainval.npz")
    assert source.spec.shape == (1, 28, 28) and source.spec.classes == 2
    assert len(source) + len(source.held_out()["x"]) == 3882
    assert source.spec.counts[1] > source.spec.counts[0]  # more pneumonia than not


def test_pixels_on_a_small_scale_are_refused_rather_than_read_as_black(tmp_path):
    np.save(tmp_path / "a.npy", PIXELS.astype(np.float32) % 17)
    refused(tmp_path / "a.npy", tmp_path / "a.npy", "from 0 to 16", "scale them")


def test_photographs_lying_down_are_turned_upright(tmp_path):
    upright = np.zeros((12, 8), np.uint8)
    upright[:3] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to view
    for i in range(10):
        Image.fromarray(np.rot90(upright)).save(tmp_path / f"{i}.png", exif=exif)
    source = open_source(tmp_path)
    assert source.spec.shape == (1, 12, 8)
    assert (source.some(1)["x"][0, 0, :3] == 1).all() and (source.some(1)["x"][0, 0, 3:] == -1).all()


def test_mirrored_images_are_flipped_half_the_time_and_the_same_on_every_rank():
    plain = open_source(PIXELS)
    source = Mirrored(plain)
    before, after = (next(s.batches(64, seed=0, start=3))["x"] for s in (plain, source))
    flipped = [torch.equal(a, b.flip(2)) and not torch.equal(a, b) for a, b in zip(after, before, strict=True)]
    kept = [torch.equal(a, b) for a, b in zip(after, before, strict=True)]
    assert all(f or k for f, k in zip(flipped, kept, strict=True)) and 16 <= sum(flipped) <= 48
    ranks = [next(source.batches(64, seed=0, start=3, rank=rank, world=2))["x"] for rank in (0, 1)]
    assert torch.equal(torch.cat(ranks), after)


def test_vectors_cannot_be_mirrored():
    with pytest.raises(UserError, match="mirror is for images"):
        Mirrored(open_source("ring8"))


def test_a_labelled_training_part_needs_a_labelled_test_part(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(PIXELS))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(PIXELS[:12]))
    with pytest.raises(UserError, match="no labels beside it"):
        open_source(tmp_path)


def test_digits_refuse_other_labels():
    with pytest.raises(UserError, match="their own labels"):
        open_source("digits", labels=[0] * 1797)


def test_a_changed_held_out_part_changes_the_fingerprint():
    other = PIXELS.copy()
    other[:] = other[::-1]
    assert open_source(PIXELS).fingerprint() != open_source(other).fingerprint()


@pytest.mark.parametrize("x", [PIXELS / np.float32(255), PIXELS / np.float32(127.5) - 1, PIXELS.astype(np.float32)])
def test_encoding_uses_the_scale_the_data_were_read_with(x):
    spec = open_source(x).spec
    dark = (x - x.min()) * 0.1 + x.min()
    model = modality(spec).encode(dark, spec)
    assert torch.allclose(model[:, 0], torch.from_numpy(PIXELS).float() * 0.1 / 127.5 - 1, atol=1e-5)
