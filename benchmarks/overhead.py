"""What play() costs over a hand-written loop with the same tricks: same nets, same losses, alternating in one run.

python benchmarks/overhead.py [--rounds 30]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import torch
from step import images, stepper
from torch.nn.functional import softplus

from zerosum import recipes
from zerosum.data import open_source
from zerosum.data.source import Source
from zerosum.machine import describe


def by_hand(source: Source, batch: int, dtype: torch.dtype) -> Callable[[], object]:
    """DCGAN with bf16 autocast, channels-last, fused Adam, D frozen in G's turn and an average of G: no house around it."""
    cfg = recipes.find("dcgan").Config(batch=batch)
    game = recipes.find("dcgan").build(cfg, source.spec)
    G, D = (game.nets[name].to(memory_format=torch.channels_last) for name in ("G", "D"))
    G_ema = copy.deepcopy(G).requires_grad_(False)
    make_optim = lambda net, lr: torch.optim.Adam(net.parameters(), lr=lr, betas=(cfg.beta1, cfg.beta2), fused=True)
    optim_g, optim_d, data = make_optim(G, cfg.lr_g), make_optim(D, cfg.lr_d), source.batches(batch, 0)

    def step() -> None:
        real = next(data)["x"]
        D.requires_grad_(True)
        G.requires_grad_(False)
        optim_d.zero_grad()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            fake = G(torch.randn(batch, cfg.z_dim))
            loss = softplus(-D(real)).mean() + softplus(D(fake)).mean()
        loss.backward()
        optim_d.step()
        D.requires_grad_(False)
        G.requires_grad_(True)
        optim_g.zero_grad()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            loss = softplus(-D(G(torch.randn(batch, cfg.z_dim)))).mean()
        loss.backward()
        optim_g.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(G_ema.parameters()), list(G.parameters()), 0.01)
            for old, new in zip(G_ema.buffers(), G.buffers(), strict=True):
                old.copy_(new)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    machine = describe("cpu")
    print(f"{machine['processor']}, torch {machine['torch']}")
    print("\n| game | by hand, median ms | play(), median ms | play() costs |\n|---|---|---|---|")
    games: list[tuple[str, Source, int]] = [
        (f"DCGAN, 3 x 64 x 64, batch 64, {torch.get_num_threads()} threads", images(), torch.get_num_threads()),
        ("DCGAN, 1 x 8 x 8, batch 64, 1 thread", open_source("digits"), 1),  # so small that threads would be mostly noise
    ]
    batch = 64
    for title, source, threads in games:
        torch.set_num_threads(threads)
        steps = [by_hand(source, batch, torch.bfloat16), stepper(source, batch, "bf16")]
        times: list[list[float]] = [[], []]
        inner = 1 if source.spec.shape[1] > 8 else 20
        for turn in range(args.rounds + 2):
            for i in (0, 1) if turn % 2 else (1, 0):
                start = time.perf_counter()
                for _ in range(inner):
                    steps[i]()
                if turn >= 2:
                    times[i].append((time.perf_counter() - start) / inner)
        hand, ours = (1e3 * statistics.median(took) for took in times)
        print(f"| {title} | {hand:.2f} | {ours:.2f} | {100 * (ours / hand - 1):+.1f} % |")


if __name__ == "__main__":
    main()
