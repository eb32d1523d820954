"""Pictures from pictures: every kind, size and orientation of file, several inputs, holes, both ways."""

import signal
import subprocess
import sys
import textwrap
import time
from io import StringIO

import numpy as np
import pytest
from conftest import finish, start
from memory import HELD
from PIL import Image
from rich.console import Console

from zerosum import GAN, UserError
from zerosum.cli import main
from zerosum.cli._counter import Counter
from zerosum.data import paired
from zerosum.pictures import picture, read
from zerosum.translate import Translator

RECIPE = '''
"""Toy: images from images by a rule that is known."""
from dataclasses import dataclass

import torch
from torch import nn

from zerosum.game import Game, Maps, Player, Turn
from zerosum.parts import Settings, check, player_g

NEEDS = "pairs"


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings."""

    does: str = "negative"  # the rule
    lr_g: float = 1e-12  # learning rate


class Rule(nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, a):
        return self.shift - a


def build(cfg, spec):
    check(cfg)
    channels = tuple(shape[0] for shape in spec.given.values())
    height, width = spec.shape[1:]
    masks = torch.zeros(1, 1, height, width)
    masks[..., 2:5, 2:5] = 1
    ask, scale, mask, back = (lambda batch: {"a": batch["a"]}), 1, False, None
    generate = lambda nets, inputs: nets["G"](inputs["a"])
    if cfg.does == "larger":
        scale, ask = 2, lambda batch: {"a": batch["x"][..., ::2, ::2]}
        generate = lambda nets, inputs: nn.functional.interpolate(-nets["G"](inputs["a"]), scale_factor=2)
    if cfg.does == "mend":
        mask, ask = True, lambda batch: {"a": batch["x"] * (1 - masks), "mask": masks.expand(len(batch["x"]), -1, -1, -1)}
        generate = lambda nets, inputs: -nets["G"](inputs["a"]) + 0.5 * inputs["mask"]
    if cfg.does == "both":
        back = lambda nets, inputs: -nets["G"](inputs["a"]) / 2
    if cfg.does == "mix":
        parts = lambda a: enumerate(a.split(channels, 1), 1)
        generate = lambda nets, inputs: -sum(part / 2**i for i, part in parts(nets["G"](inputs["a"])))
    turn = lambda nets, batch, clock: {"l1": nets["G"](batch["x"]).abs().mean()}
    tile = (height // scale, width // scale)
    return Game(
        nets={"G": Rule()},
        players={"G": player_g(cfg, "G")},
        turns=(Turn("G", turn),),
        draw=lambda n: {},
        generate=generate,
        maps=Maps(ask, tuple(spec.given), channels, tile, scale, made=spec.made, mask=mask, back=back),
    )
'''


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "rule.py"
    path.write_text(textwrap.dedent(RECIPE))
    return str(path)


@pytest.fixture(scope="module")
def runs(recipe, tmp_path_factory):
    """A run folder of a rule for pictures of so many channels, in tiles of 16 x 16."""
    made = {}

    def find(does="negative", channels=3, names=("photo",)):
        key = (does, channels, names)
        if key not in made:
            x = np.random.default_rng(0).integers(0, 256, (20, channels, 16, 16), np.uint8)
            source = paired.from_arrays(dict.fromkeys(names, x), x, "drawing")
            made[key] = tmp_path_factory.mktemp("runs") / "run"
            settings = {"steps": 1, "batch": 4, "pictures": 0, "scores": 0, "guard": False, "device": "cpu"}
            GAN(recipe, does=does, **settings).fit(source, out=made[key])
        return made[key]

    return find


@pytest.fixture
def load(runs, recipe):
    return lambda *which, **more: GAN.load(runs(*which, **more), recipe=recipe)


def photo(height=45, width=70, channels=3, seed=0):
    x = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    return x[..., 0] if channels == 1 else x


def translate(recipe, *words):
    """The exit code of `zerosum translate`."""
    with pytest.raises(SystemExit) as end:
        main(["translate", *map(str, words), "--recipe", recipe, "--device", "cpu"])
    return end.value.code


# ---- from Python ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 16), (45, 70), (5, 100), (1, 1)])
def test_arrays_of_any_size_come_back_as_arrays(load, size):
    x = photo(*size)
    assert np.array_equal(load().translate(x), 255 - x)
    grey = photo(*size, channels=1)
    assert np.array_equal(load(channels=1).translate(grey), 255 - grey)


