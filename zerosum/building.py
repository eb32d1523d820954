"""A run at its beginning: a recipe's game on the nets' device, in the precision that suits both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from zerosum import noise, recipes
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game
from zerosum.machine import fast_bf16, pick_device
from zerosum.noise import mix
from zerosum.play import Pace, Run
from zerosum.settings import worded
from zerosum.train import Training, check

UNPLANNED = 10**9
"""Steps of a run whose time is planned and whose speed is not yet known."""


def build_run(
    recipe: str,
    cfg: Any,
    spec: Spec,
    training: Training,
    dtype: str | None = None,
    change: Callable[[Game], Game] | None = None,
) -> Run:
    """A run at its beginning. `dtype` overrides the choice of precision, to go on as a run began. `change`: the game that is
    played in the recipe's place, on the same nets.

    Raises UserError where the plan is out of range, the device is not there, or the batch cannot be split.
    """
    check(worded(training))
    if training.threads:
        torch.set_num_threads(training.threads)
    device = pick_device(training.device)
    if device.startswith("cuda"):
        torch.backends.cudnn.deterministic = True  # or a resumed run would not be the run it resumes
    with noise.apart(mix(training.seed, 0)):
        game = recipes.find(recipe).build(cfg, spec)
        game = change(game) if change else game
    total = training.steps if training.minutes is None and training.steps is not None else UNPLANNED
    pace = Pace(device, getattr(torch, dtype or _dtype(game, spec, training, device)), training.accum, training.compile)
    try:
        return Run(game, total, cfg.batch, training.seed, pace)
    except ValueError as error:
        raise UserError(f"{error}: choose another --batch or --accum") from error


def _dtype(game: Game, spec: Spec, training: Training, device: str) -> str:
    if training.precision != "auto":
        return "bfloat16" if training.precision == "bf16" else "float32"
    # The casts pay where products are large: convolutions, and rows of tables, which are hundreds of numbers wide.
    wide = spec.kind == "tables" or any(
        isinstance(m, nn.Conv2d | nn.ConvTranspose2d) for net in game.nets.values() for m in net.modules()
    )
    return "bfloat16" if wide and fast_bf16(device) else "float32"
