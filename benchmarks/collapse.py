"""Games that collapse, with and without the guard; and games that are healthy, which it should leave alone.

    python benchmarks/collapse.py FASHION [--seed 1] [--steps 1200] [--only DCGAN lsgan ...] [--judge FILE]

FASHION is the folder of Fashion-MNIST's idx files; its first 24,000 training images are averaged down to 16 x 16 (padded
to 32 x 32 first), a sixth of them held out. Every STEPS / 40 steps 2,000 samples of the generator as it is shown are held
against the held-out images: Fréchet distance on features of a classifier trained on the others (the judge). The guard
never sees the judge. "end with" is the distance of the generator that the guarded run ends with; it is set against the
least that was seen in that run, and in both. The settings (large steps, D without normalisation, no average) were found on
seed 0.
"""

from __future__ import annotations

import argparse
import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from zerosum.data import images, open_source
from zerosum.data.source import Source
from zerosum.game import Clock
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics.features import saved
from zerosum.metrics.features.base import Features
from zerosum.metrics.features.judge import train_judge
from zerosum.metrics.frechet import frechet
from zerosum.metrics.score import Score
from zerosum.play import play
from zerosum.progress import Display
from zerosum.sampling import draw, generate
from zerosum.settings import settings
from zerosum.train import Training

RAW: dict = {"width": 16, "batch": 32, "ema_halflife_kimg": 0.0, "lr_schedule": "constant"}
BARE_D: dict = {"penalty": "r1", "penalty_weight": 0.0, "penalty_every": 1_000_000}  # how one asks for a D without batch norm
COLLAPSERS: dict[str, tuple[str, dict]] = {
    "DCGAN": ("dcgan", BARE_D | {"lr_g": 0.03, "lr_d": 0.03}),
    "LSGAN": ("lsgan", BARE_D | {"lr_g": 0.01, "lr_d": 0.01}),
    "GGAN (hinge)": ("dcgan", BARE_D | {"loss": "hinge", "lr_g": 0.025, "lr_d": 0.025}),
    "PD-GAN (projection)": ("cgan", BARE_D | {"loss": "hinge", "lr_g": 0.04, "lr_d": 0.04, "beta1": 0.5, "beta2": 0.999}),
    "ACGAN": ("acgan", BARE_D | {"class_weight": 5.0, "lr_g": 0.03, "lr_d": 0.03}),
    "DRAGAN": ("dcgan", {"penalty": "dragan", "lr_g": 0.02, "lr_d": 0.02}),
}
HEALTHY: dict[str, tuple[str, str, dict]] = {
    "dcgan": ("dcgan", "fashion", {"width": 16, "batch": 32}),
    "cgan": ("cgan", "fashion", {"width": 16, "batch": 32}),
    "sngan": ("sngan", "fashion", {"width": 16, "batch": 32, "n_critic": 2}),
    "wgan_gp": ("wgan_gp", "ring8", {"width": 32, "batch": 64}),
    "gan": ("gan", "grid25", {"width": 64, "batch": 128, "loss": "relativistic", "penalty": "r1_r2", "penalty_weight": 0.02,
                              "z_dim": 2, "noise": "uniform", "lr_g": 2e-3, "lr_d": 2e-3, "beta1": 0.0, "beta2": 0.99,
                              "lr_schedule": "cosine", "ema_halflife_kimg": 10.0}),
    "aae": ("aae", "digits", {"width": 16, "batch": 32}),
}  # fmt: skip


def read_idx(path: Path, head: int) -> np.ndarray:
    """The bytes behind an idx file's head."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=head)


def small_fashion(folder: Path) -> Source:
    """16 x 16 Fashion-MNIST."""
    x = read_idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)[:24_000]
    y = read_idx(folder / "train-labels-idx1-ubyte.gz", 8)[:24_000]
    x = np.pad(x, ((0, 0), (2, 2), (2, 2))).reshape(-1, 16, 2, 16, 2).mean((2, 4)).round().astype(np.uint8)
    return images.from_array(x, y.astype(np.int64), tuple("0123456789"), "fashion", 1 / 6)


class Watch(Display):
    """Calls at each look-up."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.call = call

    def update(self, clock: Clock, rate: float, seconds: float, losses: dict[str, float], scores: list[Score]) -> None:
        self.call()


