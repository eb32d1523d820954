"""Run folders that are damaged, foreign or hostile; disks that are full: one line, nothing runs, nothing is lost."""

from __future__ import annotations

import json
import os
import pickle
import resource
import shutil

import pytest
import torch
from conftest import TINY, finish, start

from zerosum import GAN, UserError
from zerosum.cli import main
from zerosum.job import Job, open_run
from zerosum.rundir import RunDir

FILES = ("config.json", "step-6/meta.json", "step-6/nets.safetensors", "step-6/optim.pt")


@pytest.fixture
def run(tmp_path, tiny_run):
    """A run folder to do damage to."""
    return shutil.copytree(tiny_run, tmp_path / "run")


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(action, *parts):
    """The one line with which an action is refused."""
    with pytest.raises(UserError) as caught:
        action()
    said = str(caught.value)
    assert "\n" not in said
    for part in parts:
        assert str(part) in said
    return said


# -- damaged


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_truncated_file_is_named_with_what_to_do(run, name, share):
    whole = (run / name).read_bytes()
    (run / name).write_bytes(whole[: int(share * len(whole))])
    before = contents(run)
    rescue = f"remove {run / 'step-6'} to go on from step 5"
    if name == "config.json":
        rescue = "copy the run folder again, or train anew"
    refused(lambda: Job.resume(run), run / name, "is damaged", rescue)
    if name == "step-6/optim.pt":
        assert open_run(run).make(3)["x"].shape == (3, 1, 8, 8)  # sampling does not need it
    else:
        refused(lambda: open_run(run), run / name, "is damaged", rescue)
    assert contents(run) == before


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_what_to_do(run, name):
    (run / name).unlink()
    said = refused(lambda: Job.resume(run), run)
    if name != "config.json":
        assert f"{run / name} is missing: remove {run / 'step-6'} to go on from step 5" in said


def test_the_advice_leads_out(run, tiny_run):
    (run / "step-6" / "nets.safetensors").write_bytes(b"")
    refused(lambda: Job.resume(run), "go on from step 5")
    shutil.rmtree(run / "step-6")
    assert Job.resume(run).play()
    assert (run / "step-6/nets.safetensors").read_bytes() == (tiny_run / "step-6/nets.safetensors").read_bytes()


def test_the_only_checkpoint_damaged(run):
    shutil.rmtree(run / "step-5")
    (run / "step-6" / "meta.json").write_text("{}")
    refused(lambda: Job.resume(run), run / "step-6/meta.json", "there is no older checkpoint")


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_turned(run, name):
    whole = bytearray((run / name).read_bytes())
    for at in range(0, len(whole), max(1, len(whole) // 23)):
        turned = whole.copy()
        turned[at] ^= 0xFF
        (run / name).write_bytes(turned)
        try:
            Job.resume(run)  # what cannot be noticed, such as a turned weight, is loaded
        except UserError as error:
            assert str(run) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"widht": 8}},
        {"settings": {"loss": "hing"}},
        {"training": {"stpes": 8}},
        {"training": {"steps": 0}},
        {"dtype": "load"},
        {"spec": {}},
        {"spec": {"kind": "smells", "shape": [1]}},
        {"data": {}},
        {"recipe": "dcgann.py"},
        {"recipe": "dcgan"},
    ],
    ids=str,
)
def test_a_config_that_does_not_fit(run, change):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | change))
    refused(lambda: Job.resume(run))


@pytest.mark.parametrize("name", ["config.json", "step-6/meta.json"])
def test_a_newer_format_is_refused(run, name):
    values = json.loads((run / name).read_text())
    (run / name).write_text(json.dumps(values | {"format": 2}))
    for action in (lambda: Job.resume(run), lambda: open_run(run), lambda: GAN.load(run)):
        refused(action, run / name, "newer zerosum (format 2, this one reads 1): update zerosum")


def test_a_log_cut_short_is_read_up_to_there(run):
    with (run / "log.jsonl").open("a") as file:
        file.write('{"step": 6, "sec')
    assert [row["step"] for row in RunDir(run).rows() if "scores" not in row] == [1, 2, 3, 4, 5, 6]
    assert Job.resume(run).play()
    json.loads((run / "log.jsonl").read_text().splitlines()[-1])


def test_no_run_folder(tmp_path):
    refused(lambda: RunDir(tmp_path), tmp_path, "is no run folder")
    refused(lambda: RunDir(tmp_path / "nowhere"), "is no run folder", f"zerosum train DATA --out {tmp_path / 'nowhere'}")
    refused(lambda: RunDir("/"), "is no run folder")


def test_a_run_folder_that_is_nearly_there_is_named(run):
    typed = run.with_name(run.name[:-1] + "m")
    refused(lambda: RunDir(typed), f"{typed} is no run folder", f"did you mean {run}?")


def test_a_checkpoint_that_is_not_there(run):
    refused(lambda: open_run(run, step=4), "no checkpoint at step 4: it has 5, 6")


# -- hostile


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_bomb_as_optimiser_does_not_go_off(run, tmp_path, zipped):
    place = tmp_path / "went-off"
    torch.save({"D": Bomb(place), "G": Bomb(place)}, run / "step-6/optim.pt", _use_new_zipfile_serialization=zipped)
    refused(lambda: Job.resume(run), run / "step-6/optim.pt", "holds code, and code is never run from a run folder", "step 5")
    (run / "step-6/optim.pt").write_bytes(pickle.dumps(Bomb(place)))
    refused(lambda: Job.resume(run), run / "step-6/optim.pt", "holds code")
    refused(lambda: Job.resume(run, reading=True), "holds code")
    assert open_run(run).make(2)["x"].shape[0] == 2  # never opens it
    assert not place.exists()
    pickle.loads((run / "step-6/optim.pt").read_bytes())
    assert place.exists()  # it would have worked


