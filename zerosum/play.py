"""Run and play(): the only training loop in the house."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import reduce
from typing import Protocol

import torch
from torch import Tensor, nn

from zerosum import noise
from zerosum.game import Batch, Clock, Game
from zerosum.parallel import average_grads, rank, unanimous, world


class Batches(Protocol):
    """What play() needs of a source."""

    def batches(self, size: int, seed: int, start: int, rank: int, world: int) -> Iterator[Batch]:
        """This rank's part of each batch of `size` items over all ranks, from cursor `start` on."""


@dataclass(frozen=True)
class Pace:
    """How a game is computed. None of it changes what is learned; `accum` changes which noise a row gets."""

    device: str = "cpu"  # where nets and data live
    dtype: torch.dtype = torch.float32  # of autocast: float32 or bfloat16
    accum: int = 1  # parts a batch is cut into, to save memory
    compile: bool = False  # torch.compile the nets, in place


class Run:
    """A game being played: nets, their averages, optimisers, clock. What a checkpoint holds, and nothing else."""

    def __init__(self, game: Game, total: int, batch: int, seed: int = 0, pace: Pace | None = None) -> None:
        """`total`: steps to play. `batch`: items in a batch over all ranks; the ranks and `pace.accum` must divide it.

        Raises ValueError where they do not.
        """
        self.game, self.batch, self.seed, self.pace = game, batch, seed, pace or Pace()
        self.clock = Clock(0, total)
        if batch % (world() * self.pace.accum):
            raise ValueError(f"batch {batch} cannot be split over {world()} ranks x {self.pace.accum} parts")
        averages = {f"{name}_ema": copy.deepcopy(game.nets[name]) for name in game.ema}
        self.nets = nn.ModuleDict({**game.nets, **averages}).to(self.pace.device)
        # Channels-last is what oneDNN's and cuDNN's convolutions want; every copy to or from it costs a pass over memory.
        for p in self.nets.parameters():
            if p.ndim == 4:
                p.data = p.data.contiguous(memory_format=torch.channels_last)
        learns = {
            name: [p for net in player.trains for p in self.nets[net].parameters() if p.requires_grad]
            for name, player in game.players.items()
        }
        self.params: dict[str, list[nn.Parameter]] = learns
        if idle := [name for name, params in learns.items() if not params]:
            raise ValueError(f"player {idle[0]} has no parameter to learn: is its game in play already? Build it anew")
        self.optims = {name: player.optim(self.params[name]) for name, player in game.players.items()}
        self.base_lrs = {name: [g["lr"] for g in optim.param_groups] for name, optim in self.optims.items()}
        self.nets.requires_grad_(False)
        self.averages = {name: Average(self.nets[f"{name}_ema"], self.nets[name]) for name in game.ema}
        if self.pace.compile:
            for name in game.nets:
                self.nets[name].compile()

    def steady(self, *names: str) -> None:
        """Keep a moving average of these nets too, from what they are now, and show that. Those that have one keep theirs."""
        for name in names:
            if name not in self.game.ema:
                self.nets[f"{name}_ema"] = copy.deepcopy(self.nets[name])
                self.averages[name] = Average(self.nets[f"{name}_ema"], self.nets[name])
                self.game = replace(self.game, ema={**self.game.ema, name: steadied})

    def load(self, state: dict[str, Tensor]) -> None:
        """Take on the nets of a checkpoint, bit for bit, with whatever averages the guard had begun or not begun by then.

        Raises RuntimeError where it is of other nets.
        """
        kept = {key.split(".")[0] for key in state}
        self.steady(*(name for name in self.game.nets if f"{name}_ema" in kept))
        fresh = {name for name, decay in self.game.ema.items() if decay is steadied and f"{name}_ema" not in kept}
        values = {key.replace(".", "_ema.", 1): value for key, value in state.items() if key.split(".")[0] in fresh}
        self.nets.load_state_dict(state | values)

    @contextmanager
    def shown(self) -> Iterator[nn.ModuleDict]:
        """The nets as they are shown: under their own names, each replaced by its moving average where there is one,
        in eval mode and without gradients."""
        best = {name: self.nets[f"{name}_ema" if name in self.game.ema else name] for name in self.game.nets}
        modes = {module: module.training for module in self.nets.modules()}
        try:
            with torch.no_grad():
                yield nn.ModuleDict(best).eval()
        finally:
            for module, training in modes.items():
                module.training = training

    def autocast(self) -> torch.autocast:
        """The context that losses are computed in."""
        kind = torch.device(self.pace.device).type
        return torch.autocast(kind, self.pace.dtype, enabled=self.pace.dtype != torch.float32)


