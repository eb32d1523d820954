"""Rows: what a game that maps was given, what it made of it, and what it should have made, or what comes back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data import images
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.sampling import Sampler, draw
from zerosum.shows._canvas import table

MOST, FEWEST = 8, 3
TALL = 1024
"""Pixels of all rows together; of large images there are fewer rows."""
LEAST = 96
"""Pixels a side below which images are enlarged."""

Columns = list[tuple[str, Tensor]]
"""Names and images [n, c, h, w] in model space."""


def sheet(sampler: Sampler, seed: int = 0) -> Image.Image:
    """A row for each of up to 8 real examples, always the same ones, under the columns' names.

    On pairs: the inputs, the output, the target. Else the input, the output and, where there is one, the way back; then the
    same from the other side. Raises UserError where there are no examples.
    """
    if sampler.examples is None:
        raise UserError("there are no real images to show beside what is made of them: keep some with --held-out")
    count = len(sampler.examples["x"])
    n = min(count, max(FEWEST, min(MOST, TALL // sampler.spec.shape[1])))
    rows = torch.linspace(0, count - 1, n).long()
    return picture(columns(sampler, {name: value[rows] for name, value in sampler.examples.items()}, seed), sampler.spec)


def columns(sampler: Sampler, real: dict[str, Tensor], seed: int = 0) -> Columns:
    """What is shown of these real items."""
    maps = sampler.maps
    assert maps is not None
    asked = draw(sampler.run.game, len(real["x"]), seed, real=real)
    made = sampler.generate(asked)["x"]
    found = [*zip(maps.names, asked["a"].split(list(maps.channels), 1), strict=True), (f"made: {maps.made}", made)]
    if maps.paired:
        found.append(("target", real["x"]))
    if maps.back is not None:
        there = lambda a: sampler.generate(draw(sampler.run.game, len(a), seed, real={**real, "a": a}))["x"]
        back, other = sampler.back(made), sampler.back(real["x"])
        found += [("and back", back), (maps.made, real["x"]), (f"made: {' + '.join(maps.names)}", other)]
        found.append(("and back", there(other)))
    return found


def picture(found: Columns, spec: Spec) -> Image.Image:
    """The table of these columns, all brought to the size of the largest, small ones by whole factors without smoothing."""
    height, width = (max(part.shape[dim] for _, part in found) for dim in (2, 3))
    factor = max(1, -(-LEAST // height))
    items = [_items(part, spec) for _, part in found]
    mode = next((mode for mode in ("RGBA", "RGB") if any(one.mode == mode for column in items for one in column)), "L")
    way = Image.Resampling.NEAREST
    ready = [[one.convert(mode).resize((width * factor, height * factor), way) for one in column] for column in items]
    return table([*zip(*ready, strict=True)], [name for name, _ in found])


def _items(part: Tensor, spec: Spec) -> Sequence[Image.Image]:
    """One picture an item; of channels without colours the first is shown."""
    shown = part if part.shape[1] in (1, 3, 4) else part[:, :1]
    return [Image.fromarray(np.ascontiguousarray(item)) for item in images.decode(shown, spec)]
