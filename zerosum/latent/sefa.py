"""SeFa: the directions that a generator's first layers answer most, in closed form.

Shen and Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs", section 3.2, eq. 5: the eigenvectors of A^T A with
the largest eigenvalues, A the weights of the layers that see the latent. Of a generator without such layers A is its
Jacobian, and A^T A the mean over drawn points (the pull-back metric of Shao et al. 2018, "The Riemannian Geometry of Deep
Generative Models", section 2).
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.latent.cloud import Cloud
from zerosum.latent.direction import Direction, layers
from zerosum.latent.readers import readers
from zerosum.latent.space import Space

ITEMS = 16
"""Over which a Jacobian's squares are averaged."""


def sefa(space: Space, k: int = 8, first: int = 0, last: int | None = None) -> list[Direction]:
    """The k directions of largest effect, largest first, for layers first ... last - 1 of the space.

    Raises UserError where there are no such layers.
    """
    first, last = layers(space, first, last)
    weights = [reader.weight for reader in readers(space) if first <= reader.layer < last]
    method = "sefa" if weights else "jacobian"
    square = sum((a.t() @ a for a in weights), torch.zeros(())) if weights else squared_jacobian(space, first, last)
    cloud = Cloud.of(space)
    vectors = torch.linalg.eigh(square)[1].flip(1).t()[:k]
    return [cloud.direction(f"{method} {i}", method, vector, first, last) for i, vector in enumerate(vectors, 1)]


def squared_jacobian(space: Space, first: int, last: int, items: int = ITEMS, seed: int = 0, step: float = 0.01) -> Tensor:
    """E[J^T J] [dim, dim] of the items by moves of layers first ... last - 1, over drawn items, by central differences.

    `step`: the length of a move, in root mean squares of the points' coordinates.
    """
    cloud = Cloud.of(space, items, seed)
    size = step * cloud.points.square().mean().sqrt().item()
    square = torch.zeros(space.dim, space.dim, dtype=torch.float64)
    moves = torch.zeros(2 * space.dim, space.layers, space.dim)
    moves[:, first:last] = size * torch.cat([torch.eye(space.dim), -torch.eye(space.dim)])[:, None]
    for i in range(items):
        rest = {name: value[i : i + 1].expand(2 * space.dim, *value.shape[1:]) for name, value in cloud.inputs.items()}
        made = space.leave(cloud.points[i : i + 1] + moves, rest).flatten(1).double()
        slopes = (made[: space.dim] - made[space.dim :]) / (2 * size)
        square += slopes @ slopes.t() / items
    return square
