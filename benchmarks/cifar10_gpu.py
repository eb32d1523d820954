"""Train a recipe on CIFAR-10 with labels for N minutes more; call it again to go on. Prints score against time.

python benchmarks/cifar10_gpu.py DATA --minutes 60 --out runs/cifar10 [--recipe r3gan] [--features FEATURES]
    [--set width=384 batch=256 ...]

DATA: any copy of CIFAR-10: the python version's folder (its pickles are read without being executed), a folder with a
folder of PNGs for each class, or an .npz. Stop with Ctrl-C; the next call goes on from there for as many minutes more.
Scores are Fréchet distances on the features that are named; only those on the official Inception network are FID.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _asked import asked
from _cifar10 import read
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from zerosum.building import build_run
from zerosum.data import open_source
from zerosum.data.source import InMemory, Spec
from zerosum.errors import UserError
from zerosum.job import Job
from zerosum.machine import describe, pick_device
from zerosum.play import play
from zerosum.settings import settings
from zerosum.train import Training

LAZY = 16
"""Steps after which every lazy turn has been taken."""
ON_GPU: dict[str, dict[str, Any]] = {
    "r3gan": {"width": 384, "full": 32, "batch": 256, "lr_g": 4e-4, "lr_d": 4e-4},
    "stylegan2": {
        "width": 512,
        "full": 64,
        "z_dim": 512,
        "batch": 64,
        "penalty_weight": 0.01,
        "path_weight": 0.0,
        "mixing": 0.0,
    },
}
"""Settings on a GPU, between the authors' and what an hour can train."""
ON_CPU: dict[str, Any] = {"width": 64, "batch": 32}


class Work(TorchDispatchMode):
    """Counts operations by torch's formulas. Torch's own counter follows modules, which second derivatives do not bear."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.total += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=out)
        return out


def bf16_rate(device: str) -> float:
    """Operations a second of a large matrix product in bfloat16, the best of ten."""
    side = 8192 if device != "cpu" else 2048
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        b = a @ a
        float(b[0, 0])  # waits for a GPU
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def work_per_image(recipe: str, values: dict[str, Any], spec: Spec) -> float:
    """Floating-point operations of training an image, counted over LAZY steps of 8 images."""
    cfg = settings(recipe, {**values, "batch": 8})
    x = torch.zeros(64, *spec.shape)
    source = InMemory(spec, x, torch.zeros(64, dtype=torch.int64), x[:8], None)
    steps = play(build_run(recipe, cfg, spec, Training(steps=LAZY, device="cpu", precision="fp32")), source)
    with Work() as work:
        for _ in range(LAZY):
            next(steps)
    return work.total / (8 * LAZY)


def told(folder: Path, flops: float, rate: float) -> None:
    """The curve so far: a line for each time that scores were taken."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    names = sorted({one["name"] for row in rows for one in row.get("scores", [])})
    if names:
        print(f"\n| minutes | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for row in rows:
        if scores := {one["name"]: one["value"] for one in row.get("scores", [])}:
            shown = [f"{scores[name]:.4g}" if name in scores else "" for name in names]
            print(f"| {row['seconds'] / 60:.1f} | {' | '.join(shown)} |")
    speeds = [row["items_per_s"] for row in rows if "items_per_s" in row]
    if speeds:
        speed = float(np.median(speeds[len(speeds) // 2 :]))
        share = speed * flops / rate
        print(
            f"\n{speed:.0f} images/s; {flops / 1e9:.2f} GFLOP an image: {100 * share:.1f} % of {rate / 1e12:.2f} TFLOP/s (bf16)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, required=True, help="minutes to train in this call")
    parser.add_argument("--out", type=Path, required=True, help="run folder; where it exists, training goes on")
    parser.add_argument("--recipe", default="r3gan")
    parser.add_argument("--features", help="see `zerosum score --help`; scored with them at the end of the call")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, help="default: on a GPU")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of the recipe")
    args = parser.parse_args()
    device = pick_device(args.device)
    packed = args.out.with_name(args.out.name + "-data.npz")
    if args.out.exists():
        before = json.loads((args.out / "config.json").read_text())
        seconds = max(
            (row["seconds"] for row in map(json.loads, (args.out / "log.jsonl").open()) if "seconds" in row), default=0
        )
        job = Job.resume(args.out, minutes=args.minutes + seconds / 60)
        values = before["settings"]
    else:
        if not packed.exists():
            x, y = read(args.data)
            args.out.parent.mkdir(parents=True, exist_ok=True)
            np.savez(packed, x=x, y=y)
        values = {**(ON_CPU if device == "cpu" else ON_GPU.get(args.recipe, {})), **asked(args.set)}
        compiled = device != "cpu" if args.compile is None else args.compile
        plan = Training(minutes=args.minutes, device=device, compile=compiled, mirror=True, held_out=0.1)
        source = open_source(str(packed.resolve()), held_out=0.1)
        job = Job.new(str(packed.resolve()), source, args.recipe, settings(args.recipe, values), plan, args.out)
    machine = describe(device)
    print(f"{machine['device']}, {machine['processor']}, torch {machine['torch']}; {args.recipe}: {values}", flush=True)
    flops, rate = work_per_image(args.recipe, values, job.source.spec), bf16_rate(device)
    finished = job.play()
    print("came to the end of its minutes" if finished else "stopped", flush=True)
    if job.folder is not None:
        for score in job.finish() if finished else []:
            print(f"{score.name}: {score.value:.4g} (real data {score.real:.4g}); {score.protocol}")
        if args.features and finished:
            for score in job.score(features=args.features):
                print(f"{score.name}: {score.value:.4g} (real data {score.real:.4g}); {score.protocol}")
        told(args.out, flops, rate)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"cifar10_gpu: {error}")
