"""Pairs of pictures as people lay them out: what belongs together, what is made of what, and nothing bent on the way."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from zerosum.data import open_source, pictures
from zerosum.data.matching import lay_out, partners, plainly, roles
from zerosum.data.preflight import inspect, lines
from zerosum.errors import UserError

rng = np.random.default_rng(0)
PHOTOS = rng.integers(0, 256, (24, 8, 8, 3), np.uint8)


def save(path, item, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(item).save(path, **options)


def two_folders(root, a=255 - PHOTOS, b=PHOTOS, names=("a", "b"), suffix=".png"):
    for name, items in zip(names, (a, b), strict=True):
        for i, item in enumerate(items):
            save(root / name / f"{i:03d}{suffix}", item)
    return root


def everything(source):
    """Inputs and outputs of all pairs, as bytes, by the name of each."""
    train = next(source.batches(len(source), 0))
    order = source._x._order.permutation(0, 0)  # the first epoch's, undone
    back = torch.argsort(order)
    parts = [{key: x[back] for key, x in train.items()}, source.held_out()]
    a, x = (torch.cat([part[key] for part in parts]).add(1).mul(127.5).round().byte().numpy() for key in "ax")
    return {name: (a[i].transpose(1, 2, 0), x[i].transpose(1, 2, 0)) for i, name in enumerate(source.found.names)}


def refused(what, words, **options):
    with pytest.raises(UserError) as caught:
        open_source(what, **({"need": "pairs"} | options))
    assert words in str(caught.value) and "\n" not in str(caught.value), str(caught.value)


# -- which files belong together


def columns(names):
    return {column: {key: names[slot] for key, slot in keys.items()} for column, keys in lay_out(names).columns.items()}


@pytest.mark.parametrize(
    ("names", "found", "tests"),
    [
        (["a/1.jpg", "a/2.jpg", "b/1.png", "b/2.png"], {"a": "12", "b": "12"}, ""),
        (["set/a/1.png", "set/b/1.png"], {"a": "1", "b": "1"}, ""),  # a folder around everything
        (["trainA/1.png", "trainB/1.png", "testA/2.png", "testB/2.png"], {"A": "12", "B": "12"}, "2"),
        (["train/x/1.png", "train/y/1.png", "val/x/2.png", "val/y/2.png"], {"x": "12", "y": "12"}, "2"),
        (["A/train/1.png", "A/test/2.png", "B/train/1.png", "B/test/2.png"], {"A": "12", "B": "12"}, "2"),
        (["train_input/1.png", "train_target/1.png"], {"input": "1", "target": "1"}, ""),
        (["valley/1.png", "testament/1.png"], {"valley": "1", "testament": "1"}, ""),  # words that only begin so
    ],
)
def test_columns_are_found_by_folders(names, found, tests):
    laid = columns(names)
    assert {column: "".join(sorted(stem for _, stem in keys)) for column, keys in laid.items()} == found
    assert {stem for keys in laid.values() for test, stem in keys if test} == set(tests)


def test_rows_are_matched_by_name_whatever_the_suffix_and_the_depth():
    names = ["a/p/1.jpg", "a/q/1.jpg", "a/3.jpg", "b/p/1.png", "b/q/1.png", "b/4.png", "a/p/1.png", "readme.png"]
    laid = lay_out(names)
    keys, alone = partners(laid, ["a", "b"])
    assert [stem for _, stem in keys] == ["p/1", "q/1"]
    assert [names[slot] for slot in alone] == ["a/3.jpg", "b/4.png"]
    assert [names[slot] for slot in laid.twice] == ["a/p/1.png"] and [names[slot] for slot in laid.loose] == ["readme.png"]


@pytest.mark.parametrize(
    ("there", "inputs", "target", "found"),
    [
        ("a b", None, None, ("a", "b")),
        ("target input", None, None, ("input", "target")),
        ("garment person target", None, None, ("garment person", "target")),
        ("depth photo", None, None, ("depth", "photo")),  # the last in order
        ("back front left right", "left,back", "front", ("left back", "front")),
        ("A B", None, "a", ("B", "A")),
        ("a b", "b", None, ("b", "a")),
    ],
)
def test_inputs_and_target(there, inputs, target, found):
    given, made = roles(there.split(), inputs, target, "here", "folder")
    assert (" ".join(given), made) == found


@pytest.mark.parametrize(
    ("there", "inputs", "target", "words"),
    [
        ("a b", "c", None, "here: no folder c: there are a, b"),
        ("a b", "a", "a", "a is asked for twice"),
        ("a b", "a,b", None, "nothing is left to be made"),
        ("a", None, None, "only one folder, a"),
    ],
)
def test_roles_that_make_no_pair_are_refused(there, inputs, target, words):
    with pytest.raises(UserError, match=words):
        roles(there.split(), inputs, target, "here", "folder")


def test_only_names_that_can_mean_nothing_else_are_plainly_pairs():
    for names in (["a", "b"], ["A", "B"], ["input", "target"], ["x", "y"], ["before", "after"]):
        assert plainly(names)
    for names in (["cat", "dog"], ["a", "b", "c"], ["a"], ["a", "x"], ["images", "target"]):
        assert not plainly(names)


# -- what is read


def test_folders_matched_by_name_are_found_without_a_word(tmp_path):
    source = open_source(two_folders(tmp_path))
    assert source.spec.given == {"a": [3, 8, 8]} and source.spec.made == "b" and source.spec.shape == (3, 8, 8)
    for i, (name, (a, x)) in enumerate(sorted(everything(source).items())):
        assert name == f"b/{i:03d}.png"
        assert np.array_equal(x, PHOTOS[i]) and np.array_equal(a, 255 - PHOTOS[i])


def test_a_recipe_for_plain_items_takes_the_same_folders_as_classes(tmp_path):
    two_folders(tmp_path)
    assert open_source(tmp_path, need="items").spec.names == ("a", "b")


def test_folders_whose_files_have_other_names_are_no_pairs(tmp_path):
    two_folders(tmp_path, names=("cat", "dog"))
    assert open_source(tmp_path).spec.names == ("cat", "dog")  # classes, as ever
    assert open_source(tmp_path, need="pairs").spec.made == "dog"  # unless pairs are asked for


def test_pictures_side_by_side(tmp_path):
    both = np.concatenate([255 - PHOTOS, PHOTOS], 2)
    for i, item in enumerate(both):
        save(tmp_path / f"{i:03d}.png", item)
    source = open_source(tmp_path, need="pairs")
    assert source.spec.given == {"left": [3, 8, 8]} and source.spec.made == "right"
    for i, (_, (a, x)) in enumerate(sorted(everything(source).items())):
        assert np.array_equal(x, PHOTOS[i]) and np.array_equal(a, 255 - PHOTOS[i])
    refused(tmp_path, "a left and a right half, and no top: take left or right", target="top")
    other = open_source(tmp_path, target="left")  # the word says that they are pairs
    assert other.spec.given == {"right": [3, 8, 8]} and other.fingerprint() != source.fingerprint()
    name, (a, x) = next(iter(everything(other).items()))
    assert np.array_equal(x, 255 - PHOTOS[int(name[:3])]) and np.array_equal(a, PHOTOS[int(name[:3])])


def test_plain_pictures_twice_as_wide_as_high_may_be_pairs_and_are_called_so():
    x = np.random.default_rng(0).integers(0, 256, (40, 16, 32, 3), np.uint8)
    said = lambda images: "\n".join(lines(inspect(open_source(images))))
    assert "pairs side by side? Then take --recipe pix2pix" in said(x)
    assert "side by side" not in said(x[:, :, :16]) and "side by side" not in said(x[:, :8, :])


def test_sub_folders_called_left_and_back_are_no_halves(tmp_path):
    two_folders(tmp_path, names=("left", "back"))
    for words in ({"target": "left"}, {"target": "left", "inputs": "back"}):
        source = open_source(tmp_path, need="pairs", **words)
        assert source.spec.given == {"back": [3, 8, 8]} and source.spec.made == "left"
        assert all(np.array_equal(a, 255 - x) for a, x in everything(source).values())
    assert open_source(tmp_path, need="pairs", inputs="left").spec.made == "back"


def test_halves_do_not_bleed_into_each_other_where_they_are_made_smaller(tmp_path):
    halves = np.zeros((12, 64, 128, 3), np.uint8)
    halves[:, :, 64:] = 255
    halves += np.arange(12, dtype=np.uint8)[:, None, None, None] * (halves == 0)  # no two are equal
    for i, item in enumerate(halves):
        save(tmp_path / f"{i}.jpg", item, quality=100, subsampling=0)
    pairs = everything(open_source(tmp_path, need="pairs", size="8"))
    assert max(np.ptp(a) for a, _ in pairs.values()) <= 2 and min(x.min() for _, x in pairs.values()) >= 253


def test_one_picture_of_another_shape_among_halves_is_left_out_and_named(tmp_path):
    for i, item in enumerate(np.concatenate([PHOTOS, PHOTOS[::-1]], 2)):
        save(tmp_path / f"{i:03d}.png", item)
    save(tmp_path / "odd.png", PHOTOS[0])
    source = open_source(tmp_path, need="pairs")
    assert len(source.found.names) == 24 and source.found.skipped == (
        ("odd.png", "not twice as wide as high, as the others are"),
    )
    refused(two_folders(tmp_path / "x", names=("p", "q")) / "p", "neither pictures side by side")


def test_real_pairs_side_by_side(shared_data):
    source = open_source(shared_data("maps128"), need="pairs")
    assert (len(source), source.spec.shape, source.spec.given) == (320, (3, 128, 128), {"left": [3, 128, 128]})
    held, name = source.held_out(), source.found.names[320]
    whole = np.asarray(Image.open(shared_data("maps128") / name))
    decoded = [held[key][0].add(1).mul(127.5).round().byte().permute(1, 2, 0).numpy() for key in "ax"]
    assert np.array_equal(np.concatenate(decoded, 1), whole)


def test_a_test_part_that_came_with_the_data_is_held_out(tmp_path):
    two_folders(tmp_path, names=("trainA", "trainB"))
    two_folders(tmp_path, PHOTOS[:5] // 2, PHOTOS[:5] // 3, names=("testA", "testB"))
    source = open_source(tmp_path)
    assert len(source) == 24 and len(source.held_out()["x"]) == 5
    assert source.found.names[-1].startswith("testB/") and any("test part" in line for line in lines(inspect(source)))
    a, x = everything(source)["testB/002.png"]
    assert np.array_equal(a, PHOTOS[2] // 2) and np.array_equal(x, PHOTOS[2] // 3)
    assert len(open_source(tmp_path, held_out=0.5).held_out()["x"]) in (14, 15)  # split anew where a share is asked for


def test_a_zip_of_folders(tmp_path):
    with zipfile.ZipFile(tmp_path / "pairs.zip", "w") as archive:
        for name, items in (("set/input", PHOTOS // 2), ("set/target", PHOTOS)):
            for i, item in enumerate(items):
                file = io.BytesIO()
                Image.fromarray(item).save(file, "PNG")
                archive.writestr(f"{name}/{i}.png", file.getvalue())
    for name, (a, x) in everything(open_source(tmp_path / "pairs.zip", need="pairs")).items():
        assert np.array_equal(x, PHOTOS[int(name.split("/")[2][:-4])]) and np.array_equal(a, x // 2)


def test_files_without_a_partner_and_broken_files_are_left_out_and_named(tmp_path):
    two_folders(tmp_path)
    (tmp_path / "a" / "003.png").write_bytes(b"no picture")
    (tmp_path / "b" / "004.png").write_bytes(b"")
    (tmp_path / "b" / "005.png").unlink()
    save(tmp_path / "b" / "new.png", PHOTOS[0])
    source = open_source(tmp_path)
    assert set(source.found.names) == {f"b/{i:03d}.png" for i in range(24)} - {f"b/{i:03d}.png" for i in (3, 4, 5)}
    said = "\n".join(lines(inspect(source), whole=True))
    for words in (
        "a/003.png (not an image",
        "b/004.png (the file is empty)",
        "2 files have no partner",
        "a/005.png, b/new.png",
    ):
        assert words in said


def test_a_pair_of_two_shapes_is_refused_with_its_names(tmp_path):
    two_folders(tmp_path)
    save(tmp_path / "a" / "007.png", PHOTOS[7][:, :5])
    refused(tmp_path, "1 of 24 pairs are of two shapes, such as a/007.png (8 x 5) and b/007.png (8 x 8)")


def test_fewer_than_ten_pairs_are_refused(tmp_path):
    refused(two_folders(tmp_path, PHOTOS[:9]), "9 pairs: a GAN needs at least 10")
    np.save(tmp_path / "x.npy", PHOTOS)
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    refused(tmp_path / "x.npz", "holds one array without a name")
    refused(tmp_path / "b", "neither pictures side by side", inputs="a", target=None)


def test_input_and_target_are_cut_alike_whatever_their_sizes(tmp_path):
    """A bright square in the same place of both, which the camera stored lying down in one of them."""
    for i in range(12):
        small = np.full((30, 50, 3), i, np.uint8)
        small[9:15, 30:36] = 255
        large = np.asarray(Image.fromarray(small).resize((150, 90), Image.Resampling.NEAREST))
        save(tmp_path / "target" / f"{i}.png", small)
        save(tmp_path / "input" / f"{i}.png", np.rot90(large), exif=turned(6))
    for a, x in everything(open_source(tmp_path, size="20")).values():
        places = [np.argwhere(part[..., 0] > 128).mean(0) for part in (a, x)]
        assert np.abs(places[0] - places[1]).max() < 0.6


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def test_each_side_keeps_its_own_channels(tmp_path):
    source = open_source(two_folders(tmp_path, a=PHOTOS[..., 0]))
    assert source.spec.given == {"a": [1, 8, 8]} and source.spec.shape == (3, 8, 8)


def test_several_inputs_in_the_order_asked_for(tmp_path):
    two_folders(tmp_path, PHOTOS // 2, PHOTOS // 3, names=("left", "back"))
    two_folders(tmp_path, PHOTOS // 4, PHOTOS, names=("right", "front"))
    source = open_source(tmp_path, inputs="left,back", target="front")
    assert list(source.spec.given) == ["left", "back"]
    for name, (a, x) in everything(source).items():
        assert np.array_equal(x, PHOTOS[int(name[6:9])])
        assert np.array_equal(a, np.concatenate([x // 2, x // 3], 2))
    assert any("left aside: sub-folder right" in line for line in lines(inspect(source)))


def test_arrays_by_name_and_by_number(tmp_path):
    np.savez(tmp_path / "t.npz", person=PHOTOS // 2, garment=PHOTOS[..., 0], target=PHOTOS)
    source = open_source(tmp_path / "t.npz")  # target says that they are pairs
    assert source.spec.given == {"person": [3, 8, 8], "garment": [1, 8, 8]} and source.spec.made == "target"
    np.savez(tmp_path / "v.npz", rgba=np.stack([PHOTOS // i for i in (1, 2, 3, 4)], 1))
    source = open_source(tmp_path / "v.npz", inputs="rgba[1:3]", target="rgba[0]")
    assert list(source.spec.given) == ["rgba[1]", "rgba[2]"]
    for a, x in everything(source).values():
        assert np.array_equal(a, np.concatenate([x // 2, x // 3], 2))
    assert np.array_equal(
        open_source({"a": PHOTOS // 2, "b": PHOTOS}).held_out()["x"],
        open_source({"a": PHOTOS // 3, "b": PHOTOS}).held_out()["x"],
    )  # arrays in memory


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        ({"rgba": PHOTOS[:, None]}, {}, "one array of images, rgba: say what is made of what, as --target rgba[0] --inputs"),
        ({"u": PHOTOS, "v": PHOTOS}, {}, "which images are to be made? It holds u, v"),
        ({"u": PHOTOS, "v": PHOTOS}, {"target": "w"}, "no array w: it holds u, v"),
        ({"rgba": PHOTOS[:, None]}, {"target": "rgba[1]", "inputs": "rgba[0]"}, "no rgba[1]: rgba has shape (24, 1, 8, 8, 3)"),
        ({"rgba": PHOTOS[:, None]}, {"target": "rgba[0]"}, "which images are inputs?"),
        ({"rgba": PHOTOS[:, None], "a": PHOTOS}, {"target": "rgba[0]", "inputs": "rgba[2:1]"}, "inputs rgba[2:1]: counts from"),
        ({"a": PHOTOS[:, :4], "b": PHOTOS}, {}, "a is 4 x 8 and b 8 x 8 (height x width): cut both to one shape"),
        ({"a": PHOTOS[:20], "b": PHOTOS}, {"inputs": "a"}, "20 images of a and 24 of b"),
        ({"a": PHOTOS, "b": PHOTOS, "group": np.zeros(3, int)}, {}, "group has shape (3,)"),
        ({"a": PHOTOS[:9], "b": PHOTOS[:9]}, {}, "9 items: a GAN needs at least 10"),
    ],
)
def test_arrays_that_make_no_pairs_are_refused(tmp_path, arrays, options, words):
    np.savez(tmp_path / "x.npz", **arrays)
    refused(tmp_path / "x.npz", words, **options)


def test_a_table_of_file_names(tmp_path):
    two_folders(tmp_path / "files", names=("sketch", "photo"))
    rows = [f"{i},files/sketch/{i:03d}.png,files/photo/{i:03d}.png,{i // 4}" for i in range(24)]
    rows += ["24,files/sketch/gone.png,files/photo/000.png,9"]
    (tmp_path / "pairs.csv").write_text("\n".join(["number,sketch,photo,group", *rows]))
    source = open_source(tmp_path / "pairs.csv", need="pairs")
    assert source.spec.given == {"sketch": [3, 8, 8]} and source.spec.made == "photo"
    pairs = everything(source)
    assert len(pairs) == 24 and all(np.array_equal(a, 255 - x) for a, x in pairs.values())
    assert [name for name, _ in source.found.skipped] == ["files/sketch/gone.png"]
    groups = [
        {int(name[-7:-4]) // 4 for name in part}
        for part in (source.found.names[: len(source)], source.found.names[len(source) :])
    ]
    assert groups[0] and groups[1] and not groups[0] & groups[1]
    assert open_source(tmp_path / "pairs.csv", inputs="photo", target="sketch").spec.made == "sketch"
    refused(tmp_path / "pairs.csv", "no column of picture files number", inputs="number")


def test_few_garments_on_many_people(tmp_path):
    two_folders(tmp_path / "files", names=("person", "dressed"))
    for i in range(3):
        save(tmp_path / f"files/coat/{i}.png", PHOTOS[i] // 2)
    rows = [f"files/person/{i:03d}.png,files/coat/{i % 3}.png,files/dressed/{i:03d}.png" for i in range(24)]
    (tmp_path / "pairs.csv").write_text("\n".join(["person,coat,dressed", *rows]))
    source = open_source(tmp_path / "pairs.csv", need="pairs", target="dressed")
    assert source.spec.given == {"person": [3, 8, 8], "coat": [3, 8, 8]}
    for name, (a, x) in everything(source).items():
        assert np.array_equal(a[..., :3], 255 - x) and np.array_equal(a[..., 3:], PHOTOS[int(name[-7:-4]) % 3] // 2)


def test_columns_of_a_parquet_file(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    def cells(items):
        files = [io.BytesIO() for _ in items]
        for item, file in zip(items, files, strict=True):
            Image.fromarray(item).save(file, "PNG")
        return [{"bytes": file.getvalue(), "path": None} for file in files]

    path = tmp_path / "pairs.parquet"
    pyarrow.parquet.write_table(pa.table({"imageA": cells(PHOTOS // 2), "imageB": cells(PHOTOS), "label": [0, 1] * 12}), path)
    source = open_source(path, need="pairs")
    assert source.spec.given == {"imageA": [3, 8, 8]} and source.spec.made == "imageB"
    assert all(np.array_equal(a, x // 2) for a, x in everything(source).values())
    assert open_source(path).spec.classes == 2  # plain images of the first column, as ever
    refused(path, "no column of images z: there are imageA, imageB", target="z")


def test_pairs_of_one_group_and_equal_targets_stay_on_one_side(tmp_path):
    many = rng.integers(0, 256, (60, 8, 8), np.uint8)
    many[31] = many[30]
    for seed in range(3):
        group = np.random.default_rng(seed).integers(0, 15, 60)
        group[30], group[31] = 100, 101
        np.savez(tmp_path / "g.npz", a=many, b=many, group=group)
        names = open_source(tmp_path / "g.npz").found.names
        count = len(open_source(tmp_path / "g.npz"))
        train, held = ({int(name.split()[1]) for name in part} for part in (names[:count], names[count:]))
        assert not {group[i] for i in train} & {group[i] for i in held}
        assert (30 in train) == (31 in train)


def test_batches_are_functions_of_seed_and_cursor_and_ranks_share_them(tmp_path):
    source = open_source({"a": 255 - PHOTOS, "b": PHOTOS})
    stream = source.batches(8, 3)
    first = [next(stream) for _ in range(5)]
    again = next(source.batches(8, 3, start=4))
    halves = [next(source.batches(8, 3, 4, rank, 2)) for rank in range(2)]
    for key in "ax":
        assert torch.equal(again[key], first[4][key])
        assert torch.equal(torch.cat([half[key] for half in halves]), first[4][key])
    assert all(torch.allclose(batch["a"], -batch["x"], atol=1e-6) for batch in first)
    assert not torch.equal(next(source.batches(8, 4))["x"], first[0]["x"])


def test_pairs_read_from_disk_are_those_from_memory_bit_for_bit(tmp_path, monkeypatch):
    two_folders(tmp_path, PHOTOS // 2, PHOTOS[..., 0], names=("left", "back"))
    two_folders(tmp_path, PHOTOS // 4, np.concatenate([PHOTOS[:23], PHOTOS[:1]]), names=("right", "front"))
    words = {"inputs": "left,back,right", "target": "front"}
    memory = open_source(tmp_path, **words)
    monkeypatch.setattr(pictures, "IN_MEMORY", 0.0)
    disk = open_source(tmp_path, **words)
    assert disk.found.streamed and not memory.found.streamed
    assert disk.fingerprint() == memory.fingerprint() and disk.spec == memory.spec and disk.found.names == memory.found.names
    for (one, other), _ in zip(
        zip(memory.batches(4, 1, 2, 1, 2), disk.batches(4, 1, 2, 1, 2), strict=True), range(9), strict=False
    ):
        assert torch.equal(one["a"], other["a"]) and torch.equal(one["x"], other["x"])
    for one, other in ((memory.held_out(), disk.held_out()), (memory.some(7, 3), disk.some(7, 3))):
        assert torch.equal(one["a"], other["a"]) and torch.equal(one["x"], other["x"])
    for source in (memory, disk):  # no more is read than is asked for
        assert all(torch.equal(part, memory.held_out()[name][:2]) for name, part in source.held_out(2).items())
    apart = open_source(tmp_path, need="domains", inputs="left", target="front")
    assert next(apart.batches(4, 0))["a"].shape == (4, 3, 8, 8)


# -- with a run


def test_a_run_on_views_is_begun_and_gone_on_with_by_the_same_words(tmp_path, monkeypatch):
    from zerosum.cli import main
    from zerosum.rundir import RunDir

    views = rng.integers(0, 256, (30, 3, 16, 16, 3), np.uint8)
    np.savez(tmp_path / "views.npz", rgb=views, group=np.arange(30) // 2)
    monkeypatch.chdir(tmp_path)
    options = ["--inputs", "rgb[1:3]", "--target", "rgb[0]", "--width", "4", "--batch", "8", "--pictures", "0", "--scores", "0"]
    words = [["train", "views.npz", *options, "--steps", "2", "--out", "run"], ["train", "--resume", "run", "--steps", "3"]]
    for line in words:
        with pytest.raises(SystemExit) as end:
            main(line)
        assert end.value.code == 0
    config = RunDir(tmp_path / "run").config
    assert config["recipe"] == "compose" and config["preflight"]["made"] == "rgb[0]"
    assert list(config["spec"]["given"]) == ["rgb[1]", "rgb[2]"] and RunDir(tmp_path / "run").latest() == 3
