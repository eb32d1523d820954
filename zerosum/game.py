"""A GAN is a game: players take turns. These are the nouns; `zerosum.play` is the verb."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

Batch = dict[str, Tensor]
"""Tensors of equal leading length. Keys are the modality's: x, y (labels), a, b (domains), z (noise) ..."""

Terms = dict[str, Tensor]
"""Named scalars. Their sum is minimised and each is logged. A detached one is only logged. {}, or detached ones alone, passes
the turn."""


@dataclass(frozen=True)
class Clock:
    """Where training stands."""

    step: int = 0  # steps taken
    total: int = 1  # steps planned
    batches: int = 0  # batches drawn from the source: the data cursor
    lr_scale: float = 1.0  # what the guard left of every learning rate
    lr_falls_from: float = 1.0  # share of training from which the guard lets them fall to 0 at its end; 1: it does not
    instance_noise: float = 0.0  # standard deviation of the noise that the guard put on D's input, in model space
    r1: float = 0.0  # weight of the penalty on D's gradient at real items that the guard added
    steady_from: int = -1  # the step from which the guard shows a moving average of what makes items; -1: it does not

    @property
    def progress(self) -> float:
        """Share of the training that is done, in [0, 1]."""
        return min(1.0, self.step / max(1, self.total))

    @property
    def lr_left(self) -> float:
        """What is left of a learning rate that falls in a straight line from `lr_falls_from` to 0 at the end, in [0, 1]."""
        return 1.0 if self.lr_falls_from >= 1 else min(1.0, (1 - self.progress) / (1 - self.lr_falls_from))

    def mended_as(self, other: Clock) -> Clock:
        """This clock with what the guard has mended in another."""
        slower = replace(self, lr_scale=other.lr_scale, lr_falls_from=other.lr_falls_from, steady_from=other.steady_from)
        return replace(slower, instance_noise=other.instance_noise, r1=other.r1)


Loss = Callable[[nn.ModuleDict, Batch, Clock], Terms]
Schedule = Callable[[Clock], float]


@dataclass(frozen=True)
class Player:
    """Who learns, and how."""

    trains: tuple[str, ...]  # names of the nets whose parameters this player moves
    optim: Callable[[list[nn.Parameter]], torch.optim.Optimizer]
    lr_scale: Schedule | None = None  # multiplies the optimiser's learning rate
    clip: float | None = None  # largest norm of the player's whole gradient
    beta2: Schedule | None = None  # Adam's decay of the mean squared gradient, in place of the optimiser's own


@dataclass(frozen=True)
class Turn:
    """When a player learns, and towards what.

    Turns of a step share its batch, and what one leaves there under a name of its own, [n, ...], later ones find: G's output
    need not be made twice. A turn that `repeat`s has fresh batches, where nothing was left.
    """

    player: str
    loss: Loss
    repeat: int = 1  # times in a row within a step, each on a fresh batch
    every: int = 1  # taken at steps divisible by this
    span: tuple[float, float] = (0, float("inf"))  # steps [from, to) in which it is taken

    def due(self, step: int) -> bool:
        """Whether this turn is taken at this step."""
        return self.span[0] <= step < self.span[1] and step % self.every == 0


@dataclass(frozen=True)
class Maps:
    """What a game that makes images from images takes and gives.

    `ask(batch)` gives the inputs that a batch of real items has for `generate`: always `a` [n, sum of channels, h, w] in
    [-1, 1], and `mask` where there is one; random parts come from `zerosum.noise`. `back(nets, inputs)`, where there is one,
    makes images of the input's kind from `a` of the output's.
    """

    ask: Callable[[Batch], Batch]
    names: tuple[str, ...]  # of the images that `a` is made of, in order,
    channels: tuple[int, ...]  # and how many of its channels each takes
    tile: tuple[int, int]  # height and width of `a` in training
    scale: int = 1  # output pixels for each input pixel, along a side
    multiple: int = 1  # what heights and widths of `a` must be divisible by
    paired: bool = True  # whether x of a batch is what its `a` should become
    made: str = "output"  # the output's name
    mask: bool = False  # whether inputs have `mask` [n, 1, h, w]: 1 where pixels are to be made, 0 where they are known
    back: Callable[[nn.ModuleDict, Batch], Tensor] | None = None


@dataclass(frozen=True)
class Styles:
    """A generator in two halves: what turns inputs into styles, and what paints them.

    `generate(nets, inputs)` equals `paint(nets, enter(nets, inputs))`. `mean(nets)` is the mean style [dim].
    """

    layers: int  # styles an item has, coarse to fine
    enter: Callable[[nn.ModuleDict, Batch], Tensor]  # inputs -> styles [n, layers, dim], float32
    paint: Callable[[nn.ModuleDict, Tensor], Tensor]  # styles [n, layers, dim] -> items in model space
    mean: Callable[[nn.ModuleDict], Tensor]


@dataclass(frozen=True)
class Game:
    """A definition: it holds nets and cannot run itself.

    `draw(n)` gives the inputs of n new items, on the CPU, from torch's global stream. `generate(nets, inputs)` turns
    inputs into items in model space. `feed(source)`, where a game has one, gives the source that it is to be played on: the
    same items drawn by another law. `encode(nets, x)`, where a game has one, gives inputs from which `generate` returns
    about x. `maps`, where a game makes images from images, says which; `draw` then gives the noise alone, {} without any.
    `styles`, where a generator has them, says how to reach them. `judge(nets, batch)`, where a game has a discriminator of
    single items, gives its opinion of `x` (and `y`, where it takes labels): logits [n], higher for more real.
    `ledger`, where a game has one, lists every read of private rows that playing it makes.
    `phases`: shares of training in (0, 1) from which on something else is minimised: the guard compares within a phase alone.
    `ema` names the nets of which a moving average is kept, each with its decay as a function of the clock.

    Raises ValueError where names do not agree.
    """

    nets: Mapping[str, nn.Module]
    players: Mapping[str, Player]
    turns: tuple[Turn, ...]
    draw: Callable[[int], Batch]
    generate: Callable[[nn.ModuleDict, Batch], Tensor]
    ema: Mapping[str, Schedule] = field(default_factory=dict)
    encode: Callable[[nn.ModuleDict, Tensor], Batch] | None = None
    maps: Maps | None = None
    styles: Styles | None = None
    judge: Callable[[nn.ModuleDict, Batch], Tensor] | None = None
    feed: Callable[[Any], Any] | None = None
    ledger: Any = None  # zerosum.private.ledger.Ledger
    phases: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        def agree(kind: str, names: set[str], known: Mapping[str, object]) -> None:
            if strangers := sorted(names - set(known)):
                raise ValueError(f"{kind} {', '.join(strangers)} not among {', '.join(known)}")

        agree("turn of player", {turn.player for turn in self.turns}, self.players)
        agree("average of net", set(self.ema), self.nets)
        for name, player in self.players.items():
            agree(f"player {name} trains net", set(player.trains), self.nets)
        if taken := [name for name in self.nets if name.endswith("_ema")]:
            raise ValueError(f"net {taken[0]}: names ending in _ema are kept for the moving averages")
        if not self.turns:
            raise ValueError("a game needs at least one turn")
        if wrong := [turn for turn in self.turns if turn.repeat < 1 or turn.every < 1]:
            raise ValueError(f"turn of player {wrong[0].player}: repeat and every count from 1")
