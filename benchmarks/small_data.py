"""A hundred training images, the same steps for everyone: no augmentation, DiffAugment, ADA; kernel distance to unseen images.

    python benchmarks/small_data.py DATA [--images 100] [--side 28] [--steps 6000] [--seeds 2] [--recipe dcgan] [--part test]
                                    [--set NAME=VALUE ...] [--ways none diffaugment ada] [--pictures DIR]

DATA is the folder of Fashion-MNIST's four idx files; --side makes its images smaller (antialiased), for less time. Its
60,000 training images are cut in three: 10,000 for validation (`--part validation`, on which settings were chosen), the
training set of a few, as many of each class, and the rest, on which a small classifier, the judge, is trained; the GANs
see the few alone. Scored on the judge's features: 10,000 generated images against the 10,000 test (or validation) images,
unbiased polynomial kernel. While training, 2,000 images against 5,000 validation images draw the curves. Everyone trains
the same steps, one after the other. A way `all` trains without augmentation on all images that the judge was trained on:
what the recipe can do in those steps.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _asked import asked
from torch import Tensor
from torch.nn.functional import interpolate

from zerosum.building import build_run
from zerosum.data import images, open_source
from zerosum.data.source import Source
from zerosum.machine import describe
from zerosum.metrics.features.judge import load
from zerosum.metrics.kernel import kid
from zerosum.noise import mix
from zerosum.play import play
from zerosum.sampling import Sampler
from zerosum.settings import settings
from zerosum.train import Training

LOOKS = 8
"""Points of a curve."""

Distance = Callable[[Tensor], float]


def parts(path: str, count: int, side: int = 28) -> tuple[Source, Source, Tensor, Tensor]:
    """The few images, the rest with the judge's classes, and the validation and test images in model space."""
    whole = open_source(path)
    order = whole.some(whole.spec.items, seed=0)
    smaller = lambda x: interpolate(x, (side, side), mode="bilinear", antialias=True) if side < x.shape[3] else x
    train_x, held = smaller(order["x"]), smaller(whole.held_out()["x"])
    x, y = images.decode(train_x, whole.spec), order["y"].numpy()
    each = count // whole.spec.classes
    few = np.concatenate([np.flatnonzero(y[10_000:] == label)[:each] for label in range(whole.spec.classes)]) + 10_000
    rest = np.setdiff1d(np.arange(10_000, len(x)), few)
    source = lambda rows: images.from_array(x[rows], y[rows], whole.spec.names, "few", test=(x[:10_000], y[:10_000]))
    return source(few), source(rest), train_x[:10_000], held


def train(
    recipe: str, values: dict[str, object], source: Source, steps: int, seed: int, near: Distance
) -> tuple[Sampler, list[tuple[int, float]], str, float]:
    """The trained game, its curve, what its augmentation logged last, and seconds of training alone."""
    config = settings(recipe, values)
    run = build_run(recipe, config, source.spec, Training(steps=steps, seed=seed, device="cpu"))
    sampler, curve, last, spent, start = Sampler(run, source.spec), [], "", 0.0, time.perf_counter()
    for logs in play(run, source):
        step = run.clock.step
        if step % max(1, steps // LOOKS) == 0:
            spent += time.perf_counter() - start
            curve.append((step, near(sampler.make(2000, 1)["x"])))
            last = ", ".join(f"{name[2:]} {float(logs[name]):.2f}" for name in ("D/r_t", "D/p") if name in logs)
            start = time.perf_counter()
    return sampler, curve, last, spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--recipe", default="dcgan")
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe, the same for all")
    parser.add_argument("--ways", nargs="*", default=["none", "diffaugment", "ada"])
    parser.add_argument("--pictures", type=Path)
    args = parser.parse_args()
    few, rest, validation, test = parts(args.data, args.images, args.side)
    judge = load("judge", rest, "cpu")
    unseen = judge(validation if args.part == "validation" else test)
    middle = judge(validation[:5000])
    score, near = (lambda x: kid(judge(x), unseen)), (lambda x: kid(judge(x), middle))
    machine = describe("cpu")
    print(f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}")
    print(f"judge: {judge.how}; SHA-256 {judge.hash[:16]}; scored against {len(unseen):,} {args.part} images")
    print(f"{args.recipe}, {args.side} x {args.side} pixels, {args.steps:,} steps for all; {' '.join(args.set) or 'defaults'}")
    other = test if args.part == "validation" else validation  # not those the judge was trained on: it knows them too well
    print(f"kernel distance of 10,000 other real images: {score(other):.5f}")
    print(f"kernel distance of the {args.images} training images themselves: {score(few.some(args.images)['x']):.5f}\n")
    print("| augmentation | seed | kernel distance | least on the way | at the end | seconds |")
    print("|---|---|---|---|---|---|", flush=True)
    common = asked(args.set)
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
        _picture(few.some(args.images)["x"], few, args.pictures / "training.png")
    found: dict[str, list[float]] = {way: [] for way in args.ways}
    curves: dict[str, list[tuple[int, float]]] = {}
    for seed in range(args.seeds):
        for way in args.ways:
            data, values = rest if way == "all" else few, common | _way(way)
            sampler, curve, last, seconds = train(args.recipe, values, data, args.steps, mix(seed, 7), near)
            made = sampler.make(10_000, 1)["x"]
            found[way].append(score(made))
            curves[f"{way}, seed {seed}"] = curve
            least = min(curve, key=lambda point: point[1])
            row = (way, seed, f"{found[way][-1]:.4f}", f"{least[1]:.4f} at step {least[0]:,}", last, f"{seconds:.0f}")
            print(f"| {' | '.join(map(str, row))} |", flush=True)
            if args.pictures:
                _picture(made[:100], few, args.pictures / f"{way.split(':')[0]}-{seed}.png")
                _chart(curves, args.pictures / "curves.png")
    means = {way: float(np.mean(values)) for way, values in found.items()}
    print("\n| distance against validation images, by step |", *(f"{step:,} |" for step, _ in next(iter(curves.values()))))
    print("|---|" + "---|" * len(next(iter(curves.values()))))
    for name, curve in curves.items():
        print(f"| {name} |", *(f"{value:.3f} |" for _, value in curve))
    if "none" in means:
        print()
        for way in means:
            if way not in ("none", "all"):
                print(f"{way} / none, mean of {args.seeds} seeds: {means[way] / means['none']:.3f}")


def _way(words: str) -> dict[str, object]:
    """Settings of a contestant: `ada`, or `ada:augment_kimg=50:augment_colour=0`."""
    name, *rest = words.split(":")
    return {"augment": "none" if name == "all" else name} | asked(rest)


def _picture(x: Tensor, source: Source, path: Path) -> None:
    images.picture(images.decode(x[:100], source.spec), source.spec, 10).save(path)


def _chart(curves: dict[str, list[tuple[int, float]]], path: Path) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((6.5, 3.6), layout="tight")
    axes = figure.add_subplot(xlabel="step", ylabel="kernel distance, validation", yscale="log")
    ways = list(dict.fromkeys(name.split(",")[0] for name in curves))
    for name, curve in curves.items():
        colour = f"C{ways.index(name.split(',')[0])}"
        axes.plot(*zip(*curve, strict=True), marker="o", markersize=3, color=colour, label=name)
    axes.legend(frameon=False, fontsize=8)
    FigureCanvasAgg(figure).print_png(path)


if __name__ == "__main__":
    main()
