"""A judge of labelled images: a small classifier."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch.nn.functional import cross_entropy, dropout

from zerosum.data.source import Source
from zerosum.metrics.features.convolutions import Convolutions

STEPS, BATCH, LR = 1000, 128, 2e-3
RECIPE = f"classifier, {STEPS} steps of {BATCH}, one-cycle Adam {LR:g}, dropout 0.3"


def train(net: Convolutions, source: Source, seed: int, device: str) -> None:
    """Learn the training part's labels: cross-entropy, Adam with a one-cycle learning rate (Smith & Topin 2018)."""
    for _ in steps(net, source, seed, device):
        pass


def steps(net: Convolutions, source: Source, seed: int, device: str, count: int = STEPS) -> Generator[int]:
    """The same, a step at a time, so that others can be at work between them; yields how many were taken."""
    optim = torch.optim.Adam(net.parameters(), fused=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(optim, LR, count)
    half = torch.autocast("cuda", torch.bfloat16, enabled=device.startswith("cuda"))
    assert net.head is not None
    for taken, batch in zip(range(1, count + 1), source.to(device).batches(BATCH, seed), strict=False):
        optim.zero_grad()
        with half:
            loss = cross_entropy(net.head(dropout(net(batch["x"])[0], 0.3)), batch["y"])
        loss.backward()
        optim.step()
        rates.step()
        yield taken
