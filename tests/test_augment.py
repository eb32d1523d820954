"""Augmentations against hand-worked values; their derivatives; ADA's arithmetic; the same on two ranks, after a resume."""

from __future__ import annotations

import json
from math import exp, log, sqrt

import pytest
import torch
from conftest import finish, start
from torch import nn

from zerosum import UserError, check_recipe, noise, open_source, recipes
from zerosum.augment import augmentation, augmented, colour, cutout, diffaugment, geometry, observed, probability
from zerosum.augment.ada import Ada
from zerosum.augment.pipe import BGC, R3GAN, Shares, pipe
from zerosum.augment.sample import sample, spread
from zerosum.data.source import Spec
from zerosum.game import Clock
from zerosum.losses import adversarial_loss
from zerosum.parts import Settings
from zerosum.penalties import input_gradient, r1_r2

ALL = Shares(1.0, 1.0, 1.0)
NOW = Clock(0, 10)


@pytest.fixture(autouse=True)
def seeded():
    noise.seed_step(0, 0)


def images(n=2, c=3, h=8, w=8, seed=0, dtype=torch.float32):
    return torch.rand(n, c, h, w, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 2 - 1


def spec(c=3, h=8, w=8):
    return Spec("images", (c, h, w))


def moved(x, matrix):
    """Every image under one inverse map, given as a 3 x 3 matrix."""
    return geometry.warp(x, matrix[:, :2].expand(len(x), 2, 3))


def numbers(*values):
    return tuple(torch.tensor([float(value)]) for value in values)


# Geometry


def test_mirroring_is_flip_bit_for_bit():
    x = images(h=7, w=10)
    assert torch.equal(moved(x, geometry.linear(*numbers(-1, 0, 0, 1))), x.flip(3))


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_right_angles_move_pixels_bit_for_bit(quarters):
    x = images(h=9, w=9)
    turned = moved(x, geometry.linear(*geometry.right_angle(torch.tensor([float(quarters)]))))
    assert any(torch.equal(turned, x.rot90(k, (2, 3))) for k in (quarters, -quarters))


def test_four_right_angles_are_the_identity():
    x = y = images(h=6, w=6)
    for turn in range(4):
        assert turn == 0 or not torch.equal(x, y)
        y = moved(y, geometry.linear(*geometry.right_angle(torch.tensor([1.0]))))
    assert torch.equal(x, y)


def test_whole_shifts_move_pixels_and_mirror_beyond_the_edge():
    row = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    right = moved(row, geometry.shifted(torch.tensor([[-1.0, 0.0]])))  # new pixel x comes from old pixel x - 1
    assert right.flatten().tolist() == [2, 1, 2, 3]  # and beyond the edge lies what lies before it
    assert moved(row, geometry.shifted(torch.tensor([[5.0, 0.0]]))).flatten().tolist() == [2, 1, 2, 3]
    x = images()
    assert torch.equal(moved(x, geometry.shifted(torch.tensor([[0.0, 3.0]])))[:, :, :5], x[:, :, 3:])


def test_half_a_pixel_is_the_mean_of_two():
    row = torch.tensor([[[[1.0, 3.0, 7.0]]]])
    assert moved(row, geometry.shifted(torch.tensor([[0.5, 0.0]]))).flatten().tolist() == [2, 5, 5]


def test_doubling_a_ramp_halves_its_slope_about_the_centre():
    ramp = torch.arange(9.0).repeat(1, 1, 9, 1)
    grown = moved(ramp, geometry.linear(*numbers(0.5, 0, 0, 0.5)))
    torch.testing.assert_close(grown[0, 0, 4], torch.arange(2.0, 6.5, 0.5))


def test_positions_are_mirrored_on_the_outermost_pixels():
    at = torch.arange(-7, 8).float()
    assert geometry.mirrored(at, 4).tolist() == [1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]
    assert geometry.mirrored(at, 1).abs().sum() == 0


def test_shrinking_is_the_largest_factor():
    quarter = geometry.linear(*geometry.right_angle(torch.ones(1)))
    maps = torch.cat([torch.eye(3)[None], torch.diag(torch.tensor([2.0, 0.5, 1.0]))[None], quarter])
    torch.testing.assert_close(geometry.shrinking(maps[:, :2]), torch.tensor([1.0, 2.0, 1.0]))


def test_a_chequerboard_shrunk_is_grey_and_not_a_false_pattern():
    """Every second pixel of a chequerboard is one colour: taken as they are, half the pixels would all be white or black."""
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 2.0 - 1
    half = moved(board[None, None], geometry.linear(*numbers(2, 0, 0, 2)) @ geometry.shifted(torch.tensor([[0.25, 0.25]])))
    assert half.abs().max() < 0.01
    x = images()
    assert torch.equal(geometry.smoothed(x, torch.zeros(2)), x)
    edge = torch.tensor([[[[0.0, 0.0, 4.0, 0.0, 0.0]]]])
    assert geometry.smoothed(edge, torch.ones(1)).flatten().tolist() == [0, 1, 2, 1, 0]


def test_images_that_are_not_square_are_turned_by_halves_alone():
    """Without scales and arbitrary angles every map has entries 0, 1, -1; off the diagonal only where 90 degrees are turned."""
    for size, turned in ((8, True), (12, False)):
        maps = geometry.draw(4000, 8, size, 0.2, torch.device("cpu"))[:, :, :2]
        exact = maps[((maps == maps.round()).all((1, 2)))]
        assert bool((exact[:, 0, 1] != 0).any()) == turned and (exact[:, 0, 0] == -1).any()


def test_how_often_each_image_is_touched():
    """The chance that no geometric operation changes an image, from the paper's law; of identity draws too."""
    p, n = 0.3, 40_000
    maps = geometry.draw(n, 64, 64, p, torch.device("cpu"))
    still = (maps == torch.eye(3)[:2]).all((1, 2)).float().mean().item()
    steps = 2 * int(64 * geometry.SHIFT) + 1
    shift_to_0 = (1 / 16) ** 2  # U(-8, 8) rounds to 0 from (-0.5, 0.5)
    expected = (1 - p / 2) * (1 - p * 3 / 4) * (1 - p * (1 - shift_to_0)) * (1 - p) ** 4
    assert steps == 17 and still == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / n))
    assert (geometry.draw(100, 64, 64, 0.0, torch.device("cpu")) == torch.eye(3)[:2]).all()


