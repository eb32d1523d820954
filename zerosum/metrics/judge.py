"""A judge: a small classifier trained on the user's own labelled images, whose features compare generated with real."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zerosum.data.source import Source, Spec
from zerosum.metrics.frechet import frechet
from zerosum.metrics.score import Maker, Score
from zerosum.metrics.trivial import independent
from zerosum.nets.shapes import levels

ITEMS = 10_000
QUICK = False


@dataclass(frozen=True)
class Judge:
    """A trained classifier and how well it reads held-out items."""

    trunk: nn.Module
    accuracy: float

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """Images [n, c, h, w] in [-1, 1] -> features [n, 128], as 8-bit images would give them."""
        x = ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        return torch.cat([self.trunk(part) for part in x.split(500)])


def train_judge(source: Source, seed: int = 0, steps: int = 1500) -> Judge:
    """Convolutions of 32, 64 ... channels with batch norm, 128 features, a linear head; Adam, cosine from 2e-3, batch 128.

    Trained on the training part alone; accuracy is measured on the held-out part. Seeded: the same data, machine and
    torch give the same judge.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        c, height, width = source.spec.shape
        parts: list[nn.Module] = []
        for _ in range(max(1, levels(height, width))):
            wide = min(128, max(32, 2 * c if c >= 32 else 32))
            parts += [nn.Conv2d(c, wide, 3, 1, 1), nn.BatchNorm2d(wide), nn.ReLU(), nn.MaxPool2d(2)]
            c, height, width = wide, height // 2, width // 2
        trunk = nn.Sequential(*parts, nn.Flatten(), nn.Linear(c * height * width, 128), nn.ReLU())
        net = nn.Sequential(trunk, nn.Dropout(0.3), nn.Linear(128, source.spec.classes))
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        optim = torch.optim.Adam(net.parameters(), lr=2e-3, fused=True)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optim, steps)
        for _, batch in zip(range(steps), source.to("cpu").batches(128, seed), strict=False):
            optim.zero_grad()
            cross_entropy(net(batch["x"]), batch["y"]).backward()
            optim.step()
            falling.step()
        net.eval()
        held = source.held_out()
        with torch.no_grad():
            guesses = torch.cat([net(part) for part in held["x"].split(500)]).argmax(1)
    return Judge(trunk, float((guesses == held["y"]).float().mean()))


def applies(spec: Spec, labelled: bool) -> bool:
    """Images with labels, of at least 16 pixels a side (smaller ones are read better from their pixels)."""
    return spec.kind == "images" and spec.classes > 1 and min(spec.shape[1:]) >= 16


def measure(make: Maker, source: Source, seed: int = 0) -> list[Score]:
    """Fréchet distance on the judge's features, between 10,000 generated and up to 10,000 held-out images."""
    judge, held, train = train_judge(source), source.held_out()["x"][:ITEMS], source.some(ITEMS)
    reference = judge.features(held)
    distance = lambda x: frechet(judge.features(x), reference)
    protocol = (
        f"Fréchet distance on 128 features of a classifier trained on the training part (accuracy {judge.accuracy:.3f}): "
        f"{ITEMS:,} generated against {len(held):,} held-out real images; real: {len(train['x']):,} training images; "
        f"trivial: independent pixels; seed {seed}. Not an FID: no Inception network is involved"
    )
    values = [distance(x) for x in (make(ITEMS, seed)["x"], train["x"], independent(train, ITEMS)["x"])]
    return [Score("Fréchet distance, judge", values[0], "lower", values[1], values[2], protocol)]
