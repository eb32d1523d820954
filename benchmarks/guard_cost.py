"""What the guard costs: seconds spent in it, and the same training with and without it, alternating: medians of items a second.

    python benchmarks/guard_cost.py [--rounds 3] [--seconds 60] [--threads N] [--sides 8 64]

Two games, each for `--seconds` with and without the guard, `--rounds` times, the order changing. Nothing is written: what a
run folder costs is the same for both. Run it on a quiet machine: rates of the same training differ by several per cent from one
time to the next, which hides what is looked for, so that the seconds inside the guard are the better number. They do not
tell whether steps are slower beside it; the rates do.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from step import images

import zerosum.train
from zerosum.data import open_source
from zerosum.data.source import Source
from zerosum.guard.guard import Act, Guard
from zerosum.job import Job
from zerosum.machine import describe
from zerosum.settings import settings
from zerosum.train import Training


class Timed(Guard):
    """A guard that knows how long it took."""

    seconds = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        with self._timed():
            super().__init__(*args, **options)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        Timed.seconds += time.perf_counter() - begun

    def look(self, here: float, losses: dict[str, float], saving: bool = False) -> Act | None:
        """As Guard's."""
        with self._timed():
            return super().look(here, losses, saving)

    def finish(self) -> Act | None:
        """As Guard's."""
        with self._timed():
            return super().finish()


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
    zerosum.train.Guard = Timed  # type: ignore[misc]
    print("\n| dcgan | in the guard | without, items/s | with, items/s | all in all |\n|---|---|---|---|---|")
    for title, opened in (games[side] for side in args.sides):
        source = opened()
        rates: dict[bool, list[float]] = {True: [], False: []}
        shares = []
        for turn in range(args.rounds):
            for guard in (True, False) if turn % 2 else (False, True):
                plan = Training(minutes=args.seconds / 60, device="cpu", guard=guard, scores=0, pictures=0)
                job = Job.new("benchmark", source, "dcgan", settings("dcgan", {}), plan, None)
                begun, Timed.seconds = time.perf_counter(), 0.0
                job.play()
                took = time.perf_counter() - begun
                rates[guard].append(job.run.clock.step * job.run.batch / took)
                shares += [Timed.seconds / took] if guard else []
        without, with_ = (statistics.median(rates[guard]) for guard in (False, True))
        inside = f"{100 * statistics.median(shares):.1f} %"
        print(f"| {title} | {inside} | {without:,.0f} | {with_:,.0f} | {100 * (1 - with_ / without):+.1f} % |", flush=True)


if __name__ == "__main__":
    main()
