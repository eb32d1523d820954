"""Games that make images from images: what they are given, what they say of themselves, what watches them."""

import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zerosum import GAN, UserError, check_recipe, noise, recipes, rows, sampling
from zerosum.data import images, paired
from zerosum.game import Maps
from zerosum.guard.probe import Probe
from zerosum.metrics.case import Case
from zerosum.play import Run
from zerosum.shows._canvas import GAP

RECIPE = '''
"""Toy: one convolution from one image to another."""
from dataclasses import dataclass

from torch import nn

from zerosum.game import Game, Maps, Player, Turn
from zerosum.parts import Settings, check, player_g

NEEDS = "pairs"


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Settings."""

    lr_g: float = 1e-2  # learning rate


def build(cfg, spec):
    check(cfg)
    channels = [shape[0] for shape in spec.given.values()]
    G = nn.Sequential(nn.Conv2d(sum(channels), spec.shape[0], 3, padding=1), nn.Tanh())
    ask = lambda batch: {"a": batch["a"]}
    turn = lambda nets, batch, clock: {"l1": (nets["G"](ask(batch)["a"]) - batch["x"]).abs().mean()}
    return Game(
        nets={"G": G},
        players={"G": player_g(cfg, "G")},
        turns=(Turn("G", turn),),
        draw=lambda n: {},
        generate=lambda nets, inputs: nets["G"](inputs["a"]),
        maps=Maps(ask, tuple(spec.given), tuple(channels), spec.shape[1:], made=spec.made),
    )
'''


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "toy_map.py"
    path.write_text(textwrap.dedent(RECIPE))
    return str(path)


def pairs(n=60, **more):
    x = np.random.default_rng(0).integers(0, 256, (n, 3, 16, 16), np.uint8)
    return paired.from_arrays({"negative": 255 - x}, x, "photo", "test", **more)


def test_a_game_that_maps_keeps_the_promises_of_every_recipe(recipe):
    check_recipe(recipe)


def test_pairs_stay_pairs_in_every_batch_whatever_the_order(recipe):
    source = pairs()
    for start in (0, 7):
        batch = next(source.batches(8, seed=3, start=start))
        assert torch.allclose(batch["a"], -batch["x"], atol=1e-6)
    halves = [next(source.batches(8, 3, 7, rank, 2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([half["a"] for half in halves]), batch["a"])
    for part in (source.held_out(), source.some(9)):
        assert torch.allclose(part["a"], -part["x"], atol=1e-6)


def test_the_fingerprint_sees_inputs_too():
    x = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), np.uint8)
    one, other = (paired.from_arrays({"a": a}, x) for a in (x, np.where(x == 9, 8, x)))
    assert one.fingerprint() != other.fingerprint()
    assert one.fingerprint() == paired.from_arrays({"a": x}, x).fingerprint()


