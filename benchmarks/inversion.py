"""Inversion of held-out items: how near a trained generator comes to images it has never seen, beside the best of 1,000 drawn.

    python benchmarks/inversion.py DATA [--recipe swift] [--minutes 4] [--items 200] [--run RUN] [--picture grid.png] [--seed 0]

DATA is digits or a folder of Fashion-MNIST. The recipe's generator is trained on the training part for so many minutes on one
thread, or taken from RUN, where an earlier call left it. The held-out part is used for nothing else than what is printed.
Labels are not told to the inversion. PSNR is of 8-bit images, over all pixels, averaged over items.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from torch import Tensor

from zerosum import recipes
from zerosum.data import modality, open_source
from zerosum.data.source import Source, Spec
from zerosum.job import Job, open_run
from zerosum.latent.inversion import Settings, last
from zerosum.latent.space import Space
from zerosum.machine import describe
from zerosum.metrics.features.base import as_bytes
from zerosum.metrics.psnr import psnr
from zerosum.sampling import Sampler
from zerosum.train import Training

DRAWN = 1000


def decibels(made: Tensor, x: Tensor) -> Tensor:
    """PSNR of each item in 8 bits, [n]."""
    return psnr((as_bytes(made) + 1) * 127.5, (x + 1) * 127.5)


def nearest(x: Tensor, drawn: Tensor) -> Tensor:
    """Of drawn items the one nearest to each x."""
    return drawn[torch.cdist(x.flatten(1), drawn.flatten(1)).argmin(1)]


def row(name: str, values: Tensor, seconds: float | None = None) -> str:
    """A line of the table."""
    worst, middle = values.quantile(0.05).item(), values.median().item()
    took = "" if seconds is None else f"{seconds / len(values):.2f}"
    good = (values >= 20).double().mean().item()
    return f"| {name} | {values.mean().item():.2f} | {middle:.2f} | {worst:.2f} | {good:.1%} | {took} |"


def picture(path: Path, spec: Spec, *rows: Tensor) -> None:
    """Rows of items."""
    kind = modality(spec)
    sheet = kind.picture(kind.decode(torch.cat(rows), spec), spec, len(rows[0]))
    sheet.save(path)


def trained(what: str, source: Source, recipe: str, minutes: float, seed: int, keep: Path | None) -> tuple[Sampler, str]:
    """A generator, and what training it took, in words."""
    if keep is not None and (keep / "done.txt").is_file():
        return open_run(keep, device="cpu"), (keep / "done.txt").read_text()
    plan = Training(minutes=minutes, seed=seed, device="cpu", threads=1)
    job = Job.new(what, source, recipe, recipes.find(recipe).Config(), plan, keep)
    start = time.perf_counter()
    job.play()
    words = f"{job.run.clock.step:,} steps in {time.perf_counter() - start:.0f} s"
    if keep is not None:
        (keep / "done.txt").write_text(words)
    return job.sampler, words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--recipe", default="swift")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--batch", type=int, default=50, help="items inverted at once")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", type=Path, help="keep the run here, and take it from here where it is whole")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    source, machine = open_source(args.data), describe("cpu")
    held = source.held_out(args.items)
    sampler, words = trained(args.data, source, args.recipe, args.minutes, args.seed, args.run)
    print(f"1 thread, {machine['processor']}, torch {machine['torch']}; {args.recipe} on {Path(args.data).name}")
    print(f"{source.spec.items:,} training items, {words}, seed {args.seed}; {len(held['x'])} held-out items", flush=True)
    if args.items < 1:
        return
    space, x, way = Space(sampler), held["x"], Settings(seed=args.seed + 1)
    start, found = time.perf_counter(), []
    for part in x.split(args.batch):
        found.append(last(space, part, way).x)
    took, made = time.perf_counter() - start, torch.cat(found)
    drawn = nearest(x, sampler.make(DRAWN, seed=args.seed + 2)["x"])
    real = nearest(x, source.some(DRAWN, seed=args.seed)["x"])
    at_once = torch.cat([last(space, part, Settings(steps=0, seed=args.seed + 1)).x for part in x.split(args.batch)])
    print(f"\n{way}\n")
    print("| | PSNR, dB: mean | median | 5 % are below | 20 dB or more | seconds an item |\n|---|---|---|---|---|---|")
    print(row("inverted", decibels(made, x), took))
    if space.game.encode is not None:
        print(row("its encoder alone", decibels(at_once, x)))
    print(row(f"best of {DRAWN:,} drawn", decibels(drawn, x)))
    print(row(f"best of {DRAWN:,} training items", decibels(real, x)))
    if args.picture:
        picture(args.picture, source.spec, x[:20], made[:20], drawn[:20])


if __name__ == "__main__":
    main()