def test_the_laws_of_scale_and_angle():
    maps = geometry.draw(40_000, 32, 32, 1.0, torch.device("cpu"))[:, :, :2]
    logs = torch.linalg.det(maps).abs().log2()  # of a change of scale by s: -2 log s; the stretch keeps areas
    assert logs.mean().abs() < 0.01 and logs.std().item() == pytest.approx(2 * 0.2, rel=0.02)
    stretch = geometry.shrinking(maps).log2() - logs / 2  # |log of the stretch|
    assert stretch.square().mean().sqrt().item() == pytest.approx(0.2, rel=0.02)


# Colour


def drawn(channels, p=1.0, n=2000):
    return colour.draw(n, channels, p, torch.device("cpu"))


def test_colours_of_p_0_are_the_identity():
    for channels in (1, 2, 3, 4, 7):
        k = colour.coloured(channels)
        assert torch.equal(drawn(channels, 0.0), torch.eye(k, k + 1).expand(2000, k, k + 1))


def test_which_channels_have_colour():
    assert [colour.coloured(c) for c in (1, 2, 3, 4, 5)] == [1, 1, 3, 3, 5]
    for c in (2, 4):
        x = images(50, c)
        y = colour.apply(x, colour.draw(50, c, 1.0, x.device))
        assert torch.equal(y[:, -1], x[:, -1]) and not torch.equal(y[:, 0], x[:, 0])
        z = diffaugment.recoloured(x, torch.rand(50, 3))
        assert torch.equal(z[:, -1], x[:, -1]) and not torch.equal(z[:, 0], x[:, 0])


