"""Truncation: the same seeds at psi from 0 (the mean style) to 1 (off), psi in columns; or psi rising and falling in time."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from zerosum.errors import UserError
from zerosum.sampling import Sampler
from zerosum.shows._canvas import captioned, grid, images_only, pictures, table
from zerosum.shows._wishes import Seeded, counted

SUBJECT = Sampler


@dataclass(frozen=True, kw_only=True)
class Config(Seeded):
    """The sweep's settings; its largest psi is --truncation, or 1."""

    columns: int = 6  # how many values of psi in a picture, 0 and the largest among them
    frames: int = 0  # frames of a film; 0: two seconds up, and in a loop two down

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        super().check()
        counted("columns", self.columns, 2, 100)
        counted("frames", self.frames, 0)


def swept(sampler: Sampler, cfg: Config, psi: float) -> list[Image.Image]:
    """The seeds' items at one psi."""
    made = [sampler.make(1, seed, cfg.label, psi) for seed in cfg.chosen()]
    return [picture for one in made for picture in pictures(one, sampler.spec, cfg)]


def still(sampler: Sampler, cfg: Config) -> Image.Image:
    """A table: seeds in rows, psi in columns. Raises UserError where the generator has no truncation."""
    values = [_largest(sampler, cfg) * i / (cfg.columns - 1) for i in range(cfg.columns)]
    sweep = [swept(sampler, cfg, psi) for psi in values]
    rows = list(zip(*sweep, strict=True))
    return table(rows, [f"ψ {psi:.2g}" for psi in values], [f"seed {seed}" for seed in cfg.chosen()])


def film(sampler: Sampler, cfg: Config) -> list[Image.Image]:
    """The seeds side by side, psi written beneath; in a loop it rises and falls again."""
    largest = _largest(sampler, cfg)
    frames = cfg.frames or round((4 if cfg.loop else 2) * cfg.fps)
    turn = lambda i: 1 - abs(1 - 2 * i / frames) if cfg.loop else i / max(1, frames - 1)
    values = [largest * turn(i) for i in range(frames)]
    return [captioned(grid(swept(sampler, cfg, psi)), f"ψ {psi:.2f}") for psi in values]


def _largest(sampler: Sampler, cfg: Config) -> float:
    images_only(sampler.spec, "truncation")
    if "truncation" not in sampler.inputs(1):
        raise UserError("this generator has no truncation to sweep: train one with --recipe stylegan2")
    return 1.0 if cfg.truncation is None else cfg.truncation