def test_batches_pictures_and_paths(load, tmp_path):
    gan, x = load(), np.stack([photo(seed=i) for i in range(3)])
    assert np.array_equal(gan.translate(x), 255 - x)
    assert np.array_equal(gan.translate(Image.fromarray(x[1])), 255 - x[1])
    Image.fromarray(x[2]).save(tmp_path / "x.png")
    assert np.array_equal(gan.translate(tmp_path / "x.png"), 255 - x[2])
    assert np.array_equal(gan.translate(x[0] / 255), 255 - x[0])


def test_alpha_is_carried_over_and_used_where_the_run_knows_it(load):
    x = photo(channels=4)
    made = load().translate(x)
    assert np.array_equal(made, np.dstack([255 - x[..., :3], x[..., 3]]))
    assert np.array_equal(load(channels=4).translate(x), 255 - x)
    assert np.array_equal(load(channels=4).translate(x[..., :3])[..., 3], np.zeros(x.shape[:2]))  # 255 - opaque
    twice = load("larger").translate(x)
    assert np.array_equal(twice[..., :3], x[..., :3].repeat(2, 0).repeat(2, 1))
    smooth = Image.fromarray(x[..., 3].copy()).resize((140, 90), Image.Resampling.BICUBIC)
    assert np.array_equal(twice[..., 3], np.asarray(smooth))


def test_grey_and_colour_meet(load):
    grey, colour = photo(channels=1), photo()
    assert np.array_equal(load().translate(grey), 255 - np.dstack([grey] * 3))  # what it may colour stays in colour
    luma = np.asarray(Image.fromarray(colour).convert("L"))
    assert np.array_equal(load(channels=1).translate(colour), 255 - luma)
    larger = lambda x: x.repeat(2, 0).repeat(2, 1)
    assert np.array_equal(load("larger").translate(grey), larger(grey))  # what is only enlarged stays grey
    assert np.array_equal(load("larger", 1).translate(colour), larger(colour))  # and keeps its colours
    with pytest.raises(UserError, match="2 channels, and this run takes 3"):
        load().translate(photo(channels=2))


def test_holes_are_filled_and_all_else_is_left_bit_for_bit(load):
    x, mask = photo(), np.zeros((45, 70), bool)
    mask[10:30, 20:50] = True
    wanted = np.where(mask[..., None], 191, x)  # (0.5 + 1) * 127.5, rounded to even
    for shown in (mask, mask.astype(np.uint8), mask * np.uint8(255), Image.fromarray(mask)):
        assert np.array_equal(load("mend").translate(x, mask=shown), wanted)
    assert np.array_equal(load("mend").translate(np.dstack([x, ~mask * np.uint8(255)])), wanted)
    grey = photo(channels=1)
    assert np.array_equal(load("mend").translate(grey, mask=mask), np.where(mask, 191, grey))
    assert np.array_equal(load("mend", 1).translate(x, mask=mask), wanted)
    assert np.array_equal(load("mend").translate(x, mask=~mask & mask), x)
    with pytest.raises(UserError, match="no hole to fill"):
        load("mend").translate(x)
    with pytest.raises(UserError, match="a mask of 70 x 45 pixels, a picture of 45 x 70"):
        load("mend").translate(x, mask=mask.T)
    with pytest.raises(UserError, match="fills no holes"):
        load().translate(x, mask=mask)


def test_several_inputs_by_name(load):
    gan, person, garment = load("mix", names=("person", "garment")), photo(seed=1), photo(seed=2)
    mixed = np.rint(((person / 127.5 - 1) / 2 + (garment / 127.5 - 1) / 4 + 1) * 127.5)
    for made in (gan.translate(person, garment=garment), gan.translate(garment, person=person)):
        assert np.abs(made - mixed).max() <= 1
    many = gan.translate(np.stack([person, garment]), garment=np.stack([garment, garment]))
    assert np.array_equal(many[0], gan.translate(person, garment=garment)) and many.shape == (2, 45, 70, 3)
    with pytest.raises(UserError, match="give one, and the others by name"):
        gan.translate(person)
    with pytest.raises(UserError, match="no input garmet: did you mean garment"):
        gan.translate(person, garmet=garment)
    with pytest.raises(UserError, match="garment is 30 x 70 pixels and person 45 x 70"):
        gan.translate(person, garment=garment[:30])