def test_brightness_adds_a_constant_to_all_channels():
    """With p so small that brightness alone is met, what is left of the matrix is the identity."""
    maps = drawn(3, 0.02, 20_000)
    alone = maps[(maps[:, :, :3] == torch.eye(3)).all((1, 2)) & (maps[:, 0, 3] != 0)]
    assert len(alone) > 200
    assert torch.equal(alone[:, 0, 3], alone[:, 1, 3]) and torch.equal(alone[:, 0, 3], alone[:, 2, 3])
    assert alone[:, 0, 3].std().item() == pytest.approx(0.2, rel=0.15)
    torch.testing.assert_close(colour.apply(images(1), alone[:1]), images(1) + alone[0, 0, 3])


def test_grey_images_get_offset_gain_and_sign():
    maps = drawn(1, 1.0, 20_000)
    gains = maps[:, 0, 0]
    assert (gains < 0).float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert gains.abs().log2().std().item() == pytest.approx(0.5, rel=0.03)


def test_a_grey_pixel_of_an_rgb_image_stays_grey_and_its_luma_flips_in_half_of_the_draws():
    maps = drawn(3, 1.0, 20_000)
    grey = maps[:, :, :3] @ torch.ones(3)  # the image of white
    torch.testing.assert_close(grey, grey[:, :1].expand(-1, 3), rtol=1e-4, atol=1e-5)
    assert (grey[:, 0] < 0).float().mean().item() == pytest.approx(0.5, abs=0.02)


def test_hue_turns_about_the_grey_axis():
    """Hue alone keeps lengths and the grey axis; by 120 degrees it turns red into green or blue."""
    maps = drawn(3, 0.05, 40_000)[:, :, :3]
    lengths_kept = torch.linalg.norm(maps @ maps.mT - torch.eye(3), dim=(1, 2)) < 1e-5
    turned = maps[lengths_kept & (torch.linalg.det(maps) > 0) & (maps[:, 0, 0] != 1)]
    assert len(turned) > 500
    torch.testing.assert_close(turned @ torch.ones(3), torch.ones(len(turned), 3), rtol=1e-5, atol=1e-5)
    cosines = (turned.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2
    assert cosines.min() < -0.95 and cosines.max() > 0.95 and abs(cosines.mean()) < 0.1


def test_many_channels_get_brightness_and_contrast_alone():
    maps = drawn(6)
    gain = maps[:, 0, 0, None, None]
    assert (gain > 0).all() and torch.equal(maps[:, :, :6], gain * torch.eye(6))
    assert torch.equal(maps[:, :, 6], maps[:, :1, 6].expand(-1, 6))


# Cutout


def test_a_hole_of_half_the_size_is_cut_with_probability_p():
    left = cutout.draw(4000, 16, 32, 0.3, torch.device("cpu"))
    assert left.shape == (4000, 1, 16, 32) and set(left.unique().tolist()) == {0.0, 1.0}
    holed = left.flatten(1).min(1).values == 0
    assert holed.float().mean().item() == pytest.approx(0.3, abs=0.03)
    sides = [(left[holed, 0] == 0).any(other).sum(1).max().item() for other in (2, 1)]
    assert sides == [8, 16]  # half of either side where the hole lies inside
    assert cutout.draw(50, 8, 8, 0.0, torch.device("cpu")).min() == 1


# The pipe


@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 8, 8), (3, 28, 23), (4, 9, 16), (6, 8, 8), (3, 1, 5), (1, 1, 1)])
def test_images_pass_p_0_bit_for_bit_and_p_1_finite(shape):
    x = images(4, *shape)
    assert torch.equal(pipe(x, 0.0, ALL), x)
    y = pipe(x, 1.0, ALL)
    assert y.shape == x.shape and y.isfinite().all()


