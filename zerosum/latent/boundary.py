"""Boundaries: the directions that turn a tag on, learned from tagged points.

Shen et al. 2020, "Interpreting the Latent Space of GANs for Semantic Face Editing" (InterFaceGAN): the normal of the hyperplane
that parts points with a tag from points without (section 2.1), and a normal made independent of others by projection
(section 2.2, eq. 4). The hyperplane is that of logistic regression, whose penalty also holds it where 20 tags are all
there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from zerosum.errors import UserError
from zerosum.latent.cloud import Cloud
from zerosum.latent.direction import Direction, layers
from zerosum.latent.space import Space

LEAST = 3
"""Points on each side of a boundary."""


def boundary(
    space: Space, points: Tensor, tags: Tensor, name: str = "tagged", first: int = 0, last: int | None = None
) -> Direction:
    """From points [n, layers, dim] without a tag to points with it: `tags` bool [n].

    Raises UserError where fewer than 3 points are on a side.
    """
    from sklearn.linear_model import LogisticRegression

    first, last = layers(space, first, last)
    tags = tags.bool()
    if len(tags) != len(points) or min(tags.sum().item(), (~tags).sum().item()) < LEAST:
        raise UserError(f"tag {name}: {int(tags.sum())} items have it and {int((~tags).sum())} have not: tag {LEAST} of each")
    x = points[:, first:last].mean(1).double()
    x = x - x.mean(0)
    scale = x.square().mean().sqrt().clamp_min(1e-12)
    found = LogisticRegression(max_iter=2000, class_weight="balanced").fit((x / scale).numpy(), tags.numpy())
    normal = torch.from_numpy(found.coef_[0])
    if not normal.norm() > 0:
        raise UserError(f"tag {name}: the tagged points do not differ: tag other items")
    direction = Cloud.of(space).direction(name, "boundary", normal, first, last)
    way = torch.sign(direction.vector.double() @ normal).item()  # towards the tag, whatever the sign of its largest number
    return replace(direction, vector=direction.vector * way)


def conditioned(direction: Direction, others: Sequence[Direction], space: Space) -> Direction:
    """The direction less all that it shares with others: moving along it leaves their boundaries as far as they were.

    Raises UserError where nothing is left.
    """
    basis, sizes, _ = torch.linalg.svd(torch.stack([other.vector for other in others], 1).double(), full_matrices=False)
    basis = basis[:, sizes > 1e-5 * sizes[0]]  # two words of one column are one boundary from both sides
    left = direction.vector.double() - basis @ (basis.t() @ direction.vector.double())
    if left.norm() < 1e-3:
        raise UserError(f"direction {direction.name} is one of those it should be independent of: leave some out")
    found = Cloud.of(space).direction(direction.name, direction.method, left, direction.first, direction.last)
    way = torch.sign(found.vector.double() @ left).item()
    return replace(found, vector=found.vector * way)
