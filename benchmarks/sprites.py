"""Pixel-art characters, 64 x 64 with transparency: what half an hour on a processor gives, scored on characters never seen.

    python benchmarks/sprites.py CHARACTERS.npz [--minutes 30] [--labels] [--recipe auto] [--features judge] [--out DIR]

CHARACTERS.npz holds `rgba` [characters, 4 views, 64, 64, 4]. Of every five characters one is held out with all its views.
`--labels` gives the view (front, left, back, right) as the class; else there are no classes. The memorisation score
compares generated pictures with held-out ones by how near they lie to training pictures; 0.05 is what held-out ones get.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.auto import Choice, choose
from zerosum.data import images
from zerosum.data.source import InMemory
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics import score
from zerosum.settings import settings
from zerosum.train import Training

VIEWS = ("front", "left", "back", "right")


def characters(path: str, labels: bool, validate: bool) -> InMemory:
    """The source: a fifth of the characters held out. With `validate`, a fifth of the others instead, to choose settings by."""
    rgba = np.load(path)["rgba"]
    order = np.random.default_rng(0).permutation(len(rgba))
    train, held = order[len(order) // 5 :], order[: len(order) // 5]
    if validate:
        train, held = train[len(train) // 5 :], train[: len(train) // 5]
    flat = lambda rows: rgba[rows].reshape(-1, *rgba.shape[2:])
    view = lambda rows: np.tile(np.arange(4), len(rows)) if labels else None
    test = flat(held), view(held)
    return images.from_array(flat(train), view(train), VIEWS if labels else (), "characters", test=test)


def on_grey(picture: Image.Image) -> Image.Image:
    """A picture with transparency, on mid-grey."""
    sheet = Image.new("RGBA", picture.size, (128, 128, 128, 255))
    sheet.alpha_composite(picture)
    return sheet.convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--validate", action="store_true", help="hold out a fifth of the training part instead")
    parser.add_argument("--recipe", default="auto")
    parser.add_argument("--features", default="judge")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/sprites"))
    args = parser.parse_args()
    source = characters(args.data, args.labels, args.validate)
    choice = choose(source.spec, "cpu") if args.recipe == "auto" else Choice(args.recipe)
    machine = describe("cpu")
    print(f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}")
    print(f"{choice.recipe} {choice.settings}; {'; '.join(choice.why)}", flush=True)
    plan = Training(minutes=args.minutes, seed=args.seed, device="cpu")
    start = time.perf_counter()
    job = Job.new("characters", source, choice.recipe, settings(choice.recipe, choice.settings), plan, args.out)
    job.play()
    took = time.perf_counter() - start
    print(f"{job.run.clock.step:,} steps of {job.run.batch} in {took:.0f} s", flush=True)
    made = job.sampler.preview(1)["x"][:64]
    grid = images.picture(images.decode(made, source.spec), source.spec, 16)
    on_grey(grid).save(args.out / "grid.png")
    print("\n| score | this run | 95 % interval | real data | trivial | better |\n|---|---|---|---|---|---|")
    for one in score(job.sampler, source, items=2400, features=args.features):
        interval = "" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
        trivial = "" if one.trivial is None else f"{one.trivial:.3f}"
        print(f"| {one.name} | {one.value:.3f} | {interval} | {one.real:.3f} | {trivial} | {one.better} |", flush=True)


if __name__ == "__main__":
    main()
