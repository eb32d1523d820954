"""Classes in columns under their names, seeds in rows: what of an item is its class, and what its noise."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from zerosum.errors import UserError
from zerosum.sampling import Sampler, generate
from zerosum.shows._canvas import images_only, pictures, table
from zerosum.shows._walk import joined
from zerosum.shows._wishes import Seeded

SUBJECT = Sampler
MOST = 100


@dataclass(frozen=True, kw_only=True)
class Config(Seeded):
    """The grid's settings."""

    labels: tuple[str, ...] = ()  # the classes shown, by number or name; none: all of them


def still(sampler: Sampler, cfg: Config) -> Image.Image:
    """A table. Raises UserError where the generator takes no labels, or a class is unknown."""
    spec = sampler.spec
    if not sampler.labelled:
        raise UserError("this generator takes no labels, so there are no classes to show: train one with --recipe cgan")
    images_only(spec, "classes")
    wanted = cfg.labels or ((cfg.label,) if cfg.label is not None else ())
    numbers = [sampler.class_number(label) for label in wanted] or list(range(spec.classes))
    if len(numbers) > MOST:
        raise UserError(f"{len(numbers)} classes are too many for a picture: name up to {MOST} with --labels")
    rows = []
    for seed in cfg.chosen():
        inputs = joined([sampler.inputs(1, seed, number, cfg.truncation) for number in numbers])
        rows.append(pictures(generate(sampler.run, inputs), spec, cfg))
    heads = [spec.names[number] if spec.names else str(number) for number in numbers]
    return table(rows, heads, [f"seed {seed}" for seed in cfg.chosen()])
