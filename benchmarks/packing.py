"""What packing costs and saves: 50,000 PNGs against a plain Pillow loop, an epoch afterwards, loading's share of a step.

python benchmarks/packing.py [--count 50000] [--images train-images-idx3-ubyte.gz] [--step-ms 20]

The pictures are written first: from an idx file (such as Fashion-MNIST's), or smooth noise of 28 x 28. Every timing is
of a fresh process with a fresh cache; the files are in the system's page cache for both.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from zerosum.data.decoders import cores
from zerosum.machine import describe

PLAIN = """
import sys, time
from pathlib import Path
import numpy as np
from PIL import Image
start, spent = time.perf_counter(), time.process_time()
files = sorted(Path(sys.argv[1]).rglob("*.png"))
x = np.empty((len(files), 28, 28), np.uint8)
for i, file in enumerate(files):
    with Image.open(file) as image:
        x[i] = np.asarray(image)
print(time.perf_counter() - start, time.process_time() - spent)
"""
PACK = """
import resource, sys, time
from pathlib import Path
from zerosum.data.pack import packed
from zerosum.data.shelf import Folder
start, spent = time.perf_counter(), time.process_time()
packed(Folder(Path(sys.argv[1])), None)
wall, own = time.perf_counter() - start, time.process_time() - spent
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall, own + used.ru_utime + used.ru_stime)
"""
EPOCH = """
import sys, time
import torch
from zerosum.data import open_source, pictures
if sys.argv[2] == "streamed":
    pictures.IN_MEMORY = 0.0
start = time.perf_counter()
source = open_source(sys.argv[1])
opened = time.perf_counter() - start
batches = source.batches(64, 0)
next(batches)
step, steps = float(sys.argv[3]) / 1e3, len(source) // 64
start = time.perf_counter()
for _ in range(steps):
    next(batches)
epoch = time.perf_counter() - start
a = torch.randn(512, 512)
def work():
    begun = time.perf_counter()
    while time.perf_counter() - begun < step:
        torch.mm(a, a)
def waited(act):
    found = []
    for _ in range(200):
        act()
        begun = time.perf_counter()
        next(batches)
        found.append(time.perf_counter() - begun)
    return sum(found) / len(found)
print(opened, epoch, waited(work), waited(lambda: time.sleep(step)))
"""


def write(folder: Path, count: int, images: Path | None) -> None:
    """Pictures in ten sub-folders."""
    if images:
        x = np.frombuffer(gzip.decompress(images.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)
    else:
        rough = np.random.default_rng(0).integers(0, 256, (count, 8, 8), np.uint8)
        x = np.stack([np.asarray(Image.fromarray(item).resize((28, 28))) for item in rough])
    for i in range(count):
        place = folder / f"class{i % 10}"
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x[i % len(x)]).save(place / f"{i:06d}.png")


def fresh(script: str, folder: Path, *more: str, cache: Path) -> list[float]:
    """The numbers that a script prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), *more],
        env=os.environ | {"ZEROSUM_CACHE": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50_000)
    parser.add_argument("--images", type=Path)
    parser.add_argument("--step-ms", type=float, default=20.0, help="a step whose loading is waited for")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    machine = describe("cpu")
    print(f"{machine['processor']}, {cores()} cores for this process, load average {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        write(folder, args.count, args.images)
        plain, pack = [], []
        for i in range(args.rounds):
            plain.append(fresh(PLAIN, folder, cache=Path(place)))
            pack.append(fresh(PACK, folder, cache=Path(place) / f"cache{i}"))
        best = [min(times) for times in (plain, pack)]
        cache = Path(place) / "cache0"
        print("| what | seconds | processor seconds |\n|---|---|---|")
        print(f"| plain Pillow loop, one process, {args.count:,} PNGs | {best[0][0]:.2f} | {best[0][1]:.2f} |")
        print(f"| packed | {best[1][0]:.2f} ({best[0][0] / best[1][0]:.1f} times faster) | {best[1][1]:.2f} |")
        for way in ("memory", "streamed"):
            opened, epoch, *waits = fresh(EPOCH, folder, way, str(args.step_ms), cache=cache)
            print(f"| second start, {way} | {opened:.2f} | |")
            print(f"| an epoch of batches of 64 alone, {way} | {epoch:.2f} | |")
            for waited, what in zip(waits, ("of matrix products", "that is a pause"), strict=True):
                share = 1e3 * waited / (args.step_ms + 1e3 * waited)
                print(f"| waiting after a step of {args.step_ms:g} ms {what}, {way} | {waited:.5f}, {100 * share:.1f} % | |")
    print(f"\npeak memory of this script's children: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