def job(source: Source, recipe: str, values: dict, seed: int, steps: int, guard: bool) -> Job:
    plan = Training(steps=steps, seed=seed, device="cpu", precision="fp32", guard=guard, guard_every=steps // 40)
    return Job.new("benchmark", source, recipe, settings(recipe, values), plan, None)


def collapser(source: Source, name: str, seed: int, steps: int, distance: Callable[[Job], float]) -> tuple[bool, bool, bool]:
    """Print a row; (whether it collapses without, whether the guarded one ends within 5 % of its own best, of both)."""
    recipe, values = COLLAPSERS[name]
    bare, guarded = (job(source, recipe, RAW | values, seed, steps, guard) for guard in (False, True))
    curve, seen = [], []
    for _ in play(bare.run, bare.source):
        if bare.run.clock.step % (steps // 40) == 0:
            curve.append(distance(bare))

    def look() -> None:
        if guarded.run.clock.step % (steps // 40) == 0:
            seen.append(distance(guarded))

    guarded.play(Watch(look))
    last = distance(guarded)
    own, both = min([*seen, last]), min([*curve, *seen, last])
    print(
        f"| {name} | {min(curve):.1f} | {curve[-1]:.1f} | {curve[-1] / min(curve):.2f} | {own:.1f} | {last:.1f} "
        f"| {last / own:.3f} | {last / both:.3f} | {len(alarms(guarded))} |",
        flush=True,
    )
    for note in guarded.notes:
        print(f"<!-- {name}: {note} -->", flush=True)
    print(f"<!-- {name}, without: {' '.join(f'{value:.0f}' for value in curve)} -->", flush=True)
    print(f"<!-- {name}, with: {' '.join(f'{value:.0f}' for value in seen)} -->", flush=True)
    return curve[-1] > 1.3 * min(curve), last <= 1.05 * own, last <= 1.05 * both


def alarms(one: Job) -> list[str]:
    """What the guard said when it went back or ended a training."""
    return [note for note in one.notes if "went back" in note or "ended" in note]


def judge_of(source: Source, path: Path | None) -> Features:
    """The judge of `path`, trained and kept there where there is none yet."""
    if path and path.exists():
        return saved.read(path)[0]
    judge = train_judge(source)
    if path:
        saved.write(judge, source.spec.shape, path)
    return judge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fashion", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--only", nargs="*", help="first words of the rows to run: dcgan of both tables, lsgan, ...")
    parser.add_argument("--judge", type=Path, help="file to keep the judge in, so that rows can be run one at a time")
    args = parser.parse_args()
    torch.set_num_threads(1)
    source = small_fashion(args.fashion)
    wanted = lambda name: args.only is None or name.split()[0] in args.only
    machine = describe("cpu")
    judge = judge_of(source, args.judge)
    reference = judge(source.held_out()["x"])
    print(f"{machine['processor']}, torch {machine['torch']}, one thread; seed {args.seed}, {args.steps} steps")
    print(f"judge: {judge.how}", flush=True)

    def distance(one: Job) -> float:
        return frechet(judge(generate(one.run, draw(one.run.game, 2000, 1))["x"]), reference)

    if names := [name for name in COLLAPSERS if wanted(name)]:
        columns = (
            "game | best without | end without | ratio | best with | end with | to its best | to the best of both | went back"
        )
        print(f"\n| {columns} |\n|---|" + "---|" * 8)
        rows = [collapser(source, name, args.seed, args.steps, distance) for name in names]
        falls, own, both = (sum(row) for row in zip(*rows, strict=True))
        print(f"\nof {len(rows)}: {falls} collapse without; with, {own} end within 5 % of their own best, {both} of both")
    if names := [name for name in HEALTHY if wanted(name)]:
        print("\n| healthy game | data | alarms | end, to the judge | notes |\n|---|---|---|---|---|")
        calm = []
        for name in names:
            recipe, data, values = HEALTHY[name]
            one = job(source if data == "fashion" else open_source(data), recipe, values, args.seed, args.steps, True)
            one.play()
            calm.append(not alarms(one))
            seen = f"{distance(one):.1f}" if data == "fashion" else ""
            print(f"| {name} | {data} | {len(alarms(one))} | {seen} | {'; '.join(one.notes)} |", flush=True)
        print(f"\n{sum(calm)} of {len(calm)} healthy runs without an alarm")


if __name__ == "__main__":
    main()
