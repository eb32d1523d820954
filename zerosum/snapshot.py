"""A run's whole state at a step: taken, kept in memory, and put back exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from zerosum.game import Clock
from zerosum.play import Run


@dataclass(frozen=True)
class Snapshot:
    """What a checkpoint holds: clock, nets with their averages and buffers, optimisers."""

    clock: Clock
    nets: dict[str, Tensor]
    optims: dict[str, dict[str, Any]]

    @staticmethod
    def view(run: Run) -> Snapshot:
        """The run as it stands. Shares its memory: good until the next step."""
        return Snapshot(run.clock, run.nets.state_dict(), {name: optim.state_dict() for name, optim in run.optims.items()})

    @staticmethod
    def take(run: Run) -> Snapshot:
        """A copy, in the processor's memory."""
        now = Snapshot.view(run)
        return Snapshot(now.clock, _copied(now.nets), _copied(now.optims))

    def packed(self) -> bytes:
        """The nets as the file nets.safetensors holds them."""
        return safetensors.torch.save({name: value.contiguous() for name, value in self.nets.items()})

    def put_back(self, run: Run) -> None:
        """Make the run what it was, bit for bit, but for the planned total and what the guard has mended since.

        A play() that is under way must be started anew: it draws its batches from where it stands.
        """
        run.load(self.nets)
        for name, optim in run.optims.items():
            optim.load_state_dict(_copied(self.optims[name]))  # what it is given it keeps, and moves
        run.clock = replace(self.clock.mended_as(run.clock), total=run.clock.total)


def _copied(value: Any) -> Any:
    """The same tree of dicts and lists with copied tensors, on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True)
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def tensors(run: Run) -> Iterator[Tensor]:
    """Every tensor of floats that a checkpoint holds."""
    yield from (value for value in run.nets.state_dict().values() if value.is_floating_point())
    for optim in run.optims.values():
        for state in optim.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor) and value.is_floating_point())


@torch.no_grad()
def finite(values: list[Tensor]) -> bool:
    """Whether no number among these tensors is NaN or infinite."""
    suspects = [value for value in values if value.numel()]
    by_device: dict[torch.device, list[Tensor]] = {}
    for value in suspects:
        by_device.setdefault(value.device, []).append(value.sum(dtype=torch.float32))
    if all(bool(torch.stack(sums).isfinite().all()) for sums in by_device.values()):
        return True
    return all(bool(value.isfinite().all()) for value in suspects)  # a sum can overflow where no number has