def test_a_pickle_bomb_as_weights_does_not_go_off(run, tmp_path):
    place = tmp_path / "went-off"
    torch.save({"G": Bomb(place)}, run / "step-6/nets.safetensors")
    for action in (lambda: Job.resume(run), lambda: open_run(run), lambda: GAN.load(run)):
        refused(action, run / "step-6/nets.safetensors", "damaged")
    (run / "step-6/nets.safetensors").write_bytes(pickle.dumps(Bomb(place)))
    refused(lambda: open_run(run), run / "step-6/nets.safetensors", "damaged")
    assert not place.exists()


def test_a_recipe_file_runs_only_where_the_user_names_it(run, tmp_path, capsys):
    place, recipe = tmp_path / "went-off", tmp_path / "mine.py"
    recipe.write_text(f'"""Mine."""\nfrom zerosum.recipes.cgan import Config, build\nopen({str(place)!r}, "w").close()\n')
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"recipe": str(recipe)}))
    commands = (["sample", run, "--out", tmp_path / "x.npz"], ["score", run], ["train", "--resume", run], ["report", run])
    for words in commands[:3]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        assert end.value.code == 2
        assert f"add --recipe {recipe} to allow running it" in capsys.readouterr().err
    refused(lambda: GAN.load(run), "add --recipe")
    with pytest.raises(SystemExit):
        main([str(word) for word in commands[3]])
    assert not place.exists() and not (tmp_path / "x.npz").exists()
    for words in commands[:3]:
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in (*words, "--recipe", recipe)])
        assert end.value.code == 0
    assert place.exists()


# -- full disks and places that cannot be written


LIMITED = """
import resource, sys
from zerosum import rundir
from zerosum.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), -1))
main(sys.argv[2:])
"""


def limited(size, *words):
    """A command in a process whose files cannot grow beyond `size` bytes: the system's own error, as of a full disk."""
    return finish(start(size, *words, module="limited", cwd=None))


@pytest.fixture
def on_full_disk(tmp_path, monkeypatch):
    (tmp_path / "limited.py").write_text(LIMITED)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return limited


def test_a_full_disk_during_a_save_keeps_the_earlier_checkpoint(run, on_full_disk):
    before = contents(run)
    size = (run / "step-6/nets.safetensors").stat().st_size
    assert size < (run / "step-6/optim.pt").stat().st_size
    code, _, err = on_full_disk(size + 100, "train", "--resume", run, "--steps", "9")
    assert code == 2 and err.count("\n") == 1 and "Traceback" not in err
    assert f"cannot write to {run} (File too large): what was saved before is whole; free some space" in err
    assert not list(run.glob(".*")) and not (run / "step-7").exists()
    kept = contents(run)
    assert all(kept[path] == data for path, data in before.items() if path.parts[0].startswith("step-"))
    assert len(open_run(run).make(2)["x"]) == 2
    assert Job.resume(run).play() and (run / "step-9").is_dir()  # with space again it goes on, as far as was asked


def test_a_full_disk_at_the_start_leaves_no_run(tmp_path, on_full_disk):
    code, _, err = on_full_disk(100, "train", "digits", "--steps", "2", *TINY, "--out", tmp_path / "new")
    assert code == 2 and err.count("\n") == 1 and f"cannot write to {tmp_path / 'new'} (File too large)" in err
    assert not contents(tmp_path / "new")


def test_a_full_disk_while_sampling_keeps_what_was_there(tmp_path, tiny_run, capsys):
    for name in ("old.npz", "old.png", "old/00000.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"precious")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        for name in ("old.npz", "old.png", "old", "new.npz", "new.png", "new"):
            with pytest.raises(SystemExit) as end:
                main(["sample", str(tiny_run), "-n", "3", "--out", str(tmp_path / name)])
            assert end.value.code == 2
            err = capsys.readouterr().err
            assert err.count("\n") == 1 and f"cannot write to {tmp_path / name} (File too large)" in err
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert set(contents(tmp_path).values()) == {b"precious"} and len(contents(tmp_path)) == 3
    assert not list(tmp_path.glob(".*")) and not list(tmp_path.glob("new*"))


def test_a_place_that_cannot_be_written(tmp_path, tiny_run, capsys):
    (tmp_path / "file").write_text("precious")
    for words in (["train", "digits", "--steps", "1", *TINY], ["sample", str(tiny_run)]):
        with pytest.raises(SystemExit) as end:
            main([*words, "--out", str(tmp_path / "file" / "run")])
        assert end.value.code == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and f"cannot write to {tmp_path / 'file' / 'run'}" in err
    assert (tmp_path / "file").read_text() == "precious"


def test_an_existing_run_is_not_written_over(run, capsys):
    before = contents(run)
    with pytest.raises(SystemExit) as end:
        main(["train", "digits", "--steps", "1", *TINY, "--out", str(run)])
    assert end.value.code == 2 and contents(run) == before
    assert f"{run} already holds a run: go on with `zerosum train --resume {run}`" in capsys.readouterr().err


def test_what_an_interrupted_save_left_is_swept_and_never_loaded(run):
    (run / ".saving-1").mkdir()
    (run / ".saving-1" / "nets.safetensors").write_text("half")
    (run / "step-6").rename(run / ".gone-step-6")
    assert RunDir(run).checkpoints() == [5]
    assert Job.resume(run).play()
    assert sorted(path.name for path in run.glob("*step-*")) == ["step-5", "step-6"] and not list(run.glob(".*"))
