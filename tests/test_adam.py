"""Adam on weights in channels-last layout: torch's numbers, without its copies."""

import copy

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from zerosum.adam import Adam


def channels_last(net):
    for p in net.parameters():
        if p.ndim == 4:
            p.data = p.data.contiguous(memory_format=torch.channels_last)
    return net


def stepped(net, optim, x, steps):
    for _ in range(steps):
        optim.zero_grad()
        net(x).square().mean().backward()
        optim.step()


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(5, 17, 3), nn.ReLU(), nn.Conv2d(17, 1, 1), nn.Flatten(), nn.Linear(36, 3))


def test_the_weights_are_those_of_torchs_adam(net):
    x, other = torch.randn(4, 5, 8, 8), channels_last(copy.deepcopy(net))
    stepped(net, torch.optim.Adam(net.parameters(), 1e-2, (0.5, 0.9)), x, 20)
    stepped(other, Adam(other.parameters(), 1e-2, (0.5, 0.9)), x.contiguous(memory_format=torch.channels_last), 20)
    for ours, theirs in zip(other.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_step_copies_no_weights(net):
    net = channels_last(net)
    optim, x = Adam(net.parameters(), 1e-2, (0.5, 0.9)), torch.randn(4, 5, 8, 8).contiguous(memory_format=torch.channels_last)
    stepped(net, optim, x, 1)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        optim.step()
    assert "aten::clone" not in {event.name for event in seen.events()}


def test_its_memory_keeps_the_shapes_of_the_weights(net):
    """So that checkpoints hold what torch's Adam would have written."""
    net = channels_last(net)
    optim = Adam(net.parameters(), 1e-2, (0.5, 0.9))
    stepped(net, optim, torch.randn(4, 5, 8, 8), 1)
    for p in net.parameters():
        assert optim.state[p]["exp_avg"].shape == p.shape and optim.state[p]["exp_avg"].stride() == p.stride()
