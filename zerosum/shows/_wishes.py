"""What every show understands: how large, on what ground, how fast, of which seeds."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import ImageColor

from zerosum.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a show looks. A kind's own Config changes the defaults and adds fields."""

    size: int = 64  # least height of an item in pixels; smaller ones are enlarged by a whole factor
    smooth: bool = False  # enlarge smoothly, for photographs; else each pixel becomes a square
    background: str = "checker"  # behind transparent items, where the file has no transparency: checker, a name or #rrggbb
    fps: float = 25.0  # frames a second of a film
    loop: bool = True  # a film that has no end

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        if not 1 <= self.size <= 4096:
            raise UserError(f"size {self.size}: must be between 1 and 4096 pixels")
        if not 0.1 <= self.fps <= 100:
            raise UserError(f"fps {self.fps}: must be between 0.1 and 100 frames a second")
        if self.background != "checker":
            try:
                ImageColor.getrgb(self.background)
            except ValueError:
                raise UserError(f"background {self.background}: give checker, a colour's name, or #rrggbb") from None


@dataclass(frozen=True, kw_only=True)
class Seeded(Look):
    """How a show looks, and of which items. The item of a seed is what `zerosum sample RUN -n 1 --seed SEED` gives."""

    seed: int = 0  # the first seed; the others follow it
    count: int = 4  # how many seeds
    seeds: tuple[int, ...] = ()  # or the seeds themselves
    label: str | None = None  # a class, by number or name; only where the generator takes labels
    truncation: float | None = None  # psi, from 0 (the mean style) to 1 (off); only where the generator has it

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        super().check()
        if not 1 <= len(self.chosen()) <= 1000:
            raise UserError(f"{len(self.chosen())} seeds: give between 1 and 1000")

    def chosen(self) -> tuple[int, ...]:
        """The seeds."""
        return tuple(self.seeds) or tuple(range(self.seed, self.seed + self.count))


def counted(name: str, value: int, least: int, most: int = 10_000) -> None:
    """Raise UserError where a number is not within its bounds."""
    if not least <= value <= most:
        raise UserError(f"{name} {value}: must be between {least} and {most}")
