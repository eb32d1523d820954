"""What of a game goes into a file: the nets that its generator needs, and the inputs that another program can give."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zerosum import noise
from zerosum.data.source import Spec
from zerosum.game import Batch, Game, Maps
from zerosum.sampling import Sampler, draw

LEFT_OUT = ("z_fine", "fine_from", "cond_most")
"""Inputs without which a generator does the same: mixing of styles, and how many columns may be asked for."""


class View(nn.Module):
    """`generate` of a game as a module whose arguments are its inputs, in the order of `names`.

    `grain`, integers of which a table's choices are a hash, is named `u`: uniform numbers [n, width] in [0, 1) in their place.
    """

    def __init__(self, game: Game, nets: nn.ModuleDict, names: tuple[str, ...]) -> None:
        super().__init__()
        self.game, self.nets, self.names = game, nets, names

    def forward(self, *values: Tensor) -> Tensor:
        inputs = dict(zip(self.names, values, strict=True))
        if "u" in inputs:
            inputs["grain"] = inputs.pop("u")
        return self.game.generate(self.nets, inputs).float()


class Asked(nn.ModuleDict):
    """Nets that remember which of them were asked for."""

    def __init__(self, nets: nn.ModuleDict) -> None:
        super().__init__(dict(nets.items()))
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.asked += [] if key in self.asked else [key]
        return super().__getitem__(key)


def view(sampler: Sampler, nets: nn.ModuleDict) -> View:
    """The sampler's generator as a module, with those of its `nets` (as `Run.shown` gives them) that it uses, in eval mode."""
    game, inputs = sampler.run.game, example(sampler, 2)
    asked = Asked(nets)
    with torch.no_grad():
        View(game, asked, tuple(inputs))(*inputs.values())
    used = nn.ModuleDict({name: nets[name] for name in nets if name in asked.asked})
    return View(game, used, tuple(inputs)).eval()


def example(sampler: Sampler, n: int, seed: int = 0, tile: tuple[int, int] | None = None) -> Batch:
    """Inputs of n items as a `View` takes them; where a game maps, of random pictures of `tile` pixels (height, width; default:
    the size of training), with masks where it takes them.

    `truncation` is spread over [0.5, 1], so that it takes part.
    """
    game, spec = sampler.run.game, sampler.spec
    inputs = draw(game, n, seed, real=None if game.maps is None else pictures(game.maps, spec, n, seed))
    if game.maps is not None and tile is not None:
        inputs = {name: _sized(value, *tile) for name, value in inputs.items()}
    inputs = as_seen(inputs, spec)
    if "truncation" in inputs:
        inputs["truncation"] = torch.linspace(0.5, 1.0, n)
    return inputs


def as_seen(inputs: Batch, spec: Spec) -> Batch:
    """Inputs of a game as a `View` takes them. A table's `u` are other numbers than the hash of `grain`, of the same law."""
    seen = {name: value for name, value in inputs.items() if name not in (*LEFT_OUT, "grain")}
    if "grain" in inputs:
        grain = inputs["grain"]
        with noise.apart(int(grain[0])):
            seen["u"] = torch.rand(len(grain), spec.shape[0])
    return seen


def pictures(maps: Maps, spec: Spec, n: int, seed: int) -> Batch:
    """Random pictures as a batch of what a game that maps plays on: neighbours are alike, with some grain."""
    with noise.apart(seed):
        return {"x": _picture(n, *spec.shape), "a": _picture(n, sum(maps.channels), *maps.tile)}


def _sized(x: Tensor, height: int, width: int) -> Tensor:
    """Maps [n, c, h, w] cut, or repeated, to [n, c, height, width]."""
    x = x.repeat(1, 1, -(-height // x.shape[2]), -(-width // x.shape[3]))
    return x[..., :height, :width].contiguous()


def _picture(n: int, channels: int, height: int, width: int) -> Tensor:
    coarse = torch.rand(n, channels, 4, 4) * 2 - 1
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    return (smooth + 0.1 * torch.randn(smooth.shape)).clamp(-1, 1)
