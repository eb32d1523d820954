"""What a run can be asked for, read from its game; panels show themselves by it."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.data.source import Spec
from zerosum.sampling import Sampler


@dataclass(frozen=True)
class Offer:
    """What a recipe can do on this run's data."""

    spec: Spec
    recipe: str
    trained: bool = False  # whether there is a checkpoint
    samples: bool = False  # makes items of noise
    labelled: bool = False  # takes labels
    maps: bool = False  # makes images from images,
    mends: bool = False  # in holes alone
    back: bool = False  # and back
    encodes: bool = False  # has an encoder
    styles: int = 0  # layers that take a style each; 0: none
    truncates: bool = False  # has a mean style to come nearer to
    scores: bool = False  # has a discriminator of single items

    @staticmethod
    def of(sampler: Sampler, recipe: str) -> Offer:
        """What a trained game offers."""
        game, maps = sampler.run.game, sampler.maps
        return Offer(
            sampler.spec,
            recipe,
            trained=True,
            samples=maps is None,
            labelled=sampler.labelled,
            maps=maps is not None,
            mends=maps is not None and maps.mask,
            back=maps is not None and maps.back is not None,
            encodes=game.encode is not None,
            styles=game.styles.layers if game.styles is not None else 0,
            truncates=game.styles is not None,
            scores=game.judge is not None,
        )
