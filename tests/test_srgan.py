"""Larger images from small ones: the network, the two phases, the perceptual term."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from zerosum import UserError, check_recipe, noise
from zerosum.conformance import _toy
from zerosum.game import Clock
from zerosum.losses import feature_matching
from zerosum.nets import perceptual, rrdb
from zerosum.nets.mobilenet import Trunk, read
from zerosum.play import Pace, Run, play
from zerosum.recipes import inpaint, srgan
from zerosum.rundir import RunDir

SMALL = {"width": 8, "width_d": 8, "blocks": 1, "batch": 4}


def source():
    return _toy("crops")


# -- the network


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (16, 12)])
def test_an_untrained_net_is_bicubic_interpolation_at_any_size(scale, size):
    net = rrdb.Generator(3, scale, width=8, blocks=1)
    x = torch.rand(2, 3, *size) * 2 - 1
    y = net(x)
    assert y.shape == (2, 3, size[0] * scale, size[1] * scale)
    assert torch.equal(y, rrdb.resized(x, size[0] * scale, size[1] * scale))


@pytest.mark.parametrize(("before", "after"), [((48, 36), (12, 9)), ((48, 36), (16, 12)), ((7, 9), (28, 36))])
def test_resizing_is_pillows_bicubic(before, after):
    x = np.random.default_rng(0).integers(64, 192, (*before, 3), np.uint8)
    theirs = np.asarray(Image.fromarray(x).resize((after[1], after[0]), Image.Resampling.BICUBIC))
    ours = rrdb.resized(torch.from_numpy(x).permute(2, 0, 1)[None], *after)[0].permute(1, 2, 0).clamp(0, 255).numpy()
    assert np.abs(ours - theirs).max() <= 1.51  # Pillow rounds to 8 bits after either direction


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_even_colours_stay_even(scale):
    """Whatever was learned: a pattern of the net's own grid cannot appear where there is nothing to see."""
    torch.manual_seed(0)
    net = rrdb.Generator(3, scale, width=8, blocks=1)
    for p in net.parameters():
        nn.init.normal_(p, std=0.3)
    with torch.no_grad():
        y = net(torch.tensor([0.5, -0.3, 0.1])[None, :, None, None].expand(1, 3, 40, 40))
    inside = y[:, :, 16 * scale : 24 * scale, 16 * scale : 24 * scale]
    assert float((inside - inside[:, :, :1, :1]).abs().max()) < 1e-4 * float(y.abs().max())


def test_blocks_are_added_at_a_fifth():
    dense = rrdb.Dense(4, 4, 2)
    for layer in dense.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight), nn.init.ones_(layer.bias)
    assert torch.allclose(dense(torch.zeros(1, 4, 3, 3)), torch.full((1, 4, 3, 3), 0.2))


# -- the two phases


def run(steps=6, **settings):
    torch.manual_seed(0)
    return Run(srgan.build(srgan.Config(**SMALL, **settings), source().spec), steps, 4)


def test_pixels_alone_first_then_both_sides():
    logs = list(play(run(steps=10, pixel_share=0.5), source()))
    assert all(set(row) == {"G/l1"} for row in logs[:5])
    assert all({"D/adv", "G/adv", "G/features", "G/l1"} <= set(row) for row in logs[5:])


def test_the_phases_follow_a_plan_whose_end_moves():
    playing, seen = run(steps=1000, pixel_share=0.5), []
    for row in itertools.islice(play(playing, source()), 6):
        seen.append("D/adv" in row)
        if playing.clock.step == 3:
            playing.clock = Clock(3, 4, playing.clock.batches)
            break
    for row in play(playing, source()):
        seen.append("D/adv" in row)
    assert seen == [False, False, False, True]


def test_the_learning_rate_falls_and_starts_again():
    playing = run(steps=100, pixel_share=0.5)
    pace = playing.game.players["G"].lr_scale
    rates = [2e-3 * pace(Clock(step, 100)) for step in range(100)]
    assert rates[0] == 2e-3 and rates[49] < 5e-5
    assert rates[50] == pytest.approx(1e-3) and 1e-5 < rates[99] < 3e-4
    assert all(later < sooner for part in (rates[:50], rates[50:]) for sooner, later in itertools.pairwise(part))


def test_pixels_alone_bring_it_near():
    playing = run(steps=60, pixel_share=1.0, scale=2)
    logs = [float(row["G/l1"]) for row in play(playing, source())]
    assert np.mean(logs[-10:]) < 0.75 * logs[0]


