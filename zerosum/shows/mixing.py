"""Style mixing: coarse styles from the item of the row, fine ones from the item of the column.

Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks", figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image

from zerosum.errors import UserError
from zerosum.sampling import Sampler, generate
from zerosum.shows._canvas import images_only, pictures, table
from zerosum.shows._walk import joined
from zerosum.shows._wishes import Seeded, counted

SUBJECT = Sampler


@dataclass(frozen=True, kw_only=True)
class Config(Seeded):
    """The table's settings. --seed, --count and --seeds are those of the rows."""

    columns: int = 5  # how many seeds in columns; they follow the rows'
    fine_seeds: tuple[int, ...] = ()  # or the columns' seeds themselves
    fine_from: int = 0  # the first layer that takes the column's style; 0: the middle one

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        super().check()
        counted("columns", self.columns, 1, 100)
        counted("fine_from", self.fine_from, 0)


def still(sampler: Sampler, cfg: Config) -> Image.Image:
    """A table: the rows' items in the first column, the columns' in the first row, and their mixtures.

    Raises UserError where the generator cannot mix styles.
    """
    images_only(sampler.spec, "mixing")
    rows = cfg.chosen()
    columns = tuple(cfg.fine_seeds) or tuple(range(max(rows) + 1, max(rows) + 1 + cfg.columns))
    coarse, fine = (joined([sampler.inputs(1, s, cfg.label, cfg.truncation) for s in seeds]) for seeds in (rows, columns))
    if not {"z_fine", "fine_from"} <= set(coarse):
        raise UserError("this generator cannot mix styles: train one with --recipe stylegan2")
    if "y" in coarse and cfg.label is None:
        coarse["y"] = coarse["y"][:1].expand(len(rows))  # one class for all: labels are no style
        fine["y"] = coarse["y"][:1].expand(len(columns))
    layers = int(coarse["fine_from"][0])
    if cfg.fine_from > layers:
        raise UserError(f"fine_from {cfg.fine_from}: this generator has {layers} layers")
    mixed = {name: value.repeat_interleave(len(columns), 0) for name, value in coarse.items()}
    mixed["z_fine"] = fine["z"].repeat(len(rows), *[1] * (fine["z"].ndim - 1))
    mixed["fine_from"] = torch.full_like(mixed["fine_from"], cfg.fine_from or layers // 2)
    show = lambda inputs: pictures(generate(sampler.run, inputs), sampler.spec, cfg)
    first, body = show(coarse), show(mixed)
    cells: list[list[Image.Image | None]] = [[None, *show(fine)]]
    cells += [[first[i], *body[i * len(columns) : (i + 1) * len(columns)]] for i in range(len(rows))]
    return table(cells, ["", *(f"seed {seed}" for seed in columns)], ["", *(f"seed {seed}" for seed in rows)])