def test_what_mends_or_enlarges_has_roomy_tiles_but_none_larger_than_the_picture(load):
    seen = []
    for does, size in (("larger", (45, 70)), ("larger", (400, 100)), ("mend", (30, 500)), ("negative", (45, 70))):
        translator = Translator(load(does)._sampler)
        seen.append((translator.tile, []))
        mask = np.ones(size, bool) if does == "mend" else None
        translator({"photo": picture(photo(*size))}, mask, lambda done, of, seen=seen: seen[-1][1].append(of))
    room, small = (192, 192), (16, 16)
    assert [(tile, of[0]) for tile, of in seen] == [(room, 1), (room, 3), (room, 4), (small, 4 * 6)]


def test_the_way_back(load):
    x = photo()
    assert np.abs(load("both").translate(x, direction="b2a") - np.rint(((x / 127.5 - 1) / 2 + 1) * 127.5)).max() <= 1
    with pytest.raises(UserError, match="knows one way, from photo to drawing"):
        load().translate(x, direction="b2a")
    with pytest.raises(UserError, match="direction b2b: did you mean"):
        load("both").translate(x, direction="b2b")


def test_what_is_no_picture_is_refused_in_a_line(load, tiny_run):
    for wrong in (np.zeros((4, 4, 3, 2, 2), np.uint8), np.full((4, 4), 300), np.zeros((0, 4), np.uint8)):
        with pytest.raises(UserError, match="give uint8"):
            load().translate(wrong)
    with pytest.raises(UserError, match="takes no images: use `zerosum sample"):
        GAN.load(tiny_run).translate(photo())
    with pytest.raises(UserError, match="size 5x: give pixels"):
        load().translate(photo(), tile="5x")
    with pytest.raises(UserError, match="overlap 16"):
        load().translate(photo(), overlap=16)


# ---- files ---------------------------------------------------------------------------------------------------------------


def test_a_photo_lying_on_its_side_is_made_upright(runs, recipe, tmp_path):
    x = np.asarray(Image.fromarray(photo(6, 9)).resize((90, 60)))
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to look at it
    Image.fromarray(x).save(tmp_path / "side.jpg", exif=exif, quality=95)
    assert translate(recipe, runs(), tmp_path / "side.jpg", "-o", tmp_path / "up.jpg") == 0
    made = Image.open(tmp_path / "up.jpg")
    stored = np.asarray(Image.open(tmp_path / "side.jpg")).astype(int)
    assert made.size == (60, 90) and 0x0112 not in made.getexif()
    assert np.abs(np.asarray(made).astype(int) - (255 - np.rot90(stored, -1))).mean() < 3


def test_16_bits_keep_every_one_of_8(runs, recipe, tmp_path):
    ramp = np.tile(np.linspace(0, 65535, 1024).astype(np.uint16), (20, 1))
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    assert translate(recipe, runs(channels=1), tmp_path / "deep.png", "-o", tmp_path / "made.png") == 0
    made = np.asarray(Image.open(tmp_path / "made.png"))
    assert made.dtype == np.uint8 and len(np.unique(made)) == 256
    assert np.abs(made.astype(float) - (255 - ramp / 257)).max() <= 1


def test_files_of_every_kind(runs, recipe, tmp_path):
    x = photo(channels=4)
    x[..., 3] = np.where(np.arange(70) < 35, 0, 255)
    Image.fromarray(x).save(tmp_path / "x.png")
    for kind in ("png", "webp", "tif", "npy"):
        assert translate(recipe, runs(), tmp_path / "x.png", "-o", tmp_path / f"made.{kind}") == 0
        made = read(tmp_path / f"made.{kind}")
        assert np.array_equal(made.alpha, x[..., 3]), kind
        assert np.array_equal(made.pixels[:, 35:], 255 - x[:, 35:, :3]), kind
    assert translate(recipe, runs(), tmp_path / "x.png", "-o", tmp_path / "made.jpg") == 0
    flat = read(tmp_path / "made.jpg")
    assert flat.alpha is None and flat.pixels[:, :24].min() > 250  # laid on white
    profile = b"a profile of colours"
    Image.fromarray(x[..., :3]).save(tmp_path / "wide.png", icc_profile=profile)
    assert translate(recipe, runs(), tmp_path / "wide.png", "-o", tmp_path / "wide.tif") == 0
    with Image.open(tmp_path / "wide.tif") as made:
        assert made.info["icc_profile"] == profile
    palette = Image.fromarray(x[..., :3]).quantize(16)
    palette.save(tmp_path / "few.gif")
    assert translate(recipe, runs(), tmp_path / "few.gif", "-o", tmp_path / "few.png") == 0
    assert np.array_equal(read(tmp_path / "few.png").pixels, 255 - np.asarray(palette.convert("RGB")))


