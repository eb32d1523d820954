"""Several images into one: `compose` on pixel-art characters, against the same network without an adversary, and floors.

    python benchmarks/compose.py SPRITES --task views|tryon|clips --features MOBILENET.npz [--minutes 30] [--seed 0]

SPRITES is a folder with characters_4views_64.npz, tryon_64.npz and clips_8x64.npz, 64 x 64 RGBA; they are laid over mid-grey.
views: front view from left, back and right. tryon: dressed person from person and garment. clips: next frame from the four
before it, then three more from its own outputs. 15 % (of characters, triples, clips) are cut off before training and looked at
once, at the end; a row to learn from whose output is a test row's is left out. `--validate` holds out 15 % of the rest
instead; settings were chosen by that alone. `--set width=48` sets any setting of the recipe for both networks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import _translation as our
import numpy as np
import torch
from _asked import asked
from torch import Tensor

from zerosum.data import paired

Arrays = dict[str, np.ndarray]


def views(folder: Path) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """(inputs by name, outputs, groups), bytes [n, 3, h, w]."""
    x = our.on_colour(np.load(folder / "characters_4views_64.npz")["rgba"])
    return {"left": x[:, 1], "back": x[:, 2], "right": x[:, 3]}, x[:, 0], np.arange(len(x))


def tryon(folder: Path) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """The same: person and garment, dressed person."""
    found = np.load(folder / "tryon_64.npz")
    person, garment, target = (our.on_colour(found[name]) for name in ("person", "garment", "target"))
    return {"person": person, "garment": garment}, target, np.arange(len(target))


def clips(folder: Path) -> tuple[Arrays, np.ndarray, np.ndarray]:
    """The same: four frames, the next one, from each of the four places in a clip."""
    x = our.on_colour(np.load(folder / "clips_8x64.npz")["rgba"])
    inputs = {f"past {4 - i}": np.concatenate([x[:, at + i] for at in range(4)]) for i in range(4)}
    return inputs, np.concatenate([x[:, at + 4] for at in range(4)]), np.tile(np.arange(len(x)), 4)


Way = Callable[[Tensor], Tensor]
"""Four frames beside each other [n, 12, h, w] -> the next [n, 3, h, w]."""


def rolled(make: Way, first: Tensor, steps: int = 4) -> list[Tensor]:
    """Frames made one after the other from four [n, 12, h, w], each from the four before it."""
    frames: list[Tensor] = []
    for _ in range(steps):
        frames.append(make(first))
        first = torch.cat([first[:, 3:], frames[-1]], 1)
    return frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--task", choices=("views", "tryon", "clips"), default="views")
    parser.add_argument("--features", required=True, help="path of a feature network")
    parser.add_argument("--minutes", type=float, default=30.0, help="for each of the two networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--which", default="gan,l1", help="what to train (for trials)")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    wished = asked(args.set)
    inputs, x, groups = {"views": views, "tryon": tryon, "clips": clips}[args.task](args.data)
    train, test = our.parts(groups, args.validate)
    train = our.unseen(x, train, test)
    source = paired.from_arrays(
        {name: part[train] for name, part in inputs.items()}, x[train], held_out=0.05, groups=groups[train], origin=args.task
    )
    a, target = our.space(np.concatenate([part[test] for part in inputs.values()], 1)), our.space(x[test])
    print(
        f"{our.machine()}; {args.task}: {len(train):,} rows to learn from, {len(test):,} to test; seed {args.seed}", flush=True
    )
    jobs = {}
    for name, values in (("gan", {}), ("l1", {"adversarial": 0.0, "features": ""})):
        if name in args.which:
            jobs[name] = our.fitted(source, "compose", wished | values, args.minutes, args.seed)
    table = our.Table(our.features(args.features, source), target)
    floors = {f"copy {name}": part for name, part in zip(inputs, a.split(3, 1), strict=True)}
    known = source.some(len(train))
    floors |= {"mean image": known["x"].mean(0, keepdim=True).expand_as(target)}
    floors |= {"nearest training pair": our.nearest(known["a"], known["x"], a)}
    scored = {name: table.row(name, made) for name, made in floors.items()}
    outputs = {name: our.made(job, a) for name, job in jobs.items()}
    scored |= {name: table.row(name, made) for name, made in outputs.items()}
    best = max(scored[name][0] for name in floors)
    for name in outputs:
        print(f"\n{name}: {scored[name][0] - best:+.2f} dB over the best floor", end="")
    if len(outputs) == 2:
        print(f"; kernel distance of gan / l1: {scored['gan'][1] / scored['l1'][1]:.3f}", end="")
    print(flush=True)
    if args.task == "clips":
        frames = [our.space(x[test][at * len(test) // 4 : (at + 1) * len(test) // 4]) for at in range(4)]
        first = a[: len(test) // 4]
        ways: dict[str, Way] = {"copy the last frame": lambda past: past[:, -3:]}
        ways |= {name: partial(our.made, job) for name, job in jobs.items()}
        print("\n| PSNR of the mean squared error, dB, at frame | 1 | 2 | 3 | 4 |\n|---|---|---|---|---|")
        for name, way in ways.items():
            scores = [our.pooled(made, frame) for made, frame in zip(rolled(way, first), frames, strict=True)]
            print(f"| {name} | " + " | ".join(f"{score:.2f}" for score in scores) + " |", flush=True)
        if args.picture:
            rows = [
                *first.split(3, 1)[-1:],
                *frames,
                *(frame for way in list(ways.values())[1:] for frame in rolled(way, first)),
            ]
            our.picture([part[:: max(1, len(part) // 8)][:8] for part in rows], args.picture)
    elif args.picture:
        columns = [*a.split(3, 1), *outputs.values(), target]
        our.picture([part[:12] for part in columns], args.picture)


if __name__ == "__main__":
    main()
