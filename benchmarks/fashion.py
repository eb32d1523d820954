"""Fashion-MNIST, the same minutes for everyone: `dcgan` against the plain tutorial DCGAN loop, Fréchet distance.

    python benchmarks/fashion.py DATA [--seconds 300] [--seeds 1] [--recipe dcgan] [--pictures DIR]

DATA is the folder of the four idx files. Features come from a small classifier trained on the 60,000 training images;
its accuracy on the 10,000 test images is printed. Distances: 10,000 generated images against the 10,000 test images.
Contestants train one after the other, alone on the machine. The tutorial is sampled in eval and in training mode, and the
better of the two counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from _tutorial import Tutorial
from torch import Tensor

from zerosum import recipes
from zerosum.data import images, open_source
from zerosum.data.source import Source
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics.features.judge import train_judge
from zerosum.metrics.frechet import frechet
from zerosum.train import Training

Sample = Callable[[int], Tensor]


def tutorial(source: Source, seconds: float, seed: int, batch: int = 128) -> tuple[list[Sample], int, float]:
    torch.manual_seed(seed)
    game, data = Tutorial(1, 28), source.batches(batch, seed)
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        game.step(next(data)["x"])
        steps += 1
    took = time.perf_counter() - start
    return [partial(game.sample, seed=1, eval_mode=mode) for mode in (True, False)], steps, took


def ours(recipe: str, source: Source, seconds: float, seed: int) -> tuple[list[Sample], int, float]:
    plan = Training(minutes=seconds / 60, seed=seed, device="cpu")
    start = time.perf_counter()
    job = Job.new("fashion", source, recipe, recipes.find(recipe).Config(), plan, None)
    job.play()
    took = time.perf_counter() - start
    return [lambda n: job.sampler.make(n, 1)["x"]], job.run.clock.step, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    source = open_source(args.data)
    held = source.held_out()["x"]
    judge = train_judge(source)
    reference, training = judge(held), judge(source.some(10_000)["x"])
    machine = describe("cpu")
    print(f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}")
    print(f"judge: {judge.how}; SHA-256 {judge.hash[:16]}")
    print(f"floor (10,000 training against 10,000 test images): {frechet(training, reference):.3f}", flush=True)
    print("\n| loop | seed | Fréchet distance | steps | seconds |\n|---|---|---|---|---|")
    found: dict[str, list[float]] = {"tutorial DCGAN": [], f"zerosum {args.recipe}": []}
    for seed in range(args.seeds):
        for name, sums in found.items():
            play = (
                tutorial(source, args.seconds, seed)
                if name.startswith("tutorial")
                else ours(args.recipe, source, args.seconds, seed)
            )
            samples, steps, took = play
            made = min((sample(10_000) for sample in samples), key=lambda x: frechet(judge(x), reference))
            sums.append(frechet(judge(made), reference))
            print(f"| {name} | {seed} | {sums[-1]:.3f} | {steps:,} | {took:.0f} |", flush=True)
            if args.pictures:
                args.pictures.mkdir(parents=True, exist_ok=True)
                grid = images.picture(images.decode(made[:100], source.spec), source.spec, 10)
                grid.save(args.pictures / f"{name.replace(' ', '-')}-{seed}.png")
    base, mine = (float(np.mean(sums)) for sums in found.values())
    print(f"\nzerosum / tutorial: {mine / base:.3f}")


if __name__ == "__main__":
    main()