@pytest.fixture
def album(tmp_path):
    """Three pictures in two folders, and one that is broken."""
    folder = tmp_path / "album"
    (folder / "trips" / "sea").mkdir(parents=True)
    for i, name in enumerate(("home.png", "trips/hill.jpg", "trips/sea/wave.png")):
        Image.fromarray(photo(seed=i)).save(folder / name)
    (folder / "trips" / "torn.png").write_bytes((folder / "home.png").read_bytes()[:200])
    (folder / "notes.txt").write_text("nothing to see")
    return folder


def test_folders_keep_their_names_and_broken_files_are_told(runs, recipe, album, tmp_path, capsys):
    out = album / "made"
    for _ in range(2):  # what was made is no input the second time
        assert translate(recipe, runs(), album, "-o", out) == 1
        names = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
        assert names == ["home.png", "trips/hill.png", "trips/sea/wave.png"]
        told = capsys.readouterr()
        assert "trips/torn.png" in told.err and "3 pictures" in told.out and "1 could not be made" in told.out
    assert np.array_equal(read(out / "home.png").pixels, 255 - photo(seed=0))
    both = ("home.png", "trips/sea/wave.png")
    assert translate(recipe, runs(), *(album / name for name in both), "-o", tmp_path / "few", "--kind", "jpg") == 0
    assert sorted(path.name for path in (tmp_path / "few").iterdir()) == ["home.jpg", "wave.jpg"]


def test_inputs_are_never_written_over(runs, recipe, album, capsys):
    before = (album / "home.png").read_bytes()
    assert translate(recipe, runs(), album / "home.png", "-o", album / "home.png") == 2
    assert translate(recipe, runs(), album, "-o", album) == 2
    assert translate(recipe, runs(), album / "home.png", "-o", album / "trips" / ".." / "home.png") == 2
    assert capsys.readouterr().err.count("inputs are never written over") == 3
    assert (album / "home.png").read_bytes() == before


def test_two_inputs_in_order_by_name_and_by_folder(runs, recipe, tmp_path):
    run = runs("mix", names=("person", "garment"))
    for place in ("people", "clothes"):
        (tmp_path / place).mkdir()
        for i in range(2):
            Image.fromarray(photo(seed=i + 7 * (place == "clothes"))).save(tmp_path / place / f"{i}.png")
    people, clothes = tmp_path / "people", tmp_path / "clothes"
    assert translate(recipe, run, people / "0.png", clothes / "1.png", "-o", tmp_path / "a.png") == 0
    assert translate(recipe, run, people / "0.png", "--with", f"garment={clothes / '1.png'}", "-o", tmp_path / "b.png") == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert translate(recipe, run, people, clothes, "-o", tmp_path / "all") == 0
    assert translate(recipe, run, people, "--with", f"garment={clothes / '1.png'}", "-o", tmp_path / "one") == 0
    assert (tmp_path / "one" / "0.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    assert (tmp_path / "one" / "1.png").read_bytes() == (tmp_path / "all" / "1.png").read_bytes()


def test_masks_are_files_or_folders_beside(runs, recipe, album, tmp_path):
    mask = np.zeros((45, 70), np.uint8)
    mask[5:9] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert translate(recipe, runs("mend"), album / "home.png", "--mask", tmp_path / "mask.png", "-o", tmp_path / "x.png") == 0
    assert np.array_equal(read(tmp_path / "x.png").pixels, np.where(mask[..., None] > 0, 191, photo(seed=0)))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("home.jpg", "-o", "x.png"), "no file or folder at .*home.jpg"),
        (("home.png", "-o", "x.gif"), "end it in .png"),
        (("home.png", "trips/hill.jpg", "-o", "x.png"), "more than one picture to make: name a folder"),
        (("home.png", "-o", "out", "--kind", "jpeg2"), "kind jpeg2: "),
        (("home.png", "-o", "x.png", "--direction", "a2c"), "direction a2c: did you mean a2b"),
        (("home.png", "-o", "x.png", "--with", "sketch=home.png"), "no input sketch: choose from photo"),
        (("home.png", "-o", "x.png", "--mask", "home.png"), "fills no holes"),
        (("-o", "x.png"), "translate what"),
    ],
)
def test_mistakes_are_told_in_a_line(runs, recipe, album, capsys, monkeypatch, words, told):
    monkeypatch.chdir(album)
    assert translate(recipe, runs(), *words) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    with pytest.raises(AssertionError, match=told):
        raise AssertionError(error)


