"""Every penalty against closed forms: linear and quadratic critics, and a small network by float64 finite differences."""

from __future__ import annotations

import copy
from functools import partial
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn

from zerosum import noise
from zerosum.game import Game, Player, Turn
from zerosum.nets.mlp import Discriminator
from zerosum.penalties import (
    PenaltyName,
    clipped,
    dragan,
    exact,
    gradient_penalty,
    input_gradient,
    penalty,
    r1,
    r1_r2,
    r2,
    squared_norm,
)
from zerosum.play import Run, play

PENALTIES = [name for name in get_args(PenaltyName) if name != "none"]
ONE_CENTRED = ["gradient_penalty", "dragan"]


@pytest.fixture(autouse=True)
def seeded():
    noise.seed_step(0, 0)


def items(n=5, *shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, *(shape or (3,))))).float()


def linear(w):
    return lambda x: x.flatten(1) @ w


def test_none_is_no_penalty():
    assert penalty("none") is None
    assert len(PENALTIES) == 5


@pytest.mark.parametrize("shape", [(6,), (2, 1, 3)])
@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("name", PENALTIES)
def test_linear_critic(name, shape, column):
    """D(x) = w.x has gradient w everywhere: ||w||^2 / 2 at reals, at fakes, twice that at both, (||w|| - 1)^2 on lines."""
    w = torch.tensor([0.5, -1.5, 2.0, 0.25, 0.0, -3.0], requires_grad=True)
    wide = w.detach().double()
    norm = wide.norm()
    expected = {"r1": norm**2 / 2, "r2": norm**2 / 2, "r1_r2": norm**2}
    slope = {"r1": wide, "r2": wide, "r1_r2": 2 * wide}
    for one in ONE_CENTRED:
        expected[one], slope[one] = (norm - 1) ** 2, 2 * (norm - 1) * wide / norm
    critic = (lambda x: linear(w)(x)[:, None]) if column else linear(w)  # logits [n, 1] or [n]
    value = penalty(name)(critic, items(5, *shape), items(5, *shape, seed=1))
    value.backward()
    assert value.item() == pytest.approx(expected[name].item(), rel=1e-6)
    torch.testing.assert_close(w.grad.double(), slope[name], rtol=1e-5, atol=1e-6)


A = np.array([[2.0, 0.5, -1.0], [0.5, -1.0, 0.3], [-1.0, 0.3, 0.7]])
B = np.array([0.2, -0.4, 1.1])


def quadratic(x):
    """x'Ax / 2 + b'x, whose gradient is Ax + b."""
    a, b = (torch.from_numpy(part).float() for part in (A, B))
    return (x @ a * x).sum(1) / 2 + x @ b


def slope_at(x):
    return x.double().numpy() @ A + B


def test_quadratic_critic_at_reals_and_fakes():
    real, fake = items(7), items(7, seed=1)
    at_real, at_fake = ((slope_at(x) ** 2).sum(1).mean() / 2 for x in (real, fake))
    assert r1(quadratic, real, fake).item() == pytest.approx(at_real, rel=1e-5)
    assert r2(quadratic, real, fake).item() == pytest.approx(at_fake, rel=1e-5)
    assert r1_r2(quadratic, real, fake).item() == pytest.approx(at_real + at_fake, rel=1e-5)
    torch.testing.assert_close(input_gradient(quadratic, real).double(), torch.from_numpy(slope_at(real)), rtol=1e-5, atol=1e-5)


def seen_by(name, real, fake):
    points = []

    def critic(x):
        points.append(x.detach())
        return quadratic(x.flatten(1)[:, :3])

    return penalty(name)(critic, real, fake).item(), points


