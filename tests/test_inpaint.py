"""Holes: masks, and what the game does with them. That ranks share them is in test_noise.py."""

import pytest
import torch

from zerosum import UserError, check_recipe, holes, noise
from zerosum.conformance import _toy
from zerosum.nets import gated
from zerosum.play import Run, play
from zerosum.recipes import inpaint

SMALL = {"width": 8, "width_d": 8, "batch": 8}


def masks(n, height=64, width=48, seed=0, **more):
    noise.seed_step(seed, 0)
    return holes.holes(n, height, width, **more)


def test_masks_cover_ten_to_forty_percent_a_quarter_on_average():
    share = masks(400).mean((1, 2, 3))
    assert share.min() >= 0.1 - 1e-3 and share.max() <= 0.4 + 1e-3
    assert abs(float(share.mean()) - 0.25) < 0.02 and share.std() > 0.07
    exact = masks(40, share=(0.25, 0.25))
    assert set(exact.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(exact.sum((1, 2, 3)), torch.full((40,), 0.25 * 64 * 48))


def test_masks_are_holes_not_dust():
    """Few edges: a masked pixel's neighbour to the right is nearly always masked too."""
    m = masks(300)
    assert float((m[..., 1:] * m[..., :-1]).sum() / m[..., :-1].sum()) > 0.85
    assert (m.mean(0)[0] > 0.04).all(), "some place is hardly ever masked"


def test_half_of_them_have_straight_sides():
    m = masks(200, 64, 64, share=(0.2, 0.2))
    # The border of a box runs along rows and columns: its 2 x 2 windows with one or three masked pixels are its few corners.
    windows = torch.nn.functional.avg_pool2d(m, 2, 1) * 4
    corners = ((windows == 1) | (windows == 3)).sum((1, 2, 3))
    assert 0.35 < float((corners <= 14).float().mean()) < 0.65


def test_masks_follow_the_seed():
    assert torch.equal(masks(6), masks(6)) and not torch.equal(masks(6), masks(6, seed=1))


def test_known_pixels_are_returned_bit_for_bit():
    torch.manual_seed(0)
    made, a, mask = torch.randn(3, 4, 16, 16), torch.rand(3, 4, 16, 16) * 2 - 1, masks(3, 16, 16)
    whole = gated.filled(made, a, mask)
    there = mask.expand_as(a) > 0
    assert torch.equal(whole[~there], a[~there]) and torch.equal(whole[there], made[there])


@pytest.mark.parametrize("size", [(16, 16), (40, 24), (7, 13)])
def test_a_smooth_filling_keeps_what_is_known_and_invents_no_colour(size):
    torch.manual_seed(0)
    x, mask = torch.rand(3, 2, *size) * 2 - 1, masks(3, *size)
    whole = gated.smoothed(x * (1 - mask), mask)
    known = (mask == 0).expand_as(x)
    assert torch.equal(whole[known], x[known])
    lowest, highest = (torch.where(known, x, far).flatten(2) for far in (9.0, -9.0))
    assert (whole.flatten(2) >= lowest.amin(2, keepdim=True) - 1e-5).all()
    assert (whole.flatten(2) <= highest.amax(2, keepdim=True) + 1e-5).all()
    flat = gated.smoothed(0.3 * (1 - mask), mask)
    assert torch.allclose(flat, torch.full_like(flat, 0.3), atol=1e-5)


@pytest.mark.parametrize("turned", [False, True])
def test_a_slope_goes_on_through_a_hole(turned):
    """As through a membrane that is held at the hole's rim: a plane is the mean of its four neighbours everywhere."""
    x = torch.linspace(-1, 1, 64).expand(1, 1, 64, 64)
    x = x.mT.contiguous() if turned else x.contiguous()
    mask = torch.zeros_like(x)
    mask[..., 10:34, 6:38] = 1
    away = (gated.smoothed(x * (1 - mask), mask) - x).abs()
    assert away.max() < 0.04  # means of what is known alone are 0.08 away


def test_an_untrained_net_is_the_smooth_filling():
    torch.manual_seed(0)
    mask = masks(2, 24, 40)
    a = (torch.rand(2, 3, 24, 40) * 2 - 1) * (1 - mask)
    assert torch.equal(gated.Generator(3, width=8)(a, mask), gated.smoothed(a, mask))


def test_a_gate_shuts_its_channel():
    layer = gated.Gated(2, 3)
    with torch.no_grad():
        layer.conv.weight[3:], layer.conv.bias[3:] = 0, -100.0
    assert layer(torch.randn(1, 2, 5, 5)).abs().max() < 1e-6
    assert gated.Gated(2, 3, stride=2)(torch.randn(1, 2, 6, 8)).shape == (1, 3, 3, 4)
    assert gated.Gated(2, 3, dilation=4)(torch.randn(1, 2, 6, 8)).shape == (1, 3, 6, 8)


def test_what_is_in_the_hole_is_never_seen():
    source = _toy("crops")
    game = inpaint.build(inpaint.Config(**SMALL), source.spec)
    batch = source.some(8)
    with noise.apart(3):
        asked = game.maps.ask(batch)
    with noise.apart(3):
        other = game.maps.ask({"x": torch.where(asked["mask"] > 0, -batch["x"], batch["x"])})
    assert torch.equal(asked["a"], other["a"]) and torch.equal(asked["mask"], other["mask"])
    assert asked["mask"].shape == (8, 1, 32, 32)


@pytest.mark.parametrize("settings", [{}, {"penalty": "r1"}, {"loss": "nonsaturating", "matching_weight": 0.0}])
def test_inpaint_conforms(settings):
    check_recipe("inpaint", **SMALL, **settings)


def test_pixels_alone_leave_d_at_rest_and_fill_better_than_smoothly():
    source = _toy("crops")
    torch.manual_seed(0)
    playing = Run(inpaint.build(inpaint.Config(**SMALL, adv_weight=0.0, matching_weight=0.0), source.spec), 80, 8)
    before = {key: value.clone() for key, value in playing.nets["D"].state_dict().items()}
    logs = list(play(playing, source))
    assert all(set(row) == {"G/hole", "G/known"} for row in logs)
    assert all(torch.equal(value, before[key]) for key, value in playing.nets["D"].state_dict().items())
    mean = lambda rows: sum(float(row["G/hole"]) for row in rows) / len(rows)
    assert mean(logs[-10:]) < 0.9 * mean(logs[:3])


def test_pixels_alone_first_then_both_sides():
    source = _toy("crops")
    game = inpaint.build(inpaint.Config(**SMALL, pixel_share=0.5), source.spec)
    logs = [set(row) for row in play(Run(game, 4, 8), source)]
    assert logs[:2] == [{"G/hole", "G/known"}] * 2
    assert all({"D/adv", "G/adv", "G/features", "G/hole", "G/known"} <= row for row in logs[2:])


def test_the_mean_in_the_hole_is_each_images_own():
    away, mask = torch.tensor([[[[1.0, 3.0]]], [[[5.0, 7.0]]]]), torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]])
    assert float(inpaint.share(away, mask)) == (1 + 6) / 2
    assert float(inpaint.share(away, 1 - mask)) == (3 + 0) / 2


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mask_least": 0.5}, "mask_least"),
        ({"mask_most": 1.0}, "mask_most"),
        ({"pixel_share": 2.0}, "pixel_share"),
        ({"augment": "ada"}, "augment"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(UserError, match=words):
        inpaint.build(inpaint.Config(**SMALL, **settings), _toy("crops").spec)
