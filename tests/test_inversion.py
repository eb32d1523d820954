"""Inversion: an item that the generator made is found again, the same way each time, and nothing is held between reports."""

from itertools import islice

import pytest
import torch
from torch import nn

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.latent.closeness import Home, maps
from zerosum.latent.inversion import Settings, invert, last
from zerosum.latent.space import Space
from zerosum.sampling import Sampler
from zerosum.train import Training

SPEC = Spec("images", (1, 12, 12), counts=(5, 5), names=("a", "b"), items=10)


def space_of(recipe, spec=SPEC, **settings):
    cfg = recipes.find(recipe).Config(batch=4, **({"width": 8, "z_dim": 6} | settings))
    return Space(Sampler(build_run(recipe, cfg, spec, Training(device="cpu")), spec))


def decibels(found, x):
    """Of the peak to what a trivial answer, the items' mean, leaves: an untrained generator's pictures differ little."""
    return 10 * torch.log10((x - x.mean(0)).square().mean() / found.error.mean()).item()


@pytest.mark.parametrize(("recipe", "least"), [("cgan", 20), ("swift", 20), ("stylegan2", 15)])
def test_items_that_the_generator_made_are_found_again(recipe, least):
    space = space_of(recipe, **({"path_weight": 0.0, "z_dim": 8} if recipe == "stylegan2" else {}))
    x = space.sampler.make(4, seed=9)["x"]
    cfg = Settings(starts=200, steps=250, features=0.0, prior=0.0)
    found = last(space, x, cfg)
    assert decibels(found, x) > least
    assert found.points.shape == (4, space.layers, space.dim)
    torch.testing.assert_close(space.leave(found.points, found.rest), found.x, atol=1e-5, rtol=1e-5)


def test_the_same_seed_finds_the_same_and_every_report_is_nearer_on_the_whole():
    space = space_of("swift")
    x = space.sampler.make(2, seed=9)["x"]
    cfg = Settings(starts=50, steps=60, every=20)
    reports = list(invert(space, x, cfg))
    torch.manual_seed(12345)
    again = last(space, x, cfg)
    torch.testing.assert_close(again.points, reports[-1].points, atol=0, rtol=0)
    assert [one.share for one in reports] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert reports[-1].error.mean() < 0.2 * reports[0].error.mean()


def test_between_reports_gradients_are_on_and_nets_are_as_they_were():
    space = space_of("swift")
    space.sampler.run.nets.train()
    before = {name: value.clone() for name, value in space.sampler.run.nets.state_dict().items()}
    for _ in islice(invert(space, space.sampler.make(1)["x"], Settings(starts=10, steps=40)), 2):  # and is cancelled
        assert torch.is_grad_enabled()
        assert all(module.training for module in space.sampler.run.nets.modules())
    assert all(torch.equal(value, before[name]) for name, value in space.sampler.run.nets.state_dict().items())
    assert all(parameter.grad is None for parameter in space.sampler.run.nets.parameters())


def test_a_given_label_is_kept_and_another_one_is_found():
    space = space_of("cgan")
    inputs = space.sampler.inputs(6, seed=3)
    x = space.sampler.generate(inputs)["x"]
    cfg = Settings(starts=100, steps=60, features=0.0)
    kept = last(space, x, cfg, y=inputs["y"])
    assert torch.equal(kept.rest["y"], nn.functional.one_hot(inputs["y"], 2).float())
    (nearest,) = invert(space, x, Settings(starts=100, steps=0))  # is a drawn item as it was drawn
    assert nearest.rest["y"].amax(1).min() == 1
    shares = last(space, x, cfg).rest["y"]
    torch.testing.assert_close(shares.sum(1), torch.ones(6))


def test_an_encoder_answers_at_once_and_descent_goes_on_from_there():
    space = space_of("aae", Spec("images", (1, 12, 12), items=10))
    x = space.sampler.make(3, seed=1)["x"]
    with space.sampler.run.shown() as nets:
        code = space.game.encode(nets, x)["z"]
    (at_once,) = invert(space, x, Settings(steps=0))
    torch.testing.assert_close(at_once.points[:, 0], code, atol=1e-5, rtol=1e-4)
    assert last(space, x, Settings(steps=50)).error.mean() < at_once.error.mean()


def test_home_is_where_drawn_points_are_and_layers_that_agree():
    home = Home(torch.zeros(4), torch.ones(4))
    near, far = torch.ones(1, 3, 4), torch.full((1, 3, 4), 2.0)
    assert home.distance(near).item() == 0
    assert home.distance(far).item() == pytest.approx((4 - 1) ** 2)
    apart = torch.tensor([[[0.5], [-0.5], [0.0]]]).expand(1, 3, 4)
    assert home.distance(apart).item() == pytest.approx((0.25 + 0.25) / 3)


def test_discriminators_layers_tell_items_one_by_one():
    for recipe in ("swift", "stylegan2", "dcgan"):
        space = space_of(recipe, Spec("images", (1, 32, 32), items=10))
        x = space.sampler.make(4)["x"]
        with space.sampler.run.shown() as nets:
            whole, alone = maps(space, nets, x), maps(space, nets, x[:1])
        assert whole
        for a, b in zip(whole, alone, strict=True):
            torch.testing.assert_close(a[:1], b, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(a.square().sum(1), torch.ones_like(a[:, 0]), atol=1e-3, rtol=1e-3)


def test_items_of_another_shape_and_settings_out_of_range_are_refused():
    space = space_of("cgan")
    with pytest.raises(UserError, match=r"makes \(1, 12, 12\)"):
        invert(space, torch.zeros(1, 3, 12, 12))
    with pytest.raises(UserError, match="starts 0"):
        invert(space, torch.zeros(1, 1, 12, 12), Settings(starts=0))
