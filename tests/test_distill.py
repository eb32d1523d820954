"""A smaller generator: taught by a large one on the one loop, in a run folder like any other."""

import itertools
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_export import tiny
from torch import nn

from zerosum import recipes
from zerosum.cli import main
from zerosum.errors import UserError
from zerosum.export.distill import Still, distil, smaller, taught
from zerosum.export.pruned import begin_as
from zerosum.job import Job, open_data, open_run
from zerosum.play import play
from zerosum.rundir import RunDir


def small_job(run: Path, out: Path, steps: int) -> Job:
    plan = {"steps": steps, "threads": 1, "pictures": 2, "scores": 0, "save_every": 0.0, "device": "cpu"}
    return distil(open_run(run, device="cpu"), RunDir(run).config, open_data(run), 4, out, None, **plan)


def away(job: Job, teacher) -> float:
    """The mean difference of both generators' items for the same inputs."""
    inputs = teacher.inputs(64, seed=5)
    return float((job.sampler.generate(inputs)["x"] - teacher.generate(inputs)["x"]).abs().mean())


def test_the_small_one_comes_near_the_large_one_and_is_a_run_like_any_other(tiny_run, tmp_path):
    teacher = open_run(tiny_run, device="cpu")
    before = {name: value.clone() for name, value in teacher.run.nets.state_dict().items()}
    job = small_job(tiny_run, tmp_path / "small", 60)
    for p in job.run.nets["G_ema"].parameters():
        p.data.normal_(0, 0.1)  # it begins near already
    job.run.nets["G"].load_state_dict(job.run.nets["G_ema"].state_dict())
    first = away(job, teacher)
    assert job.play() and away(job, teacher) < 0.7 * first
    config = json.loads((tmp_path / "small" / "config.json").read_text())
    assert config["recipe"] == "cgan" and config["settings"]["width"] == 4
    assert config["distilled"] == {"run": teacher.origin().run, "width": 8}
    kept = load_file(tmp_path / "small" / "step-60" / "nets.safetensors")
    assert {name.split(".")[0] for name in kept} == {"G", "G_ema", "D"}
    logged = [row for row in RunDir(tmp_path / "small").rows() if "G/pixels" in row]
    assert logged and {"G/adv", "G/layers", "D/adv"} <= set(logged[-1])
    again = open_run(tmp_path / "small", device="cpu")
    assert torch.equal(again.make(3, 1)["x"], job.sampler.make(3, 1)["x"])
    assert all(torch.equal(value, before[name]) for name, value in teacher.run.nets.state_dict().items())


def test_a_run_that_was_stopped_goes_on_as_its_recipe(tiny_run, tmp_path):
    small_job(tiny_run, tmp_path / "small", 4).play()
    job = Job.resume(tmp_path / "small", steps=6)
    assert job.play() and job.run.clock.step == 6


def test_a_smaller_net_begins_as_channels_at_equal_distances():
    large, small = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2)), nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    begin_as(small, large)
    assert torch.equal(small[0].weight, large[0].weight[::2]) and torch.equal(small[0].bias, large[0].bias[::2])
    assert torch.equal(small[1].weight, 2 * large[1].weight[:, ::2]) and torch.equal(small[1].bias, large[1].bias)
    same = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2))
    begin_as(same, large)
    assert all(torch.equal(a, b) for a, b in zip(same.parameters(), large.parameters(), strict=True))


def test_channels_that_say_the_same_twice_can_be_halved_without_loss():
    """A net whose channels come in equal pairs is, halved, the same function."""
    torch.manual_seed(0)
    small = nn.Sequential(nn.ConvTranspose2d(3, 4, 4, 2, 1), nn.ReLU(), nn.Conv2d(4, 2, 3))
    large = nn.Sequential(nn.ConvTranspose2d(3, 8, 4, 2, 1), nn.ReLU(), nn.Conv2d(8, 2, 3))
    with torch.no_grad():
        large[0].weight.copy_(small[0].weight.repeat_interleave(2, 1))
        large[0].bias.copy_(small[0].bias.repeat_interleave(2))
        large[2].weight.copy_(small[2].weight.repeat_interleave(2, 1) / 2)
        large[2].bias.copy_(small[2].bias)
        x = torch.randn(2, 3, 5, 5)
        wanted = small(x)
        small[0].reset_parameters(), small[2].reset_parameters()
        begin_as(small, large)
        torch.testing.assert_close(small(x), wanted)


MATCHED = [name for name in recipes.names() if name not in ("ctgan", "tabular", "dptabular")]


@pytest.mark.parametrize("recipe", MATCHED)
def test_every_recipe_can_be_taught(recipe):
    sampler = tiny(recipe)
    still = Still(sampler)
    assert not list(still.parameters()) and not still.state_dict()
    student = tiny(recipe, game=lambda game: taught(game, still))
    game = student.run.game
    assert "teacher" not in {net for player in game.players.values() for net in player.trains}
    data = Repeated({"x": torch.rand(20, *sampler.spec.shape) * 2 - 1, "y": torch.arange(20) % 3})
    if sampler.maps is not None and sampler.spec.given:
        data.batch["a"] = torch.rand(20, 3, 16, 16) * 2 - 1
    (logs,) = itertools.islice(play(student.run, data), 1)
    pixels = [name for name in logs if name.endswith("/pixels")]
    assert len(pixels) == 1 and all(torch.isfinite(value) for value in logs.values())


class Repeated:
    """The same batch again and again."""

    def __init__(self, batch):
        self.batch = batch

    def batches(self, size, seed, start=0, rank=0, world=1):
        while True:
            yield dict(self.batch)


def test_a_width_that_is_no_smaller_is_refused():
    config = {"settings": {"width": 32, "finish": 16, "mixing": 0.9}}
    assert smaller(config, 16) == {"width": 16, "finish": 8, "mixing": 0.0}
    for width in (0, 32, 64, -1):
        with pytest.raises(UserError, match="give a width between 1 and 31"):
            smaller(config, width)


def test_tables_are_refused_in_words(tmp_path):
    with pytest.raises(UserError, match="take --int8"):
        distil(tiny("tabular"), {"settings": {"width": 8}, "recipe": "tabular"}, None, 4, tmp_path / "x", 1.0)


def test_the_command_prints_both_beside_each_other(tiny_run, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["export", str(tiny_run), "--distill", "4", "--minutes", "0.03", "--out", str(tmp_path / "small")])
    said = capsys.readouterr().out
    assert end.value.code == 0
    for words in ("teacher", "distilled", "Fréchet distance", "parameters", "ms, batch 64", "times as fast"):
        assert words in said
    assert (tmp_path / "small" / "report.html").is_file()
