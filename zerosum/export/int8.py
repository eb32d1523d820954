"""A generator in whole numbers of 8 bits: smaller, and faster on processors, with what it loses measured.

Weights are int8 with a scale for every output channel, activations uint8 with a scale for every tensor, found by looking at
what generated items do inside the network (Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", section 2; calibration as in ONNX Runtime's quantisation tool). Layers that lose too much
stay in floats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.export.beside import beside
from zerosum.export.compare import ITEMS, lost, own_score
from zerosum.export.onnx import export
from zerosum.export.played import Played
from zerosum.export.quantiser import METHODS, Quantiser
from zerosum.export.view import as_seen, example
from zerosum.game import Batch
from zerosum.metrics.score import Score
from zerosum.sampling import Sampler, draw

LOOKED_AT = 64
"""Items whose activations are looked at, and as many others that the result is judged by."""

LOSS = 0.05
"""Share of its score that a generator may lose, before layers go back to floats."""

JUDGED = 2
"""Seed of the items whose score is told, where layers went back to floats by the score of others."""


@dataclass(frozen=True)
class Quantised:
    """A file in 8 bits, and what it has lost."""

    path: Path
    method: str  # how ranges were found
    tried: dict[str, float]  # root mean square difference from the float graph, in model space, by every method
    floats: tuple[str, ...]  # layers that were left in floats
    layers: int  # that are multiplied at all
    float_size: int  # bytes of the float file
    before: Score | None = None  # of the float file; None where there are no data to score on
    after: Score | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size

    @property
    def lost(self) -> float | None:
        """How much worse the score became, as a share of what it was."""
        return None if self.before is None or self.after is None else lost(self.before, self.after)


def quantise(
    sampler: Sampler,
    path: str | Path,
    source: Source | None = None,
    config: Mapping[str, Any] | None = None,
    items: int = ITEMS,
    say: Callable[[str], None] = lambda text: None,
) -> Quantised:
    """Write a sampler's generator as an ONNX file in 8 bits; `source`: the run's data, on which its loss is measured.

    Where it loses more than 5 % of its score, the layers that cost most stay in floats: one, two, four and so on.

    Raises UserError where ONNX is missing, or a game maps and there are no data to look at.
    """
    path = Path(path)
    sampler = Sampler(sampler.run, sampler.spec, source, sampler.origin)
    if sampler.maps is not None and source is None:
        raise UserError("8 bits are fitted to what is mapped, and the run's data are not where they were: put them back")
    with beside(path) as scratch:
        place = scratch.parent / "tries"
        place.mkdir()
        whole = export(sampler, place / "float.onnx", config).path
        inputs = _inputs(sampler, source, 2 * LOOKED_AT)
        halves = ({name: value[part::2] for name, value in inputs.items()} for part in (0, 1))
        one = Quantiser(sampler, whole, place, *halves)
        tried = {method: one.away(method) for method in METHODS}
        method = min(tried, key=lambda name: tried[name])
        made, before, after = one.write(method), None, None
        floats: tuple[str, ...] = ()
        if source is not None and (before := own_score(Played(sampler, whole), source, items)) is not None:
            after = own_score(Played(sampler, made), source, items)
            order: list[str] = []
            while after is not None and lost(before, after) > LOSS and len(floats) < len(one.layers):
                say(f"{before.name} is {lost(before, after):.0%} worse: looking for the layers that cost most")
                order = order or one.costly(method)
                floats = tuple(order[: max(1, 2 * len(floats))])
                made = one.write(method, floats)
                after = own_score(Played(sampler, made), source, items)
            if floats:  # items that chose do not judge too
                before, after = (own_score(Played(sampler, file), source, items, JUDGED) for file in (whole, made))
        made.replace(scratch)
        return Quantised(path, method, tried, floats, len(one.layers), whole.stat().st_size, before, after)


def _inputs(sampler: Sampler, source: Source | None, n: int) -> Batch:
    """Inputs to look at: as items are drawn, and where a game maps of training items."""
    if sampler.maps is None or source is None:
        return example(sampler, n)
    return as_seen(draw(sampler.run.game, n, 0, real=source.some(n)), sampler.spec)
