"""What the batcher's thread computes: items for several requests in one pass, each from its own seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from zerosum.data import modality
from zerosum.data.source import Items
from zerosum.provenance import Origin
from zerosum.sampling import Sampler
from zerosum.serving import formats
from zerosum.serving.batcher import Finish


@dataclass(frozen=True)
class Wish:
    """Items that a request asks for."""

    n: int
    seed: int
    label: str | None = None
    truncation: float | None = None
    format: str = "png"


class Maker:
    """Makes what several requests wish for. Each one's noise is drawn from its own seed, as `zerosum sample` draws it."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler, self.origin = sampler, sampler.origin()
        self.labelled = sampler.labelled  # it draws to find out: asked in another thread, it would disturb what is drawn here

    def told(self, wish: Wish) -> Origin:
        """What the answer to a wish says of what made it."""
        return replace(self.origin, seed=wish.seed, count=wish.n, label=wish.label, truncation=wish.truncation)

    def __call__(self, wishes: Sequence[Wish]) -> list[Finish]:
        """For each wish a function that returns its body, or raises why there is none."""
        finishes: list[Finish] = [partial(_nothing, RuntimeError())] * len(wishes)
        drawn = []
        for place, wish in enumerate(wishes):
            try:
                drawn.append((place, wish, self.sampler.inputs(wish.n, wish.seed, wish.label, wish.truncation)))
            except Exception as error:
                finishes[place] = partial(_nothing, error)
        if not drawn:
            return finishes
        names = drawn[0][2].keys()
        made = self.sampler.generate({name: torch.cat([inputs[name] for _, _, inputs in drawn]) for name in names})
        shown, labels = self._shown(made["x"]), made.get("y")
        at = 0
        for place, wish, _ in drawn:
            part = slice(at, at + wish.n)
            y = None if labels is None else labels[part]
            finishes[place] = partial(self._body, partial(shown, part), y, wish)
            at += wish.n
        return finishes

    def _shown(self, x: Tensor) -> Callable[[slice], Items]:
        """Parts of a pass as people know them: images and numbers are decoded here and now, all at once."""
        spec, known = self.sampler.spec, modality(self.sampler.spec)
        if spec.kind == "tables":  # whose keys and rare values depend on a row's place among those it is decoded with
            return lambda part: known.decode(x[part], spec)
        items = known.decode(x, spec)
        return lambda part: items[part]

    def _body(self, items: Callable[[], Items], y: Tensor | None, wish: Wish) -> bytes:
        return formats.encode(items(), y, self.sampler.spec, wish.format, self.told(wish))


def _nothing(error: Exception) -> bytes:
    raise error
