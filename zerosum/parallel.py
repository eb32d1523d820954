"""Many processes, one game: rank, world, averaged gradients, unanimous decisions. Started by torchrun, nothing home-made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from zerosum.errors import UserError

Made = TypeVar("Made")


def start() -> None:
    """Join the process group that torchrun prepared; without torchrun there is nothing to join."""
    if "RANK" not in os.environ or dist.is_initialized():
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if local < gpus:
        torch.cuda.set_device(local)
    dist.init_process_group("cpu:gloo,cuda:nccl" if gpus else "gloo")  # each tensor goes the way of its device


def wait_for_all() -> None:
    """Wait until every rank is done. One that leaves while others work now and then aborts in gloo's clean-up."""
    if world() > 1:
        with suppress(RuntimeError):  # a rank that failed says why itself
            dist.barrier()


def stop() -> None:
    """Leave the process group, if one was joined."""
    if dist.is_initialized():
        dist.destroy_process_group()


def world() -> int:
    """How many processes share each batch."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """This process's number, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextmanager
def _meeting() -> Iterator[None]:
    """What ranks do together. Raises UserError where one of them is gone: its own message says why."""
    try:
        yield
    except RuntimeError as error:
        what = str(error).strip().split("\n")[0]
        raise UserError(f"another process of this training has ended: its message, if not above, says why ({what})") from error


def _gather(mine: Any) -> list[Any]:
    """What each rank brings, on every rank. Only for what zerosum itself made: it is pickled on the way."""
    parts: list[Any] = [None] * world()
    with _meeting():
        dist.all_gather_object(parts, mine)
    return parts


def together(make: Callable[[], Made]) -> Made:
    """Make something on every rank. Where one cannot, none goes on: each raises, and so nobody waits for the others."""
    if world() == 1:
        return make()
    made, own = None, None
    try:
        made = make()
    except Exception as error:
        own = error
    failures = _gather(None if own is None else str(own))
    if own is not None:
        raise own
    for number, failure in enumerate(failures):
        if failure is not None:
            raise UserError(f"rank {number}: {failure}")
    return made  # type: ignore[return-value]


def unanimous(yes: bool) -> bool:
    """True where every rank says yes. Every rank must ask, or the others wait for ever."""
    if world() == 1:
        return yes
    vote = torch.tensor(float(yes))
    with _meeting():
        dist.all_reduce(vote, op=dist.ReduceOp.MIN)
        return bool(vote)


def from_first(number: float) -> float:
    """Rank 0's number, on every rank."""
    if world() == 1:
        return number
    value = torch.tensor(number, dtype=torch.float64)
    with _meeting():
        dist.broadcast(value, 0)
        return float(value)


def total(value: Tensor) -> Tensor:
    """The sum of a tensor over the ranks, on its own device. Every rank must ask, or the others wait for ever."""
    if world() > 1:
        value = value.clone()
        with _meeting():
            dist.all_reduce(value)
    return value


def gather(x: Tensor) -> Tensor:
    """The rows of all ranks, rank 0's first: [n, ...] -> [world * n, ...], without a gradient. Every rank must ask.

    n must be the same on every rank.
    """
    if world() == 1:
        return x
    x = x.detach().contiguous()
    parts = [torch.empty_like(x) for _ in range(world())]
    with _meeting():
        dist.all_gather(parts, x)
    return torch.cat(parts)


def average_grads(params: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its mean over the ranks, in one flat reduction.

    A rank without one counts as zero; a parameter that has none on any rank is left without one, as on a single rank.
    """
    if world() == 1:
        return
    params = list(params)
    if not params:
        return
    has = torch.tensor([float(p.grad is not None) for p in params], device=params[0].device)
    flat = torch.cat([*((torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in params), has])
    with _meeting():
        dist.all_reduce(flat)
    *grads, has = flat.split([*(p.numel() for p in params), len(params)])
    for p, grad, anyone in zip(params, grads, has.tolist(), strict=True):
        if anyone:
            mean = grad.view_as(p) / world()
            p.grad = mean if p.grad is None else p.grad.copy_(mean)


def average(scalars: Mapping[str, float]) -> dict[str, float]:
    """Each number's mean over the ranks that have it: one that passed a turn brings fewer."""
    if world() == 1:
        return dict(scalars)
    parts = _gather(dict(scalars))
    found = {name: [part[name] for part in parts if name in part] for part in parts for name in part}
    return {name: sum(values) / len(values) for name, values in found.items()}


def mean(x: torch.Tensor) -> torch.Tensor:
    """A tensor's mean over the ranks, on each of them; without a gradient. Every rank must ask."""
    if world() == 1:
        return x
    total = x.detach().clone()
    with _meeting():
        dist.all_reduce(total)
    return total / world()


def sync_buffers(nets: nn.Module) -> None:
    """Give every rank rank 0's buffers (running statistics are gathered from each rank's own share of the batch)."""
    if world() == 1:
        return
    for buffer in nets.buffers():
        with _meeting():
            dist.broadcast(buffer, 0)