def test_runs_that_do_not_map_say_what_to_use_and_those_that_do_cannot_be_sampled(runs, recipe, tiny_run, tmp_path, capsys):
    Image.fromarray(photo()).save(tmp_path / "x.png")
    with pytest.raises(SystemExit) as end:
        main(["translate", str(tiny_run), str(tmp_path / "x.png"), "-o", str(tmp_path / "y.png")])
    assert end.value.code == 2 and "zerosum sample" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main(["sample", str(runs()), "--recipe", recipe, "-o", str(tmp_path / "y.png")])
    assert end.value.code == 2 and "zerosum translate" in capsys.readouterr().err


# ---- processes -----------------------------------------------------------------------------------------------------------


def test_ctrl_c_leaves_whole_files_alone(runs, recipe, tmp_path):
    (tmp_path / "many").mkdir()
    x = np.kron(photo(40, 40), np.ones((20, 20, 1), np.uint8))
    for i in range(40):
        Image.fromarray(x).save(tmp_path / "many" / f"{i:02d}.png")
    out = tmp_path / "out"
    process = start("translate", runs(), tmp_path / "many", "-o", out, "--recipe", recipe, "--device", "cpu")
    deadline = time.monotonic() + 60
    while len(list(out.glob("*.png"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    code, _, error = finish(process)
    assert code == 130 and "stopped" in error
    found = list(out.iterdir())
    assert 2 <= len(found) < 40 and {path.suffix for path in found} == {".png"}
    for path in found:
        assert np.array_equal(read(path).pixels, 255 - x)


def test_a_large_photo_is_made_in_bounded_memory(runs, recipe, tmp_path):
    rows, columns = np.ogrid[:3000, :4000]
    slopes = np.broadcast_arrays(rows * 255 // 3000, columns * 255 // 4000, np.int64(90))
    x = np.dstack(slopes).astype(np.uint8)
    Image.fromarray(x).save(tmp_path / "large.jpg", quality=95)
    words = ["translate", runs(), tmp_path / "large.jpg", "-o", tmp_path / "made.jpg"]
    words = [*map(str, words), "--recipe", recipe, "--device", "cpu", "--tile", "256"]
    code = f"import sys\nfrom zerosum.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n    print('KIB', {HELD})"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split("KIB")[1]) < 2 * 2**20, done.stdout
    made = read(tmp_path / "made.jpg").pixels
    assert made.shape == x.shape and np.abs(made[::50, ::50, :2].astype(int) - (255 - x[::50, ::50, :2])).max() <= 6


def test_pix2pix_is_trained_by_the_command_and_used_by_it(tmp_path):
    (tmp_path / "pairs").mkdir()
    for i in range(24):
        x = np.kron(photo(4, 4, seed=i), np.ones((8, 8, 1), np.uint8))
        Image.fromarray(np.hstack([x, 255 - x])).save(tmp_path / "pairs" / f"{i}.png")
    tiny = ("--width", "4", "--batch", "4", "--pictures", "1", "--scores", "0", "--threads", "1", "--device", "cpu")
    with pytest.raises(SystemExit) as end:
        main(["train", str(tmp_path / "pairs"), "--recipe", "pix2pix", "--steps", "3", *tiny, "--out", str(tmp_path / "run")])
    assert end.value.code == 0
    assert "left into right: 32 x 32 pixels" in (tmp_path / "run" / "report.html").read_text()
    Image.fromarray(photo()).save(tmp_path / "x.png")
    with pytest.raises(SystemExit) as end:
        main(["translate", str(tmp_path / "run"), str(tmp_path / "x.png"), "-o", str(tmp_path / "y.png"), "--device", "cpu"])
    assert end.value.code == 0
    assert np.array_equal(read(tmp_path / "y.png").pixels, GAN.load(tmp_path / "run").translate(tmp_path / "x.png"))


def test_progress_counts_pictures_and_tiles():
    page = StringIO()
    with Counter(Console(file=page, force_terminal=True, width=100), 2) as counter:
        counter.begin("large.jpg")
        counter.tiles(16, 64)
        counter._bar.refresh()
        counter.end()
    assert "pictures" in page.getvalue() and "16/64" in page.getvalue()