def test_pairs_of_one_group_and_equal_targets_are_held_out_together():
    x = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), np.uint8)
    source = paired.from_arrays({"a": x}, x, groups=np.arange(60) // 4)
    of = {row.tobytes(): i // 4 for i, row in enumerate(x)}
    train, held = ({of[row.tobytes()] for row in part.take(np.arange(part.count))} for part in source.stored())
    assert train and held and not train & held


def test_inputs_and_outputs_of_other_numbers_are_refused_by_name():
    x = np.zeros((20, 1, 8, 8), np.uint8)
    with pytest.raises(UserError, match="19 images of sketch and 20 of photo"):
        paired.from_arrays({"sketch": x[1:]}, x, "photo")


def test_a_map_is_fitted_scored_and_shown_on_held_out_pairs(recipe, tmp_path):
    gan = GAN(recipe, steps=150, batch=16).fit(pairs(), out=tmp_path / "run")
    made, held = gan._job.sampler.make(12), gan._job.source.held_out()
    assert (made["x"] - held["x"]).abs().mean() < 0.2 < (held["a"] - held["x"]).abs().mean()
    assert {score.name for score in gan.score(quick=True)}
    assert list((tmp_path / "run" / "samples").glob("*.png"))
    with pytest.raises(UserError, match="zerosum translate"):
        GAN.load(tmp_path / "run", recipe=recipe).sample(4)


def test_plain_data_are_refused_where_a_recipe_needs_pairs(recipe):
    with pytest.raises(UserError, match="holds no pairs"):
        GAN(recipe, steps=2).fit(np.zeros((30, 8, 8), np.uint8))


def test_numbers_drawn_apart_follow_their_seed_and_disturb_nothing():
    noise.seed_step(0, 5)
    expected = noise.normal(3), torch.randn(3)
    noise.seed_step(0, 5)
    with noise.apart(9):
        first = noise.uniform(4), torch.rand(2)
    assert torch.equal(noise.normal(3), expected[0]) and torch.equal(torch.randn(3), expected[1])
    with noise.apart(9):
        again = noise.uniform(4), torch.rand(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    with noise.apart(10):
        assert not torch.equal(noise.uniform(4), first[0])


def test_recipes_say_what_they_play_on(recipe):
    assert recipes.needs(recipe) == "pairs"
    assert recipes.needs("dcgan") == "items"
    assert recipes.needs("auto") is None


def test_sample_pictures_are_rows_of_input_output_and_target(recipe, tmp_path):
    source = pairs()
    gan = GAN(recipe, steps=150, batch=16).fit(source)
    sheet = rows.sheet(gan._job.sampler)
    names = [name for name, _ in rows.columns(gan._job.sampler, source.held_out())]
    assert names == ["negative", "made: photo", "target"]
    held = images.decode(source.held_out()["x"], source.spec)
    shown, cell = np.asarray(sheet), held.shape[1] * 6  # 16 pixels are shown as 96
    top, left = sheet.height - (cell + GAP) * 8, sheet.width - cell - GAP
    first, last = (np.repeat(np.repeat(held[i], 6, 0), 6, 1) for i in (0, -1))
    assert np.array_equal(shown[top : top + cell, left : left + cell], first)
    below = top + 7 * (cell + GAP)
    assert np.array_equal(shown[below : below + cell, left : left + cell], last)


def test_rows_of_a_game_that_goes_both_ways_end_where_they_began():
    items = {"a": torch.zeros(2, 3, 16, 16), "x": torch.ones(2, 3, 16, 16)}
    ask, back = (lambda batch: {"a": batch["a"]}), (lambda nets, inputs: -inputs["a"])
    maps = Maps(ask, ("zebra",), (3,), (16, 16), made="horse", paired=False, back=back)
    found = rows.columns(Both(maps), items)
    assert [name for name, _ in found] == ["zebra", "made: horse", "and back", "horse", "made: zebra", "and back"]
    assert [float(part[0, 0, 0, 0]) for _, part in found] == [0, 0.5, -0.5, 1, -1, -0.5]


class Both:
    """A sampler of a game of two functions, without nets."""

    def __init__(self, maps):
        self.maps, self.run = maps, SimpleNamespace(game=SimpleNamespace(maps=maps, draw=lambda n: {}))

    def generate(self, inputs):
        return {"x": inputs["a"] + 0.5}

    def back(self, x):
        return -x


def test_no_more_held_out_items_are_held_than_fit_into_memory(recipe, monkeypatch):
    """Of pairs larger than memory a tenth is held out, which is larger than memory too."""
    from zerosum.data import source as sources

    monkeypatch.setattr(sources, "MOST_NUMBERS", 7 * 2 * 3 * 16 * 16)
    source = pairs()
    game = recipes.find(recipe).build(recipes.find(recipe).Config(), source.spec)
    assert len(source.held_out()["x"]) == 12 and source.spec.at_once == 7
    kept = sampling.examples(game, source)
    assert all(torch.equal(part, source.held_out()[name][:7]) for name, part in kept.items())
    assert len(sampling.examples(game, source, 3)["a"]) == 3
    maker = sampling.Sampler(Run(game, 1, 4), source.spec, source)
    case = Case(maker, source, lambda: None)
    assert case.items == 7 and len(case.held["x"]) == len(case.made(case.items)["x"]) == 7


def test_a_reading_by_another_seed_is_of_other_inputs(recipe):
    """The best of many readings was also lucky: whether it stays the best is asked of inputs that did not choose it."""
    source, module = pairs(), recipes.find(recipe)
    run = Run(module.build(module.Config(), source.spec), 1, 4)
    asked = source.some(16)
    asked["a"][8:] = float("nan")
    probe = Probe(source, 8, asked)
    assert np.isfinite(probe.look(run).score) and np.isnan(probe.look(run, 1).score)
