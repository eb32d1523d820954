"""What a training under differential privacy may not do, what it says at its end, and what must not leave the house."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

from torch.nn.modules.batchnorm import _BatchNorm

from zerosum import parallel
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.files import writing
from zerosum.game import Game
from zerosum.private.budget import Budget
from zerosum.private.key import Key
from zerosum.rundir import RunDir
from zerosum.train import Training

SECRET = "secret.json"


def budget(training: Training) -> Budget | None:
    """What was asked for, with a fresh key; None where rows are not private. Raises UserError where it promises nothing."""
    return None if training.dp_epsilon is None else Budget(training.dp_epsilon, training.dp_delta)


def settled(training: Training) -> Training:
    """The plan without whatever reads rows beside the ledger. Raises UserError, with the reason, where that was asked for."""
    refused = {
        "patience": (training.patience > 0, "ends training by what rows say of the samples: leave it out, and plan --steps"),
        "guard_every": (training.guard_every > 0, "compares samples with rows: leave it out"),
        "accum": (training.accum > 1, "would add noise to every part of a batch: leave it out"),
        "compile": (training.compile, "does not know gradients of single rows: leave it out"),
        "mirror": (training.mirror, "is for images: leave it out"),
    }
    for name, (asked, why) in refused.items():
        if asked:
            raise UserError(f"--dp-epsilon: {name} {why}")
    if parallel.world() > 1:
        raise UserError("--dp-epsilon: one process draws the rows and the noise: start it without torchrun")
    return replace(training, guard=False, scores=0)  # both compare with rows


def accounted(recipe: str, cfg: Any, game: Game) -> None:
    """Raise UserError, with the reason, where a game has no ledger of its reads."""
    if game.ledger is None:
        raise UserError(f"--dp-epsilon: recipe {recipe} {_why(cfg, game)}: take dptabular, or leave --recipe out")


def _why(cfg: Any, game: Game) -> str:
    """Why a recipe without a ledger cannot have one."""
    pack = vars(cfg).get("pack", 1)
    if pack > 1:
        return f"judges {pack} rows as one, so that one row changes the gradients of {pack}"
    judge = game.nets.get("D")
    if judge is not None and any(isinstance(module, _BatchNorm) for module in judge.modules()):
        return "normalises batches in D, so that every row changes the gradients of all"
    if vars(cfg).get("agreement", 0):
        return "compares made rows with real ones in G's loss, without noise"
    return "trains D on rows without clipping and noise"


def hide(folder: RunDir, source: Source, key: Key) -> None:
    """Write what is needed to go on with a run, and must not be passed on with it, into a file of its own."""
    words = json.dumps({"key": key.secret.hex(), "fingerprint": source.fingerprint()})
    with writing(folder.path):
        handle = os.open(folder.path / SECRET, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(words)


def hidden(folder: RunDir) -> tuple[Key, str]:
    """The key and the data's fingerprint. Raises UserError where the file is gone."""
    try:
        values = json.loads((folder.path / SECRET).read_text("utf-8"))
        return Key.from_words(str(values["key"])), str(values["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder.path / SECRET} is gone or damaged: without its key the run cannot go on; it can be sampled"
        ) from error


WARNING = (
    f"{SECRET} holds the key of the noise and a hash of the rows: whoever has it and the model can take the noise off. "
    "It serves to go on with this run alone: remove it before the folder is passed on"
)
"""What is said at the end of a private training that left a folder."""
SCORED = (
    "scores compare with rows, without noise: what this command prints and writes (log.jsonl, table.json, report.html) is not "
    "covered by epsilon"
)
"""What is said where scores of a private run are asked for."""
