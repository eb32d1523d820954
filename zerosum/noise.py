"""Randomness as a function of (seed, rank, step).

Two streams are seeded at every step. Torch's global stream differs between ranks and feeds whatever is private to a
rank, such as dropout. The *shared* stream below is the same on every rank: a draw of n rows draws world * n rows and
takes this rank's part, so a batch split over many ranks sees exactly the noise that one rank would see.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from zerosum.parallel import rank, world

_shared: dict[torch.device, torch.Generator] = {}
_seed = 0
_alone = False
_turn = threading.RLock()


def mix(*words: int) -> int:
    """Hash integers in [0, 2**64) into one seed below 2**63, the same on every machine and Python."""
    # SeedSequence pads with zeros and splits large words, so that (1,) and (1, 0) would be one: give it length and halves.
    halves = [half for word in words for half in divmod(word, 2**32)]
    high, low = np.random.SeedSequence([len(words), *halves]).generate_state(2)
    return (int(high) << 32 | int(low)) >> 1


def seed_step(seed: int, step: int) -> None:
    """Seed both streams for one step of training."""
    global _seed
    _seed = mix(seed, step, 0)
    _seed_global(mix(seed, step, 1 + rank()))
    for generator in _shared.values():
        generator.manual_seed(_seed)


@contextmanager
def apart(seed: int) -> Iterator[None]:
    """While this lasts both streams are those of a seed, on the CPU; afterwards they go on as if nothing had been drawn.

    Every rank then draws for itself, and what a single rank would. All threads have the same two streams, so they take
    turns here: draw, and leave.
    """
    global _alone
    with _turn, torch.random.fork_rng([]):
        stream = _stream("cpu")
        before, shared = stream.get_state(), _alone
        torch.default_generator.manual_seed(seed)
        stream.manual_seed(mix(seed, 1))
        _alone = True
        try:
            yield
        finally:
            _alone = shared
            stream.set_state(before)


def mark(device: torch.device | str) -> Tensor:
    """Where the shared stream stands, for `back_to`."""
    return _stream(device).get_state()


def back_to(mark: Tensor, device: torch.device | str) -> None:
    """Let the shared stream give once more what it has given since a mark."""
    _stream(device).set_state(mark)


def _seed_global(seed: int) -> None:
    """torch.manual_seed without its detour: it formats a traceback for every device that is not there, 0.5 ms a step."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def _stream(device: torch.device | str) -> torch.Generator:
    device = torch.empty(0, device=device).device  # "cuda" and "cuda:0" are one device
    if device not in _shared:
        _shared[device] = torch.Generator(device).manual_seed(_seed)
    return _shared[device]


def _ranks() -> int:
    return 1 if _alone else world()


def _mine(rows: Tensor) -> Tensor:
    return rows if _alone else rows.chunk(world())[rank()]


def normal(n: int, *shape: int, device: torch.device | str = "cpu") -> Tensor:
    """Standard normal numbers, float32 [n, *shape]; n is this rank's share of the batch."""
    return _mine(torch.randn(_ranks() * n, *shape, device=device, generator=_stream(device)))


def uniform(n: int, *shape: int, low: float = 0.0, high: float = 1.0, device: torch.device | str = "cpu") -> Tensor:
    """Uniform numbers in [low, high), float32 [n, *shape]; n is this rank's share of the batch."""
    return low + (high - low) * _mine(torch.rand(_ranks() * n, *shape, device=device, generator=_stream(device)))
