"""What the guard costs: the same training with and without it, alternating; images a second, medians.

    python benchmarks/guard_cost.py [--rounds 3] [--seconds 60] [--threads N] [--sides 8 64]

Two games, each for `--seconds` with and without the guard, `--rounds` times, the order changing. Nothing is written: what a
run folder costs is the same for both. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from step import images

from zerosum.data import open_source
from zerosum.data.source import Source
from zerosum.job import Job, settings
from zerosum.machine import describe
from zerosum.train import Training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--sides", type=int, nargs="+", default=[8, 64], help="pixels of the games' images")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    games: dict[int, tuple[str, Callable[[], Source]]] = {
        8: ("1 x 8 x 8, batch 64", lambda: open_source("digits")),
        64: ("3 x 64 x 64, batch 64", images),
    }
    print(f"{describe('cpu')['processor']}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print("\n| dcgan | without, items/s | with, items/s | the guard costs |\n|---|---|---|---|")
    for title, opened in (games[side] for side in args.sides):
        source = opened()
        rates: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(args.rounds):
            for guard in (True, False) if turn % 2 else (False, True):
                plan = Training(minutes=args.seconds / 60, device="cpu", guard=guard, scores=0, pictures=0)
                job = Job.new("benchmark", source, "dcgan", settings("dcgan", {}), plan, None)
                begun = time.perf_counter()
                job.play()
                rates[guard].append(job.run.clock.step * job.run.batch / (time.perf_counter() - begun))
        without, with_ = (statistics.median(rates[guard]) for guard in (False, True))
        print(f"| {title} | {without:,.0f} | {with_:,.0f} | {100 * (1 - with_ / without):+.1f} % |", flush=True)


if __name__ == "__main__":
    main()
