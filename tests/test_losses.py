"""Every loss against the formula of its paper, written anew in numpy, value and gradient in float64."""

from __future__ import annotations

import inspect
from typing import get_args

import numpy as np
import pytest
import torch

from zerosum import losses
from zerosum.losses import LossName, adversarial_loss

REAL = np.array([-3.0, -0.4, 0.0, 0.7, 1.5, 4.0])
FAKE = np.array([2.5, -1.7, 0.3, -0.2, -6.0, 0.9])


def s(x):
    return 1 / (1 + np.exp(-x))


# name -> (value, gradient by real logits, gradient by fake logits), each of r, f and the target t
CLOSED_FORMS = {
    "logistic_d": (
        lambda r, f, t: -np.mean(t * np.log(s(r)) + (1 - t) * np.log(1 - s(r))) - np.mean(np.log(1 - s(f))),
        lambda r, f, t: (s(r) - t) / r.size,
        lambda r, f, t: s(f) / f.size,
    ),
    "minimax_g": (
        lambda r, f, t: np.mean(np.log(1 - s(f))),
        lambda r, f, t: 0 * r,
        lambda r, f, t: -s(f) / f.size,
    ),
    "nonsaturating_g": (
        lambda r, f, t: -np.mean(np.log(s(f))),
        lambda r, f, t: 0 * r,
        lambda r, f, t: (s(f) - 1) / f.size,
    ),
    "least_squares_d": (
        lambda r, f, t: 0.5 * np.mean((r - t) ** 2) + 0.5 * np.mean(f**2),
        lambda r, f, t: (r - t) / r.size,
        lambda r, f, t: f / f.size,
    ),
    "least_squares_g": (
        lambda r, f, t: 0.5 * np.mean((f - 1) ** 2),
        lambda r, f, t: 0 * r,
        lambda r, f, t: (f - 1) / f.size,
    ),
    "hinge_d": (
        lambda r, f, t: -np.mean(np.minimum(0, r - 1)) - np.mean(np.minimum(0, -f - 1)),
        lambda r, f, t: -(r < 1).astype(float) / r.size,
        lambda r, f, t: (f > -1).astype(float) / f.size,
    ),
    "wasserstein_d": (
        lambda r, f, t: np.mean(f) - np.mean(r),
        lambda r, f, t: -np.ones_like(r) / r.size,
        lambda r, f, t: np.ones_like(f) / f.size,
    ),
    "mean_g": (
        lambda r, f, t: -np.mean(f),
        lambda r, f, t: 0 * r,
        lambda r, f, t: -np.ones_like(f) / f.size,
    ),
    "relativistic_d": (
        lambda r, f, t: -np.mean(np.log(s(r - f))),
        lambda r, f, t: -s(f - r) / r.size,
        lambda r, f, t: s(f - r) / r.size,
    ),
    "relativistic_g": (
        lambda r, f, t: -np.mean(np.log(s(f - r))),
        lambda r, f, t: s(r - f) / r.size,
        lambda r, f, t: -s(r - f) / r.size,
    ),
}


def call(name, real, fake, t=1.0):
    loss = vars(losses)[name]
    return loss(real, fake, t) if name.endswith("_d") else loss(fake, real)


def leaves(real=REAL, fake=FAKE):
    return tuple(torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (real, fake))


def test_no_loss_is_without_its_closed_form():
    written = {n for n, f in vars(losses).items() if inspect.isfunction(f) and n.endswith(("_d", "_g"))}
    assert written == set(CLOSED_FORMS)