def test_untouched_images_stay_and_touched_ones_are_as_many_as_p_says():
    x, p = images(3000, 1, 8, 8), 0.1
    same = (pipe(x, p, Shares(0.0, 1.0, 1.0)) == x).flatten(1).all(1).float().mean().item()
    expected = (1 - p) ** 2 * (1 - p / 2) * (1 - p)  # brightness, contrast, luma flip in half of its draws, hole
    assert same == pytest.approx(expected, abs=0.03)


def test_shares_leave_groups_out():
    x = images(64, 3)
    assert torch.equal(pipe(x, 1.0, Shares(0.0, 0.0, 0.0)), x)
    means = lambda y: y.mean((1, 2, 3))
    assert not torch.allclose(means(pipe(x, 1.0, Shares(0.0, 1.0))), means(x), atol=1e-3)
    assert (pipe(x, 1.0, Shares(0.0, 0.0, 1.0)) == 0).any()
    assert Shares(1.0, 1.0, 0.0) == BGC and Shares(1.0, 0.5, 1.0) == R3GAN


def test_what_is_hidden_at_p_1_is_not_below():
    """Leaks: with the luma flip always drawn, an image and its negative look alike to D; below 1 the image is more frequent.

    The mean of grey 0.5 is 0.5 (1 - p) E[gain]: the sign is -1 in p / 2 of the draws, brightness has mean 0.
    """
    x = torch.full((20_000, 1, 1, 1), 0.5)
    for p in (0.5, 0.8, 1.0):
        gain = 1 - p + p * exp((0.5 * log(2)) ** 2 / 2)
        assert pipe(x, p, Shares(0.0, 1.0)).mean().item() == pytest.approx(0.5 * (1 - p) * gain, abs=0.015)


def test_bf16_and_channels_last_change_nothing_but_rounding():
    x = images(8, 3, 16, 16)
    noise.seed_step(0, 0)
    plain = pipe(x, 0.8, ALL)
    noise.seed_step(0, 0)
    with torch.autocast("cpu", torch.bfloat16):
        other = pipe(x.contiguous(memory_format=torch.channels_last), 0.8, ALL)
    assert other.dtype == torch.float32
    torch.testing.assert_close(other, plain, rtol=1e-6, atol=1e-6)
    noise.seed_step(0, 0)
    torch.testing.assert_close(pipe(x.bfloat16(), 0.8, ALL), plain, rtol=0.1, atol=0.1)


def test_big_images_of_any_shape():
    x = images(1, 3, 1024, 700)
    y = pipe(x, 1.0, ALL)
    assert y.shape == x.shape and y.isfinite().all() and not torch.equal(x, y)


# Derivatives


def test_gathering_is_what_torch_samples():
    x = images(3, 2, 7, 7, dtype=torch.float64)
    inverse = torch.tensor([[0.9, 0.2, 0.3], [-0.1, 0.8, -0.4]])
    ours = geometry.warp(x, (inverse * torch.tensor([0.9, 0.9, 1.0])).expand(3, 2, 3))
    unit = (inverse * torch.tensor([0.9, 0.9, 2 / 6])).double()  # torch's places run from -1 to 1 over the pixels' centres
    grid = nn.functional.affine_grid(unit.expand(3, 2, 3), [3, 2, 7, 7], align_corners=True)
    theirs = nn.functional.grid_sample(x, grid, padding_mode="reflection", align_corners=True)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("taps", [1, 4])
