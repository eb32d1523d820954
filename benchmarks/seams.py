"""A photograph of 4000 x 3000 pixels through a run: seconds, memory, and whether its tiles show.

    python benchmarks/seams.py RUN PHOTO

The photograph is mirrored beside itself where it is smaller. Two tiles that do not agree show as a step. So the mean
absolute difference of neighbouring columns (and rows) of the output is taken where tiles end and in the middle of their
overlaps, and divided by its mean over the 32 columns around. Where tiles show, it is larger there than elsewhere (where the
run enlarges: than elsewhere between two pixels of the input).
"""

from __future__ import annotations

import argparse
import resource
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.job import open_run
from zerosum.pictures import Picture, read
from zerosum.tiles import starts
from zerosum.translate import Translator

HEIGHT, WIDTH = 3000, 4000
AROUND = 16


def photograph(path: Path, scale: int) -> np.ndarray:
    """[3000, 4000, c], over the run's own enlargement: mirrored side by side until it covers them."""
    x, height, width = read(path).pixels, HEIGHT // scale, WIDTH // scale
    x = np.concatenate([x, x[:, ::-1]], 1)
    x = np.concatenate([x, x[::-1]], 0)
    return np.tile(x, (-(-height // x.shape[0]), -(-width // x.shape[1]), 1))[:height, :width]


def steps(made: np.ndarray, begins: list[int], tile: int, scale: int) -> str:
    """In words: the mean over some lines, and its standard error, of a line's step over the mean of the lines around it."""
    profile = np.abs(np.diff(made.astype(np.float32).mean(2), axis=1)).mean(0)
    near = lambda at: profile[at - 1 - AROUND : at + AROUND].mean()
    ratios = {at: profile[at - 1] / near(at) for at in range(AROUND + 1, len(profile) - AROUND)}
    ends = {side * scale for begin in begins for side in (begin, begin + tile)}
    middles = {(one + tile + other) // 2 * scale for one, other in pairwise(begins)}
    inside = {at for at in ratios if at % scale == 0 and min(abs(at - other) for other in ends | middles) > 4}
    found = []
    for name, lines in (("tiles' ends", ends), ("middles of overlaps", middles), ("elsewhere", inside)):
        some = [ratios[at] for at in lines if at in ratios]
        found.append(f"{name} {np.mean(some):.3f} +- {np.std(some) / len(some) ** 0.5:.3f}")
    return ", ".join(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--overlaps", type=int, nargs="+", default=[-1, 0], help="-1: the default, a quarter of a tile")
    parser.add_argument("--out", type=Path, help="keep the output of the first overlap")
    asked = parser.parse_args()
    sampler = open_run(asked.run, device="cpu")
    for i, overlap in enumerate(asked.overlaps):
        translator = Translator(sampler, overlap=None if overlap < 0 else overlap)
        if len(translator.names) != 1 or translator.mends:
            raise SystemExit("this needs a run of one input, without a mask")
        x = photograph(asked.photo, translator.scale)
        start = time.perf_counter()
        made = translator({translator.names[0]: Picture(x)})
        took = time.perf_counter() - start
        for axis, name in ((1, "columns"), (0, "rows")):
            share = translator.tile[axis] // 4 if overlap < 0 else overlap
            begins = starts(x.shape[axis], translator.tile[axis], share)
            turned = made.pixels if axis == 1 else made.pixels.transpose(1, 0, 2)
            print(f"overlap {share}, {name}: {steps(turned, begins, translator.tile[axis], translator.scale)}")
        if i == 0:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"{made.size[1]} x {made.size[0]} pixels in {took:.1f} s; the process has held {peak:.2f} GiB at most")
            if asked.out is not None:
                Image.fromarray(np.ascontiguousarray(made.array())).save(asked.out)


if __name__ == "__main__":
    main()
