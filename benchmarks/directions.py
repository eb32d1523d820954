"""Do directions mean something: what an attribute classifier sees of generated characters as a slider moves.

    python benchmarks/directions.py SPRITES RUN [--items 100] [--picture grid.png] [--seed 0]

SPRITES is the folder of the pixel-art characters, RUN a run folder of a generator of such images (64 x 64, RGBA). Two small
networks learn to see ten attributes on real images, each on 1,200 characters of its own, and are tested on 600 others. The
first, the tagger, tags generated items for InterFaceGAN's boundaries; the second, the judge, alone judges what sliders do to
other generated items, each at -3, -2 ... 3 sigma. For every direction: the attribute whose probability it moves most, its
rank correlation with the slider (Spearman: of the mean over items, and the mean of every item's own), how far its mean
probability goes, and how far those of the others go. Sides of a character exclude each other, so that a direction that shows
the back must hide the front: for a view the other views are left out of "others".
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from _attributes import VIEWS, Seer, accuracy, seen, seer, sprites
from torch import Tensor

from zerosum.data import modality
from zerosum.job import open_run
from zerosum.latent.directions import Direction, boundary, conditioned, ganspace, sefa
from zerosum.latent.space import Space
from zerosum.machine import describe

STEPS = torch.arange(-3.0, 4.0)


def ranks(x: Tensor) -> Tensor:
    """Ranks along the last axis; the slider's values are in order and no two values tie."""
    return x.argsort(-1).argsort(-1).double()


def spearman(curves: Tensor) -> Tensor:
    """Rank correlation of each curve [..., steps] with the slider."""
    r = ranks(curves) - (curves.shape[-1] - 1) / 2
    s = ranks(STEPS) - (len(STEPS) - 1) / 2
    return (r * s).sum(-1) / (s * s).sum()


def curves(space: Space, judge: Seer, one: Direction, points: Tensor, rest: dict[str, Tensor]) -> Tensor:
    """Logits [items, attributes, steps] as a slider goes from -3 to 3."""
    return torch.stack([seen(judge, space.leave(one.move(points, float(step)), rest)) for step in STEPS], 2)


