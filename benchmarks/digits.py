"""Generated digits as training data: `cgan` for 60 s a seed; an SVC trained on 2,000 generated digits reads real ones.

    python benchmarks/digits.py [--seeds 3] [--seconds 55] [--picture grid.png]

20 % of the real digits are held out before training; no setting was chosen by them. Beside it: the same SVC trained on
the real training digits (ceiling), on digits of independent pixels, and on plain noise (floors).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import torch

from zerosum import recipes
from zerosum.data import open_source
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.metrics.trivial import independent
from zerosum.metrics.tstr import svc_accuracy
from zerosum.train import Training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=55.0)
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    source = open_source("digits")
    held, real = source.held_out(), source.some(2000)
    machine = describe("cpu")
    print(f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}; {len(held['x'])} held-out digits")
    print("\n| seed | accuracy | seconds | steps |\n|---|---|---|---|")
    reached = []
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as place:
            plan = Training(minutes=args.seconds / 60, seed=seed, device="cpu")
            start = time.perf_counter()
            job = Job.new("digits", source, "cgan", recipes.find("cgan").Config(), plan, Path(place) / "run")
            job.play()
            took = time.perf_counter() - start
            reached.append(svc_accuracy(job.sampler.make(2000, seed=1), held))
            print(f"| {seed} | {reached[-1]:.4f} | {took:.1f} | {job.run.clock.step:,} |", flush=True)
            if args.picture:
                assert job.folder is not None
                args.picture.write_bytes(job.folder.pictures()[-1][1].read_bytes())
    torch.manual_seed(0)
    noise = {"x": torch.rand(2000, 1, 8, 8) * 2 - 1, "y": torch.randint(0, 10, (2000,))}
    print(f"\nmean of {args.seeds} seeds: {sum(reached) / len(reached):.4f}")
    print(f"trained on {len(real['x']):,} real digits (ceiling): {svc_accuracy(real, held):.4f}")
    print(f"trained on digits of independent pixels: {svc_accuracy(independent(real, 2000), held):.4f}")
    print(f"trained on uniform noise with random labels (floor): {svc_accuracy(noise, held):.4f}")


if __name__ == "__main__":
    main()