@contextmanager
def learning(params: list[nn.Parameter]) -> Iterator[None]:
    """Gradients reach these parameters and no others: a forgotten .detach() is harmless, and costs nothing."""
    for p in params:
        p.requires_grad_(True)
    try:
        yield
    finally:
        for p in params:
            p.requires_grad_(False)


def play(run: Run, source: Batches) -> Iterator[dict[str, Tensor]]:
    """Play one step at a time; yield what each turn scored, as {"player/term": scalar on the device}.

    Stopping the iteration and starting it again goes on exactly: data come from `run.clock.batches` on, and randomness
    is a function of (seed, rank, step).
    """
    game, nets, accum = run.game, run.nets, run.pace.accum
    fed = run.game.feed(source) if run.game.feed else source
    data = fed.batches(run.batch, run.seed, run.clock.batches, rank(), world())
    while run.clock.step < run.clock.total:
        clock, parts = run.clock, None
        logs: dict[str, Tensor] = {}
        noise.seed_step(run.seed, clock.step)
        for turn in (turn for turn in game.turns if turn.due(clock.step)):
            player, optim, params = game.players[turn.player], run.optims[turn.player], run.params[turn.player]
            for again in range(turn.repeat):
                if parts is None or again:  # one batch a step, shared by its turns; each repeat draws afresh
                    parts, clock = split(next(data), accum), replace(clock, batches=clock.batches + 1)
                optim.zero_grad(set_to_none=True)
                scored: dict[str, Tensor] = {}
                learns = False
                with learning(params):
                    for part in parts:
                        with run.autocast():
                            terms = turn.loss(nets, part, clock)
                        if minimised := [term for term in terms.values() if term.requires_grad]:
                            (reduce(torch.add, minimised) / accum if accum > 1 else reduce(torch.add, minimised)).backward()
                            learns = True
                        for name, term in terms.items():  # in the smallest games a needless operation is 0.1 % of a step
                            scored[name] = scored.get(name, 0) + term.detach() / accum if accum > 1 else term.detach()
                logs |= {f"{turn.player}/{name}": value for name, value in scored.items()}
                if not unanimous(learns):
                    break
                average_grads(params)
                if player.clip:
                    nn.utils.clip_grad_norm_(params, player.clip)
                if player.lr_scale or (clock.lr_scale, clock.lr_falls_from) != (1, 1):
                    scale = clock.lr_scale * min(clock.lr_left, player.lr_scale(clock) if player.lr_scale else 1.0)
                    for group, lr in zip(optim.param_groups, run.base_lrs[turn.player], strict=True):
                        group["lr"] = lr * scale
                if player.beta2:
                    for group in optim.param_groups:
                        group["betas"] = group["betas"][0], player.beta2(clock)
                optim.step()
        for name, decay in game.ema.items():
            average_into(run.averages[name], decay(clock))
        run.clock = replace(clock, step=clock.step + 1, total=run.clock.total)
        yield logs


def steadied(clock: Clock) -> float:
    """Decay of an average that began when the guard mended something: its half-life is a fifth of the steps since.

    A game that has been in trouble wanders; the mean of where it was is nearer to the middle of that than any one state
    (Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training").
    """
    return 0.5 ** (1 / max(1.0, 0.2 * (clock.step - max(0, clock.steady_from))))


def split(batch: Batch, parts: int) -> list[Batch]:
    """Cut a batch into equal parts, to which turns may add."""
    if parts == 1:
        return [dict(batch)]
    return [dict(zip(batch, rows, strict=True)) for rows in zip(*(v.chunk(parts) for v in batch.values()), strict=True)]


class Average:
    """A net and its moving average, their parameters as lists: walking the modules every step would cost more than averaging.

    Buffers are looked up each time, because a module may put a new tensor in a buffer's place.
    """

    def __init__(self, mean: nn.Module, net: nn.Module) -> None:
        self.means: list[Tensor] = list(mean.parameters())
        self.values: list[Tensor] = list(net.parameters())
        self.mean, self.net = mean, net


@torch.no_grad()
def average_into(average: Average, decay: float) -> None:
    """mean <- decay * mean + (1 - decay) * net for parameters; buffers are copied."""
    if average.means:
        torch._foreach_lerp_(average.means, average.values, 1 - decay)
    for old, new in zip(average.mean.buffers(), average.net.buffers(), strict=True):
        old.copy_(new)