def judged(names: list[str], one: Direction, found: Tensor, wanted: str | None) -> tuple[str, dict[str, float]]:
    """A line of the table, and its numbers."""
    mean = found.sigmoid().mean(0)  # [attributes, steps]
    change = mean[:, -1] - mean[:, 0]
    target = names.index(wanted) if wanted is not None else int(change.abs().argmax())
    kin = set(VIEWS) if names[target] in VIEWS else {names[target]}
    others = torch.stack([abs(change[i]) for i in range(len(names)) if names[i] not in kin])
    sign = 1 if wanted is not None else float(change[target].sign())
    whole, each = sign * spearman(mean[target]).item(), sign * spearman(found[:, target]).mean().item()
    numbers = {
        "whole": whole,
        "each": each,
        "change": change[target].item(),
        "others": others.mean().item(),
        "most": others.max().item(),
    }
    words = " | ".join(
        f"{value:.2f}" for value in (whole, each, change[target].item(), others.mean().item(), others.max().item())
    )
    return f"| {one.name} | {one.method} | {names[target]} | {words} |", numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sprites", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--items", type=int, default=100, help="that are moved")
    parser.add_argument("--tagged", type=int, default=3000, help="generated items that the tagger looks at")
    parser.add_argument("--count", type=int, default=6, help="directions of sefa and of ganspace")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    x, tags, names, who = sprites(args.sprites)
    part = [torch.from_numpy((who % 5 == 4) if i == 2 else (who % 5 // 2 == i) & (who % 5 < 4)) for i in range(3)]
    start = time.perf_counter()
    tagger, judge = (seer(x[part[i]], tags[part[i]], args.seed + i) for i in range(2))
    machine = describe("cpu")
    print(f"1 thread, {machine['processor']}, torch {machine['torch']}; run {args.run.name}, seed {args.seed}")
    print(f"classifiers taught in {time.perf_counter() - start:.0f} s; balanced accuracy on 600 other characters:\n")
    print("| attribute | tagger | judge | share of generated items |\n|---|---|---|---|", flush=True)
    space = Space(open_run(args.run, device="cpu"))
    inputs = space.sampler.inputs(args.tagged, args.seed + 1)
    points = space.enter(inputs)
    said = seen(tagger, space.leave(points, inputs)) > 0
    right = [accuracy(net, x[part[2]], tags[part[2]]) for net in (tagger, judge)]
    for i, name in enumerate(names):
        print(f"| {name} | {right[0][i]:.3f} | {right[1][i]:.3f} | {said[:, i].double().mean():.1%} |")
    common = [i for i in range(len(names)) if 0.05 <= said[:, i].double().mean() <= 0.95]
    taught = {names[i]: boundary(space, points, said[:, i], names[i]) for i in common}
    few = {
        f"{names[i]}, 20 tags": (names[i], boundary(space, *twenty(points, said[:, i]), f"{names[i]}, 20 tags")) for i in common
    }
    asked = [(name, one) for name, one in taught.items()]
    apart = [(name, conditioned(one, rivals(taught, name), space)) for name, one in taught.items()]
    free = [(None, one) for one in (*sefa(space, args.count), *ganspace(space, args.count, args.seed))]
    moved = space.sampler.inputs(args.items, args.seed + 2)
    there = space.enter(moved)
    titles = ("direction", "method", "attribute", "rank correlation", "of each item", "change", "others, mean", "others, most")
    head = f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|"
    groups: dict[str, Sequence[tuple[str | None, Direction]]] = {
        "Boundaries": asked,
        "Boundaries, each made independent of the others": apart,
        "Boundaries from 20 tags": list(few.values()),
        "Without tags": free,
    }
    for title, group in groups.items():
        print(f"\n{title}\n\n{head}", flush=True)
        kept = []
        for wanted, one in group:
            line, numbers = judged(names, one, curves(space, judge, one, there, moved), wanted)
            print(line, flush=True)
            kept.append(numbers)
        mean = {key: sum(one[key] for one in kept) / len(kept) for key in kept[0]}
        met = sum(one["whole"] >= 0.8 and abs(one["change"]) > one["most"] for one in kept)
        words = " | ".join(f"{mean[key]:.2f}" for key in ("whole", "each", "change", "others", "most"))
        print(f"| mean | | | {words} |\n\ncorrelation 0.8 or more and every other moves less: {met} of {len(kept)}", flush=True)
    if args.picture:
        rows = [one for _, one in (*apart, *free[:2], *free[args.count : args.count + 2])]
        sheet(space, rows, args.seed + 2, args.picture)


def rivals(taught: dict[str, Direction], name: str) -> list[Direction]:
    """What a direction should not move: all other attributes, apart from the other views where it is one."""
    kin = set(VIEWS) if name in VIEWS else {name}
    return [one for other, one in taught.items() if other not in kin]


def twenty(points: Tensor, tags: Tensor) -> tuple[Tensor, Tensor]:
    """The first ten with a tag and the first ten without."""
    rows = torch.cat([tags.nonzero()[:10, 0], (~tags).nonzero()[:10, 0]])
    return points[rows], tags[rows]


def sheet(space: Space, rows: list[Direction], seed: int, path: Path) -> None:
    """A row for each direction, one item from -3 to 3 sigma, and beside it another."""
    inputs, kind = space.sampler.inputs(2, seed), modality(space.sampler.spec)
    points = space.enter(inputs)
    x = torch.cat(
        [
            space.leave(one.move(points[i : i + 1], float(s)), {n: v[i : i + 1] for n, v in inputs.items()})
            for one in rows
            for i in range(2)
            for s in STEPS
        ]
    )
    kind.picture(kind.decode(x, space.sampler.spec), space.sampler.spec, 2 * len(STEPS)).save(path)


if __name__ == "__main__":
    main()
