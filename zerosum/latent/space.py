"""The latent space of a trained game: its styles where the generator has them, its noise where it has none."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zerosum.errors import UserError
from zerosum.game import Batch, Game
from zerosum.sampling import Sampler, draw


class Space:
    """Points [n, layers, dim] of which a game makes items; what steers the item beside its point (labels) is the `rest`.

    A generator without styles has one layer, and its points are its noise. Raises UserError where a game has neither.
    """

    def __init__(self, sampler: Sampler) -> None:
        self.sampler, self.game = sampler, sampler.run.game
        inputs = {} if self.game.maps is not None else draw(self.game, 1, 0)
        if "z" not in inputs:
            raise UserError("this recipe has no latent space to walk in: it makes images from images")
        self.styled = self.game.styles is not None
        self.layers = self.game.styles.layers if self.game.styles is not None else 1
        with sampler.run.shown() as nets:
            self.mean = _mean(self.game, nets, inputs["z"]).float().cpu()
        self.dim = len(self.mean)

    def enter(self, inputs: Batch) -> Tensor:
        """The points of inputs that `Sampler.inputs` gave: [n, layers, dim], float32 on the CPU."""
        if self.game.styles is None:
            return inputs["z"].flatten(1)[:, None]
        with self.sampler.run.shown() as nets:
            return self.game.styles.enter(nets, self._there(inputs)).float().cpu()

    def leave(self, points: Tensor, rest: Batch, chunk: int = 250) -> Tensor:
        """The items of points [n, layers, dim]: x [n, ...] in model space, float32 on the CPU.

        `rest`: the other inputs, of which labels `y` are used: int [n], or shares of classes, float [n, classes].
        """
        with self.sampler.run.shown() as nets:
            parts = []
            for at in range(0, len(points), chunk):
                part = {name: value[at : at + chunk] for name, value in rest.items()}
                parts.append(self.paint(nets, points[at : at + chunk].to(self.sampler.run.pace.device), part).float().cpu())
            return torch.cat(parts)

    def paint(self, nets: nn.ModuleDict, points: Tensor, rest: Batch) -> Tensor:
        """`leave` for whoever holds the nets, on their device and with gradients where those are on."""
        if self.game.styles is not None:
            return self.game.styles.paint(nets, points)
        shape = draw(self.game, 1, 0)["z"].shape[1:]
        return self.game.generate(nets, self._there(rest) | {"z": points.flatten(1).unflatten(1, shape)})

    def _there(self, inputs: Batch) -> Batch:
        return {name: value.to(self.sampler.run.pace.device) for name, value in inputs.items()}


def _mean(game: Game, nets: nn.ModuleDict, z: Tensor) -> Tensor:
    return torch.zeros(z[0].numel()) if game.styles is None else game.styles.mean(nets)
