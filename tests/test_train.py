"""The plan of a training: when it looks up, what it foresees, and what it refuses to save."""

import time

import numpy as np
import pytest
import torch

from zerosum import UserError, open_source, recipes
from zerosum.building import build_run
from zerosum.cli import main
from zerosum.job import Job
from zerosum.metrics import score, tstr
from zerosum.metrics.case import Case
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.train import Marks, Ticker, Training, planned, train


def job(tmp_path, **training):
    cfg = recipes.find("gan").Config(width=8, batch=16, depth=1)
    plan = Training(**{"steps": 20, "device": "cpu", "pictures": 0, "scores": 0, **training})
    return Job.new("ring8", open_source("ring8"), "gan", cfg, plan, tmp_path / "run")


def test_a_time_plan_goes_at_the_pace_of_the_whole_run():
    assert planned(step=100, seconds=10.0, budget=60.0) == 600
    # resumed at step 10,000 after 30 s, the first step then taking a second: no leap to the end
    assert planned(step=10_001, seconds=31.0, budget=60.0) == 19_356
    assert planned(step=7, seconds=60.0, budget=60.0) == 7  # over


def test_looking_up_does_not_wait_for_the_log():
    ticker = Ticker(every=5000, step=0)
    assert ticker.due(1, 10**9) and not ticker.logs(1, 10**9)
    ticker.ticked(1, seconds=0.1)
    assert ticker.due(3, 10**9) and not ticker.due(2, 10**9)
    assert ticker.logs(5000, 10**9) and ticker.due(20, 20) and ticker.logs(20, 20)


def test_lines_of_the_log_cover_every_step_between_them(tmp_path):
    run = job(tmp_path, log_every=7)
    run.play()
    assert [row["step"] for row in run.folder.rows()] == [7, 14, 20]


def test_marks_fire_once_each_time_they_are_passed():
    marks = Marks([0.25, 0.5, 1.0], 0.3)
    assert [marks.passed(p) for p in (0.4, 0.5, 0.6, 1.0, 1.0)] == [False, True, False, True, False]


def test_scores_that_take_long_do_not_take_the_time_of_training(tmp_path):
    """A plan of 60 s on Fashion-MNIST once spent 30 of them on scores."""
    run, taken = job(tmp_path, steps=None, minutes=3 / 60, scores=3), []

    def dear(quick):
        taken.append(time.perf_counter())
        time.sleep(0.5)
        return []

    train(run.run, run.source, run.training, score=dear)
    assert len(taken) == 1

    run, cheap = job(tmp_path / "again", steps=None, minutes=3 / 60, scores=3), []
    train(run.run, run.source, run.training, score=lambda quick: cheap.append(quick) or [])
    assert len(cheap) == 3


def test_many_large_items_are_compared_quickly_while_training_waits():
    source = open_source(np.random.default_rng(0).integers(0, 256, (2600, 16, 16), np.uint8), np.arange(2600) % 2, held_out=0.5)
    sampler = Sampler(build_run("cgan", recipes.find("cgan").Config(width=8, batch=4), source.spec, Training()), source.spec)
    hurried = next(one for one in score(sampler, source, quick=True) if "accuracy" in one.name)
    assert "trained on 1,000 generated items, tested on 1,000 real ones" in hurried.protocol
    case = Case(sampler, source, lambda: None)
    assert "trained on 2,000 generated items, tested on 1,300" in tstr.measure(case)[0].protocol


@pytest.mark.parametrize(("pictures", "steps"), [(0, []), (1, [20]), (2, [0, 5, 20])])
def test_pictures_end_with_the_trained_game(tmp_path, pictures, steps):
    run = job(tmp_path, pictures=pictures, log_every=1)
    run.play()
    assert [step for step, _ in run.folder.pictures()] == steps


def test_weights_that_are_no_numbers_are_not_saved(tmp_path):
    run = job(tmp_path)
    run.play()
    with torch.no_grad():
        next(run.run.nets["G"].parameters()).fill_(torch.nan)
    again = Job.resume(tmp_path / "run", steps=40)
    again.run.nets.load_state_dict(run.run.nets.state_dict())
    with pytest.raises(UserError, match="no longer a finite number"):
        again.play()
    assert RunDir(tmp_path / "run").checkpoints() == [20]


def test_a_run_can_be_resumed_on_another_device(tmp_path):
    run = job(tmp_path)
    run.play()
    run.folder.asked(training={**run.folder.config["training"], "device": "cuda:7"})
    with pytest.raises(UserError, match="cuda:7"):
        Job.resume(tmp_path / "run")
    assert Job.resume(tmp_path / "run", device="cpu").run.clock.step == 20


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("settings", "batch", "64"),
        ("settings", "width", 8.5),
        ("settings", "width", 10**12),
        ("training", "accum", None),
        ("spec", "shape", "abc"),
    ],
)
def test_a_config_of_odd_values_is_refused(tmp_path, part, name, value):
    run = job(tmp_path)
    run.play()
    run.folder.asked(**{part: {**run.folder.config[part], name: value}})
    with pytest.raises(UserError, match=r"config\.json"):
        Job.resume(tmp_path / "run")


def test_the_held_out_share_counts_however_the_option_is_spelt(tmp_path):
    words = ["train", "digits", "--held_out", "0.3", "--steps=2", "--width=8", "--batch=8", "--pictures=0", "--device=cpu"]
    with pytest.raises(SystemExit) as done:
        main([*words, "--out", str(tmp_path / "run")])
    assert done.value.code == 0
    assert len(Job.resume(tmp_path / "run", reading=True).source.held_out()["x"]) == 540
