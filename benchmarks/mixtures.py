"""Modes kept of two mixtures of Gaussians: `gan` with tuned options beside plain `gan` and `wgan_gp`, in equal time.

    python benchmarks/mixtures.py [--seeds 3] [--seconds 60] [--threads 1] [--picture scatter.png]

`ring8` and `grid25` are learned from fresh points; then 20,000 points of each generator as it is shown (its moving
average, where it keeps one) are counted by `zerosum.metrics.modes`. The last row is the mixture itself: no generator can
be expected to score more. Schedules need the number of steps beforehand, so each recipe's speed is taken on throw-away
steps first; the table tells the seconds that training really took.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from zerosum.data import mixtures
from zerosum.data.source import Source
from zerosum.machine import describe
from zerosum.metrics.modes import modes
from zerosum.parts import Settings
from zerosum.play import Run, play
from zerosum.recipes import gan, wgan_gp

POINTS = 20_000

TUNED = gan.Config(
    batch=128,
    width=128,
    z_dim=2,  # as many as the data have, and bounded: no tails to place
    noise="uniform",
    loss="relativistic",
    penalty="r1_r2",
    penalty_weight=0.02,  # D must turn within a mode's width, a fiftieth of the data's: 0.005 to 0.05 do alike
    lr_g=2e-3,  # bad points lie on G's slopes between modes, which grow steep slowly: large steps, and late decay
    lr_d=2e-3,
    beta1=0.0,
    beta2=0.99,
    lr_schedule="cosine",
    lr_decay_from=0.4,
    ema_halflife_kimg=10.0,
)


@dataclass(frozen=True)
class Entry:
    """One way to train, as the table names it."""

    label: str
    recipe: object  # a module with build(cfg, spec)
    cfg: Settings

    def run(self, source: Source, total: int, seed: int) -> Run:
        torch.manual_seed(seed)
        return Run(self.recipe.build(self.cfg, source.spec), total, self.cfg.batch, seed)  # type: ignore[attr-defined]


ENTRIES = (
    Entry("gan, tuned", gan, TUNED),
    Entry("gan, defaults", gan, gan.Config()),
    Entry("wgan_gp, defaults", wgan_gp, wgan_gp.Config()),
)


def steps_in(entry: Entry, source: Source, seconds: float) -> int:
    """How many steps fit, judged by throw-away steps that take about a twentieth of the time."""
    steps = play(entry.run(source, 10**9, seed=0), source)
    for _ in range(20):  # the first ones warm up allocators and caches
        next(steps)
    start, taken = time.perf_counter(), 0
    while taken < 20 or time.perf_counter() - start < seconds / 20:
        next(steps)
        taken += 1
    return max(1, int(seconds * taken / (time.perf_counter() - start)))


def points(run: Run, source: Source, seed: int) -> np.ndarray:
    """Generated points [POINTS, 2] in data units."""
    torch.manual_seed(seed + 1)
    with run.shown() as nets:
        x = run.game.generate(nets, run.game.draw(POINTS))
    return x.numpy() * np.array(source.spec.scale) + np.array(source.spec.offset)


def row(label: str, name: str, scores: list[tuple[int, float]], steps: str, seconds: str) -> str:
    covered, shares = np.array([c for c, _ in scores]), np.array([s for _, s in scores])
    wanted = len(mixtures.centres(name)[0])
    return (
        f"| {label} | {name} | {covered.mean():.1f} / {covered.min()} of {wanted} "
        f"| {shares.mean():.4f} / {shares.min():.4f} | {steps} | {seconds} |"
    )


def draw_picture(shown: dict[str, np.ndarray], path: Path) -> None:
    """The first seed of the tuned `gan`, one panel a mixture: generated points over the centres."""
    figure, panels = plt.subplots(1, len(shown), figsize=(6 * len(shown), 6), squeeze=False)
    for panel, (name, x) in zip(panels[0], shown.items(), strict=True):
        centres, _ = mixtures.centres(name)
        limit = 1.2 * np.abs(centres).max()
        panel.scatter(*x[:10_000].T, s=1, alpha=0.3, linewidths=0)
        panel.scatter(*centres.T, s=60, marker="o", facecolors="none", edgecolors="tab:red", linewidths=0.5)
        panel.set(title=name, aspect="equal", xlim=(-limit, limit), ylim=(-limit, limit))
    figure.tight_layout()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="training time of each run")
    parser.add_argument("--threads", type=int, default=1, help="more than one hardly helps nets this small")
    parser.add_argument("--picture", type=Path, help="where to save a scatter of the tuned gan's points (PNG)")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    machine = describe("cpu")
    print(f"{machine['processor']}, {machine['threads']} thread(s), torch {machine['torch']}, {args.seeds} seeds\n")
    print("| recipe | data | modes mean / min | high-quality share mean / min | steps | seconds mean |")
    print("|---|---|---|---|---|---|", flush=True)
    shown: dict[str, np.ndarray] = {}
    for name in mixtures.NAMES:
        source = mixtures.load(name)
        for entry in ENTRIES:
            scores, took, steps = [], [], steps_in(entry, source, args.seconds)
            for seed in range(args.seeds):
                run = entry.run(source, steps, seed)
                start = time.perf_counter()
                for _ in play(run, source):
                    pass
                took.append(time.perf_counter() - start)
                made = points(run, source, seed)
                scores.append(modes(made, name))
                if entry is ENTRIES[0]:
                    shown.setdefault(name, made)
            print(row(entry.label, name, scores, f"{steps:,}", f"{np.mean(took):.1f}"), flush=True)
        real = source.some(POINTS)["x"].numpy() * np.array(source.spec.scale) + np.array(source.spec.offset)
        print(row("the mixture itself", name, [modes(real, name)], "", ""), flush=True)
    if args.picture:
        draw_picture(shown, args.picture)


if __name__ == "__main__":
    main()
