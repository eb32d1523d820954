"""Time of one `pix2pix` step: zerosum against the plain eager loop of the same networks in float32, alternating in one run.

    python benchmarks/translation_step.py [--side 128] [--batch 8] [--width 64] [--rounds 15] [--threads 4]

The plain loop is the usual one: G once a step, its output detached for D's turn, and judged again for its own. It has no zoom.
The data are random bytes: the time of a step does not depend on what is in the images.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from _alternating import alternating
from torch.nn.functional import l1_loss, softplus

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data import paired
from zerosum.data.source import Source
from zerosum.machine import describe
from zerosum.play import play
from zerosum.recipes.pix2pix import Config
from zerosum.train import Training


def pairs(side: int) -> Source:
    """Pairs of random images."""
    a, x = np.random.default_rng(0).integers(0, 256, (2, 64, 3, side, side), np.uint8)
    return paired.from_arrays({"left": a}, x, "right")


def ours(source: Source, cfg: Config, precision: Literal["bf16", "fp32"]) -> Callable[[], object]:
    """A function that plays one step."""
    run = build_run("pix2pix", cfg, source.spec, Training(steps=10**9, device="cpu", precision=precision, guard=False))
    steps = play(run, source)
    return lambda: next(steps)


def plain(source: Source, cfg: Config) -> Callable[[], object]:
    """A function that takes one step of the plain loop."""
    game = recipes.find("pix2pix").build(cfg, source.spec)
    G, D = game.nets["G"], game.nets["D"]
    adam = {net: torch.optim.Adam(net.parameters(), cfg.lr_g, (cfg.beta1, cfg.beta2)) for net in (G, D)}
    data = source.batches(cfg.batch, 0)

    def step() -> None:
        batch = next(data)
        a, x = batch["a"].contiguous(), batch["x"].contiguous()
        made = G(a)
        real, fake = D(torch.cat([a, x], 1)), D(torch.cat([a, made.detach()], 1))
        adam[D].zero_grad()
        (softplus(-real).mean() + softplus(fake).mean()).backward()
        adam[D].step()
        adam[G].zero_grad()
        (softplus(-D(torch.cat([a, made], 1))).mean() + cfg.l1_weight * l1_loss(made, x)).backward()
        adam[G].step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("side", 128), ("batch", 8), ("width", 64), ("rounds", 15), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    source, cfg = pairs(args.side), Config(batch=args.batch, width=args.width)
    contestants = {
        "plain loop, fp32": plain(source, cfg),
        "zerosum, fp32": ours(source, cfg, "fp32"),
        "zerosum, bf16": ours(source, cfg, "bf16"),
    }
    times = alternating(contestants, args.rounds)
    machine = describe("cpu")
    where = f"{machine['threads']} threads, {machine['processor']}, torch {machine['torch']}"
    what = f"`pix2pix`, {args.side} x {args.side}, width {args.width}, batch {args.batch}"
    print(f"{what}, {where}; medians of {args.rounds} rounds")
    print("\n| loop | images/s | times faster |\n|---|---|---|")
    base = statistics.median(times["plain loop, fp32"])
    for name, took in times.items():
        median = statistics.median(took)
        print(f"| {name} | {args.batch / median:.2f} | {base / median:.2f} |")


if __name__ == "__main__":
    main()
