"""Tabular: the house's own for tables: a relativistic game beside a distance of marginals of every order, rows to order.

Not from a paper: the parts are, and the choice among them was made on a part of Adult's training rows (docs/LOG.md).
Relativistic loss: Jolicoeur-Martineau 2019; R1: Mescheder et al. 2018, eq. 9; packs: Lin et al. 2018, "PacGAN";
straight-through choices: Jang et al. 2017; the distance of marginals: `zerosum.agreement`; teacher forcing: Williams & Zipser
1989.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
import torch
from torch import nn

from zerosum import noise
from zerosum.agreement import agreement_distance
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Loss, Terms, Turn
from zerosum.losses import LossName, adversarial_loss
from zerosum.nets.staged import Group, Staged
from zerosum.nets.tables import Told
from zerosum.pair import pair
from zerosum.parts import Settings, draw_z, prior
from zerosum.penalties import PenaltyName
from zerosum.recipes.ctgan import need_packs, rows_of
from zerosum.tables.span import Span


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Tabular's settings."""

    batch: int = 512  # rows in a batch, a multiple of pack
    z_dim: int = 64  # numbers in a noise vector
    width: int = 256  # units of a hidden layer
    depth: int = 2  # hidden layers of each net
    pack: int = 1  # rows that D judges as one
    stages: int = 8  # groups of columns that G makes one after the other, each knowing those before it
    narrow: int = 64  # units of a group's own layer
    temperature: float = 0.5  # of the softmax through which a choice learns
    revealed: float = 0.5  # share of training rows of which some columns are asked for
    agreement: float = 0.3  # weight of the distance of marginals in G's loss
    likelihood: float = 0.1  # weight of each choice's likelihood, given those before it, in G's loss
    sharpness: float = 0.7  # of its kernel: what more columns weigh beside fewer
    loss: LossName = "relativistic"  # what the two sides minimise
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 0.05  # weight of the penalty
    penalty_every: int = 4  # steps between penalties; the weight is multiplied by it
    lr_g: float = 1e-3  # G's learning rate
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    lr_decay_from: float = 0.0  # share of training after which they fall
    ema_halflife_kimg: float = 20.0  # half-life of G's moving average, in thousands of rows; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on a table. Raises UserError where the data are none, or a batch is no whole number of packs."""
    codec = rows_of(spec, "tabular")
    if cfg.stages < 1 or cfg.narrow < 1:
        raise UserError(f"stages {cfg.stages}, narrow {cfg.narrow}: must be 1 or more")
    need_packs(cfg.batch, cfg.pack)
    asked = [(span.condition, (span.start, span.stop)) for span in codec.spans if span.condition is not None]
    G = Staged(groups(codec.spans, cfg.stages), asked, cfg.z_dim, cfg.width, cfg.depth, cfg.narrow, cfg.temperature)
    D = Told(codec.width, G.owner, cfg.width, cfg.depth, cfg.pack)
    game = pair(cfg, spec, G, D, given=("cond",))
    loss, z_for = adversarial_loss(cfg.loss), prior(cfg)

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        x, cond = batch["x"], batch["cond"]
        made = nets["G"](z_for(x), cond)
        fake = nets["D"](made, cond)
        real = nets["D"](x, cond) if loss.g_sees_real else fake
        terms = {"adv": loss.g(fake, real), "agreement": cfg.agreement * agreement_distance(x, made, cfg.sharpness)}
        if cfg.likelihood:
            terms["likelihood"] = cfg.likelihood * cast(Staged, nets["G"]).unlikelihood(z_for(x), cond, x)
        return terms

    def draw(n: int) -> Batch:
        most = torch.full((n,), len(asked))
        return {
            "z": draw_z(cfg, n),
            "cond": torch.zeros(n, len(G.place)),
            "cond_most": most,
            "grain": torch.randint(2**62, (n,)),
        }

    turns = (
        replace(game.turns[0], loss=revealing(game.turns[0].loss, cfg.revealed)),
        Turn("G", revealing(g_turn, cfg.revealed)),
    )
    generate = lambda nets, x: nets["G"](x["z"], x["cond"], x["grain"])
    return replace(game, turns=turns, draw=draw, generate=generate, judge=None)  # D sees packs of rows


def groups(spans: Sequence[Span], stages: int) -> list[Group]:
    """The columns of a row in at most so many groups of neighbours, about as many columns in each."""
    columns = list(dict.fromkeys(span.column for span in spans))
    found = []
    for part in np.array_split(np.arange(len(columns)), min(stages, len(columns))):
        names = {columns[i] for i in part}
        mine = [span for span in spans if span.column in names]
        choices = tuple((span.start, span.stop) for span in mine if span.kind == "choice")
        found.append(Group(mine[0].start, mine[-1].stop, choices))
    return found


def revealing(loss: Loss, share: float) -> Loss:
    """The same loss on a batch with conditions: of `share` of its rows some choices are told, any of them as likely as not.

    How many of a row's choices are told is uniform, so that the generator learns to answer any question.
    """

    def with_conditions(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        x, G = batch["x"], cast(Staged, nets["G"])
        rows, kinds = len(x), G.owner.shape[1]
        chance = noise.uniform(rows, kinds + 2, device=x.device)
        shown = (chance[:, :kinds] < chance[:, kinds, None]) & (chance[:, kinds + 1, None] < share)
        return loss(nets, batch | {"cond": G.revealed(x, shown.float())}, clock)

    return with_conditions
