"""A file in a generator's place: ONNX Runtime makes what torch would have made, and scores see no difference."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from zerosum.export.graph import session
from zerosum.export.view import as_seen
from zerosum.game import Batch, Maps
from zerosum.sampling import Sampler


class Played:
    """What `zerosum.metrics` scores: the items that an ONNX file of a sampler's generator makes, from the sampler's inputs."""

    def __init__(self, sampler: Sampler, path: str | Path, threads: int = 0) -> None:
        self.sampler, self._run = sampler, session(path, threads)

    @property
    def labelled(self) -> bool:
        """Whether it takes labels."""
        return self.sampler.labelled

    @property
    def maps(self) -> Maps | None:
        """What it takes and gives, where it makes images from images."""
        return self.sampler.maps

    def inputs(self, n: int, seed: int = 0) -> Batch:
        """The sampler's."""
        return self.sampler.inputs(n, seed)

    def make(self, n: int, seed: int = 0) -> Batch:
        """n items of a seed, as the sampler's `make` gives them."""
        return self.generate(self.inputs(n, seed))

    def generate(self, inputs: Batch, chunk: int = 64) -> Batch:
        """The items that inputs give: x, and y where the inputs have labels."""
        seen = as_seen(inputs, self.sampler.spec)
        parts = zip(*(value.split(chunk) for value in seen.values()), strict=True)
        x = torch.cat([self(dict(zip(seen, part, strict=True))) for part in parts])
        return {"x": x} | ({"y": inputs["y"]} if "y" in inputs else {})

    def __call__(self, seen: Batch) -> Tensor:
        """The file's output for inputs by its own names."""
        return torch.from_numpy(self._run.run(None, {name: value.numpy() for name, value in seen.items()})[0])

    def back(self, x: Tensor) -> Tensor:
        """The way back is the sampler's: a file has one direction."""
        return self.sampler.back(x)