@pytest.mark.parametrize("target", [1.0, 0.9])
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_value_and_gradient_are_the_papers(name, target):
    value, by_real, by_fake = CLOSED_FORMS[name]
    real, fake = leaves()
    loss = call(name, real, fake, target)
    loss.backward()
    assert loss.item() == pytest.approx(value(REAL, FAKE, target), rel=1e-13)
    grads = [np.zeros_like(REAL) if x.grad is None else x.grad.numpy() for x in (real, fake)]
    np.testing.assert_allclose(grads[0], by_real(REAL, FAKE, target), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(grads[1], by_fake(REAL, FAKE, target), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_autograd_agrees_with_finite_differences(name):
    assert torch.autograd.gradcheck(lambda r, f: call(name, r, f, 0.8), leaves())


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_logits_of_any_shape_are_averaged_over_all_elements(name):
    flat = call(name, *leaves())
    for shape in [(6, 1), (2, 1, 3, 1), (1, 6)]:
        assert call(name, *leaves(REAL.reshape(shape), FAKE.reshape(shape))).item() == pytest.approx(flat.item(), rel=1e-14)


@pytest.mark.parametrize("name", [name for name in CLOSED_FORMS if "relativistic" not in name])
def test_real_and_fake_batches_may_differ_in_size(name):
    value, _, _ = CLOSED_FORMS[name]
    assert call(name, *leaves(REAL[:2])).item() == pytest.approx(value(REAL[:2], FAKE, 1.0), rel=1e-13)


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_sure_critics_give_finite_float32_values_and_gradients(name):
    real = torch.tensor([1e4, -1e4], requires_grad=True)
    fake = torch.tensor([-1e4, 1e4], requires_grad=True)
    loss = call(name, real, fake)
    loss.backward()
    assert loss.isfinite()
    assert all(x.grad is None or x.grad.isfinite().all() for x in (real, fake))


def test_values_worked_out_by_hand():
    zero = torch.zeros(4, dtype=torch.float64)
    two, half = torch.full((4,), 2.0, dtype=torch.float64), torch.full((4,), 0.5, dtype=torch.float64)
    assert losses.logistic_d(zero, zero).item() == pytest.approx(np.log(4))  # Goodfellow et al. 2014, theorem 1
    assert losses.minimax_g(zero, zero).item() == pytest.approx(-np.log(2))
    assert losses.nonsaturating_g(zero, zero).item() == pytest.approx(np.log(2))
    assert losses.least_squares_d(half, half).item() == pytest.approx(0.25)  # at the optimum of equal densities
    assert losses.least_squares_g(half, half).item() == pytest.approx(0.125)
    assert losses.hinge_d(two, half).item() == pytest.approx(1.5)
    assert losses.wasserstein_d(two, half).item() == pytest.approx(-1.5)
    assert losses.mean_g(half, two).item() == pytest.approx(-0.5)
    assert losses.relativistic_d(zero + np.log(3), zero).item() == pytest.approx(np.log(4 / 3))
    assert losses.relativistic_g(zero, zero + np.log(3)).item() == pytest.approx(np.log(4))


def test_both_logistic_generators_pull_the_same_way_and_agree_at_equilibrium():
    grads = []
    for loss in (losses.minimax_g, losses.nonsaturating_g):
        fake = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
        loss(fake, fake).backward()
        grads.append(fake.grad)
    saturating, strong = grads
    assert (saturating < 0).all() and (strong < 0).all()
    torch.testing.assert_close(strong / saturating, torch.exp(-torch.linspace(-8, 8, 33, dtype=torch.float64)))  # (1 - s) / s
    assert saturating[16] == strong[16]  # where D says 1/2
    assert saturating[0].abs() < 1e-3 * strong[0].abs()  # where D is sure, only one of the two still moves


def minimum(d, reals, fakes, t=1.0):
    """The one logit v at which D's loss on `reals` real and `fakes` fake items that all have logit v is least."""
    low, high = -60.0, 60.0
    for _ in range(200):
        v = torch.tensor((low + high) / 2, dtype=torch.float64, requires_grad=True)
        # the means weigh both sides alike: densities are given by mixing in items of no gradient
        loss = reals * d(v[None], v.detach()[None], t) + fakes * d(v.detach()[None], v[None], t)
        (slope,) = torch.autograd.grad(loss, v)
        low, high = (low, v.item()) if slope > 0 else (v.item(), high)
    return (low + high) / 2


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.7, 0.2), (0.1, 0.6)])
def test_optimal_discriminators(p, q):
    share = p / (p + q)
    assert minimum(losses.logistic_d, p, q) == pytest.approx(np.log(share / (1 - share)), abs=1e-9)  # proposition 1
    assert minimum(losses.least_squares_d, p, q) == pytest.approx(share, abs=1e-9)  # Mao et al. 2017, eq. 11
    # one-sided smoothing: D* = t p / (p + q) (Salimans et al. 2016, section 3.4)
    smooth = 0.9 * share
    assert minimum(losses.logistic_d, p, q, 0.9) == pytest.approx(np.log(smooth / (1 - smooth)), abs=1e-9)
    assert minimum(losses.least_squares_d, p, q, 0.9) == pytest.approx(smooth, abs=1e-9)


@pytest.mark.parametrize("t", [0.6, 0.75, 0.9, 0.99])
def test_smoothed_labels_stop_the_logit_on_reals_alone(t):
    assert minimum(losses.logistic_d, 1.0, 0.0, t) == pytest.approx(np.log(t / (1 - t)), abs=1e-9)


def test_relativistic_losses_see_only_differences():
    for shift in (-7.3, 120.0):
        for name in ("relativistic_d", "relativistic_g"):
            moved = call(name, *leaves(REAL + shift, FAKE + shift)).item()
            assert moved == pytest.approx(call(name, *leaves()).item(), rel=1e-12)
    real, fake = leaves()
    torch.testing.assert_close(losses.relativistic_g(fake, real), losses.relativistic_d(fake, real))  # the sides swap roles


def test_hinge_is_flat_past_the_margin_and_steep_before_it():
    real, fake = leaves(np.array([1.01, 5.0, 0.99]), np.array([-1.01, -5.0, -0.99]))
    losses.hinge_d(real, fake).backward()
    torch.testing.assert_close(real.grad, torch.tensor([0.0, 0.0, -1 / 3], dtype=torch.float64))
    torch.testing.assert_close(fake.grad, torch.tensor([0.0, 0.0, 1 / 3], dtype=torch.float64))


@pytest.mark.parametrize("name", get_args(LossName))
def test_a_pair_says_truly_what_it_looks_at(name):
    pair = adversarial_loss(name)
    real, fake = leaves()
    pair.g(fake, real).backward()
    assert (real.grad is not None) == pair.g_sees_real
    assert fake.grad.abs().sum() > 0
    smoothed, plain = (pair.d(*leaves(), t).item() for t in (0.9, 1.0))
    assert (smoothed != plain) == pair.has_target


@pytest.mark.parametrize("name", get_args(LossName))
def test_the_two_sides_pull_fake_logits_apart(name):
    pair = adversarial_loss(name)
    near = np.array([0.1, 0.2, 0.3])  # between the targets, inside the margins
    real, fake = leaves(near, near[::-1].copy())
    pair.d(real, fake, 1.0).backward()
    assert (fake.grad > 0).all()  # D's descent lowers them
    fake.grad = None
    pair.g(fake, real).backward()
    assert (fake.grad < 0).all()  # G's descent raises them