@pytest.mark.parametrize("shape", [(3,), (1, 3, 1)])
def test_gradient_penalty_of_a_quadratic_critic_on_lines_between_pairs(shape):
    real, fake = items(200, *shape), items(200, *shape, seed=1)
    value, (x,) = seen_by("gradient_penalty", real, fake)
    shares = ((x - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(shares, shares.median(1, keepdim=True).values.expand_as(shares), rtol=0, atol=2e-3)
    share = shares.median(1).values  # one for each pair
    assert 0 <= share.min() < 0.05 and 0.95 < share.max() < 1  # and spread over the whole line
    norms = np.sqrt((slope_at(x.flatten(1)) ** 2).sum(1))
    assert value == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


def test_gradient_penalty_averages_over_the_line_uniformly():
    """D(x) = a x^2 / 2 between 0 and c: the mean of (a x - 1)^2 over [0, c] is a^2 c^2 / 3 - a c + 1."""
    a, c, n = 0.5, 3.0, 200_000
    value = gradient_penalty(lambda x: a * x.square() / 2, torch.full((n, 1), c), torch.zeros(n, 1))
    assert value.item() == pytest.approx(a**2 * c**2 / 3 - a * c + 1, abs=5e-3)


@pytest.mark.parametrize("spread", [0.3, 0.8])
def test_dragan_averages_over_noise_around_reals(spread):
    """D(x) = a x^2 / 2 at m + delta, far from the kink at 0: the mean of (a x - 1)^2 is (a m - 1)^2 + a^2 spread^2."""
    a, m, n = 0.5, 6.0, 200_000
    value = dragan(lambda x: a * x.square() / 2, torch.full((n, 1), m), torch.full((n, 1), 1e6), spread)
    assert value.item() == pytest.approx((a * m - 1) ** 2 + a**2 * spread**2, rel=5e-3)


@pytest.mark.parametrize("name", PENALTIES)
def test_which_items_count(name):
    real, fake = items(), items(seed=1)
    base = seen_by(name, real, fake)[0]
    for which, moved in {"real": (real + 1, fake), "fake": (real, fake + 1)}.items():
        noise.seed_step(0, 0)
        changed = seen_by(name, *moved)[0] != base
        noise.seed_step(0, 0)
        assert changed == (which in {"r1": "real", "dragan": "real", "r2": "fake"}.get(name, "real fake"))


def by_hand(name, weights, v, points):
    """The penalty of D(x) = v.tanh(Wx) in float64: its gradient is W'(v (1 - tanh^2))."""
    total = 0.0
    for x in points:
        slope = (v * (1 - np.tanh(x @ weights.T) ** 2)) @ weights
        norms = (slope**2).sum(1)
        total += ((np.sqrt(norms) - 1) ** 2).mean() if name in ONE_CENTRED else norms.mean() / 2
    return total


@pytest.mark.parametrize("name", PENALTIES)
def test_derivative_by_the_critics_weights(name):
    rng = np.random.default_rng(3)
    weights, v = rng.normal(size=(4, 3)), rng.normal(size=4)
    w, u = (torch.from_numpy(part).float().requires_grad_(True) for part in (weights, v))
    points = []

    def critic(x):
        points.append(x.detach().double().numpy())
        return torch.tanh(x @ w.T) @ u

    value = penalty(name)(critic, items(6), items(6, seed=1))
    value.backward()
    weights, v = w.detach().double().numpy(), u.detach().double().numpy()
    assert value.item() == pytest.approx(by_hand(name, weights, v, points), rel=1e-5)
    for leaf, array in ((w, weights), (u, v)):
        numeric, h = np.zeros_like(array), 1e-6
        for at in np.ndindex(array.shape):
            kept = array[at]
            array[at] = kept + h
            up = by_hand(name, weights, v, points)
            array[at] = kept - h
            numeric[at] = (up - by_hand(name, weights, v, points)) / (2 * h)
            array[at] = kept
        np.testing.assert_allclose(leaf.grad.numpy(), numeric, rtol=2e-4, atol=2e-5)


def small_critic():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 3), nn.LeakyReLU(0.2, inplace=True), nn.Flatten(), nn.Linear(8 * 36, 1))


@pytest.mark.parametrize("name", PENALTIES)
def test_a_bf16_autocast_outside_changes_nothing(name):
    critic, real, fake = small_critic(), items(4, 1, 8, 8), items(4, 1, 8, 8, seed=1)
    outcomes = []
    for enabled in (False, True):
        noise.seed_step(0, 0)
        critic.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            value = penalty(name)(critic, real, fake)
        value.backward()
        outcomes.append([value, *(p.grad.clone() for p in critic.parameters() if p.grad is not None)])
    for plain, outside in zip(*outcomes, strict=True):
        assert outside.dtype == torch.float32
        assert torch.equal(plain, outside)