def test_sampling_has_derivatives_of_every_order(taps):
    torch.manual_seed(0)
    x = torch.randn(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    index, weight = torch.randint(0, 12, (2, taps, 5)), torch.randn(2, taps, 5, dtype=torch.float64)
    curved = lambda x: sample(x, index, weight).sin()
    assert torch.autograd.gradcheck(curved, x) and torch.autograd.gradgradcheck(curved, x)


def test_whole_number_sums_are_the_transpose_too():
    torch.manual_seed(0)
    values, index, weight = torch.randn(3, 2, 50), torch.randint(0, 9, (3, 4, 50)), torch.randn(3, 4, 50)
    plain = spread(values.double(), index, weight.double(), 9, exactly=False)
    exact = spread(values, index, weight, 9, exactly=True)
    torch.testing.assert_close(exact.double(), plain, rtol=1e-5, atol=1e-5)
    order = torch.randperm(50)
    assert torch.equal(exact, spread(values[:, :, order], index[:, :, order], weight[:, :, order], 9, exactly=True))
    assert spread(torch.zeros(1, 1, 2), index[:1, :1, :2], weight[:1, :1, :2], 9, exactly=True).abs().sum() == 0
    assert spread(torch.full((1, 1, 2), torch.nan), index[:1, :1, :2], weight[:1, :1, :2], 9, exactly=True).isnan().any()


AUGMENTATIONS = {
    "pipe": lambda x: pipe(x, 0.9, ALL),
    "diffaugment": lambda x: diffaugment.DiffAugment().augment(x, NOW),
}


def again(augment):
    """The same draws at each call."""

    def call(x):
        noise.seed_step(3, 0)
        return augment(x)

    return call


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_gradients_and_their_gradients_in_float64(name, channels):
    augment = again(AUGMENTATIONS[name])
    x = images(2, channels, 3, 2, dtype=torch.float64).requires_grad_(True)
    curved = lambda x: augment(x).tanh()
    assert torch.autograd.gradcheck(curved, x) and torch.autograd.gradgradcheck(curved, x)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_penalty_through_the_augmentation_against_finite_differences(name):
    """r1_r2 at the images before augmentation, of D(x) = v.tanh(W aug(x)); its derivative by W, numerically."""
    torch.manual_seed(0)
    augment, shape = again(AUGMENTATIONS[name]), (2, 3, 3, 3)
    real, fake = images(*shape), images(*shape, seed=1)
    w, v = 0.3 * torch.randn(5, 27), torch.randn(5)

    def value(w):
        return r1_r2(lambda x: torch.tanh(augment(x).flatten(1) @ w.T.to(x)) @ v.to(x), real, fake)

    def by_hand(w):  # float64, D's gradient by central differences in each pixel
        total, h = 0.0, 1e-4
        for x in (real.double(), fake.double()):
            critic = lambda x: torch.tanh(augment(x).flatten(1) @ w.T) @ v.double()
            basis = torch.eye(27, dtype=torch.float64).view(27, *shape[1:])
            slopes = torch.stack([(critic(x + h * one) - critic(x - h * one)) / (2 * h) for one in basis])
            total += slopes.square().sum(0).mean() / 2
        return total

    leaf = w.clone().requires_grad_(True)
    penalty = value(leaf)
    penalty.backward()
    assert penalty.item() == pytest.approx(by_hand(w.double()).item(), rel=1e-4)
    for at in ((0, 0), (4, 26)):
        step = torch.zeros(5, 27, dtype=torch.float64)
        step[at] = 1e-3
        slope = (by_hand(w.double() + step) - by_hand(w.double() - step)) / 2e-3
        assert leaf.grad[at].item() == pytest.approx(slope.item(), rel=1e-3, abs=1e-5)


def test_the_gradient_at_an_image_is_that_of_the_augmented_one_carried_back():
    """D(x) = sum of pixels, image mirrored in colour: gain g makes the gradient g everywhere."""
    gain = torch.tensor([[[2.0, 0.0]]])
    slope = input_gradient(lambda x: colour.apply(x, gain).flatten(1).sum(1), images(1, 1))
    assert torch.equal(slope, torch.full((1, 1, 8, 8), 2.0))


# DiffAugment


def test_diffaugment_translation_moves_and_fills_with_0():
    x = torch.arange(1.0, 10).view(1, 1, 3, 3)
    y = diffaugment.translated(x, torch.tensor([1]), torch.tensor([-1]))
    assert y[0, 0].tolist() == [[0, 0, 0], [2, 3, 0], [5, 6, 0]]


def test_diffaugment_shifts_by_up_to_an_eighth_evenly():
    shifts = diffaugment.whole_shift(torch.rand(20_000), 32)
    assert shifts.unique().tolist() == list(range(-4, 5))
    assert (shifts + 4).bincount().div(20_000).tolist() == pytest.approx([1 / 9] * 9, abs=0.01)


def test_diffaugment_colours_by_hand():
    x = torch.tensor([1.0, 0.0, -0.4]).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    bright = diffaugment.recoloured(x, torch.tensor([[0.7, 0.5, 0.5]]))
    torch.testing.assert_close(bright, x + 0.2)
    grey = diffaugment.recoloured(x, torch.tensor([[0.5, 0.0, 0.5]]))
    torch.testing.assert_close(grey, torch.full((1, 3, 2, 2), 0.2))
    flat = diffaugment.recoloured(images(1), torch.tensor([[0.5, 0.5, 0.0]]))
    torch.testing.assert_close(flat, (images(1) + images(1).mean()) / 2)


def test_diffaugment_changes_every_image_and_has_no_state():
    (module,) = augmentation(Settings(augment="diffaugment"), spec()).values()
    x = images(200)
    assert not (module.augment(x, NOW) == x).flatten(1).all(1).any()
    assert not module.state_dict()
    assert module.observe(torch.tensor([[1.0], [2.0], [-1.0], [3.0]]), NOW) == {"r_t": torch.tensor(0.5)}


# ADA


def steps(ada, *means):
    """Show ADA batches of eight logits with these mean signs; p after each."""
    seen = []
    for mean in means:
        up = round(4 * (1 + mean))
        seen.append(ada.observe(torch.tensor([2.0] * up + [-3.0] * (8 - up))[:, None], NOW)["p"].item())
    return seen


def test_ada_moves_p_every_four_batches_by_the_papers_step():
    """Four batches of 8 at 500 kimg: 32 / 500,000 = 6.4e-5."""
    ada = Ada(BGC, batch=8)
    step = pytest.approx(6.4e-5, rel=1e-6)
    assert steps(ada, 1, 1, 1, 1, 1, 1, 1) == [0, 0, 0, step, step, step, step]
    assert steps(ada, 1)[0] == pytest.approx(2 * 6.4e-5, rel=1e-6)
    assert steps(ada, 0, 0, 1, 1)[3] == step  # r_t = 0.5 < 0.6 takes a step back
    assert steps(ada, 1, 0.5, 0.5, 0.5)[3] == pytest.approx(2 * 6.4e-5, rel=1e-6)  # r_t = 0.625 > 0.6


def test_ada_keeps_p_between_0_and_1():
    ada = Ada(BGC, batch=8, kimg=0.05)  # a step is 32 / 50
    assert steps(ada, *[-1] * 4)[3] == 0
    assert steps(ada, *[1] * 8)[3::4] == [pytest.approx(0.64), 1]
    assert steps(ada, *[0] * 4)[3] == pytest.approx(0.36)


def test_ada_goes_from_0_to_1_in_its_kimg():
    ada = Ada(BGC, batch=8, kimg=0.8)
    assert steps(ada, *[1] * 99)[-1] < 1
    assert steps(ada, 1)[0] == pytest.approx(1)


def test_ada_counts_items_so_a_batch_in_parts_is_one_batch():
    whole, parts = Ada(BGC, batch=8), Ada(BGC, batch=8)
    logits = torch.randn(4, 8, 1, generator=torch.Generator().manual_seed(0)) + 2
    for batch in logits:
        whole.observe(batch, NOW)
        for part in batch.chunk(2):
            parts.observe(part, NOW)
    assert whole.p > 0 and all(torch.equal(a, b) for a, b in zip(whole.buffers(), parts.buffers(), strict=True))


def test_ada_counts_an_item_once_however_many_patches_are_judged():
    whole, patches = Ada(BGC, batch=8), Ada(BGC, batch=8)
    logits = torch.randn(8, 8, 1, 1, 1, generator=torch.Generator().manual_seed(0)) + 2
    said = [(whole.observe(one, NOW), patches.observe(one.expand(8, 1, 14, 14), NOW)) for one in logits]
    assert whole.p > 0 and all(torch.allclose(a[name], b[name]) for a, b in said for name in ("p", "r_t"))


def test_ada_at_0_lets_images_through_untouched_and_then_does_not():
    ada, x = Ada(BGC, batch=8), images()
    assert ada.augment(x, NOW) is x
    ada.p.fill_(1.0)
    assert not torch.equal(ada.augment(x, NOW), x)


def test_what_is_logged_stays_what_it_was():
    ada = Ada(BGC, batch=8, kimg=0.1)
    logged = ada.observe(torch.ones(32), NOW)
    ada.observe(-torch.ones(32), NOW)
    assert logged["p"].item() == pytest.approx(0.32) and logged["r_t"].item() == 1 and ada.p == 0


def test_the_logit_that_decides_is_the_losss():
    (module,) = augmentation(Settings(augment="ada", loss="least_squares"), spec()).values()
    assert module.observe(torch.tensor([0.4, 0.6, 0.7, 0.9]), NOW)["r_t"].item() == 0.5
    for name in ("fixed", "diffaugment"):
        (module,) = augmentation(Settings(augment=name, loss="least_squares"), spec()).values()
        assert module.observe(torch.tensor([0.4, 0.6, 0.7, 0.9]), NOW)["r_t"].item() == 0.5
    for loss in ("wasserstein", "relativistic"):
        assert adversarial_loss(loss).undecided is None
        with pytest.raises(UserError, match="sign of D's logits"):
            augmentation(Settings(augment="ada", loss=loss), spec())
        assert augmentation(Settings(augment="fixed", loss=loss), spec())


# A probability settled beforehand


def test_p_rises_on_half_a_cosine():
    p = probability(Settings(augment="fixed", augment_p=0.55, augment_start=0.0, schedule_kimg=1.0, batch=100))
    at = [p(Clock(step, 100)) for step in (0, 5, 10, 50)]
    assert at == [0, pytest.approx(0.275), pytest.approx(0.55), pytest.approx(0.55)]
    assert probability(Settings(augment_p=0.3))(NOW) == pytest.approx(0.3)


def test_fixed_takes_a_schedule_of_the_recipes():
    nets = nn.ModuleDict(augmentation(Settings(augment="fixed"), spec(), p=lambda clock: clock.progress))
    x = images()
    assert augmented(nets, x, Clock(0, 4)) is x
    assert not torch.equal(augmented(nets, x, Clock(4, 4)), x)
    assert observed(nets, torch.ones(3), Clock(1, 4))["p"].item() == 0.25


# In games


def test_none_adds_nothing():
    nets = nn.ModuleDict(augmentation(Settings(), spec()))
    x = images()
    assert len(nets) == 0 and augmented(nets, x, NOW) is x and observed(nets, torch.ones(2), NOW) == {}


OTHERS = ("aae", "ctgan", "dptabular", "tabular")
IMAGE_RECIPES = [name for name in recipes.names() if name not in OTHERS and recipes.needs(name) is None]


@pytest.mark.parametrize("name", IMAGE_RECIPES)
def test_every_image_recipe_takes_augmentation(name):
    module = recipes.find(name)
    game = module.build(module.Config(width=8, augment="diffaugment"), open_source("digits").spec)
    assert "augment" in game.nets


@pytest.mark.parametrize(
    "part",
    [
        {"augment": "diffaugment", "penalty": "r1"},
        {"augment": "ada", "augment_kimg": 0.05, "augment_cutout": 1.0, "penalty": "r1_r2", "n_critic": 2},
        {"augment": "fixed", "augment_p": 0.8, "augment_start": 0.0, "loss": "relativistic", "penalty": "r1_r2"},
    ],
    ids=lambda part: part["augment"],
)
def test_recipes_conform_with_augmentation(part):
    """Bit-exact resume among it, at a p of ADA's that moves."""
    check_recipe("dcgan", width=8, steps=12, **part)


@pytest.mark.parametrize("name", ["dcgan", "acgan"])  # on pair(), and with turns of its own
def test_every_net_sees_augmented_images(name):
    """D, whether it judges reals, fakes or a penalty's points, is never shown an image that is not augmented."""
    module = recipes.find(name)
    torch.manual_seed(0)
    game = module.build(
        module.Config(
            width=8,
            augment="fixed",
            augment_p=1.0,
            augment_geometry=0.0,
            augment_colour=0.0,
            augment_cutout=1.0,
            penalty="r1_r2",
        ),
        open_source("digits").spec,
    )
    seen = []
    game.nets["D"].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    batch = next(open_source("digits").batches(16, 0))
    for turn in game.turns:
        turn.loss(nn.ModuleDict(game.nets), batch, NOW)
    assert len(seen) == 5 and all((x == 0).flatten(1).any(1).all() for x in seen)


@pytest.mark.parametrize(
    ("recipe", "data", "settings", "message"),
    [
        ("aae", "digits", {"augment": "ada"}, "judges codes"),
        ("gan", "ring8", {"augment": "diffaugment"}, "is for images"),
        ("dcgan", "digits", {"augment": "fixed", "augment_p": 1.5}, "augment_p"),
        ("dcgan", "digits", {"augment": "ada", "augment_kimg": 0.0}, "augment_kimg"),
        ("wgan", "digits", {"augment": "ada"}, "sign of D's logits"),
    ],
)
def test_what_cannot_be_augmented_is_refused_in_one_line(recipe, data, settings, message):
    module = recipes.find(recipe)
    with pytest.raises(UserError, match=message) as refused:
        module.build(module.Config(**settings), open_source(data).spec)
    assert "\n" not in str(refused.value)


RANKS = """
import sys
import torch
from zerosum import open_source, parallel
from zerosum.job import Job
from zerosum.settings import settings
from zerosum.train import Training

parallel.start()
values = {"batch": 16, "width": 8, "penalty": "r1", "augment": "ada", "augment_kimg": 0.2, "augment_target": 0.0}
plan = Training(steps=12, log_every=1, precision="fp32", pictures=0, scores=0, threads=1)
job = Job.new("digits", open_source("digits"), "dcgan", settings("dcgan", values), plan, sys.argv[1])
job.play()
if parallel.rank() == 0:
    torch.save({name: value for name, value in job.run.nets["augment"].state_dict().items()}, sys.argv[1] + ".pt")
parallel.wait_for_all()
parallel.stop()
"""


def test_two_ranks_augment_as_one_does(tmp_path):
    (tmp_path / "play.py").write_text(RANKS)
    both = ("--standalone", "--nproc-per-node", "2")
    for name, module, words in (("one", "play", ()), ("two", "torch.distributed.run", (*both, "play.py"))):
        code, _, err = finish(start(*words, name, module=module, cwd=tmp_path))
        assert code == 0, err
    logs = [(tmp_path / name / "log.jsonl").read_text().splitlines() for name in ("one", "two")]
    one, two = ([json.loads(line) for line in log] for log in logs)
    states = [torch.load(f"{tmp_path / name}.pt", weights_only=True) for name in ("one", "two")]
    assert all(torch.equal(states[0][name], states[1][name]) for name in ("p", "sum", "seen")) and states[0]["p"] > 0
    terms = [name for name in one[0] if "/" in name]
    assert {"D/p", "D/r_t"} <= set(terms)
    assert max(abs(a[name] - b[name]) for a, b in zip(one, two, strict=True) for name in terms) < 1e-4
