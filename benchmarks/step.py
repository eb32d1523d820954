"""Time of one DCGAN-64 training step, batch 64: zerosum against the plain tutorial loop, alternating in one run.

python benchmarks/step.py [--rounds 15] [--batch 64] [--threads 4] [--profile]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Literal

import torch
from _alternating import alternating
from _tutorial import Tutorial

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.source import InMemory, Source, Spec
from zerosum.machine import describe
from zerosum.play import play
from zerosum.train import Training


def images(n: int = 1024) -> InMemory:
    """Random bytes: the time of a step does not depend on what is in the images."""
    x = torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return InMemory(Spec("images", (3, 64, 64)), x, None, x[:64], None)


def stepper(source: Source, batch: int, precision: Literal["bf16", "fp32"]) -> Callable[[], object]:
    """A function that plays one step of dcgan."""
    cfg = recipes.find("dcgan").Config(batch=batch)
    run = build_run("dcgan", cfg, source.spec, Training(steps=10**9, device="cpu", precision=precision))
    steps = play(run, source)
    return lambda: next(steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--profile", action="store_true", help="print where zerosum's step spends its time")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    tutorial, data = Tutorial(3, 64), images().batches(args.batch, 0)
    contestants: dict[str, Callable[[], object]] = {
        "tutorial loop, fp32": lambda: tutorial.step(next(data)["x"].contiguous()),
        "zerosum, fp32": stepper(images(), args.batch, "fp32"),
        "zerosum, bf16": stepper(images(), args.batch, "bf16"),
    }
    if args.profile:
        with torch.profiler.profile(record_shapes=True) as profiler:
            for _ in range(5):
                contestants["zerosum, bf16"]()
        print(
            profiler.key_averages(group_by_input_shape=True).table(
                sort_by="self_cpu_time_total", row_limit=40, max_name_column_width=50
            )
        )
        return
    times = alternating(contestants, args.rounds)
    machine = describe("cpu")
    print(f"DCGAN-64 step, batch {args.batch}, {machine['threads']} threads, {machine['processor']}, torch {machine['torch']}")
    print("\n| loop | median ms | min ms | times faster |\n|---|---|---|---|")
    base = statistics.median(times["tutorial loop, fp32"])
    for name, took in times.items():
        median = statistics.median(took)
        print(f"| {name} | {1e3 * median:.0f} | {1e3 * min(took):.0f} | {base / median:.2f} |")


if __name__ == "__main__":
    main()