def test_exact_turns_autocast_off_inside_alone():
    a = torch.randn(8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert (a @ a).dtype == torch.bfloat16
        with exact():
            assert (a @ a).dtype == torch.float32
        assert (a @ a).dtype == torch.bfloat16


def test_compiled_critics_are_penalised_eagerly():
    real, fake = items(4), items(4, seed=1)
    plain = Discriminator((3,), width=8, depth=1)
    compiled = copy.deepcopy(plain)
    compiled.compile(backend="aot_eager")
    x = real.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(compiled(x).sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="double backward"):  # a compiled graph has no second derivative
        slope.square().sum().backward()
    for name in PENALTIES:
        for critic in (plain, compiled):
            noise.seed_step(0, 0)
            critic.zero_grad()
            penalty(name)(critic, real, fake).backward()
        assert any(p.grad is not None for p in plain.parameters())
        for p, q in zip(plain.parameters(), compiled.parameters(), strict=True):
            assert (p.grad is None and q.grad is None) or torch.equal(p.grad, q.grad)


def test_bf16_items_are_taken_in_float32():
    real, fake = items().bfloat16(), items(seed=1).bfloat16()
    for name in PENALTIES:
        assert penalty(name)(quadratic, real, fake).dtype == torch.float32


@pytest.mark.parametrize("name", PENALTIES)
def test_a_critic_of_zero_gradient_is_finite_and_gives_finite_gradients(name):
    critic = small_critic()
    for p in critic.parameters():
        nn.init.zeros_(p)
    value = penalty(name)(critic, items(4, 1, 8, 8), items(4, 1, 8, 8, seed=1))
    value.backward()
    assert value.item() == pytest.approx(1.0 if name in ONE_CENTRED else 0.0, abs=1e-5)
    assert all(p.grad is None or p.grad.isfinite().all() for p in critic.parameters())


@pytest.mark.parametrize("name", PENALTIES)
def test_no_gradient_reaches_the_generator_or_the_data(name):
    real, fake = items().requires_grad_(True), items(seed=1).requires_grad_(True)
    w = torch.ones(3, requires_grad=True)
    penalty(name)(lambda x: (x * w).square().sum(1), real, fake * 2).backward()
    assert real.grad is None and fake.grad is None
    assert w.grad.abs().sum() > 0


def test_squared_norm_is_per_item():
    torch.testing.assert_close(squared_norm(torch.tensor([[[3.0, 4.0]], [[1.0, 2.0]]])), torch.tensor([25.0, 5.0]))


class Pushed:
    """A source of constant batches."""

    def batches(self, size, seed, start=0, rank=0, world=1):
        while True:
            yield {"x": torch.ones(size, 2)}


@pytest.mark.parametrize("optim", [partial(torch.optim.SGD, lr=0.3), partial(torch.optim.Adam, lr=0.3, fused=True)])
def test_weight_clipping_projects_the_critic_after_each_step_and_only_the_critic(optim):
    torch.manual_seed(0)
    nets = {"G": nn.Linear(2, 2), "D": nn.Linear(2, 1)}
    push = lambda name: lambda nets, batch, clock: {"up": -nets[name](batch["x"]).sum(1).mean()}
    players = {"D": Player(("D",), clipped(optim, 0.05)), "G": Player(("G",), optim)}
    turns = (Turn("D", push("D")), Turn("G", push("G")))
    run = Run(Game(nets, players, turns, draw=lambda n: {}, generate=lambda nets, batch: batch["z"]), total=4, batch=2)
    for _ in play(run, Pushed()):
        weights = torch.cat([p.flatten() for p in run.nets["D"].parameters()])
        assert weights.abs().max() <= 0.05
    torch.testing.assert_close(weights, torch.full((3,), 0.05))  # pushed up four times, so every weight lies on the bound
    assert min(p.min() for p in run.nets["G"].parameters()) > 0.05


def test_clipping_leaves_weights_inside_the_box_to_the_optimiser():
    p = nn.Parameter(torch.tensor([0.04, -0.04, 0.0]))
    optim = clipped(partial(torch.optim.SGD, lr=1.0), 0.05)([p])
    p.grad = torch.tensor([-0.5, 0.5, 0.02])
    optim.step()
    torch.testing.assert_close(p.detach(), torch.tensor([0.05, -0.05, -0.02]))
