"""A walk between seeds: along great circles for normal noise, straight for uniform noise; a strip or a film."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image

from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.sampling import Sampler, generate
from zerosum.shows._canvas import grid, pictures, table
from zerosum.shows._walk import between, shares, straight
from zerosum.shows._wishes import Seeded, counted

SUBJECT = Sampler


@dataclass(frozen=True, kw_only=True)
class Config(Seeded):
    """The walk's settings."""

    frames: int = 0  # frames of a film; 0: a second between two seeds
    items: int = 0  # items that walk side by side in a film; 0: one image, or 1,000 vectors
    columns: int = 8  # pictures between two seeds in a strip, both among them

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        super().check()
        counted("frames", self.frames, 0)
        counted("items", self.items, 0)
        counted("columns", self.columns, 2, 100)
        if len(self.chosen()) < 2:
            raise UserError("1 seed: a walk needs at least 2; give --seeds or --count")


def still(sampler: Sampler, cfg: Config) -> Image.Image:
    """A strip for each two seeds that follow each other, the first at its left end and the second at its right."""
    seeds, keys = cfg.chosen(), _keys(sampler, cfg, 0)
    strips = [_walk(sampler, [a, b], cfg.columns, loop=False) for a, b in pairwise(keys)]
    cells = [[pictures(made, sampler.spec, cfg)[0] for made in strip] for strip in strips]
    return table(cells, sides=[f"{a} → {b}" for a, b in pairwise(seeds)])


def film(sampler: Sampler, cfg: Config) -> list[Image.Image]:
    """The frames from the first seed to the last; a loop goes on to the first again."""
    keys = _keys(sampler, cfg, cfg.items)
    frames = cfg.frames or max(2, round((len(keys) - (not cfg.loop)) * cfg.fps))
    return [grid(pictures(made, sampler.spec, cfg)) for made in _walk(sampler, keys, frames, cfg.loop)]


def _keys(sampler: Sampler, cfg: Config, items: int) -> list[Batch]:
    """The inputs of each seed. Labels are those of the first seed throughout: between two classes there is nothing."""
    items = items or (1 if sampler.spec.kind == "images" else 1000)
    keys = [sampler.inputs(items, seed, cfg.label, cfg.truncation) for seed in cfg.chosen()]
    return [key | {name: value for name, value in keys[0].items() if not value.is_floating_point()} for key in keys]


def _walk(sampler: Sampler, keys: list[Batch], frames: int, loop: bool) -> Iterator[Batch]:
    """The items of each frame in model space, each made by itself, as `Sampler.make` would."""
    lines = straight(sampler.run.game)
    for i, t in shares(len(keys), frames, loop):
        yield generate(sampler.run, between(keys[i], keys[(i + 1) % len(keys)], t, lines))
