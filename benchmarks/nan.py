"""NaN in a gradient at a random step of a real training: is the run recovered, and does it end as if nothing had been?

    python benchmarks/nan.py [--trials 20] [--seed 0]

For each trial a recipe and data set in turn, a player, one of its parameters and a step by chance. A hook puts NaN into one
number of that parameter's gradient at that step, once. The weights at the end are compared, byte for byte, with those of
the same run without the fault, and so are 200 samples, which every score is a function of.
"""

from __future__ import annotations

import argparse
import random
from itertools import cycle

import torch
from torch import Tensor

from zerosum.data import open_source
from zerosum.job import Job
from zerosum.play import Run
from zerosum.settings import settings
from zerosum.train import Training

STEPS = 120
GAMES = (
    ("gan", "ring8"), ("dcgan", "digits"), ("cgan", "digits"), ("lsgan", "digits"), ("wgan_gp", "grid25"), ("sngan", "digits"),
    ("aae", "digits"), ("acgan", "digits"), ("wgan", "digits"), ("r3gan", "digits"),
)  # fmt: skip


def job(recipe: str, data: str) -> Job:
    values = {"width": 8, "batch": 16} | ({"z_dim": 8} if recipe == "r3gan" else {})
    plan = Training(steps=STEPS, device="cpu", guard_every=20, log_every=10)
    return Job.new(data, open_source(data), recipe, settings(recipe, values), plan, None)


def poison(run: Run, chance: random.Random) -> tuple[str, int, list[int]]:
    """Hook the fault in; (player, step, steps at which it struck)."""
    player = chance.choice(sorted(run.params))
    parameter, step = chance.choice(run.params[player]), chance.randrange(1, STEPS)
    at = chance.randrange(parameter.numel())
    struck: list[int] = []

    def spoil(grad: Tensor) -> Tensor:
        if run.clock.step < step or struck:
            return grad
        struck.append(run.clock.step)
        spoilt = grad.clone().contiguous()
        spoilt.view(-1)[at] = torch.nan
        return spoilt

    parameter.requires_grad_(True).register_hook(spoil)
    parameter.requires_grad_(False)
    return player, step, struck


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    chance, whole = random.Random(args.seed), {}
    print(
        "| recipe | data | NaN in | at step | struck | went back | weights as without | samples as without |\n|---|"
        + "---|" * 7
    )
    recovered = 0
    for _, (recipe, data) in zip(range(args.trials), cycle(GAMES), strict=False):
        if (recipe, data) not in whole:
            whole[recipe, data] = job(recipe, data)
            whole[recipe, data].play()
        hurt, sound = job(recipe, data), whole[recipe, data]
        player, step, struck = poison(hurt.run, chance)
        hurt.play()
        ours, theirs = hurt.run.nets.state_dict(), sound.run.nets.state_dict()
        same = all(torch.equal(ours[name], theirs[name]) for name in theirs)
        alike = torch.equal(hurt.sampler.make(200, 1)["x"], sound.sampler.make(200, 1)["x"])
        recovered += same and alike and bool(struck)
        words = ["yes" if one else "no" for one in (same, alike)]
        print(
            f"| {recipe} | {data} | {player} | {step} | {len(struck)} | {len(hurt.notes)} | {words[0]} | {words[1]} |",
            flush=True,
        )
    print(f"\n{recovered} of {args.trials} recovered, bit for bit as without the fault")


if __name__ == "__main__":
    main()
