"""Score: a number with what is needed to trust it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from torch import Tensor

from zerosum.game import Batch, Maps


class Maker(Protocol):
    """A trained generator, as metrics see it; `zerosum.sampling.Sampler` is one."""

    @property
    def labelled(self) -> bool:
        """Whether it takes labels."""

    @property
    def maps(self) -> Maps | None:
        """What it takes and gives, where it makes images from images."""

    def make(self, n: int, seed: int = 0) -> Batch:
        """n generated items in model space on the CPU: x, and y where the generator takes labels."""

    def inputs(self, n: int, seed: int = 0) -> Batch:
        """The inputs of n items, on the CPU: z, and whatever else the generator takes."""

    def generate(self, inputs: Batch) -> Batch:
        """The items that inputs give, as `make` gives them."""

    def back(self, x: Tensor) -> Tensor:
        """Where it maps both ways: images of the output's kind -> images of the input's kind, in model space on the CPU."""


@dataclass(frozen=True)
class Score:
    """One measured number between what real data reach and what a trivial generator reaches."""

    name: str
    value: float
    better: Literal["higher", "lower"]
    real: float | None  # the same measure on real data: the best to hope for; None where there is no end to it
    trivial: float | None  # the same measure on a generator that has learned next to nothing; None where that has no meaning
    protocol: str  # features, counts, split, resize, seed: in a sentence
    low: float | None = None  # 95 % interval of the value; None where there are too few items to tell
    high: float | None = None
    beside: dict[str, float] = field(default_factory=dict)  # the same measure on what other generators make, by their names

    def to_json(self) -> dict[str, Any]:
        """Plain values, for the log."""
        return asdict(self)


def as_json(scores: Sequence[Score], **told: Any) -> str:
    """Scores, and whatever else should be told with them, as a JSON object."""
    return json.dumps({**told, "scores": [one.to_json() for one in scores]}, indent=2, ensure_ascii=False) + "\n"
