"""zerosum trains, scores and samples generative adversarial networks on your own data.

The public names load on first use, so that `zerosum list` and `--help` need not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "GAN": "estimator",
    "Batch": "game",
    "Clock": "game",
    "Game": "game",
    "Player": "game",
    "Terms": "game",
    "Turn": "game",
    "open_source": "data",
    "UserError": "errors",
    "check_recipe": "conformance",
    "load": "export.generator",
}

__all__ = ["GAN", "Batch", "Clock", "Game", "Player", "Terms", "Turn", "UserError", "check_recipe", "load", "open_source"]

if TYPE_CHECKING:
    from zerosum.conformance import check_recipe
    from zerosum.data import open_source
    from zerosum.errors import UserError
    from zerosum.estimator import GAN
    from zerosum.export.generator import load
    from zerosum.game import Batch, Clock, Game, Player, Terms, Turn


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return vars(importlib.import_module(f"zerosum.{_HOMES[name]}"))[name]
    raise AttributeError(f"module 'zerosum' has no attribute '{name}'")
