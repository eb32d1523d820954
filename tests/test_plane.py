"""Frames of a game in the plane: what is in them, that training does not notice them, that they go with the pictures."""

import json

import pytest
import torch

from zerosum import open_source, plane
from zerosum.cli import main
from zerosum.job import open_run
from zerosum.rundir import RunDir

TRAIN = ("--recipe", "gan", "--width", "16", "--batch", "32", "--scores", "0", "--threads", "1", "--no-guard")


def train(*words):
    with pytest.raises(SystemExit) as end:
        main(["train", *map(str, words)])
    assert end.value.code == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("plane") / "ring"
    train("ring8", *TRAIN, "--steps", "40", "--log-every", "1", "--save-every", "0", "--pictures", "5", "--out", out)
    return out


def test_a_frame_stands_beside_every_picture_and_says_what_d_says(run):
    folder = RunDir(run)
    assert [step for step, _ in folder.frames()] == [step for step, _ in folder.pictures()]
    last = json.loads((run / "samples" / "step-40.json").read_text())
    left, right, low, high = last["extent"]
    assert len(last["fake"]) == plane.POINTS and len(last["surface"]) == len(last["surface"][0]) == plane.SIDE
    sampler = open_run(run)
    spec = sampler.spec
    for row, column in ((0, 0), (0, 32), (32, 0), (5, 20)):  # D asked by hand at the same place
        place = torch.tensor([[left + (right - left) * column / 32, low + (high - low) * row / 32]])
        x = (place - torch.tensor(spec.offset)) / torch.tensor(spec.scale)
        with sampler.run.shown() as nets:
            assert last["surface"][row][column] == pytest.approx(float(nets["D"](x)[0, 0]), rel=1e-3, abs=1e-3)


def test_real_points_are_those_of_the_data(run):
    points = torch.tensor(json.loads((run / "samples" / "real.json").read_text())["points"])
    source = open_source("ring8")
    assert len(points) == plane.POINTS
    assert points.norm(dim=1).mean() == pytest.approx(2.0, abs=0.1)  # a ring of radius 2
    assert plane.flat(source.spec) and not plane.flat(open_source("digits").spec)


def test_training_is_the_same_with_and_without_frames(run, tmp_path):
    train("ring8", *TRAIN, "--steps", "40", "--log-every", "1", "--pictures", "0", "--out", tmp_path / "plain")
    for name, value in open_run(run).run.nets.state_dict().items():
        assert torch.equal(value, open_run(tmp_path / "plain").run.nets.state_dict()[name])


def test_frames_that_are_played_again_are_forgotten_with_their_pictures(run):
    folder = RunDir(run)
    steps = [step for step, _ in folder.frames()]
    folder.forget_after(steps[2])
    assert [step for step, _ in folder.frames()] == [step for step, _ in folder.pictures()] == steps[:3]
    folder.abandon_after(steps[1])
    assert [step for step, _ in folder.frames()] == [step for step, _ in folder.pictures()] == steps[:2]
    assert (run / "samples" / "real.json").exists()
