"""Grids and films: files opened again, pictures compared with the samples they show, and what cannot be shown."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import TINY
from PIL import Image

from zerosum import GAN, UserError, shows
from zerosum.cli import main
from zerosum.data import modality
from zerosum.data.images import from_array
from zerosum.job import open_run
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.shows import classes, interpolation, mixing, training, truncation
from zerosum.shows._canvas import GAP, _word, table
from zerosum.shows._file import film, flat
from zerosum.shows._walk import between, lerp, shares, slerp, straight
from zerosum.shows._wishes import Look

STYLES = '''"""A small generator with styles: a mapping net, truncation and mixing, for tests."""

from dataclasses import dataclass, replace

import torch
from torch import nn

from zerosum.nets.mlp import Discriminator
from zerosum.pair import pair
from zerosum.parts import Settings, draw_z

LAYERS = 4


class Generator(nn.Module):
    def __init__(self, shape, z_dim, width):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(z_dim, width), nn.LeakyReLU(0.2), nn.Linear(width, width))
        self.start = nn.Parameter(torch.ones(width))
        self.styles = nn.ModuleList(nn.Linear(width, width) for _ in range(LAYERS))
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(LAYERS))
        self.end = nn.Sequential(nn.Linear(width, shape[0] * shape[1] * shape[2]), nn.Tanh(), nn.Unflatten(1, shape))
        self.register_buffer("mean", torch.zeros(width))
        for weights in self.parameters():
            nn.init.normal_(weights, 0, 0.25)  # untrained, yet no two items alike

    def forward(self, z, psi=None, z_fine=None, fine_from=None):
        w = self.mapping(z)
        if self.training:
            self.mean.lerp_(w.detach().mean(0).float(), 0.1)
        fine = w if z_fine is None else self.mapping(z_fine)
        if psi is not None:
            w, fine = (self.mean + psi[:, None] * (v - self.mean) for v in (w, fine))
        h = self.start.expand(len(z), -1)
        for i, (style, layer) in enumerate(zip(self.styles, self.layers)):
            one = w if fine_from is None else torch.where((fine_from <= i)[:, None], fine, w)
            h = torch.nn.functional.leaky_relu(layer(h * (1 + style(one))), 0.2)
        return self.end(h)


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Its settings."""


def build(cfg, spec):
    game = pair(cfg, spec, Generator(spec.shape, cfg.z_dim, 4 * cfg.width), Discriminator(spec.shape, 4 * cfg.width))

    def draw(n):
        z = draw_z(cfg, n)
        return {"z": z, "truncation": torch.ones(n), "z_fine": z.clone(), "fine_from": torch.full((n,), LAYERS)}

    generate = lambda nets, b: nets["G"](b["z"], b["truncation"], b["z_fine"], b["fine_from"])
    return replace(game, draw=draw, generate=generate)
