"""New items from a game: the same seed gives the same items on every device, and training is not disturbed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from zerosum import noise
from zerosum.data.source import Source, Spec
from zerosum.errors import UserError, suggest
from zerosum.game import Batch, Game, Maps
from zerosum.play import Run
from zerosum.provenance import Origin

PIXELS = 250 * 64 * 64
"""Of inputs that are images, in one pass through the nets."""


def draw(
    game: Game,
    n: int,
    seed: int,
    label: int | None = None,
    classes: int = 0,
    truncation: float | None = None,
    real: Batch | None = None,
) -> Batch:
    """Inputs of n items on the CPU; with `label`, all of that class; with `truncation`, nearer to the mean style.

    `real`: items, for a game that makes images from images; they are taken in turn, and again from the first where n is more.

    Raises UserError where the game takes no labels or no truncation, has no such class, or maps and has nothing to map.
    """
    if not 0 <= seed < 2**63:
        raise UserError(f"seed {seed}: must be 0 or more")
    if game.maps is not None and real is None:
        raise UserError("this generator makes images from images: give it some with `zerosum translate RUN INPUT... -o OUT`")
    with noise.apart(seed):
        inputs = game.draw(n)
        if game.maps is not None and real is not None:
            rows = torch.arange(n) % len(real["x"])
            inputs |= game.maps.ask({name: value[rows] for name, value in real.items()})
    if label is not None:
        if "y" not in inputs:
            raise UserError("this generator takes no labels: sample without --label, or train one with --recipe cgan")
        if not 0 <= label < classes:
            raise UserError(f"label {label}: the classes are 0 to {classes - 1}")
        inputs["y"] = torch.full((n,), label)
    if truncation is not None:
        if "truncation" not in inputs:
            raise UserError("this generator has no truncation: leave it out, or train one with --recipe stylegan2")
        if not 0 <= truncation <= 2:
            raise UserError(f"truncation {truncation}: must lie between 0 (the mean style) and 2; 1 changes nothing")
        inputs["truncation"] = torch.full((n,), float(truncation))
    return inputs


def examples(game: Game, source: Source, most: int | None = None) -> Batch | None:
    """Real items that a game which maps has not learned from: the held-out ones, or others where none are; else None.

    No more of them than `most`, nor than may be in memory at once.
    """
    if game.maps is None:
        return None
    held = source.held_out(min(most or source.spec.at_once, source.spec.at_once))
    return held if len(held["x"]) else source.some(64)


def takes_labels(game: Game) -> bool:
    """Whether the generator takes labels."""
    with noise.apart(0):
        return "y" in game.draw(1)


def generate(run: Run, inputs: Batch, chunk: int = 250) -> Batch:
    """x in model space, float32 on the CPU (and y, where inputs have it), in fp32, from the averaged nets in eval mode."""
    n = len(next(iter(inputs.values())))
    if "a" in inputs:
        chunk = min(chunk, max(1, PIXELS // inputs["a"][0, 0].numel()))
    parts = []
    with run.shown() as nets:
        for start in range(0, n, chunk):
            part = {name: value[start : start + chunk].to(run.pace.device) for name, value in inputs.items()}
            parts.append(run.game.generate(nets, part).float().cpu())
    return {"x": torch.cat(parts)} | ({"y": inputs["y"]} if "y" in inputs else {})


class Sampler:
    """A trained game that can be sampled: what `zerosum sample` and `GAN.sample` stand on."""

    def __init__(self, run: Run, spec: Spec, source: Source | None = None, origin: Callable[[], Origin] = Origin) -> None:
        """`source`: where a game that makes images from images takes some from; without it, it cannot be sampled.

        `origin`: what files say of the run that made them, without seed and command.
        """
        self.run, self.spec, self._source, self.origin = run, spec, source, origin

    @property
    def labelled(self) -> bool:
        """Whether the generator takes labels."""
        return takes_labels(self.run.game)

    @property
    def maps(self) -> Maps | None:
        """What the game takes and gives, where it makes images from images."""
        return self.run.game.maps

    @cached_property
    def examples(self) -> Batch | None:
        """The real items whose inputs are mapped, in their order; None where there is no source or nothing is mapped."""
        return None if self._source is None else examples(self.run.game, self._source)

    def generate(self, inputs: Batch) -> Batch:
        """The items that inputs give, in model space on the CPU: x, and y where the inputs have labels."""
        return generate(self.run, inputs, 5000 if self.spec.kind == "tables" else 250)

    def back(self, x: Tensor) -> Tensor:
        """The way back of a game that maps both ways: images of the output's kind -> of the input's kind, on the CPU."""
        assert self.maps is not None and self.maps.back is not None
        with self.run.shown() as nets:
            parts = x.split(max(1, PIXELS // x[0, 0].numel()))
            return torch.cat([self.maps.back(nets, {"a": part.to(self.run.pace.device)}).float().cpu() for part in parts])

    def make(self, n: int, seed: int = 0, label: int | str | None = None, truncation: float | None = None) -> Batch:
        """n new items in model space on the CPU, x (and y); with `label`, a class's number or name, all of that class.

        `truncation`: psi in [0, 2], for generators that have it; 1 changes nothing, 0 gives the mean style alone (Karras
        et al. 2019, "A Style-Based Generator Architecture for GANs", appendix B).

        Raises UserError where there is no such class, or the generator takes no labels or no truncation.
        """
        return self.generate(self.inputs(n, seed, label, truncation))

    def inputs(self, n: int, seed: int = 0, label: int | str | None = None, truncation: float | None = None) -> Batch:
        """The generator's inputs from which `make` makes its items, on the CPU."""
        if n < 1:
            raise UserError(f"{n} samples: ask for at least 1")
        if isinstance(label, str):
            label = self.class_number(label) if self.labelled else 0
        return draw(self.run.game, n, seed, label, self.spec.classes, truncation, self.examples)

    def class_number(self, label: str) -> int:
        """A class's number, from its name or its number. Raises UserError where it is neither."""
        if label in self.spec.names:
            return self.spec.names.index(label)
        try:
            return int(label)
        except ValueError:
            raise UserError(f"no class {label}: {suggest(label, list(self.spec.names))}") from None

    def preview(self, seed: int) -> Batch:
        """The items of a sample picture: classes in columns where there are up to 16, else 64 as they come."""
        if self.maps is not None:
            return self.make(16, seed)
        if not self.labelled or self.spec.classes > 16:
            return self.make(64 if self.spec.kind == "images" else 4000, seed)
        rows = 8 if self.spec.kind == "images" else 500
        inputs = draw(self.run.game, rows * self.spec.classes, seed)
        inputs["y"] = torch.arange(self.spec.classes).repeat(rows)
        return generate(self.run, inputs)

    def columns(self, n: int) -> int:
        """Columns of the picture of n items."""
        if self.labelled and 1 < self.spec.classes <= 16:
            return self.spec.classes
        return next(c for c in range(1, n + 1) if c * c >= n)
