"""CTGAN: tables by training by sampling, packs of ten rows and a Wasserstein critic; made to order by a column's value.

Xu et al. 2019, "Modeling Tabular Data using Conditional GAN", sections 4.2 to 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Terms, Turn
from zerosum.losses import LossName, adversarial_loss
from zerosum.nets.tables import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, draw_z, prior, smoothness
from zerosum.penalties import PenaltyName
from zerosum.tables.codec import Codec
from zerosum.tables.span import Span


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """CTGAN's settings: the paper's."""

    batch: int = 500  # rows in a batch, a multiple of pack
    z_dim: int = 128  # numbers in a noise vector
    width: int = 256  # units of a hidden layer
    depth: int = 2  # hidden layers of each net
    pack: int = 10  # rows that D judges as one
    temperature: float = 0.2  # of the softmax that stands for a choice
    dropout: float = 0.5  # share of D's units that are left out while training
    loss: LossName = "wasserstein"  # what the two sides minimise
    penalty: PenaltyName = "gradient_penalty"  # penalty on D's gradient with respect to its input
    beta1: float = 0.5  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.9  # Adam's decay of the mean squared gradient, both sides


def rows_of(spec: Spec, recipe: str) -> Codec:
    """The table's codec. Raises UserError where the data are no table."""
    if spec.kind != "tables":
        raise UserError(
            f"recipe {recipe} is for tables (a .csv or .parquet file, a DataFrame), and these are {spec.kind}: take auto"
        )
    return Codec.from_json(spec.table)


def need_packs(batch: int, pack: int) -> None:
    """Raise UserError where a batch is no whole number of packs."""
    if pack < 1 or batch % pack:
        raise UserError(f"batch {batch}: give a multiple of pack, which is {pack}")


def natural(spans: list[Span], width: int, n: int) -> Tensor:
    """Conditions [n, width] as frequent as in the training rows: a column, uniformly; a value of it, by its frequency."""
    cond = torch.zeros(n, width)
    column = torch.randint(len(spans), (n,))
    for number, span in enumerate(spans):
        rows = (column == number).nonzero()[:, 0]
        if len(rows):
            value = torch.multinomial(torch.tensor(span.counts, dtype=torch.float64), len(rows), replacement=True)
            cond[rows, cast(int, span.condition) + value] = 1.0
    return cond


def build(cfg: Config, spec: Spec) -> Game:
    """The game on a table. Raises UserError where the data are none, or a batch is no whole number of packs."""
    codec = rows_of(spec, "ctgan")
    need_packs(cfg.batch, cfg.pack)
    stretches = [(span.start, span.stop) for span in codec.spans if span.kind == "choice"]
    asked = [span for span in codec.spans if span.condition is not None]
    given = codec.condition_width
    G = Generator(codec.width, stretches, cfg.z_dim, cfg.width, cfg.depth, given, cfg.temperature, soft=True)
    D = Discriminator(codec.width, cfg.width, cfg.depth, cfg.pack, given, cfg.dropout)
    game = pair(cfg, spec, G, D)
    asking = lambda batch: (batch["cond"],) if given else ()
    loss, z_for = adversarial_loss(cfg.loss), prior(cfg)

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        x, cond = batch["x"], asking(batch)
        made = nets["G"](z_for(x), *cond)
        real, fake = nets["D"](x, *cond), nets["D"](made, *cond)
        packs = lambda rows: rows.reshape(-1, cfg.pack * codec.width)  # the penalty is on a pack's gradient
        critic = lambda rows: nets["D"](rows.reshape(-1, codec.width), *cond)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}
        return {"adv": loss.d(real, fake, cfg.real_label)} | smoothness(cfg, critic, packs(x), packs(made), clock) | watched

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        made, cond = cast(Generator, nets["G"]), asking(batch)
        raw = made.raw(z_for(batch["x"]), *cond)
        fake = nets["D"](made.row(raw), *cond)
        real = nets["D"](batch["x"], *cond) if loss.g_sees_real else fake
        return {"adv": loss.g(fake, real)} | ({"asked": missed(raw, batch["cond"], asked)} if given else {})

    def draw(n: int) -> Batch:
        inputs = {"z": draw_z(cfg, n), "grain": torch.randint(2**62, (n,))}
        return inputs | ({"cond": natural(asked, given, n), "cond_most": torch.ones(n, dtype=torch.int64)} if given else {})

    return replace(
        game,
        turns=(Turn("D", d_turn, repeat=cfg.n_critic), Turn("G", g_turn)),
        draw=draw,
        judge=None,  # of packs of rows, not of single ones
        generate=lambda nets, x: nets["G"](x["z"], x.get("cond"), x["grain"]),
        feed=lambda source: source.by_sampling(),
    )


def missed(raw: Tensor, cond: Tensor, spans: list[Span]) -> Tensor:
    """Cross entropy, per row, of what was asked under the logits (Xu et al. 2019, section 4.3, "generator loss")."""
    total = raw.new_zeros(())
    for span in spans:
        wanted = cond[:, span.condition : cast(int, span.condition) + span.size]
        total = total + cross_entropy(raw[:, span.start : span.stop].float(), wanted, reduction="sum")
    return total / len(raw)
