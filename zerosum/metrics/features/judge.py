"""Features "judge": a small network trained on the user's own images, a classifier where they have labels."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import ModuleType

import torch

from zerosum.cache import cache_folder, keep
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.features import classifier, contrastive, saved
from zerosum.metrics.features.base import Features, as_bytes, weights_hash
from zerosum.metrics.features.convolutions import DIM, Convolutions


def accepts(wanted: str) -> bool:
    """Whether this is `judge`."""
    return wanted == "judge"


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """The judge of these data, from the cache where it has been trained before."""
    path = place(source)
    try:
        features, shape = saved.read(path)
        if shape == source.spec.shape:
            features.net.to(device)
            return features
    except UserError:
        pass  # not there, or damaged: train it (again)
    features = train_judge(source, device=device)
    keep(path, lambda scratch: saved.write(features, source.spec.shape, scratch))
    return features


def place(source: Source, seed: int = 0) -> Path:
    """Where the cache holds the judge of these data."""
    words = (source.fingerprint(), method(source).RECIPE, seed, source.spec.shape, source.spec.names)
    return cache_folder() / "judges" / f"{sha256(repr(words).encode()).hexdigest()[:32]}.safetensors"


def method(source: Source) -> ModuleType:
    """How the judge of these data learns: from labels where there are at least two classes."""
    return classifier if source.spec.classes > 1 else contrastive


def train_judge(source: Source, seed: int = 0, device: str = "cpu") -> Features:
    """Train a judge on the training part alone; a classifier's accuracy is measured on the held-out part.

    Seeded: the same data, machine and torch give the same judge.
    """
    way = method(source)
    with torch.random.fork_rng([device] if device.startswith("cuda") else []), torch.enable_grad():
        torch.manual_seed(seed)
        net = Convolutions(source.spec.shape, source.spec.classes if way is classifier else 0)
        net = net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        way.train(net, source, seed, device)
    net.eval().requires_grad_(False)
    how = f"{way.RECIPE}, on {source.spec.items:,} training images, seed {seed}"
    if way is classifier:
        how += f", accuracy {accuracy(net, source):.4f}"
    if net.shrink > 1:
        how += f", images averaged down by {net.shrink}"
    return Features("judge", how, weights_hash(net, how), DIM, net)


@torch.no_grad()
def accuracy(net: Convolutions, source: Source) -> float:
    """Share of the held-out images whose class a classifier names rightly."""
    held, device = source.held_out(), next(net.parameters()).device
    guesses = [net(as_bytes(part).to(device))[1].argmax(1).cpu() for part in held["x"].split(500)]
    return float((torch.cat(guesses) == held["y"]).float().mean())
