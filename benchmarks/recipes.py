"""Every image recipe on Fashion-MNIST for the same processor time, at its defaults; and what `aae` rebuilds of digits.

    python benchmarks/recipes.py DATA [--seconds 120] [--recipes dcgan lsgan ...] [--digits 4000 40000] [--seed 0]

DATA is the folder of the four idx files. One thread. The budget is processor time, not the clock on the wall, so that other
work on the machine does not decide: a short run gives the time of a step, and the number of steps follows from it. The judge,
the floor and the tutorial's loop are those of `fashion.py`: 10,000 generated against the 10,000 test images. `aae` also plays
on scikit-learn's digits, for the steps of `--digits`.
"""

from __future__ import annotations

import argparse
import time

import torch
from _tutorial import Tutorial

from zerosum import recipes
from zerosum.data import open_source
from zerosum.data.source import Source
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics.case import Case
from zerosum.metrics.features import find_features
from zerosum.metrics.features.judge import train_judge
from zerosum.metrics.frechet import frechet
from zerosum.metrics.pixels import measure
from zerosum.sampling import generate
from zerosum.train import Training

IMAGES = ("dcgan", "lsgan", "wgan", "wgan_gp", "sngan", "sagan", "aae")


def played(recipe: str, source: Source, steps: int, seed: int) -> tuple[Job, float]:
    """A job that has come to its end, and its processor seconds."""
    plan = Training(steps=steps, seed=seed, device="cpu", threads=1, scores=0)
    job = Job.new("benchmark", source, recipe, recipes.find(recipe).Config(), plan, None)
    start = time.process_time()
    job.play()
    return job, time.process_time() - start


def trained(recipe: str, source: Source, seconds: float, seed: int) -> tuple[Job, float]:
    """A job that has had about so many processor seconds, and how many they were."""
    few, many = (played(recipe, source, steps, seed)[1] for steps in (10, 40))
    return played(recipe, source, max(1, round(seconds / ((many - few) / 30))), seed)


def tutorial(source: Source, seconds: float, seed: int, batch: int = 128) -> tuple[Tutorial, int, float]:
    torch.manual_seed(seed)
    game, data, start, steps = Tutorial(1, 28), source.batches(batch, seed), time.process_time(), 0
    while time.process_time() - start < seconds:
        game.step(next(data)["x"])
        steps += 1
    return game, steps, time.process_time() - start


def fashion(what: str, names: list[str], seconds: float, seed: int) -> None:
    source = open_source(what)
    judge = train_judge(source)
    reference, training = judge(source.held_out()["x"]), judge(source.some(10_000)["x"])
    print(f"judge: {judge.how}")
    print(f"floor (10,000 training against 10,000 test images): {frechet(training, reference):.3f}", flush=True)
    print("\n| recipe | Fréchet distance | steps | items seen by G | processor seconds |\n|---|---|---|---|---|", flush=True)
    if "tutorial" in names:
        game, steps, took = tutorial(source, seconds, seed)
        made = [judge(game.sample(10_000, 1, mode)) for mode in (True, False)]
        distance = min(frechet(features, reference) for features in made)
        print(f"| tutorial DCGAN | {distance:.2f} | {steps:,} | {128 * steps:,} | {took:.0f} |", flush=True)
    for name in names:
        if name != "tutorial":
            job, took = trained(name, source, seconds, seed)
            steps, distance = job.run.clock.step, frechet(judge(job.sampler.make(10_000, 1)["x"]), reference)
            print(f"| {name} | {distance:.2f} | {steps:,} | {job.run.batch * steps:,} | {took:.0f} |", flush=True)


def digits(steps: int, seed: int) -> None:
    """Root mean squared error of what `aae` rebuilds of held-out digits, and the distance of its samples."""
    source = open_source("digits")
    job, took = played("aae", source, steps, seed)
    x, game = source.held_out()["x"], job.run.game
    assert game.encode is not None
    with job.run.shown() as nets:
        codes = game.encode(nets, x)
    grey = 127.5 * float((generate(job.run, codes)["x"] - x).square().mean().sqrt())
    mean = 127.5 * float((source.some(2000)["x"].mean(0) - x).square().mean().sqrt())
    (score,) = measure(Case(job.sampler, source, lambda: find_features("pixels", source), 1))
    print(f"\naae on digits: {steps:,} steps in {took:.0f} processor seconds")
    print(f"held-out digits rebuilt, root mean squared error: {grey:.1f} grey levels of 255; by the mean digit {mean:.1f}")
    print(f"{score.name}: {score.value:.3f} (real {score.real:.3f}, trivial {score.trivial:.3f}); {score.protocol}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--recipes", nargs="*", default=["tutorial", *IMAGES])
    parser.add_argument("--digits", type=int, nargs="*", default=[4000, 40_000])
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    machine = describe("cpu")
    plan = f"{args.seconds:.0f} processor seconds each, seed {args.seed}"
    print(f"1 thread, {machine['processor']}, torch {machine['torch']}; {plan}", flush=True)
    for steps in args.digits:
        digits(steps, args.seed)
    if args.recipes:
        fashion(args.data, args.recipes, args.seconds, args.seed)


if __name__ == "__main__":
    main()
