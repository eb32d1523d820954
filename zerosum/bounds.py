"""A limit on what building networks may take, for settings that come from a run folder, which may be anyone's."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

MOST_TENSORS = 100_000
"""That one game may make while it is built."""
SHARE = 0.5
"""Of the machine's memory that its tensors may take."""
UNKNOWN = 2**34
"""Bytes of memory where the system does not say."""
MAKERS = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.eye, torch.arange, torch.linspace}


class Bounded(TorchFunctionMode):
    """While it lasts, tensors that are made count; beyond `most` bytes of them (or half of the memory, if that is less), or
    100,000 of them, MemoryError is raised.

    So a width of a million in a config.json ends in an error, before the system ends the process.
    """

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        half = int(SHARE * memory())
        self._most = half if most is None else min(most, half)
        self._left, self._count = self._most, 0

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in MAKERS:
            self._allow(_asked(func, args, kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _allow(self, nbytes: int) -> None:
        self._left, self._count = self._left - nbytes, self._count + 1
        if self._left < 0:
            raise MemoryError(
                f"its networks take more than {self._most / 2**20:,.0f} MiB, and its weights or this machine have less"
            )
        if self._count > MOST_TENSORS:
            raise MemoryError(f"its networks are made of more than {MOST_TENSORS:,} tensors")


def memory() -> int:
    """Bytes of memory of this machine."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return UNKNOWN


def _asked(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> int:
    """Bytes of the tensor that is asked for, before it is there: the same call on no device at all."""
    told: Tensor = func(*args, **kwargs | {"device": "meta"})
    return told.nbytes