'''


@pytest.fixture(scope="module")
def digits(tiny_run) -> Sampler:
    return open_run(tiny_run)


@pytest.fixture(scope="module", params=["a file's", "stylegan2"])
def styled(request, tmp_path_factory) -> GAN:
    """A generator with styles, on images of 6 x 8 pixels: that of a recipe file, and the house's."""
    recipe = request.param
    if recipe != "stylegan2":
        file = tmp_path_factory.mktemp("styles") / "styles.py"
        file.write_text(STYLES)
        recipe = str(file)
    images = np.random.default_rng(0).integers(0, 256, (60, 6, 8), dtype=np.uint8)
    return GAN(recipe, steps=3, batch=16, width=8, threads=1).fit(images)


def sampler_of(gan: GAN) -> Sampler:
    assert gan._sampler is not None
    return gan._sampler


@pytest.fixture
def say(capsys):
    """Run `zerosum show`; (exit code, stdout, stderr)."""

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main(["show", *map(str, words)])
        return end.value.code, *capsys.readouterr()

    return run


def shown(sampler: Sampler, seed: int, zoom: int, **wishes) -> np.ndarray:
    """The item that `zerosum sample` gives for a seed, each pixel a square."""
    item = modality(sampler.spec).decode(sampler.make(1, seed, **wishes)["x"], sampler.spec)[0]
    return np.kron(item, np.ones((zoom, zoom), np.uint8))


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for the rounding of batches of other sizes: a grey level."""
    return np.abs(a.astype(int) - b.astype(int)).max() <= 1


def cell(sheet: Image.Image, row: int, column: int, rows: int, columns: int, width: int, height: int) -> np.ndarray:
    """A table's cell, counted from its last row and column: what stands before them has any size."""
    right = sheet.width - (columns - 1 - column) * (width + GAP) - GAP
    bottom = sheet.height - (rows - 1 - row) * (height + GAP) - GAP
    return np.asarray(sheet.crop((right - width, bottom - height, right, bottom)))


# -- the way between two inputs


def test_slerp_ends_at_its_ends_and_is_a_great_circle():
    a, b = torch.randn(2, 5, 16, dtype=torch.float64)
    assert torch.allclose(slerp(a, b, 0.0), a) and torch.allclose(slerp(a, b, 1.0), b)
    x, y = torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    third = slerp(x, y, 1 / 3)  # 30 degrees of the quarter circle
    assert torch.allclose(third, torch.tensor([[3 * 0.75**0.5, 1.5]]))


def test_slerp_keeps_the_length_of_normal_noise_and_lerp_does_not():
    a, b = torch.randn(2, 4000, 64, generator=torch.Generator().manual_seed(0))
    for t in (0.25, 0.5, 0.75):
        norms = slerp(a, b, t).norm(dim=1)
        assert abs(norms.mean() - a.norm(dim=1).mean()) < 0.05 and norms.std() < a.norm(dim=1).std()
        equal = slerp(a, b * (a.norm(dim=1) / b.norm(dim=1))[:, None], t)
        assert torch.allclose(equal.norm(dim=1), a.norm(dim=1), rtol=1e-5)
    assert lerp(a, b, 0.5).norm(dim=1).mean() < 0.75 * a.norm(dim=1).mean()


def test_slerp_of_equal_and_of_opposite_noise_is_finite():
    a = torch.randn(3, 8)
    assert torch.allclose(slerp(a, a, 0.3), a) and torch.allclose(slerp(a, 2 * a, 0.5), 1.5 * a, atol=1e-5)
    assert slerp(a, -a, 0.5).isfinite().all() and slerp(a, torch.zeros_like(a), 0.5).isfinite().all()


def test_uniform_noise_and_single_numbers_go_straight(styled, digits):
    assert straight(digits.run.game) == {"y"}
    assert straight(sampler_of(styled).run.game) == {"truncation", "fine_from"}
    images = np.zeros((20, 6, 8), np.uint8)
    flat = GAN("gan", noise="uniform", steps=1, batch=8, width=8, threads=1).fit(images)
    assert straight(sampler_of(flat).run.game) == {"z"}
    ends = [sampler_of(flat).inputs(50, seed) for seed in (0, 1)]
    assert between(*ends, 0.5, {"z"})["z"].abs().max() <= 1


def test_frames_of_a_loop_and_of_a_line():
    assert shares(2, 3, loop=False) == [(0, 0.0), (0, 0.5), (0, 1.0)]
    assert shares(3, 6, loop=True) == [(0, 0.0), (0, 0.5), (1, 0.0), (1, 0.5), (2, 0.0), (2, 0.5)]


# -- what is shown


def test_an_interpolation_begins_and_ends_with_the_seeds_samples(digits):
    frames = interpolation.film(digits, interpolation.Config(seeds=(3, 7), frames=5, loop=False, label="2"))
    pixels = [np.asarray(frame) for frame in frames]
    assert len(pixels) == 5 and (pixels[0] == shown(digits, 3, 8, label=2)).all()
    assert (pixels[-1] == shown(digits, 7, 8, label=2)).all() and not (pixels[2] == pixels[0]).all()
    loop = interpolation.film(digits, interpolation.Config(seeds=(3, 7), frames=4, label="2"))
    assert [(np.asarray(loop[i]) == pixels[j]).all() for i, j in ((0, 0), (2, 4))] == [True, True]


def test_a_strip_goes_from_seed_to_seed(digits):
    strip = interpolation.still(digits, interpolation.Config(seeds=(3, 7, 1), columns=4, size=8, label="2"))
    for row, (a, b) in enumerate(((3, 7), (7, 1))):
        assert (cell(strip, row, 0, 2, 4, 8, 8) == shown(digits, a, 1, label=2)).all()
        assert (cell(strip, row, 3, 2, 4, 8, 8) == shown(digits, b, 1, label=2)).all()


def test_a_class_grid_has_a_class_a_column_and_a_seed_a_row(digits):
    sheet = classes.still(digits, classes.Config(seeds=(5, 6), labels=("7", "0", "3")))
    for row, seed in enumerate((5, 6)):
        for column, label in enumerate((7, 0, 3)):
            assert alike(cell(sheet, row, column, 2, 3, 64, 64), shown(digits, seed, 8, label=label))
    top = sheet.height - 2 * (64 + GAP) - GAP  # where the words end
    for column, label in enumerate("703"):
        word = _word(label, "L")
        left = sheet.width - (3 - column) * (64 + GAP) + (64 - word.width) // 2
        drawn = sheet.crop((left, top - word.height, left + word.width, top))
        assert (np.asarray(drawn) == np.asarray(word)).all()
    assert classes.still(digits, classes.Config(count=1)).width > 10 * 64


def test_names_wider_than_their_column_stand_upright():
    square = Image.new("L", (32, 32))
    sheet = table([[square, square]], ["Hemd", "Ankle boot, brown"])
    assert sheet.width == 2 * (32 + GAP) + GAP and sheet.height > 32 + _word("Ankle boot, brown", "L").width
    ink = np.asarray(sheet)[: -32 - 2 * GAP] < 128
    assert ink[:, : 32 + GAP].sum() > 20 and ink[:, 32 + GAP :].sum() > 2 * ink[:, : 32 + GAP].sum() > 0
    assert not (np.asarray(_word("Жар", "L")) == np.asarray(_word("Жап", "L"))).all()  # the font has Cyrillic


def test_truncation_of_1_changes_nothing_and_of_0_leaves_the_mean_style(styled):
    sampler, plain = sampler_of(styled), styled.sample(6, seed=2)
    assert (styled.sample(6, seed=2, truncation=1.0) == plain).all()
    mean = styled.sample(6, seed=2, truncation=0)
    assert (mean == mean[0]).all() and not (plain == plain[0]).all()
    sheet = truncation.still(sampler, truncation.Config(seeds=(4, 9), columns=3, size=24))
    first = [cell(sheet, row, 0, 2, 3, 32, 24) for row in (0, 1)]
    assert (first[0] == first[1]).all()
    for row, seed in enumerate((4, 9)):
        assert (cell(sheet, row, 1, 2, 3, 32, 24) == shown(sampler, seed, 4, truncation=0.5)).all()
        assert (cell(sheet, row, 2, 2, 3, 32, 24) == shown(sampler, seed, 4)).all()
    frames = truncation.film(sampler, truncation.Config(seeds=(4,), frames=4, size=24))  # psi 0, 0.5, 1, 0.5
    pixels = [np.asarray(frame)[:24] for frame in frames]
    assert (pixels[1] == pixels[3]).all() and (pixels[2] == shown(sampler, 4, 4)).all()
    assert (pixels[0][::4, ::4] == mean[0]).all()


def test_a_mixing_table_shows_its_sources_and_mixes_them_by_layer(styled):
    sampler = sampler_of(styled)
    make = lambda **wishes: mixing.still(sampler, mixing.Config(seeds=(4, 9), fine_seeds=(1, 2, 3), size=24, **wishes))
    sheet = make()
    at = lambda sheet, row, column: cell(sheet, row, column, 3, 4, 32, 24)
    assert (at(sheet, 0, 0) == 255).all()
    for row, seed in enumerate((4, 9), 1):
        assert alike(at(sheet, row, 0), shown(sampler, seed, 4))
    for column, seed in enumerate((1, 2, 3), 1):
        assert alike(at(sheet, 0, column), shown(sampler, seed, 4))
    assert not alike(at(sheet, 1, 1), at(sheet, 1, 0)) and not alike(at(sheet, 1, 1), at(sheet, 0, 1))
    layers = int(sampler.inputs(1)["fine_from"][0])
    none = make(fine_from=layers)  # from the layer behind the last: nothing of the columns
    assert all(alike(at(none, row, column), at(sheet, row, 0)) for row in (1, 2) for column in (1, 2, 3))
    with pytest.raises(UserError, match=f"fine_from {layers + 1}: this generator has {layers} layers"):
        make(fine_from=layers + 1)


def test_the_film_of_a_training_has_its_pictures_and_holds_the_last(tiny_run):
    folder = RunDir(tiny_run)
    before = [np.asarray(Image.open(path)) for _, path in folder.pictures()]
    frames = training.film(folder, training.Config(fps=4, hold=1))
    assert len(frames) == len(before) + 3
    for frame, picture in zip(frames, before, strict=False):
        assert (np.asarray(frame)[: picture.shape[0]] == picture).all()
    words = [np.asarray(frame)[before[0].shape[0] :] for frame in frames]
    assert not (words[0] == words[1]).all() and (words[0] < 128).sum() > 20  # each says its step
    assert training.still(folder, training.Config(columns=1)).height > len(before) * before[0].shape[0]


def test_vectors_walk_as_a_cloud(say, tmp_path):
    gan = GAN("gan", steps=2, batch=16, width=8, threads=1).fit("ring8")
    assert gan.show("interpolation", tmp_path / "walk.gif", frames=3, items=200) == tmp_path / "walk.gif"
    with Image.open(tmp_path / "walk.gif") as walk:
        assert walk.n_frames == 3 and walk.size == (450, 450)
    with pytest.raises(UserError, match="mixing is a show of images, and these are vectors"):
        gan.show("mixing", tmp_path / "x.png")


# -- files


@pytest.mark.parametrize(("suffix", "fps", "seconds"), [("gif", 30, 1.0), ("webp", 30, 1.0), ("webp", 7, 1.0)])
def test_films_keep_frames_size_and_pace(say, tiny_run, tmp_path, suffix, fps, seconds):
    out = tmp_path / "deep" / f"x.{suffix}"
    code, told, _ = say(tiny_run, "interpolation", "--frames", fps, "--fps", fps, "--size", 20, "--label", 1, "--out", out)
    assert code == 0 and told == f"interpolation: {fps} frames of 24 x 24, {seconds:.1f} s: {out}\n"
    with Image.open(out) as opened:
        length = 0
        for i in range(opened.n_frames):
            opened.seek(i)
            opened.load()
            length += opened.info["duration"]
        assert opened.size == (24, 24) and length == 1000 * seconds and opened.info["loop"] == 0
        assert opened.n_frames == fps
        opened.seek(0)
        assert (np.asarray(opened.convert("L")) == shown(open_run(tiny_run), 0, 3, label=1)).all()  # no colour lost
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_a_film_without_a_loop_says_so(say, tiny_run, tmp_path):
    for suffix, loop in (("gif", None), ("webp", 1)):
        assert say(tiny_run, "interpolation", "--frames", 3, "--no-loop", "--out", tmp_path / f"x.{suffix}")[0] == 0
        with Image.open(tmp_path / f"x.{suffix}") as opened:
            assert opened.info.get("loop") == loop and opened.n_frames == 3


def test_an_mp4_can_be_decoded_again(say, tiny_run, tmp_path):
    av = pytest.importorskip("av")
    out = tmp_path / "x.mp4"
    words = ("--frames", 12, "--fps", 12.5, "--size", 9, "--label", 1, "--no-loop", "--seeds", 0, 5)
    assert say(tiny_run, "interpolation", *words, "--out", out)[0] == 0
    with av.open(out) as container:
        (stream,) = container.streams.video
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
        assert stream.average_rate == 12.5 and stream.codec_context.pix_fmt == "yuv420p"
    assert len(frames) == 12 and frames[0].shape == (16, 16)
    sampler = open_run(tiny_run)
    for frame, seed in ((frames[0], 0), (frames[-1], 5)):
        assert np.abs(frame.astype(int) - shown(sampler, seed, 2, label=1)).mean() < 6  # H.264 loses a little
    odd = film([Image.new("RGB", (7, 5), "red")] * 2, ".mp4", Look())
    (tmp_path / "odd.mp4").write_bytes(odd)
    with av.open(tmp_path / "odd.mp4") as container:
        assert next(container.decode(video=0)).to_ndarray(format="rgb24").shape == (6, 8, 3)


def test_transparency_is_kept_or_laid_on_a_ground(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 16, 16, 4), dtype=np.uint8)
    gan = GAN("dcgan", steps=1, batch=8, width=4, threads=1).fit(pixels)
    for suffix, mode in (("png", "RGBA"), ("webp", "RGBA"), ("jpg", "RGB"), ("gif", "RGB")):
        gan.show("interpolation", tmp_path / f"x.{suffix}", frames=2, columns=2, count=2, size=16)
        with Image.open(tmp_path / f"x.{suffix}") as opened:
            assert opened.mode == mode if suffix != "gif" else "A" not in opened.convert("RGB").mode
    clear = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    assert set(flat(clear, "checker").get_flattened_data()) == {(216, 216, 216), (255, 255, 255)}
    assert set(flat(clear, "#102030").get_flattened_data()) == {(16, 32, 48)}


def test_few_colours_stay_exact_in_a_gif(tmp_path):
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    pixels[..., 0], pixels[:, 2:5, :, 1], pixels[1:, :, 3, 2] = 200, 77, 33
    pixels += np.arange(4, dtype=np.uint8)[:, None, None, None]
    (tmp_path / "x.gif").write_bytes(film([Image.fromarray(frame) for frame in pixels], ".gif", Look()))
    with Image.open(tmp_path / "x.gif") as opened:
        for i, frame in enumerate(pixels):
            opened.seek(i)
            assert (np.asarray(opened.convert("RGB")) == frame).all()


def test_a_full_disk_leaves_the_old_file_and_nothing_else(say, tiny_run, tmp_path):
    out = tmp_path / "x.png"
    assert say(tiny_run, "classes", "--count", 1, "--out", out)[0] == 0
    before, (soft, hard) = out.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, hard))
    try:
        code, _, err = say(tiny_run, "classes", "--out", out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 2 and f"cannot write to {out}" in err and err.count("\n") == 1
    assert out.read_bytes() == before and [path.name for path in tmp_path.iterdir()] == ["x.png"]


# -- what cannot be shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["clases", "--out", "x.png"], "no show clases: did you mean classes?"),
        (["classes", "--out", "x.xyz"], "--out x.xyz: end it in .png, .webp, .jpg, .jpeg"),
        (["interpolation", "--out", "x"], "--out x: end it in .png, .webp, .jpg, .jpeg, .gif, .mp4"),
        (["classes", "--out", "x.gif"], "classes is a picture that does not move"),
        (["mixing", "--out", "x.png"], "this generator cannot mix styles: train one with --recipe stylegan2"),
        (["truncation", "--out", "x.png"], "this generator has no truncation to sweep"),
        (["interpolation", "--truncation", "0.5", "--out", "x.png"], "this generator has no truncation: leave it out"),
        (["interpolation", "--count", "1", "--out", "x.gif"], "1 seed: a walk needs at least 2"),
        (["interpolation", "--seeds", "0", "-1", "--out", "x.gif"], "seed -1: must be 0 or more"),
        (["interpolation", "--label", "12", "--out", "x.gif"], "label 12: the classes are 0 to 9"),
        (["classes", "--labels", "1", "seven", "--out", "x.png"], "no class seven: choose from 0, 1, 2"),
        (["classes", "--labels", "1", "10", "--out", "x.png"], "label 10: the classes are 0 to 9"),
        (["classes", "--size", "0", "--out", "x.png"], "size 0: must be between 1 and 4096 pixels"),
        (["training", "--fps", "0", "--out", "x.gif"], "fps 0.0: must be between 0.1 and 100"),
        (["training", "--fps", "90", "--out", "x.gif"], "fps 90: a GIF has at most 50 frames a second"),
        (["training", "--background", "blau", "--out", "x.gif"], "background blau: give checker, a colour's name"),
        (["classes", "--out", "."], "--out .: end it in .png"),
        (["classes", "--out", "/dev/null/x.png"], "cannot write to /dev/null/x.png ("),
        (["classes", "--step", "77", "--out", "x.png"], "no checkpoint at step 77"),
        ([], "show what? `zerosum show RUN KIND --out FILE`; the kinds are classes, interpolation"),
    ],
)
def test_refusals_take_a_line_and_leave_nothing(say, tiny_run, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    code, _, err = say(tiny_run, *words)
    assert code == 2 and err.count("\n") == 1 and err.startswith("zerosum: ") and said in err, err
    assert not list(tmp_path.iterdir())


def test_other_refusals(say, tmp_path, tiny_run, digits, monkeypatch):
    assert "is no run folder" in say(tmp_path, "classes", "--out", tmp_path / "x.png")[2]
    code, _, err = say(tiny_run, "classes", "--out", "x.png", "--frames", 3)
    assert code == 2 and "frames" in err
    with pytest.raises(UserError, match="show classes has no setting frames"):
        shows.show(digits, "classes", tmp_path / "x.png", frames=3)
    with pytest.raises(UserError, match="training is a show of a run folder: zerosum show RUN training"):
        shows.show(digits, "training", tmp_path / "x.png")
    spec = from_array(np.zeros((20, 8, 8), np.uint8), None, (), "plain").spec
    plain = GAN("dcgan", steps=1, batch=8, width=4, threads=1).fit(np.zeros((20, 8, 8), np.uint8))
    assert not spec.classes
    with pytest.raises(UserError, match="takes no labels, so there are no classes to show"):
        plain.show("classes", tmp_path / "x.png")
    bare = RunDir.create(tmp_path / "bare", {})
    with pytest.raises(UserError, match="holds no sample pictures"):
        shows.show(bare, "training", tmp_path / "x.gif")
    monkeypatch.setitem(sys.modules, "av", None)  # what an import finds where the package is not installed
    with pytest.raises(UserError, match=r"MP4 needs PyAV: pip install 'zerosum\[video\]', or end the file in .gif or .webp"):
        shows.show(digits, "interpolation", tmp_path / "x.mp4")
    assert {path.name for path in tmp_path.iterdir()} == {"bare"}


def test_help_tells_each_kinds_settings_and_the_usage_names_every_kind(say, capsys):
    from zerosum.cli import show

    for kind in shows.names():
        assert kind in show.USAGE and len(shows.summary(kind)) > 20
        code, out, _ = say("run", kind, "--help")
        assert code == 0 and f"(here: {kind})" in " ".join(out.replace("│", " ").split()) and "--size" in out
    assert "--fine-from" in say("run", "mixing", "--help")[1]


def test_samples_with_truncation_from_the_command_line(tmp_path, tiny_run, capsys):
    file = tmp_path / "styles.py"
    file.write_text(STYLES)
    for words in (
        ["train", "digits", "--recipe", file, "--steps", 3, *TINY, "--out", tmp_path / "run"],
        ["sample", tmp_path / "run", "--recipe", file, "-n", 4, "--truncation", 0, "--out", tmp_path / "x.npz"],
    ):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        assert end.value.code == 0, capsys.readouterr().err
    with np.load(tmp_path / "x.npz") as made:
        assert (made["x"] == made["x"][0]).all()
    for run, value, said in ((tmp_path / "run", 3, "truncation 3.0: must lie between"), (tiny_run, 1, "has no truncation")):
        words = [run, "--truncation", value, "--out", tmp_path / "y.npz", *(["--recipe", file] * (run != tiny_run))]
        with pytest.raises(SystemExit) as end:
            main(["sample", *map(str, words)])
        assert end.value.code == 2 and said in capsys.readouterr().err
    assert not Path(tmp_path / "y.npz").exists()
