"""A trained generator as one ONNX file that says of itself what to put in and what comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.export import Dim

from zerosum.errors import UserError
from zerosum.export.about import about
from zerosum.export.graph import difference, to_onnx
from zerosum.export.view import View, example, view
from zerosum.game import Maps
from zerosum.sampling import Sampler

ROWS = 11
"""Inputs that are traced and compared."""

DEEP = 1024
"""Pixels a side up to which a net with a mask is traced: it fills holes from means at ever smaller sizes."""


@dataclass(frozen=True)
class Exported:
    """A file that was written, and how near to torch it is."""

    path: Path
    difference: float  # largest absolute difference from torch, in model space
    inputs: tuple[str, ...]
    any_size: bool = False  # whether heights and widths other than those of training are taken

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


def export(sampler: Sampler, path: str | Path, config: Mapping[str, Any] | None = None) -> Exported:
    """Write the generator of a sampler on the CPU as an ONNX file: inputs by name, a batch of any size, and where it maps
    pictures of any height and width, if its net allows that.

    `config`: the run's config.json, of which the law of the noise is told. Raises UserError where the graph differs from torch
    by more than 1e-4.
    """
    path, maps = Path(path), sampler.maps
    with sampler.run.shown() as nets:
        seen = view(sampler, nets)
        inputs = example(sampler, ROWS)
        told = lambda any_size: {"zerosum": json.dumps(about(sampler, inputs, config or {}, any_size))}
        if maps is not None:
            try:
                return Exported(path, _any_size(sampler, seen, path, maps, told(True)), tuple(inputs), True)
            except UserError:  # this net's form depends on the size it is traced with
                pass
        return Exported(path, to_onnx(seen, inputs, path, metadata=told(False)), tuple(inputs))


def _any_size(sampler: Sampler, seen: View, path: Path, maps: Maps, told: dict[str, str]) -> float:
    """The same for pictures of any size, which is compared at other sizes too. Raises UserError where that does not hold."""
    inputs = example(sampler, ROWS)
    traced = example(sampler, 3, tile=_traced(maps))
    axes = {name: {2: Dim.DYNAMIC, 3: Dim.DYNAMIC} for name in inputs}
    away = to_onnx(seen, inputs, path, axes=axes, metadata=told, traced=traced)
    (height, width), step = maps.tile, maps.multiple
    others = [(height + 3 * step, 2 * width + step), (2 * height, width + 5 * step)]
    away = max(away, difference(seen, path, [example(sampler, 2, seed=i, tile=size) for i, size in enumerate(others)]))
    if not away <= 1e-4:
        path.unlink()
        raise UserError(f"{path}: pictures of other sizes come out differently")
    return away


def _traced(maps: Maps) -> tuple[int, int]:
    """A size that is none of those compared, with both sides alike in nothing."""
    least = DEEP if maps.mask else 0
    height, width = (side * max(2, -(-least // side)) for side in maps.tile)
    return height, width + 2 * maps.multiple
