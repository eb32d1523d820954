"""What the latent panel must know of a generator, wherever its page runs."""

from __future__ import annotations

from typing import Any

from zerosum.errors import UserError
from zerosum.latent.space import Space
from zerosum.shows._walk import straight


def about(space: Space, recipe: str) -> dict[str, Any]:
    """Plain values for JSON: `about` of explore/static/latent/model.js, whose words are explained there.

    Raises UserError where the generator makes no images.
    """
    spec, styled = space.sampler.spec, space.styled
    if spec.kind != "images" or len(spec.shape) != 3:
        raise UserError("the latent panel shows images, and this run makes none")
    names = [*spec.names, *(str(y) for y in range(len(spec.names), spec.classes))] if space.sampler.labelled else []
    return {
        "recipe": recipe,
        "shape": list(spec.shape),
        "classes": names,
        "shares": 0 if styled else len(names),
        "layers": space.layers,
        "dim": space.dim,
        "styled": styled,
        "truncates": styled,
        "straight": styled or "z" in straight(space.game),
        "mean": space.mean.tolist(),
    }
