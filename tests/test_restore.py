"""What is done to photographs, in closed form, and the recipe that undoes it."""

from functools import partial

import numpy as np
import pytest
import torch

from zerosum import UserError, check_recipe, noise, open_source, recipes
from zerosum.data import paired
from zerosum.layers import spoil
from zerosum.play import Pace, Run, play


@pytest.fixture(autouse=True)
def seeded():
    noise.seed_step(0, 0)


def test_grey_weighs_red_green_and_blue_as_bt601_does():
    colours = torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]])[:, :, None, None]
    assert torch.allclose((spoil.grey(colours).flatten() + 1) / 2, torch.tensor([0.299, 0.587, 0.114, 1.0]))
    assert torch.equal(spoil.grey(torch.ones(1, 1, 2, 2)), torch.ones(1, 1, 2, 2))


def test_edges_are_where_a_step_is_and_nowhere_else():
    x = torch.full((1, 3, 6, 8), -1.0)
    x[..., 4:] = 1.0
    assert torch.allclose(spoil.edges(x)[0, 0, 3], torch.tensor([-1.0, -1, -1, 1, 1, -1, -1, -1]))
    x[..., 4:] = 0.0  # half a step
    assert torch.allclose(spoil.edges(x)[0, 0, :, 3], torch.zeros(6))
    assert torch.allclose(spoil.edges(x.mT), spoil.edges(x).mT)


def test_noise_has_every_strength_up_to_the_most_and_stays_in_range():
    apart = (spoil.noised(torch.zeros(2000, 1, 16, 16), 0.2)).flatten(1).std(1)
    assert apart.max() < 0.25 and abs(apart.mean() - 0.1) < 0.01 and apart.min() < 0.01
    assert spoil.noised(torch.ones(4, 3, 8, 8), 0.5).max() <= 1


def test_blur_is_a_gaussian_of_the_width_that_was_drawn():
    x = torch.zeros(300, 2, 33, 33)
    x[..., 16, 16] = 1.0
    out = spoil.blurred(x, 2.0)
    assert torch.allclose(out.sum((2, 3)), torch.ones(300, 2), atol=1e-4)
    place = torch.arange(33.0) - 16
    for side in (2, 3):
        sigma = (out.sum(5 - side) * place.square()).sum(2).sqrt()
        assert torch.allclose(sigma[:, 0], sigma[:, 1], atol=1e-4)
        assert 0.45 < sigma.min() < 0.6 and 1.85 < sigma.max() < 2.05
    assert torch.allclose(spoil.blurred(torch.full((2, 3, 5, 9), 0.3), 2.0), torch.tensor(0.3))


@pytest.mark.parametrize("what", [spoil.grey, spoil.edges, partial(spoil.noised, most=0.3), partial(spoil.blurred, most=2.0)])
def test_inputs_are_the_same_in_every_precision(what):
    """Training computes in bfloat16 what is translated in float32 afterwards."""
    x, found = torch.rand(3, 3, 20, 24) * 2 - 1, []
    for half in (False, True):
        noise.seed_step(0, 0)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            found.append(what(x))
    assert found[1].dtype == torch.float32 and torch.equal(*found)


def test_enlarged_crops_can_be_blurred_in_half_precision():
    module = recipes.find("restore")
    cfg = module.Config(width=4, batch=4, undo="blur", zoom=1.1)
    run = Run(module.build(cfg, photographs().spec), 1, 4, pace=Pace(dtype=torch.bfloat16))
    assert all(value.isfinite() for logs in play(run, photographs()) for value in logs.values())


def test_a_blur_of_no_width_is_refused():
    module = recipes.find("restore")
    with pytest.raises(UserError, match="blur_most 0"):
        module.build(module.Config(undo="blur", blur_most=0.0), photographs().spec)


def photographs(c=3):
    x = np.random.default_rng(0).integers(0, 256, (60, c, 24, 20), np.uint8)
    return paired.from_arrays({"same": x}, x)


@pytest.mark.parametrize("undo", ["grey", "edges", "noise", "blur"])
def test_restore_conforms_whatever_it_undoes(undo):
    check_recipe("restore", photographs(), width=4, steps=4, undo=undo)


def test_restore_learns_from_photographs_alone():
    module = recipes.find("restore")
    game = module.build(module.Config(width=4, undo="grey"), photographs().spec)
    asked = game.maps.ask({"x": torch.rand(2, 3, 24, 20)})
    assert asked["a"].shape == (2, 1, 24, 20) and game.maps.names == ("grey",)


def test_colours_cannot_be_given_back_to_grey_images():
    module = recipes.find("restore")
    with pytest.raises(UserError, match="undo grey"):
        module.build(module.Config(undo="grey"), open_source("digits").spec)
