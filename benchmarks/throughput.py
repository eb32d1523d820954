"""Images a second of training `stylegan2` and `r3gan`: zerosum against a plain eager loop, alternating in one run.

python benchmarks/throughput.py [--sizes 32 64] [--batch 32] [--rounds 32] [--threads 4] [--device cpu|cuda] [--width 128]

On a processor the plain loop is in float32; on a GPU in bfloat16, against zerosum with --compile. A round is 16 steps of
zerosum's and 16 of the plain loop's, so that each has every lazy turn once; medians over rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from _eager import Loop

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.source import InMemory, Spec
from zerosum.machine import describe
from zerosum.play import play
from zerosum.train import Training

LAZY = 16
"""Steps after which every lazy turn has been taken."""


def images(side: int, n: int = 1024) -> InMemory:
    """Random bytes: the time of a step does not depend on what is in the images."""
    x = torch.randint(0, 256, (n, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return InMemory(Spec("images", (3, side, side)), x, None, x[:64], None)


def contestants(recipe: str, side: int, args: argparse.Namespace) -> dict[str, Callable[[], None]]:
    """Functions that train for LAZY steps."""
    source = images(side).to(args.device)
    wide = {"width": args.width} if args.width else {}
    cfg = recipes.find(recipe).Config(batch=args.batch, **wide, **({"full": args.full} if args.full else {}))
    gpu = args.device != "cpu"
    plan = Training(steps=10**9, device=args.device, precision="bf16", compile=gpu, threads=args.threads)
    steps = play(build_run(recipe, cfg, source.spec, plan), source)
    loop = Loop(recipe, cfg, source.spec.shape, args.device, torch.bfloat16 if gpu else torch.float32)
    data = images(side).to(args.device).batches(args.batch, 0)

    def ours() -> None:
        for _ in range(args.steps):
            next(steps)

    def plain() -> None:
        for _ in range(args.steps):
            loop.step(next(data)["x"].contiguous())

    return {f"plain loop, {'bf16' if gpu else 'fp32'}": plain, f"zerosum, bf16{', compiled' if gpu else ''}": ours}


def timed(work: Callable[[], None], device: str) -> float:
    start = time.perf_counter()
    work()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=["stylegan2", "r3gan"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[32, 64])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--width", type=int, default=0, help="of both networks; 0: the recipe's own")
    parser.add_argument("--full", type=int, default=0, help="of both networks; 0: the recipe's own")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=LAZY, help="in a round; a multiple of 16 has every lazy turn")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    machine = describe(args.device)
    where = machine["device"] if args.device != "cpu" else f"{machine['processor']}, {machine['threads']} threads"
    print(f"Training, batch {args.batch}, {where}, torch {machine['torch']}; medians of {args.rounds} rounds\n")
    print("| recipe | size | loop | images/s | times faster |\n|---|---|---|---|---|")
    for recipe in args.recipes:
        for side in args.sizes:
            both = contestants(recipe, side, args)
            times: dict[str, list[float]] = {name: [] for name in both}
            for turn in range(args.rounds + 1):
                for name, work in both.items():
                    took = timed(work, args.device)
                    if turn:
                        times[name].append(took)
            base = statistics.median(next(iter(times.values())))
            for name, took_each in times.items():
                median = statistics.median(took_each)
                rate, gain = args.steps * args.batch / median, base / median
                print(f"| `{recipe}` | {side} x {side} | {name} | {rate:.1f} | {gain:.2f} |", flush=True)


if __name__ == "__main__":
    main()
