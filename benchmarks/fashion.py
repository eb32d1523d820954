"""Fashion-MNIST, the same minutes for everyone: zerosum against the plain tutorial DCGAN loop, Fréchet distance.

    python benchmarks/fashion.py DATA [--seconds 60 300] [--seeds 1] [--recipe auto] [--pictures DIR]

The tutorial trains for the longest of the times; zerosum trains anew for each of them, with its schedules fitted to it.

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

from zerosum.auto import Choice, choose
from zerosum.data import images, open_source
from zerosum.data.source import Source
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics.features.judge import train_judge
from zerosum.metrics.frechet import frechet
from zerosum.settings import settings
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
    choice = choose(source.spec) if recipe == "auto" else Choice(recipe)
    job = Job.new("fashion", source, choice.recipe, settings(choice.recipe, choice.settings), plan, None)
    job.play()
    took = time.perf_counter() - start
    return [lambda n: job.sampler.make(n, 1)["x"]], job.run.clock.step, took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, nargs="+", default=[60.0, 300.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--recipe", default="auto")
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    source = open_source(args.data)
    held = source.held_out()["x"]
    judge = train_judge(source)
    reference, training = judge(held), judge(source.some(10_000)["x"])
    machine = describe("cpu")
    print(f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}")
    print(f"judge: {judge.how}; SHA-256 {judge.hash[:16]}")
    print(f"floor (10,000 training against 10,000 test images): {frechet(training, reference):.3f}")
    if args.recipe == "auto":
        choice = choose(source.spec)
        print(f"auto chose {choice.recipe} {choice.settings}; {'; '.join(choice.why)}")
    print("\n| loop | plan, s | seed | Fréchet distance | steps | seconds |\n|---|---|---|---|---|---|", flush=True)
    longest = max(args.seconds)
    base, mine = [], {seconds: [] for seconds in args.seconds}  # type: ignore[var-annotated]
    for seed in args.seeds:
        contests = [("tutorial DCGAN", longest, base), *((f"zerosum {args.recipe}", s, mine[s]) for s in args.seconds)]
        for name, seconds, sums in contests:
            of_tutorial = sums is base
            play = tutorial(source, seconds, seed) if of_tutorial else ours(args.recipe, source, seconds, seed)
            samples, steps, took = play
            distance = lambda x: frechet(judge(x), reference)
            made = min((sample(10_000) for sample in samples), key=distance)
            sums.append(distance(made))
            print(f"| {name} | {seconds:.0f} | {seed} | {sums[-1]:.3f} | {steps:,} | {took:.0f} |", flush=True)
            if args.pictures:
                args.pictures.mkdir(parents=True, exist_ok=True)
                grid = images.picture(images.decode(made[:100], source.spec), source.spec, 10)
                grid.save(args.pictures / f"{name.replace(' ', '-')}-{seconds:.0f}s-{seed}.png")
    for seconds, sums in mine.items():
        print(f"\nzerosum in {seconds:.0f} s / tutorial in {longest:.0f} s: {np.mean(sums) / np.mean(base):.3f}")


if __name__ == "__main__":
    main()
