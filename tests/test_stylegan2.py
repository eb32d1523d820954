"""StyleGAN2 as its papers state it, and what a user steers it with."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import conv2d

from zerosum import UserError, noise, open_source, recipes, sampling
from zerosum.layers.conv import convolve
from zerosum.layers.equal import EqualConv2d, EqualLinear
from zerosum.layers.minibatch_std import class_std, minibatch_std
from zerosum.layers.modulated import ModulatedConv2d
from zerosum.layers.resample import double, halve
from zerosum.nets.r3gan import Discriminator as PlainD
from zerosum.nets.r3gan import Generator as PlainG
from zerosum.nets.stylegan2 import Discriminator, Generator
from zerosum.penalties import path_lengths
from zerosum.play import Run, play

stylegan2 = recipes.find("stylegan2")


def millions(net):
    return round(sum(p.numel() for p in net.parameters()) / 1e6, 2)


def small(shape=(3, 12, 20), classes=0, mixing=0.0):
    torch.manual_seed(0)
    return Generator(shape, 16, 16, 8, 2, classes, mixing, lambda z: noise.normal(*z.shape))


def test_networks_have_as_many_parameters_as_the_papers():
    """Counts of the authors' networks: 32 pixels without residual D (0.79 less), 64, 256 and 1024 pixels; R3GAN's."""
    G = lambda side, full, depth=2, classes=0: Generator((3, side, side), 512, 512, full, depth, classes, 0.9, None)
    D = lambda side, full, classes=0: Discriminator((3, side, side), 512, full, 4, 8, classes)
    with torch.device("meta"):
        assert [millions(net) for net in (G(32, 64), G(32, 64, classes=10), D(32, 64, 10))] == [19.95, 20.22, 23.88]
        assert [millions(net) for net in (G(64, 32), D(64, 32))] == [22.24, 23.41]
        assert [millions(net) for net in (G(256, 32, 8), D(256, 32))] == [24.77, 24.0]
        assert [millions(net) for net in (G(1024, 64, 8), D(1024, 64))] == [30.37, 29.01]
        assert [millions(net((3, 32, 32), *z, 768, 2, 32, 10)) for net, z in ((PlainG, [64]), (PlainD, []))] == [20.78, 21.28]
        assert [millions(net((3, 256, 256), *z, 768, 2, 32)) for net, z in ((PlainG, [64]), (PlainD, []))] == [23.06, 23.01]


# -- layers


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_scaling_maps_is_scaling_each_items_weights(up, demodulate):
    """Eqs. 1 and 3 of Karras et al. 2020, item by item with weights of its own."""
    torch.manual_seed(0)
    layer = ModulatedConv2d(5, 7, 3, up, demodulate).double()
    x, style = torch.randn(4, 5, 6, 5, dtype=torch.float64), torch.rand(4, 5, dtype=torch.float64) + 0.5
    weight = layer.weight.transpose(0, 1) if up else layer.weight
    made = layer(x, style)
    for item, s, y in zip(x, style, made, strict=True):
        own = weight * layer.scale * s[:, None, None]
        if demodulate:
            own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:  # a transposed kernel is a flipped one
            theirs = conv2d(double(item[None], (12, 10)), own.flip(2, 3), None, 1, 1)[0]
            assert torch.allclose(y[:, 2:-2, 2:-2], theirs[:, 2:-2, 2:-2], atol=1e-7)
        else:
            assert torch.allclose(y, conv2d(item[None], own, None, 1, 1)[0], atol=1e-7)


def test_demodulation_gives_unit_variance():
    torch.manual_seed(0)
    layer = ModulatedConv2d(32, 64, 3)
    x, style = torch.randn(16, 32, 24, 24), 10 * torch.rand(16, 32)
    inner = layer(x, style)[..., 1:-1, 1:-1]
    assert inner.std().item() == pytest.approx(1, rel=0.02)
    assert inner.std((2, 3)).sub(1).abs().mean() < 0.1


def test_equalised_layers_have_unit_variance_and_a_slow_one_learns_as_slowly():
    torch.manual_seed(0)
    assert EqualLinear(300, 200)(torch.randn(500, 300)).std().item() == pytest.approx(1, rel=0.02)
    assert EqualConv2d(30, 40, 3)(torch.randn(9, 30, 32, 32))[..., 1:-1, 1:-1].std().item() == pytest.approx(1, rel=0.03)
    moved = []
    for scale in (1.0, 0.01):
        layer = EqualLinear(8, 4, lr_scale=scale).double()
        before = layer(torch.eye(8, dtype=torch.float64)).detach()
        optim = torch.optim.Adam(layer.parameters(), lr=1e-3, betas=(0.0, 0.99))
        layer(torch.eye(8, dtype=torch.float64)).sum().backward()
        optim.step()
        moved.append((layer(torch.eye(8, dtype=torch.float64)) - before).abs().mean().item())
    assert moved[1] == pytest.approx(0.01 * moved[0], rel=1e-3)


def test_filtered_strided_convolution_is_convolution_then_halving():
    torch.manual_seed(0)
    layer = EqualConv2d(3, 4, 3, down=True).double()
    x = torch.randn(2, 3, 13, 16, dtype=torch.float64)
    whole = halve(convolve(x, layer.weight * layer.scale, None, 1, 1))
    assert layer(x).shape == whole.shape == (2, 4, 7, 8)
    assert torch.allclose(layer(x)[..., 1:-1, 1:-1], whole[..., 1:-1, 1:-1], atol=1e-10)


def test_minibatch_std_by_hand():
    x = torch.zeros(4, 1, 1, 2)
    x[0, 0, 0], x[1, 0, 0] = torch.tensor([0.0, 4.0]), torch.tensor([2.0, 4.0])  # deviations 1 and 0: mean 1/2
    x[3] += 6  # deviations 3 and 3
    made = minibatch_std(x, group=2)
    assert made.shape == (4, 2, 1, 2) and torch.equal(made[:, :1], x)
    assert torch.allclose(made[:, 1], torch.tensor([0.5, 0.5, 3.0, 3.0])[:, None, None].expand(4, 1, 2), atol=1e-4)
    assert minibatch_std(torch.randn(5, 3, 2, 2), group=4).shape == (5, 4, 2, 2)  # a group of 1: no spread


def test_the_spread_within_a_class_is_blind_to_what_tells_classes_apart():
    x = torch.zeros(5, 1, 1, 2)
    x[0, 0, 0], x[2, 0, 0] = torch.tensor([0.0, 4.0]), torch.tensor([2.0, 4.0])  # class 7: deviations 1 and 0
    x[[1, 3, 4]] = 100.0  # class 3: all alike; class 5: one item alone
    made = class_std(x, torch.tensor([7, 3, 7, 3, 5]))
    assert torch.equal(made[:, :1], x)
    wanted = torch.tensor([0.5, 0.0, 0.5, 0.0, 0.0])[:, None, None].expand(5, 1, 2)
    assert torch.allclose(made[:, 1], wanted, atol=2e-4)


# -- path length


def test_path_length_is_the_jacobians_by_finite_differences():
    torch.manual_seed(0)
    G = small((1, 8, 8)).double()
    w = torch.randn(2, G.layers, 16, dtype=torch.float64, requires_grad=True)
    noise.seed_step(0, 0)
    length = path_lengths(G.eval().synthesis, w)
    noise.seed_step(0, 0)
    pixels = noise.normal(2, 1, 8, 8).double() / 8
    step, slopes = 1e-5, torch.zeros_like(w)
    with torch.no_grad():
        for at in range(w[0].numel()):
            nudge = torch.zeros_like(w)
            nudge.flatten(1)[:, at] = step
            rise = ((G.synthesis(w + nudge) - G.synthesis(w - nudge)) * pixels).sum((1, 2, 3)) / (2 * step)
            slopes.flatten(1)[:, at] = rise
    assert torch.allclose(length, slopes.square().sum(2).mean(1).sqrt(), rtol=1e-6)


def test_path_lengths_gradient_is_right_by_finite_differences():
    torch.manual_seed(0)
    G = small((1, 4, 4)).double().eval()
    w = torch.randn(2, G.layers, 16, dtype=torch.float64, requires_grad=True)

    def penalty(w):
        noise.seed_step(0, 0)
        return (path_lengths(G.synthesis, w) - 0.3).square().mean()

    (gradient,) = torch.autograd.grad(penalty(w), G.convs[0].conv.weight)
    weight, direction = G.convs[0].conv.weight, torch.randn_like(G.convs[0].conv.weight)
    around = []
    for step in (1e-5, -1e-5):
        with torch.no_grad():
            weight += step * direction
        around.append(penalty(w).item())
        with torch.no_grad():
            weight -= step * direction
    assert (gradient * direction).sum().item() == pytest.approx((around[0] - around[1]) / 2e-5, rel=1e-4)


# -- the game


def fresh(**settings):
    source = open_source("digits")
    torch.manual_seed(0)
    cfg = stylegan2.Config(**{"batch": 8, "width": 8, "z_dim": 16, "conditional": False, **settings})
    return Run(stylegan2.build(cfg, source.spec), 5, 8), source


def test_lazy_turns_are_taken_when_due_and_scaled_by_their_interval():
    run, source = fresh(penalty_every=4, path_every=2)
    logged = [set(logs) for logs in play(run, source)]
    assert ["D/r1" in names for names in logged] == [True, False, False, False, True]
    assert ["G/path" in names for names in logged] == [True, False, True, False, True]
    one, four = fresh(penalty_every=1)[0], fresh(penalty_every=4)[0]
    r1 = [next(iter(play(one_run, source)))["D/r1"].item() for one_run in (one, four)]
    assert r1[1] == pytest.approx(4 * r1[0], rel=0.3)  # D has moved once, a little differently, before
    for player, k in (("D", 4), ("G", 4)):
        (group,) = four.optims[player].param_groups
        assert group["lr"] == pytest.approx(2.5e-3 * k / (k + 1))
        assert group["betas"] == (0.0, pytest.approx(0.99 ** (k / (k + 1))))


def test_running_means_follow_and_are_kept_in_the_nets():
    run, source = fresh(path_every=1)
    G, lengths = run.nets["G"], []
    for logs in play(run, source):
        lengths.append(logs["G/path_length"].item())
    expected = 0.0
    for length in lengths:
        expected += 0.01 * (length - expected)
    assert run.nets["path"].mean.item() == pytest.approx(expected, rel=1e-5)
    assert G.w_mean.abs().sum() > 0
    assert {"path.mean", "G.w_mean", "G_ema.w_mean"} <= set(run.nets.state_dict())


def test_the_sum_of_images_is_not_rounded_to_bfloat16():
    G = small((3, 16, 16)).eval()
    first = []
    G.ends[0].register_forward_hook(lambda layer, given, made: first.append(made))
    for end in G.ends[1:]:
        torch.nn.init.zeros_(end.conv.weight)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        made = G.synthesis(torch.randn(2, G.layers, 16))
    assert made.dtype == first[0].dtype == torch.float32
    assert torch.equal(made, double(double(first[0], (8, 8)), (16, 16)))


def test_truncation_leads_to_the_image_of_the_mean_style():
    run, _ = fresh()
    run.nets["G"].w_mean.normal_()
    run.nets["G_ema"].w_mean.copy_(run.nets["G"].w_mean)
    inputs = sampling.draw(run.game, 3, 0)
    none = sampling.generate(run, inputs | {"truncation": torch.zeros(3)})["x"]
    with run.shown() as nets:
        G = nets["G"]
        mean = G.synthesis(G.w_mean.expand(1, G.layers, -1)).clamp(-1, 1)
    assert torch.allclose(none, mean.expand(3, -1, -1, -1), atol=1e-5)
    full, half = (sampling.generate(run, inputs | {"truncation": torch.full((3,), t)})["x"] for t in (1.0, 0.5))
    assert torch.equal(full, sampling.generate(run, inputs)["x"])
    assert (half - none).abs().mean() < (full - none).abs().mean()


def test_mixing_takes_layers_from_the_other_noise():
    run, _ = fresh()
    inputs = sampling.draw(run.game, 4, 0)
    other = sampling.draw(run.game, 4, 1)
    layers = run.nets["G"].layers
    make = lambda at: sampling.generate(run, inputs | {"z_fine": other["z"], "fine_from": torch.full((4,), at)})["x"]
    assert torch.equal(make(0), sampling.generate(run, other)["x"])
    assert torch.equal(make(layers), sampling.generate(run, inputs)["x"])
    assert not torch.equal(make(layers // 2), make(0)) and not torch.equal(make(layers // 2), make(layers))


def test_noise_is_random_in_training_and_fixed_in_use():
    G = small()
    for conv in G.convs:
        torch.nn.init.ones_(conv.strength)
    z = torch.randn(2, 16)
    assert not torch.equal(G(z), G(z))
    G.eval()
    assert torch.equal(G(z), G(z))


def test_training_mixes_the_share_that_was_asked_for():
    noise.seed_step(0, 0)
    G = small(mixing=0.7)
    at = G._crossover(4000, torch.device("cpu"))
    assert at.min() == 1 and at.max() == G.layers
    assert (at < G.layers).float().mean().item() == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 17, 40), (5, 28, 23)])
def test_any_size_any_channels_with_labels(shape):
    G, D = small(shape, classes=3), Discriminator(shape, 16, 8, 4, 2, 3)
    y = torch.arange(3)
    x = G.eval()(torch.randn(3, 16), y)
    assert x.shape == (3, *shape) and D(x, y).shape == (3, 1)
    same = torch.randn(1, 16).expand(2, -1)
    assert not torch.equal(*G(same, torch.tensor([0, 1])))


@pytest.mark.parametrize("wrong", [{"width": 12}, {"group": 0}, {"mixing": 1.5}, {"path_every": 0}, {"full": 0}])
def test_impossible_settings_are_refused_by_name(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        stylegan2.build(replace(stylegan2.Config(width=8), **wrong), open_source("digits").spec)


def test_spectral_norm_is_refused_not_forgotten():
    with pytest.raises(UserError, match="spectral_norm"):
        stylegan2.build(stylegan2.Config(width=8, spectral_norm=True), open_source("digits").spec)


def test_path_length_and_penalty_can_be_left_out():
    run, source = fresh(path_weight=0.0, penalty="none")
    logs = [logs for logs in play(run, source)]
    assert "path" not in run.nets and not any("G/path" in step or "D/r1" in step for step in logs)
    assert run.optims["G"].param_groups[0]["lr"] == 2.5e-3
