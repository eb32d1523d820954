"""New items from a game: the same seed gives the same items on every device, and training is not disturbed."""

from __future__ import annotations

import torch

from zerosum.errors import UserError
from zerosum.game import Batch, Game
from zerosum.play import Run


def draw(game: Game, n: int, seed: int, label: int | None = None, classes: int = 0) -> Batch:
    """Inputs of n items on the CPU; with `label`, all of that class.

    Raises UserError where the game takes no labels, or has no such class.
    """
    if not 0 <= seed < 2**63:
        raise UserError(f"seed {seed}: must be 0 or more")
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(seed)
        inputs = game.draw(n)
    if label is not None:
        if "y" not in inputs:
            raise UserError("this generator takes no labels: sample without --label, or train one with --recipe cgan")
        if not 0 <= label < classes:
            raise UserError(f"label {label}: the classes are 0 to {classes - 1}")
        inputs["y"] = torch.full((n,), label)
    return inputs


def generate(run: Run, inputs: Batch, chunk: int = 250) -> Batch:
    """x in model space, float32 on the CPU (and y, where inputs have it), in fp32, from the averaged nets in eval mode."""
    n = len(next(iter(inputs.values())))
    parts = []
    with run.shown() as nets:
        for start in range(0, n, chunk):
            part = {name: value[start : start + chunk].to(run.pace.device) for name, value in inputs.items()}
            parts.append(run.game.generate(nets, part).float().cpu())
    return {"x": torch.cat(parts)} | ({"y": inputs["y"]} if "y" in inputs else {})
