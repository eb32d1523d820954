"""LeakyReLU without a second derivative gives the penalties that torch's gives."""

import torch
from torch import nn

from zerosum.layers.leaky import LeakyReLU
from zerosum.penalties import r1


def test_values_and_derivatives_are_those_of_torch():
    torch.manual_seed(0)
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    ours = lambda x: LeakyReLU()(x * 1.0)
    assert torch.equal(ours(x), nn.functional.leaky_relu(x, 0.2))
    assert torch.autograd.gradcheck(ours, x)
    assert torch.autograd.gradgradcheck(lambda x: ours(x.sin()), x)


def test_a_penalty_has_the_same_gradient_and_carries_no_zeros_back():
    torch.manual_seed(0)
    first, last = nn.Linear(6, 40), nn.Linear(40, 1)
    x, grads = torch.randn(9, 6), []
    for leaky in (LeakyReLU(), nn.LeakyReLU(0.2)):
        critic = nn.Sequential(first, leaky, last)
        critic.zero_grad()
        r1(critic, x, x).backward()
        grads.append([first.weight.grad.clone(), last.weight.grad.clone(), first.bias.grad])
    assert all(torch.allclose(a, b, atol=1e-7) for a, b in zip(grads[0][:2], grads[1][:2], strict=True))
    assert grads[0][2] is None and not grads[1][2].any()
