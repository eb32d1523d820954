"""A run that was broken off goes on exactly: killed, stopped, or asked for more."""

from __future__ import annotations

import importlib.util
import json
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from conftest import TINY, finish, start
from safetensors.torch import load_file

from zerosum.cli import main

STEPS = 300
PLAN = ("--recipe", "gan", "--steps", str(STEPS), "--log-every", "7", "--save-every", "1000", *TINY)


def kills():
    """benchmarks/kill.py, which does the same at length."""
    spec = importlib.util.spec_from_file_location("kill", Path(__file__).parents[1] / "benchmarks" / "kill.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["kill"] = module
    spec.loader.exec_module(module)
    return module


def command(*words):
    """The exit code of a command run in this process."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    return end.value.code


def rows(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def loss_rows(run):
    return [row for row in rows(run) if "scores" not in row and "note" not in row]


def same_end(one, other, step):
    for name in ("nets.safetensors", "optim.pt"):
        assert (one / f"step-{step}" / name).read_bytes() == (other / f"step-{step}" / name).read_bytes(), name
    assert (
        json.loads((one / f"step-{step}" / "meta.json").read_text())["clock"]
        == (json.loads((other / f"step-{step}" / "meta.json").read_text())["clock"])
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The uninterrupted run."""
    run = tmp_path_factory.mktemp("whole") / "run"
    assert command("train", "digits", *PLAN, "--out", run) == 0
    return run


# -- killed


@pytest.mark.parametrize(("recipe", "saves"), [("dcgan", [True, False]), ("gan", [True])])
def test_a_killed_run_ends_as_if_it_had_not_been(tmp_path, recipe, saves):
    kill, chance, whole = kills(), random.Random(1), tmp_path / recipe
    assert command("train", "digits", "--recipe", recipe, "--steps", "40", *kill.SETTINGS, "--out", whole) == 0
    for save in saves:
        run = kill.killed(recipe, tmp_path, chance, save, 40)
        assert not save or kill.saving(run)
        assert command("train", "--resume", run) == 0
        same_end(run, whole, 40)
        assert not list(run.glob(".*"))
        assert [row["step"] for row in loss_rows(run)] == list(range(2, 41, 2))
        assert {path.name for path in (whole / "samples").iterdir()} == {path.name for path in (run / "samples").iterdir()}


def test_a_run_killed_before_its_first_checkpoint_goes_on_from_its_beginning(tmp_path, whole):
    run = tmp_path / "run"
    process = start("train", "digits", *PLAN, "--out", run)
    while not (run / "log.jsonl").exists():
        time.sleep(0.001)
    process.kill()
    finish(process)
    assert not list(run.glob("step-*"))
    assert command("sample", run, "--out", tmp_path / "x.npz") == 2
    assert command("train", "--resume", run) == 0
    same_end(run, whole, STEPS)


# -- stopped


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_saves_says_how_to_go_on_and_does(tmp_path, whole, number, capsys):
    run = tmp_path / "run"
    process = start("train", "digits", *PLAN, "--out", run)
    while not (run / "log.jsonl").exists():
        time.sleep(0.001)
    process.send_signal(number)
    code, out, err = finish(process)
    assert code == 130 and not err
    assert f"go on with: zerosum train --resume {run}" in out and "and saved" in out
    (saved,) = run.glob("step-*")
    assert 0 < int(saved.name[5:]) < STEPS and not list(run.glob(".*"))
    pictures = {path.name for path in (run / "samples").iterdir()}
    assert command("train", "--resume", run) == 0
    assert "going on from step" in capsys.readouterr().out
    same_end(run, whole, STEPS)
    steps = [row["step"] for row in loss_rows(run)]
    assert steps == sorted(set(steps)) and steps[-1] == STEPS
    assert pictures <= {path.name for path in (run / "samples").iterdir()}
    assert {path.name for path in (whole / "samples").iterdir()} == {path.name for path in (run / "samples").iterdir()}
    seconds = [row["seconds"] for row in loss_rows(run)]
    assert seconds == sorted(seconds)


def test_a_second_ctrl_c_stops_at_once(tmp_path):
    run, place = tmp_path / "run", tmp_path / "slow.py"
    place.write_text(SLOW)
    process = start("train", "digits", "--recipe", place, "--steps", "9", *TINY, "--out", run)
    while not (run / "samples").exists():
        time.sleep(0.001)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None  # the step at hand takes an hour
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130 and err == "zerosum: stopped\n"


SLOW = '''"""A game whose step takes an hour."""
import time
from dataclasses import dataclass, replace
from zerosum.recipes import gan

Config = gan.Config

def build(cfg, spec):
    def wait(nets, batch, clock):
        for _ in range(36000):
            time.sleep(0.1)
        return {}
    game = gan.build(cfg, spec)
    return replace(game, turns=(replace(game.turns[0], loss=wait),))
'''


# -- asked for more


def test_a_finished_run_is_scored_again_and_otherwise_left(tmp_path, tiny_run, capsys):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    before = {path.name: path.read_bytes() for path in run.glob("step-6/*")}
    log = rows(run)
    for _ in range(2):
        assert command("train", "--resume", run) == 0
        said = capsys.readouterr()
        assert not said.err and "scoring" in said.out and "report:" in said.out
    assert before == {path.name: path.read_bytes() for path in run.glob("step-6/*")}
    assert [row["step"] for row in rows(run)] == [row["step"] for row in log]
    assert sum("final" in row for row in rows(run)) == 1


def test_a_finished_run_can_be_made_longer_and_stays_so(tmp_path, tiny_run):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    assert command("train", "--resume", run, "--steps", "9") == 0
    assert (run / "step-9").is_dir()
    assert [row["step"] for row in loss_rows(run)] == list(range(1, 10))
    shutil.rmtree(run / "step-9")  # as if it had been killed at step 8
    assert command("train", "--resume", run) == 0
    assert (run / "step-9").is_dir()
    assert [row["step"] for row in loss_rows(run)] == list(range(1, 10))
    assert command("train", "--resume", run, "--minutes", "0.06") == 0
    meta = json.loads(max(run.glob("step-*"), key=lambda p: int(p.name[5:])).joinpath("meta.json").read_text())
    assert meta["clock"]["step"] > 9 and 2 < meta["seconds"] < 30
    assert command("train", "--resume", run) == 0  # finished: not a step more
    assert json.loads((run / "config.json").read_text())["training"]["minutes"] == 0.06
    assert max(int(p.name[5:]) for p in run.glob("step-*")) == meta["clock"]["step"]


def test_a_run_cannot_be_made_shorter_than_it_is(tmp_path, tiny_run, capsys):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert command("train", "--resume", run, "--steps", "3") == 2
    assert "has come to step 6 already" in capsys.readouterr().err
    assert command("train", "--resume", run, "--steps", "30", "--minutes", "1") == 2
    assert "choose one" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_resuming_from_an_older_checkpoint_plays_the_rest_again(tmp_path, tiny_run):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    shutil.rmtree(run / "step-6")
    assert command("train", "--resume", run) == 0
    same_end(run, tiny_run, 6)
    assert [{**row, "seconds": 0, "items_per_s": 0} for row in loss_rows(run)] == [
        {**row, "seconds": 0, "items_per_s": 0} for row in loss_rows(tiny_run)
    ]
    assert all(torch.isfinite(value).all() for value in load_file(run / "step-6" / "nets.safetensors").values())


def test_data_that_changed_or_are_gone_are_refused(tmp_path, capsys):
    import numpy as np

    x = np.random.default_rng(0).normal(size=(60, 3))
    np.save(tmp_path / "x.npy", x)
    assert command("train", tmp_path / "x.npy", "--steps", "2", *TINY, "--out", tmp_path / "run") == 0
    np.save(tmp_path / "x.npy", x + 1)
    capsys.readouterr()
    for words in (("train", "--resume"), ("score",)):
        assert command(*words, tmp_path / "run") == 2
        err = capsys.readouterr().err
        assert "has changed since" in err and err.count("\n") == 1
    (tmp_path / "x.npy").unlink()
    assert command("train", "--resume", tmp_path / "run") == 2
    assert f"no data at {tmp_path / 'x.npy'}" in capsys.readouterr().err
    assert command("sample", tmp_path / "run", "--out", tmp_path / "y.npz") == 0  # needs no data
