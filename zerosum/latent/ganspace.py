"""GANSpace: the directions along which drawn items differ most, by principal components.

Härkönen et al. 2020, "GANSpace: Discovering Interpretable GAN Controls": of styles themselves (section 2.1); of a generator
without styles the components of its first layer's activations, carried back to the noise by regression (section 2.2, eq. 3).
Differences between classes are left out: for those there are labels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum.latent.cloud import POINTS, Cloud, within
from zerosum.latent.direction import Direction, layers
from zerosum.latent.readers import activations
from zerosum.latent.space import Space
from zerosum.noise import mix

MOST_NUMBERS = 2**25
"""Of activations in memory."""


def ganspace(space: Space, k: int = 8, seed: int = 0, first: int = 0, last: int | None = None) -> list[Direction]:
    """The k directions of largest variance, largest first, from drawn items that are a function of the seed.

    Where no layer follows those that read the noise, the items themselves stand for activations. Raises UserError where the
    space has no such layers.
    """
    first, last = layers(space, first, last)
    cloud = Cloud.of(space, 5 * POINTS if space.styled else POINTS, mix(seed, 1))
    vectors = principal(cloud.around[:, first].double(), k)[1].t() if space.styled else _carried_back(space, cloud, k)
    spread = Cloud.of(space)  # other items: those in which a direction was found spread along it by more than chance allows
    return [spread.direction(f"ganspace {i}", "ganspace", vector, first, last) for i, vector in enumerate(vectors, 1)]


def principal(x: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Coordinates [n, k] and components [width, k] of largest variance of centred rows x [n, width]."""
    if x.shape[1] <= len(x):
        components = torch.linalg.eigh(x.t() @ x)[1].flip(1)[:, :k]
        return x @ components, components
    values, ends = torch.linalg.eigh(x @ x.t())  # the other side of the same decomposition, where rows are long
    size = values.flip(0)[:k].clamp_min(1e-12).sqrt()
    coordinates = ends.flip(1)[:, :k] * size
    return coordinates, x.t() @ ends.flip(1)[:, :k] / size


def _carried_back(space: Space, cloud: Cloud, k: int) -> Tensor:
    """Directions [k, dim] of the noise that go with the components: least squares of noise on coordinates (eq. 3)."""
    few = {name: value[:4] for name, value in cloud.inputs.items()}
    look = activations(space, cloud.points[:4], few)
    width = (space.leave(cloud.points[:4], few).flatten(1) if look is None else look).shape[1]
    n = max(min(len(cloud.points), 4 * (k + 1)), min(len(cloud.points), MOST_NUMBERS // width))
    rest = {name: value[:n] for name, value in cloud.inputs.items()}
    seen = activations(space, cloud.points[:n], rest)
    seen = space.leave(cloud.points[:n], rest).flatten(1) if seen is None else seen
    coordinates = principal(within(seen, rest.get("y")).double(), k)[0]
    noise = within(cloud.points[:n, 0], rest.get("y")).double()
    return torch.linalg.lstsq(coordinates, noise).solution