@pytest.mark.parametrize("settings", [{"scale": 2}, {"scale": 4, "pixel_share": 0.2, "penalty": "r1"}, {"loss": "hinge"}])
def test_srgan_conforms(settings):
    check_recipe("srgan", **SMALL | {"batch": 8}, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"scale": 3}, "not divisible"),
        ({"pixel_share": 1.2}, "pixel_share"),
        ({"augment": "ada"}, "augment"),
        ({"finish": 0}, "finish 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(UserError, match=words):
        run(**settings)


def test_a_penalty_takes_the_mean_over_patches_as_an_items_opinion():
    judged = dict(penalty="r1", penalty_weight=3, penalty_every=1, spectral_norm=False)
    game = srgan.build(srgan.Config(**SMALL, pixel_share=0, **judged), source().spec)
    batch = source().some(4)
    term = game.turns[1].loss(nn.ModuleDict(game.nets), batch, Clock(0, 10))["r1"]
    x = batch["x"].clone().requires_grad_()
    (slope,) = torch.autograd.grad(game.nets["D"](x).mean((1, 2, 3)).sum(), x)
    assert term.item() == pytest.approx(3 / 2 * float(slope.square().sum((1, 2, 3)).mean()), rel=1e-4)


# -- the perceptual term


def test_the_term_is_zero_for_equal_images_and_moves_the_made_ones_alone(trunk_file):
    term = perceptual.Perceptual(str(trunk_file))
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    assert float(term(x, x)) == 0
    made, real = (x + 0.1).requires_grad_(), x.clone().requires_grad_()
    term(made, real).backward()
    assert made.grad.abs().sum() > 0 and real.grad is None and not list(term.parameters())
    apart = perceptual.distances(term.trunk, x, -x)
    assert torch.allclose(torch.cat([perceptual.distances(term.trunk, x[i : i + 1], -x[i : i + 1]) for i in (0, 1)]), apart)
    grey, three = x[:, :1], x[:, :1].expand(-1, 3, -1, -1)
    assert torch.equal(perceptual.distances(term.trunk, grey, -grey), perceptual.distances(term.trunk, three, -three))


def test_the_gradient_is_the_differences_limit(trunk_file):
    term = perceptual.Perceptual(str(trunk_file)).double()
    torch.manual_seed(0)
    x, step = torch.rand(1, 3, 32, 32).double() * 2 - 1, torch.randn(1, 3, 32, 32).double()

    def value(made):
        noise.seed_step(0, 0)  # the window stands still
        return term(made, x)

    made = (0.5 * x).requires_grad_()
    value(made).backward()
    slope = float((value(0.5 * x + 1e-7 * step) - value(0.5 * x - 1e-7 * step)) / 2e-7)
    assert float((made.grad * step).sum()) == pytest.approx(slope, rel=1e-4)


def test_the_window_wanders(trunk_file):
    """Or the trunk, which halves at the same pixels always, writes its grid into images."""
    term, x = perceptual.Perceptual(str(trunk_file)), torch.rand(1, 3, 64, 64) * 2 - 1
    noise.seed_step(0, 0)
    values = [float(term(x, -x)) for _ in range(5)]
    noise.seed_step(0, 0)
    assert len(set(values)) > 1 and values == [float(term(x, -x)) for _ in range(5)]


def test_a_shallower_trunk_sees_the_same(trunk_file):
    arrays, x = read(trunk_file), torch.rand(1, 3, 40, 56)
    whole, part = Trunk(arrays).maps(x), Trunk(arrays, deepest=5).maps(x)
    assert len(part) == 6 and all(torch.equal(a, b) for a, b in zip(whole, part, strict=False))
    assert [tuple(whole[i].shape[1:]) for i in perceptual.DEPTHS] == [(16, 20, 28), (24, 10, 14), (32, 5, 7), (96, 2, 3)]


def test_a_trained_run_does_without_the_file(trunk_file, tmp_path):
    settings = {"features": str(trunk_file), "pixel_share": 0.3}
    whole = run(**settings)
    for _ in itertools.islice(play(whole, source()), 4):
        pass
    folder = RunDir.create(tmp_path / "run", {})
    folder.save(whole, seconds=0.0)
    for _ in play(whole, source()):
        pass
    trunk_file.unlink()
    with pytest.raises(UserError, match="no network at"):
        next(iter(play(run(**settings), source())))
    loaded = run(**settings)
    folder.restore(loaded)
    for _ in play(loaded, source()):
        pass
    for key, value in whole.nets.state_dict().items():
        assert torch.equal(value, loaded.nets.state_dict()[key]), key


def test_files_of_another_kind_end_in_one_line(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for path, words in ((tmp_path / "none.npz", "no network at"), (tmp_path / "other.npz", "no feature network")):
        with pytest.raises(UserError, match=words) as error:
            next(iter(play(run(features=str(path)), source())))
        assert "\n" not in str(error.value)


def test_matching_is_the_mean_distance_of_layers():
    made = [torch.tensor([[1.0, 3.0]], requires_grad=True), torch.tensor([[2.0]], requires_grad=True)]
    real = [torch.tensor([[0.0, 0.0]], requires_grad=True), torch.tensor([[5.0]], requires_grad=True)]
    loss = feature_matching(made, real)
    assert loss.item() == (2 + 3) / 2
    loss.backward()
    assert made[0].grad.tolist() == [[0.25, 0.25]] and made[1].grad.tolist() == [[-0.5]]
    assert real[0].grad is None


def test_half_precision_trains_both_phases():
    torch.manual_seed(0)
    game = srgan.build(srgan.Config(**SMALL, pixel_share=0.5), source().spec)
    for logs in play(Run(game, 4, 4, pace=Pace(dtype=torch.bfloat16)), source()):
        assert all(value.isfinite() for value in logs.values())


@pytest.mark.parametrize("recipe", [srgan, inpaint])
def test_channels_that_features_do_not_know_are_refused_before_training(recipe, trunk_file):
    spec = replace(source().spec, shape=(5, 32, 32))
    with pytest.raises(UserError, match="5 channels"):
        recipe.build(recipe.Config(width=8, width_d=8, features=str(trunk_file)), spec)
    recipe.build(recipe.Config(width=8, width_d=8), spec)
