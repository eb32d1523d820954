"""The command line: what it does, what it prints, and what it says to input that it cannot use."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from conftest import TINY, finish, start
from PIL import Image

from zerosum import recipes
from zerosum.cli import main
from zerosum.train import Training

rng = np.random.default_rng(0)
PIXELS = rng.integers(0, 256, (30, 8, 8), np.uint8)


@pytest.fixture
def command(capsys, monkeypatch):
    """Run a command in this process; (exit code, stdout, stderr)."""
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        return end.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(command):
    """Run a command that cannot be done: exit code 2, one line on stderr, which is returned."""

    def run(*words):
        code, _, err = command(*words)
        assert code == 2, err
        assert err.startswith("zerosum: ") and err.count("\n") == 1 and "Traceback" not in err
        return err

    return run


def pictures(folder, pixels=PIXELS):
    folder.mkdir(parents=True)
    for i, item in enumerate(pixels):
        Image.fromarray(item).save(folder / f"{i}.png")
    return folder


def files_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# -- data that cannot be used


def test_a_missing_path(refused, tmp_path):
    said = refused("train", tmp_path / "nowhere", "--steps", 2)
    assert f"no data at {tmp_path / 'nowhere'}: check the path" in said


def test_an_empty_folder(refused, tmp_path):
    assert f"{tmp_path}: 0 images" in refused("train", tmp_path)


def test_a_corrupt_image_is_named_and_left_out(command, tmp_path):
    folder = pictures(tmp_path / "in")
    (folder / "7.png").write_bytes((folder / "7.png").read_bytes()[:50])
    code, out, _ = command("check", folder)
    assert code == 0 and "1 of 30 files cannot be read and were left out: 7.png" in out


@pytest.mark.parametrize("name", ["x.npz", "x.npy", "train-images-idx3-ubyte.gz"])
def test_a_corrupt_archive(refused, tmp_path, name):
    path = tmp_path / name
    if name == "x.npy":
        np.save(path, PIXELS)
    else:
        np.savez(tmp_path / "x.npz", x=PIXELS)
        (tmp_path / "x.npz").rename(path)
    path.write_bytes(path.read_bytes()[:300])
    assert str(path) in refused("train", path)


def test_mixed_sizes_are_brought_to_one(command, refused, tmp_path):
    folder = pictures(tmp_path / "in")
    Image.new("L", (9, 8)).save(folder / "3.png")
    code, out, _ = command("check", folder)
    assert code == 0 and "resized   to 8 x 8, the size of 29 of 30" in out
    assert "12 x 10, as asked" in command("check", folder, "--size", "12x10")[1]
    assert "size 12y10: give pixels as 64" in refused("check", folder, "--size", "12y10")
    assert "ring8 cannot be brought to another size" in refused("train", "ring8", "--size", "8")


def test_labels_that_do_not_match(refused, tmp_path):
    np.savez(tmp_path / "x.npz", x=PIXELS, y=np.arange(29))
    assert "30 items and labels of shape (29,)" in refused("train", tmp_path / "x.npz")


def test_nan_in_an_array(refused, tmp_path):
    x = rng.normal(size=(30, 4))
    x[3, 2] = np.nan
    np.save(tmp_path / "x.npy", x)
    assert str(tmp_path / "x.npy") in (said := refused("train", tmp_path / "x.npy")) and "NaN" in said


def test_a_recipe_that_needs_labels(refused, tmp_path):
    out = tmp_path / "run"
    assert "recipe cgan needs labels, and these data have none" in refused("train", "ring8", "--recipe", "cgan", "--out", out)
    assert not out.exists()


def test_a_recipe_for_images_on_vectors(refused):
    assert "recipe dcgan is for images" in refused("train", "ring8", "--recipe", "dcgan")


# -- plans and settings that cannot be had


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--steps", 2, "--minutes", 1], "steps and minutes both given: choose one"),
        (["--steps", 0], "steps 0: must be 1 or more"),
        (["--minutes", 0], "minutes 0.0: must be a number greater than 0"),
        (["--minutes", "nan"], "minutes nan"),
        (["--minutes", "inf"], "minutes inf"),
        (["--seed", -1], "seed -1: must be 0 or more"),
        (["--accum", 0], "accum 0: must be 1 or more"),
        (["--accum", 5], "batch 64 cannot be split over 1 ranks x 5 parts"),
        (["--threads", -1], "threads -1"),
        (["--save-every", -1], "save_every -1.0"),
        (["--log-every", -1], "log_every -1"),
        (["--held-out", 1.5], "held-out share 1.5: must lie between 0 and 1"),
        (["--held-out", "much"], "--held-out much: give a number between 0 and 1"),
        (["--device", "abacus"], "device abacus is not to be had"),
        (["--lr-g", -1], "lr_g -1.0: must be greater than 0"),
        (["--batch", 0], "batch 0: must be greater than 0"),
        (["--recipe", "dcgann"], "no recipe dcgann: did you mean dcgan?"),
        (["--recipe", "nowhere.py"], "no recipe file nowhere.py: check the path"),
    ],
    ids=str,
)
def test_a_wish_that_cannot_be_had(refused, tmp_path, words, said):
    assert said in refused("train", "digits", "--out", tmp_path / "run", *words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("code", ["def build(:", "import nothing_of_this_name", "x = 1"])
def test_a_recipe_file_that_is_broken(refused, tmp_path, code):
    (tmp_path / "mine.py").write_text(f'"""Mine."""\n{code}\n')
    said = refused("train", "digits", "--recipe", tmp_path / "mine.py")
    assert str(tmp_path / "mine.py") in said and ("cannot be loaded" in said or "lacks Config and build" in said)


def test_a_loss_that_is_no_longer_finite(refused, tmp_path):
    out = tmp_path / "run"
    words = ("--steps", 50, "--log-every", 1, "--lr-d", 1e30, "--lr-g", 1e30, "--loss", "wasserstein", *TINY)
    said = refused("train", "ring8", "--recipe", "gan", *words, "--out", out)
    assert "is no longer a finite number at step" in said and "nothing was saved yet" in said
    assert not list(out.glob("step-*"))


# -- words that are misspelt


def test_a_misspelt_command(refused):
    assert "no command trian: did you mean train?" in refused("trian", "digits")
    assert "choose from train, sample" in refused("xyz")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["train", "digits", "--step", 3], "--steps"),
        (["train", "digits", "--recip", "gan"], "--recipe"),
        (["train", "digits", "--recipe", "gan", "--lr-gg", 1], "--lr-g"),
        (["train", "--resume", "run", "--minute", 3], "--minutes"),
        (["sample", "run", "--out", "x.png", "--lable", 3], "--label"),
        (["score", "run", "--sed", 3], "--seed"),
    ],
    ids=str,
)
def test_a_misspelt_option_gets_a_suggestion(command, words, meant):
    code, out, err = command(*words)
    assert code == 2 and not out and "Traceback" not in err
    assert "nrecognized" in err and meant in err


def test_words_that_are_missing(command, refused):
    assert "what to train on?" in refused("train")
    assert "what to train on?" in refused("train", "--steps", 3)
    assert command("sample")[0] == 2
    assert command("sample", "run")[0] == 2
    assert command("train", "digits", "--steps")[0] == 2
    assert command("train", "digits", "--steps", "many")[0] == 2
    assert command("train", "--resume")[0] == 2
    assert command()[0] == 2


def test_a_path_that_is_no_run(refused, tmp_path):
    for words in (["sample", tmp_path, "--out", tmp_path / "x.png"], ["score", tmp_path], ["train", "--resume", tmp_path]):
        assert f"{tmp_path} is no run folder" in refused(*words)
    assert "is no run folder" in refused("report", tmp_path / "nowhere")


# -- real processes


def test_a_process_ends_with_one_line_or_on_request_with_a_traceback(tmp_path):
    code, out, err = finish(start("train", tmp_path / "nowhere"))
    assert (code, out) == (2, "") and err.startswith("zerosum: no data at") and err.count("\n") == 1
    code, out, err = finish(start("train", tmp_path / "nowhere", "--debug"))
    assert (code, out) == (2, "") and "Traceback" in err and "UserError" in err
    assert err.splitlines()[-1].startswith("zerosum: no data at")


def test_training_needs_no_stdin_and_no_terminal(tmp_path):
    """With standard input closed, in an encoding that has few letters."""
    words = ["train", "digits", "--recipe", "gan", "--steps", "3", *TINY, "--out", str(tmp_path / "run")]
    line = " ".join([sys.executable, "-m", "zerosum", *words, "<&-"])
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr
    assert "step 3/3" in done.stdout and f"report: {tmp_path / 'run' / 'report.html'}" in done.stdout
    assert (
        "WARNING   conditioning is off: recipe gan ignores the 10 classes of the data; --recipe auto uses them" in done.stdout
    )


def test_a_fault_of_zerosum_says_so_and_ends_with_1(command, tmp_path):
    (tmp_path / "mine.py").write_text(
        '"""Mine."""\nfrom zerosum.recipes.gan import Config\n\ndef build(cfg, spec):\n    return 1 / 0\n'
    )
    code, _, err = command("train", "digits", "--recipe", tmp_path / "mine.py")
    assert code == 1 and err.count("\n") == 1 and "ZeroDivisionError: division by zero" in err and "--debug shows where" in err
    assert "Traceback" in command("train", "digits", "--recipe", tmp_path / "mine.py", "--debug")[2]


# -- help


def test_list_shows_each_recipe_in_a_line_from_its_docstring(command):
    code, out, err = command("list")
    assert code == 0 and not err
    lines = out.splitlines()
    assert len(lines) == len(recipes.names())
    for name, line in zip(recipes.names(), lines, strict=True):
        assert line.split()[0] == name and line.endswith(recipes.find(name).__doc__.split("\n")[0])


def test_usage_and_version(command):
    from zerosum import __version__

    assert "zerosum train DATA" in command("--help")[1]
    assert command("--version")[1] == f"zerosum {__version__}\n"


@pytest.mark.parametrize("name", recipes.names())
def test_help_explains_every_field(command, name):
    code, out, _ = command("train", "--recipe", name, "--help")
    assert code == 0 and f"(here: {name})" in out
    text = re.sub(r"[│╭╮╰╯─]", " ", out)
    chunks = re.split(r"\n\s+(?=--|-h)", text)
    fields = (*dataclasses.fields(Training), *dataclasses.fields(recipes.find(name).Config))
    for field in fields:
        option = f"--{field.name.replace('_', '-')}"
        (chunk,) = [chunk for chunk in chunks if re.match(rf"{option}[ ,\n]", chunk)]
        told = re.sub(rf"^{option}(, --no-\S+)?\s*(\{{[^}}]*\}}(\|\S+)?|[A-Z]+)?", "", " ".join(chunk.split("\n\n")[0].split()))
        told = re.sub(r"\(default: [^)]*\)", "", told).strip()
        assert len(told) > 8, f"{name}: {option} has no help"


def test_help_of_the_other_commands(command):
    told = {"sample": ("--out", "--label", "--seed", "-n"), "score": ("--seed",), "report": (), "list": ()}
    for name, options in told.items():
        code, out, _ = command(name, "--help")
        assert code == 0 and all(option in out for option in options)


# -- sample


def test_a_picture_of_samples(command, tmp_path, tiny_run):
    code, out, _ = command("sample", tiny_run, "-n", 10, "--out", tmp_path / "deep" / "x.png")
    assert code == 0 and out == f"10 samples: {tmp_path / 'deep' / 'x.png'}\n"
    with Image.open(tmp_path / "deep" / "x.png") as picture:
        picture.load()
        assert picture.mode == "L" and picture.size == (6 * (4 * 9 + 1), 6 * (3 * 9 + 1))  # 4 columns, enlarged 6 times


def test_an_archive_of_samples(command, tmp_path, tiny_run):
    assert command("sample", tiny_run, "-n", 10, "--out", tmp_path / "x.npz")[0] == 0
    with np.load(tmp_path / "x.npz") as made:
        assert set(made) == {"x", "y"} and made["x"].shape == (10, 8, 8) and made["x"].dtype == np.uint8
        assert made["y"].shape == (10,) and made["y"].dtype == np.int64 and set(made["y"]) <= set(range(10))


def test_a_folder_of_samples(command, tmp_path, tiny_run):
    assert command("sample", tiny_run, "-n", 3, "--out", tmp_path / "files")[0] == 0
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["00000.png", "00001.png", "00002.png"]
    command("sample", tiny_run, "-n", 3, "--out", tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as made, Image.open(tmp_path / "files" / "00002.png") as last:
        assert (np.asarray(last) == made["x"][2]).all()
    assert {path.name for path in tmp_path.iterdir()} == {"files", "x.npz"}


def test_the_same_seed_gives_the_same_bytes(command, tmp_path, tiny_run):
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        for suffix in (".png", ".npz", ""):
            assert command("sample", tiny_run, "-n", 5, "--seed", seed, "--out", tmp_path / f"{name}{suffix}")[0] == 0
    for suffix in (".png", ".npz"):
        a, b, c = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "abc")
        assert a == b != c
    a, b, c = (list(files_of(tmp_path / name).values()) for name in "abc")
    assert sorted(a) == sorted(b) != sorted(c)


def test_samples_of_a_class(command, refused, tmp_path, tiny_run):
    for label in (3, "3"):
        assert command("sample", tiny_run, "-n", 5, "--label", label, "--out", tmp_path / "x.npz")[0] == 0
        with np.load(tmp_path / "x.npz") as made:
            assert made["y"].tolist() == [3] * 5
    out = ("--out", tmp_path / "y.npz")
    assert "label 10: the classes are 0 to 9" in refused("sample", tiny_run, "--label", 10, *out)
    assert "label -1: the classes are 0 to 9" in refused("sample", tiny_run, "--label", -1, *out)
    assert "no class seven: choose from 0, 1, 2" in refused("sample", tiny_run, "--label", "seven", *out)
    assert "0 samples: ask for at least 1" in refused("sample", tiny_run, "-n", 0, *out)
    assert "seed -1: must be 0 or more" in refused("sample", tiny_run, "--seed", -1, *out)
    assert "no checkpoint at step 7: it has 5, 6" in refused("sample", tiny_run, "--step", 7, *out)
    for odd in ("x.jpg", "x.npy", "x.txt"):
        assert f"--out {tmp_path / odd}: end it in .png or .npz, or name a folder" in refused(
            "sample", tiny_run, "--out", tmp_path / odd
        )
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz"}


def test_another_recipe_than_the_runs(refused, tmp_path, tiny_run):
    for words in (["train", "--resume", tiny_run], ["score", tiny_run], ["sample", tiny_run, "--out", tmp_path / "x.png"]):
        assert f"{tiny_run} was trained with recipe cgan: leave --recipe out" in refused(*words, "--recipe", "dcgan")


def test_an_older_checkpoint_can_be_sampled(command, tmp_path, tiny_run):
    for step, name in ((5, "old"), (6, "new")):
        assert command("sample", tiny_run, "--step", step, "--out", tmp_path / f"{name}.png")[0] == 0
    assert (tmp_path / "old.png").read_bytes() != (tmp_path / "new.png").read_bytes()


def test_sampling_leaves_the_run_as_it_is_and_scoring_adds_to_its_log(command, tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    before = files_of(run)
    assert command("sample", run, "--out", tmp_path / "x.png")[0] == 0
    assert files_of(run) == before
    assert command("score", run, "--quick")[0] == 0
    after = files_of(run)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert all(str(name).endswith(("log.jsonl", "report.html")) or "tensorboard" in str(name) for name in changed), changed


def test_score_prints_a_table_with_intervals_and_protocols(command, tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    code, out, err = command("score", run, "--items", 300, "--json", tmp_path / "scores.json")
    assert code == 0 and not err
    assert re.search(r"score +this run +95 % interval +real data +trivial +better", out)
    assert re.search(r"accuracy, trained.* +0\.\d{3} +0\.\d{3} to 0\.\d{3} +0\.9\d{2} +0\.\d{3} +higher", out)
    assert "SVC (rbf) trained on 2,000 generated items" in out and "memorisation, pixels: share of generated images" in out
    told = json.loads((tmp_path / "scores.json").read_text())
    assert told["items"] == 300 and told["step"] == 6
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert rows[-1]["scores"] == told["scores"] and rows[-1]["final"]
    assert {"low", "high", "protocol"} <= set(told["scores"][0])
    report = (run / "report.html").read_text()
    assert "coverage, pixels" in report and "95 % interval" in report


def test_features_that_are_not_there_end_in_one_line(refused, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    assert "no Inception weights at" in refused("score", tiny_run, "--features", "inception")
    assert "no network at" in refused("score", tiny_run, "--features", tmp_path / "net.npz")
    assert "compare at least 2" in refused("score", tiny_run, "--items", 1)


# -- train, from files


def test_words_name_the_classes_of_a_folder(command, refused, tmp_path):
    for name in ("apple", "pear"):
        pictures(tmp_path / "in" / name, PIXELS[:12])
    run = tmp_path / "run"
    code, out, _ = command("train", tmp_path / "in", "--steps", 2, *TINY, "--out", run)
    assert code == 0 and f"cgan: {recipes.summary('cgan')}" in out  # labels, so the conditional one
    assert command("sample", run, "-n", 4, "--label", "pear", "--out", tmp_path / "x.npz")[0] == 0
    with np.load(tmp_path / "x.npz") as made:
        assert made["y"].tolist() == [1] * 4
    assert "no class peer: did you mean pear?" in refused("sample", run, "--label", "peer", "--out", tmp_path / "y.npz")


def test_a_folder_of_pictures_without_labels(command, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "photos", rng.integers(0, 256, (20, 8, 8, 3), np.uint8))
    for i in (1, 2):
        code, out, _ = command("train", "photos", "--steps", 2, *TINY)
        assert code == 0 and f"runs/photos-dcgan-{i}" in out and "note:" not in out
    run = tmp_path / "runs" / "photos-dcgan-1"
    monkeypatch.chdir(run)  # the data are found from anywhere
    assert command("train", "--resume", run, "--steps", 3)[0] == 0
    assert "takes no labels: sample without --label" in refused("sample", run, "--label", 1, "--out", tmp_path / "x.npz")
    assert "takes no labels" in refused("sample", run, "--label", "cat", "--out", tmp_path / "x.npz")
    assert command("sample", run, "-n", 2, "--out", tmp_path / "x.npz")[0] == 0
    with np.load(tmp_path / "x.npz") as made:
        assert set(made) == {"x"} and made["x"].shape == (2, 8, 8, 3)


def test_vectors(command, tmp_path):
    run = tmp_path / "run"
    assert command("train", "ring8", "--steps", 2, *TINY, "--out", run)[0] == 0
    for name in ("x.npz", "x.png", "x"):
        assert command("sample", run, "-n", 5, "--out", tmp_path / name)[0] == 0
    with np.load(tmp_path / "x.npz") as made:
        assert made["x"].shape == (5, 2) and made["x"].dtype == np.float32
        assert np.allclose(np.loadtxt(tmp_path / "x" / "samples.csv", delimiter=","), made["x"], rtol=1e-5)


def test_a_built_in_set_and_a_folder_of_its_name(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / "digits")
    assert command("train", "digits", "--steps", 2, *TINY, "--out", "run")[0] == 0
    assert command("train", "--resume", "run", "--steps", 3)[0] == 0


# -- labels and conditioning


@pytest.fixture(scope="module")
def two_classes(tmp_path_factory):
    path = tmp_path_factory.mktemp("classes")
    for kind in ("cat", "dog"):
        pictures(path / kind, rng.integers(0, 256, (15, 16, 16), np.uint8))
    return path


def test_labels_that_are_left_unused_are_said_loudly(command, two_classes, tmp_path):
    loud = "WARNING   conditioning is off: recipe dcgan ignores the 2 classes of the data; --recipe auto uses them\n"
    code, out, _ = command("check", two_classes, "--recipe", "dcgan")
    assert code == 0 and loud in out
    code, out, _ = command("train", two_classes, "--recipe", "dcgan", "--steps", 1, "--out", tmp_path / "a")
    assert code == 0 and loud in out
    words = ["--recipe", "swift", "--no-conditional", "--width", 8, "--steps", 1, "--out", tmp_path / "b"]
    code, out, _ = command("train", two_classes, *words)
    assert code == 0 and "recipe swift ignores the 2 classes of the data; leave --no-conditional out to use them" in out


def test_labels_that_are_used_are_said_too(command, two_classes):
    code, out, _ = command("check", two_classes)
    assert code == 0 and "classes   conditioning is on: recipe swift" in out and "WARNING" not in out


def test_check_refuses_a_recipe_that_is_none_or_does_not_fit(refused, two_classes):
    assert "did you mean dcgan" in refused("check", two_classes, "--recipe", "dcgn")


def test_one_held_out_image_gives_no_scores_and_says_so(command, refused, tmp_path):
    np.save(tmp_path / "ten.npy", rng.integers(0, 256, (10, 16, 16), np.uint8))
    words = ["--recipe", "dcgan", "--width", 8, "--held-out", 0.05, "--steps", 1, "--out", tmp_path / "run"]
    code, out, err = command("train", tmp_path / "ten.npy", *words)
    assert code == 0 and "report:" in out, err
    assert "1 held-out image" in refused("score", tmp_path / "run")
