"""A smaller generator that learns from a trained one: the recipe's own game, with one more thing to please, the large one.

Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", for generators: the same noise, labels or pictures go into
both, and the small one's items are pulled to the large one's, in pixels and in the layers of the large one's discriminator
(Aguinaldo et al. 2019, "Compressing GANs using Knowledge Distillation", add the same adversary; Li et al. 2020, "GAN
Compression", match layers). What the game minimises stays: a matched pixel is a mean of what it may be, and D asks for one.
The small networks begin as every so-manyth channel of the large ones (`zerosum.export.pruned`).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.export.pruned import begin_as
from zerosum.export.view import view
from zerosum.game import Batch, Clock, Game, Loss, Terms
from zerosum.job import Job
from zerosum.sampling import Sampler
from zerosum.settings import settings
from zerosum.train import Training

PIXELS, LAYERS = 10.0, 1.0
"""Weights of the mean absolute difference of items, and of the mean over D's layers of theirs, each as a share of its size."""

SCALED = ("width", "finish")
"""Settings that are channels of a generator, and become as much fewer as its width."""


class Still(nn.Module):
    """A trained game that no longer learns: what its generator makes, and what its discriminator's layers see of items.

    Its nets are no parameters of this module: checkpoints of whoever learns from it are without them.
    """

    def __init__(self, sampler: Sampler) -> None:
        super().__init__()
        self.game: Game = sampler.run.game
        with sampler.run.shown() as nets:
            self.makers = tuple(view(sampler, nets).nets)  # names of the nets that make items
            self._kept = (copy.deepcopy(nets).eval().requires_grad_(False),)  # in a tuple, so that it is not registered

    @property
    def nets(self) -> nn.ModuleDict:
        """As they were shown."""
        return self._kept[0]

    @torch.no_grad()
    def forward(self, inputs: Batch) -> Tensor:
        """Items of inputs."""
        return self.game.generate(self.nets, inputs).float()

    def layers(self, batch: Batch) -> list[Tensor]:
        """What every convolution and matrix of D gives, for items x (and labels y); nothing where D sees no single items."""
        if self.game.judge is None:
            return []
        with _heard(self.nets) as found:
            self.game.judge(self.nets, batch)
        return found


@contextmanager
def _heard(nets: nn.Module) -> Iterator[list[Tensor]]:
    """The outputs of convolutions and matrices, in the order in which they are made while this lasts."""
    found: list[Tensor] = []
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    hooks = [
        layer.register_forward_hook(lambda layer, given, made: found.append(made))
        for layer in nets.modules()
        if isinstance(layer, kinds)
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def taught(game: Game, teacher: Still) -> Game:
    """The game with the teacher beside its nets, whom no player owns; G's first turn also minimises how far it is from it."""
    makes = lambda turn: turn.every == 1 and {*teacher.makers} & {*game.players[turn.player].trains}
    first = next(i for i, turn in enumerate(game.turns) if makes(turn))
    turns = [replace(turn, loss=_also(turn.loss, game)) if i == first else turn for i, turn in enumerate(game.turns)]
    return replace(game, nets={**game.nets, "teacher": teacher}, turns=tuple(turns))


def _also(loss: Loss, game: Game) -> Loss:
    def with_teacher(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        terms, teacher, device = loss(nets, batch, clock), nets["teacher"], batch["x"].device
        assert isinstance(teacher, Still)
        inputs = game.maps.ask(batch) if game.maps is not None else game.draw(len(batch["x"]))
        inputs = {name: value.to(device) for name, value in inputs.items()}
        wanted, made = teacher(inputs), game.generate(nets, inputs).float()
        told = {"y": inputs["y"]} if "y" in inputs else {}
        with torch.no_grad():
            right = teacher.layers({"x": wanted} | told)
        seen = teacher.layers({"x": made} | told)
        shares = [
            l1_loss(a.float(), b.float()) / b.float().abs().mean().clamp(min=1e-6) for a, b in zip(seen, right, strict=True)
        ]
        terms = terms | {"pixels": PIXELS * _share(made, wanted)}
        return terms | {"layers": LAYERS * torch.stack(shares).mean()} if shares else terms

    return with_teacher


def _share(made: Tensor, wanted: Tensor) -> Tensor:
    """The mean absolute difference, as a share of what is wanted."""
    return l1_loss(made, wanted) / wanted.abs().mean().clamp(min=1e-4)


def smaller(config: Mapping[str, Any], width: int) -> dict[str, Any]:
    """A run's settings with fewer channels. Raises UserError where there is nothing to make smaller."""
    values = dict(config["settings"])
    before = values.get("width")
    if not isinstance(before, int) or not 0 < width < before:
        raise UserError(f"--distill {width}: give a width between 1 and {before - 1 if isinstance(before, int) else 0}")
    for name in SCALED:
        if values.get(name):
            values[name] = max(1, round(values[name] * width / before))
    return values | ({"mixing": 0.0} if "mixing" in values else {})  # styles mixed at random would be no item of the teacher's


def distil(
    teacher: Sampler, config: Mapping[str, Any], source: Source, width: int, out: Path, minutes: float | None, **plan: Any
) -> Job:
    """A job that plays the teacher's recipe at a smaller width, taught by the teacher, on the same data.

    `config`: the teacher's config.json; `plan`: other fields of `Training`. The run folder that it leaves is one like any
    other. Raises UserError for tables, and where the width is none.
    """
    if teacher.spec.kind == "tables":
        raise UserError("a table's choices cannot be matched item by item, and its generator is small: take --int8")
    cfg = settings(config["recipe"], smaller(config, width))
    training = Training(**{**config["training"], "steps": None, "minutes": minutes, "device": "auto", "threads": 0} | plan)
    still = Still(teacher)
    job = Job.new(config["data"]["what"], source, config["recipe"], cfg, training, out, change=lambda game: taught(game, still))
    for name, net in still.nets.items():
        for mine in (name, f"{name}_ema"):
            if mine in job.run.nets:
                begin_as(job.run.nets[mine], net)
    if job.folder is not None:
        job.folder.asked(distilled={"run": teacher.origin().run, "width": config["settings"]["width"]})
    return job
