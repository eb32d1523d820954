"""Which layers of a generator read its latent, found by watching it run, so that every recipe has them or has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.game import Batch
from zerosum.latent.space import Space


@dataclass(frozen=True)
class Reader:
    """A linear layer that reads the points themselves: at layer `layer` of the space, with weights [outputs, dim]."""

    layer: int
    weight: Tensor


def watched(nets: nn.ModuleDict, act: Callable[[], object], items: int) -> list[tuple[nn.Module, Tensor]]:
    """The layers with matrices of weights that an act on so many items calls, each with its input [items, ...], in order."""
    called: list[tuple[nn.Module, Tensor]] = []

    def note(module: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        if given and isinstance(given[0], Tensor) and given[0].is_floating_point() and len(given[0]) == items:
            called.append((module, given[0]))

    hooks = [module.register_forward_hook(note) for module in nets.modules() if _has_matrix(module)]
    try:
        act()
    finally:
        for hook in hooks:
            hook.remove()
    return called


def place(points: Tensor, given: Tensor) -> tuple[int, int] | None:
    """(layer of the points, column) at which an input [n, ...] holds points [n, layers, dim] as they are; None where not."""
    given, dim = given.flatten(1), points.shape[2]
    if given.shape[1] < dim:
        return None
    for layer in range(points.shape[1]):
        for column in (given[0, : given.shape[1] - dim + 1] == points[0, layer, 0]).nonzero().flatten().tolist():
            if torch.equal(given[:, column : column + dim], points[:, layer]):
                return layer, column
    return None


def readers(space: Space) -> list[Reader]:
    """Every linear layer of the generator that is given its points; [] where none is."""
    with space.sampler.run.shown() as nets:
        points, rest = _scattered(space)
        found = []
        for module, given in _painting(space, nets, points, rest):
            if (at := place(points, given)) is not None and (weight := _matrix(module, given, at[1], space.dim)) is not None:
                found.append(Reader(at[0], weight))
        return found


def activations(space: Space, points: Tensor, rest: Batch, chunk: int = 50) -> Tensor | None:
    """What the first layer that reads no points is given when points are painted: [n, numbers]; None where there is none.

    That is what became of the layers that read them, behind their normalisation and nonlinearity.
    """
    parts = []
    with space.sampler.run.shown() as nets:
        for at in range(0, len(points), chunk):
            some = points[at : at + chunk].to(space.sampler.run.pace.device)
            called = _painting(space, nets, some, {name: value[at : at + chunk] for name, value in rest.items()})
            read = [place(some, given) is not None for _, given in called]
            later = called[read.index(True) :] if True in read else []
            beyond = [given for _, given in later if place(some, given) is None]
            if not beyond:
                return None
            parts.append(beyond[0].flatten(1).float().cpu())
    return torch.cat(parts)


def _has_matrix(module: nn.Module) -> bool:
    """Whether a module is a layer with a matrix (or a kernel) of its own, and not a network that holds such layers."""
    if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):  # which may have their weights' reshaping inside
        return True
    return not any(True for _ in module.children()) and any(p.ndim > 1 for p in module.parameters())


def _painting(space: Space, nets: nn.ModuleDict, points: Tensor, rest: Batch) -> list[tuple[nn.Module, Tensor]]:
    return watched(nets, lambda: space.paint(nets, points, rest), len(points))


def _scattered(space: Space) -> tuple[Tensor, Batch]:
    """Three points whose layers all differ, and what goes with them."""
    inputs = space.sampler.inputs(3, 0)
    noise = torch.randn(3, space.layers, space.dim, generator=torch.Generator().manual_seed(0))
    return (space.enter(inputs) + 0.1 * noise).to(space.sampler.run.pace.device), inputs


def _matrix(module: nn.Module, given: Tensor, column: int, dim: int) -> Tensor | None:
    """The matrix [outputs, dim] by which a layer meets some columns of its input; None where it is not affine in them."""
    rows = torch.zeros(dim + 2, given[0].numel(), device=given.device)
    rows[:dim, column : column + dim] = torch.eye(dim, device=given.device)
    rows[dim, column : column + dim] = 1  # the sum of the unit vectors; the last row is 0
    made = module(rows.unflatten(1, given.shape[1:]))
    if not isinstance(made, Tensor):
        return None
    made = made.flatten(1).double().cpu()
    weight = made[:dim] - made[-1]
    affine = torch.allclose(
        weight.sum(0), made[dim] - made[-1], rtol=1e-3, atol=1e-4 * (1e-9 + weight.abs().max().item()) * dim
    )
    return weight.t() if affine else None
