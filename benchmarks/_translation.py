"""What the benchmarks of image-to-image translation share: fitting in a given time, floors, scores, pictures.

The test part is cut off before anything is learned. What a run holds out for its guard comes from the rest.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.likeness import equal
from zerosum.data.source import Source, as_batch
from zerosum.guard.guard import makers
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics import find_features
from zerosum.metrics.features.base import Features
from zerosum.metrics.kernel import kid
from zerosum.metrics.psnr import MOST, psnr
from zerosum.metrics.ssim import ssim
from zerosum.sampling import generate
from zerosum.settings import plain, settings
from zerosum.train import Training

SHARE = 0.15


def parts(groups: np.ndarray, validate: bool, share: float = SHARE) -> tuple[np.ndarray, np.ndarray]:
    """(rows to learn from, test rows): those of the last `share` of the groups in a fixed order; groups: int [rows].

    With `validate`, the same of the rest instead: settings are chosen by that, and the test part is not looked at.
    """

    def cut(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = round(len(names) * (1 - share))
        return names[:at], names[at:]

    train, test = cut(np.random.default_rng(20251).permutation(np.unique(groups)))
    if validate:
        train, test = cut(train)
    rows = lambda names: np.flatnonzero(np.isin(groups, names))
    return rows(train), rows(test)


def unseen(x: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """The rows to learn from whose output, of x [n, ...], is not also a test row's: made-up characters repeat."""
    same = equal(x)
    return train if same is None else train[~np.isin(same[train], same[test])]


def on_colour(rgba: np.ndarray, colour: int = 128) -> np.ndarray:
    """RGBA uint8 [..., h, w, 4] laid over a flat grey -> uint8 [..., 3, h, w]."""
    alpha = rgba[..., 3:].astype(np.float32) / 255
    flat = (rgba[..., :3] * alpha + colour * (1 - alpha)).round().astype(np.uint8)
    return np.moveaxis(flat, -1, -3)


def space(x: np.ndarray) -> Tensor:
    """Bytes in [-1, 1]."""
    return as_batch(torch.from_numpy(np.array(x)), None)["x"]


def fitted(source: Source, recipe: str, values: Mapping[str, Any], minutes: float, seed: int, device: str = "cpu") -> Job:
    """A trained job; its report of speed is printed. `values` are the recipe's settings, or Training's."""
    general = {name: value for name, value in values.items() if name in {field.name for field in fields(Training)}}
    own = {name: value for name, value in values.items() if name not in general}
    plan = plain(Training(minutes=minutes, seed=seed, device=device, pictures=0, scores=0, **general))
    begun = time.perf_counter()
    job = Job.new("benchmark", source, recipe, settings(recipe, own), plan, Path(tempfile.mkdtemp()) / "run")
    job.play()
    took = time.perf_counter() - begun
    weights = sum(p.numel() for name in makers(job.run, job.sampler.examples) for p in job.run.game.nets[name].parameters())
    print(
        f"{recipe} {dict(values)}: {job.run.clock.step:,} steps of {job.run.batch} in {took:.0f} s; G {weights:,}", flush=True
    )
    return job


def made(job: Job, a: Tensor) -> Tensor:
    """The job's outputs for inputs [n, c, h, w], rounded to 8 bits."""
    return rounded(generate(job.run, {"a": a})["x"])


def rounded(x: Tensor) -> Tensor:
    """As 8-bit images would give it."""
    return ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def pooled(x: Tensor, y: Tensor) -> float:
    """PSNR of the mean squared error of all images together: where many are equal, a mean of decibels says how many."""
    return float(-10 * ((level(x) - level(y)) / 255).square().mean().log10())


def nearest(train_a: Tensor, train_x: Tensor, a: Tensor) -> Tensor:
    """The output of the training pair whose input is nearest by pixels."""
    apart = torch.cat([torch.cdist(part.flatten(1), train_a.flatten(1)) for part in a.split(200)])
    return train_x[apart.argmin(1)]


def features(path: str, source: Source, device: str = "cpu") -> Features:
    """The feature network of a file."""
    return find_features(path, source, device)


def level(x: Tensor) -> Tensor:
    """Grey levels, 0 to 255."""
    return (rounded(x) + 1) * 127.5


def decibels(x: Tensor, y: Tensor) -> float:
    """PSNR over all channels, its mean over images; an image without an error counts as one of 100 dB."""
    return float(psnr(level(x), level(y)).clamp(max=MOST).mean())


class Table:
    """Rows of scores, printed as they come."""

    def __init__(self, net: Features, target: Tensor) -> None:
        self.net, self.target, self._seen = net, target, net(target)
        print(f"\n| | PSNR, dB | SSIM | kernel distance, {net.name} | L1, of 255 |\n|---|---|---|---|---|", flush=True)

    def row(self, name: str, x: Tensor) -> tuple[float, float]:
        """(PSNR, kernel distance) of outputs against the targets."""
        x, like = rounded(x), float(ssim(level(x), level(self.target)).mean())
        near, far = decibels(x, self.target), kid(self.net(x), self._seen)
        l1 = (level(x) - level(self.target)).abs().mean()
        print(f"| {name} | {near:.2f} | {like:.4f} | {far:.4f} | {l1:.2f} |", flush=True)
        return near, far


def picture(columns: list[Tensor], path: Path, scale: int = 1) -> None:
    """One item a row; in it each tensor's image, [n, 1 or 3, h, w]."""
    rows = torch.cat([rounded(x.expand(-1, 3, -1, -1)) for x in columns], 3)
    sheet = torch.cat(list(rows), 1).movedim(0, -1)
    image = Image.fromarray(((sheet + 1) * 127.5).round().byte().numpy())
    path.parent.mkdir(parents=True, exist_ok=True)
    image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST).save(path)


def machine() -> str:
    """The machine in a line."""
    found = describe("cpu")
    return f"{found['threads']} threads, {found['processor']}, torch {found['torch']}"
