"""Dptabular: tables under differential privacy: noisy pairs of values for the generator, DP-SGD for the discriminator.

Not from a paper: the parts are. D: Abadi et al. 2016, "Deep Learning with Differential Privacy". The distance to noisy moments:
Li et al. 2015, "Generative Moment Matching Networks", against one measurement by the Gaussian mechanism, as in Harder et al.
2021, "DP-MERF", with pairs of values in place of random features. G reads no row: it sees D and the measurement alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad

from zerosum import noise
from zerosum.data.poisson import PoissonSource
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Terms, Turn
from zerosum.layers.choices import grains
from zerosum.losses import LossName, adversarial_loss
from zerosum.nets.tables import Discriminator, Generator
from zerosum.parts import Settings, check, draw_z, ema, player_d, player_g
from zerosum.penalties import PenaltyName
from zerosum.private.gradient import RowLoss, Weights, private_sum, rowwise, surrogate
from zerosum.private.ledger import Ledger
from zerosum.private.moments import Pairs
from zerosum.private.plan import Plan
from zerosum.recipes.ctgan import rows_of

CLASSES = 16
"""Values of the target up to which pairs are counted for each apart."""


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """Dptabular's settings."""

    batch: int = 512  # rows in a batch of D on average: each is in it or not, by a coin of its own
    made: int = 1024  # rows that G makes in a step
    z_dim: int = 64  # numbers in a noise vector
    width: int = 256  # units of a hidden layer of G
    depth: int = 2  # hidden layers of each net
    d_width: int = 64  # units of a hidden layer of D: noise grows with its size
    temperature: float = 0.5  # of the softmax through which a choice learns
    d_steps: int = 200  # steps in which D learns: all that are paid for
    d_every: int = 4  # steps of G for each of them
    d_share: float = 0.1  # D's share of what is left of the budget when the columns are described; the pairs get the rest
    clip: float = 1.0  # largest norm of a row's own gradient in D
    adversarial: float = 0.1  # weight of what D says in G's loss, beside the distance to the noisy pairs
    loss: LossName = "nonsaturating"  # what the two sides minimise
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to a real row: none or r1, clipped with the rest
    penalty_weight: float = 0.05  # weight of the penalty
    lr_g: float = 1e-3  # G's learning rate
    lr_d: float = 1e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"  # how the learning rates fall
    lr_decay_from: float = 0.0  # share of training after which they fall
    ema_halflife_kimg: float = 20.0  # half-life of G's moving average, in thousands of rows; 0: no average


def build(cfg: Config, spec: Spec) -> Game:
    """The game on a table. Raises UserError where there is no budget, or a setting would break the proof."""
    rows_of(spec, "dptabular")
    if not spec.private:
        raise UserError("recipe dptabular is for differential privacy: add --dp-epsilon 1, or take tabular")
    check(cfg)
    refuse(cfg)
    return game_of(cfg, spec, planned(cfg, spec))


def planned(cfg: Config, spec: Spec) -> Plan:
    """The least noise with which everything keeps within epsilon."""
    return Plan.of(Ledger.from_json(spec.private), cfg.d_share, cfg.d_steps, min(1.0, cfg.batch / spec.items))


def refuse(cfg: Config) -> None:
    """Raise UserError where a setting would let a row have more say than is accounted for, or would do nothing."""
    reasons = {
        "loss": (cfg.loss == "relativistic", "compares real rows with made ones in pairs, and G would see real rows"),
        "penalty": (cfg.penalty not in ("none", "r1"), "reads rows where they cannot be clipped one by one: take r1 or none"),
        "penalty_every": (cfg.penalty_every != 1, "is for penalties without a noise of their own: leave it at 1"),
        "n_critic": (cfg.n_critic != 1, "would read rows more often than is accounted for: take more d_steps"),
        "instance_noise": (cfg.instance_noise != 0, "is not part of a private D: leave it at 0"),
        "spectral_norm": (cfg.spectral_norm, "keeps a state between rows: take weight_clip"),
        "augment": (cfg.augment != "none", "is for images: leave it at none"),
        "d_share": (not 0 < cfg.d_share < 1, "must lie between 0 and 1"),
        "made": (cfg.made < 2, "must be 2 or more"),
        "clip": (cfg.clip <= 0, "must be greater than 0"),
        "d_every": (cfg.d_every < 1 or cfg.d_steps < 1, "and d_steps must be 1 or more"),
    }
    for name, (wrong, why) in reasons.items():
        if wrong:
            raise UserError(f"{name} {getattr(cfg, name)} {why}")


def row_loss(cfg: Config, D: nn.Module) -> RowLoss:
    """All terms that read one real row, given as its choices."""
    loss = adversarial_loss(cfg.loss)

    def of_row(weights: Weights, row: Tensor) -> Tensor:
        judge = lambda x: functional_call(D, weights, (x[None],))
        logit = judge(row)
        adv = loss.d(logit, torch.zeros_like(logit), cfg.real_label)
        if cfg.penalty == "none":
            return adv
        slope = grad(lambda x: judge(x).sum())(row)
        return adv + cfg.penalty_weight * slope.square().sum() / 2

    return of_row


def game_of(cfg: Config, spec: Spec, plan: Plan, watch: Callable[[Weights, Weights], None] | None = None) -> Game:
    """The game with the noise that a plan says. `watch` is told D's weights and the noisy sum at each of its steps."""
    codec = rows_of(spec, "dptabular")
    stretches = [(span.start, span.stop) for span in codec.spans if span.kind == "choice"]
    target = codec.span(codec.schema.target) if codec.schema.target is not None else None
    known = (target.start, target.stop) if target is not None and target.size <= CLASSES and len(stretches) > 1 else None
    places = torch.cat([torch.arange(*one) for one in stretches])
    numbers = torch.tensor([span.start for span in codec.spans if span.kind == "number"], dtype=torch.int64)
    G = Generator(codec.width, stretches, cfg.z_dim, cfg.width, cfg.depth, temperature=cfg.temperature)
    D = rowwise(Discriminator(len(places), cfg.d_width, cfg.depth), len(places))
    pairs = Pairs(stretches, known)
    loss, of_row, expected = adversarial_loss(cfg.loss), row_loss(cfg, D), plan.rate * spec.items
    last = cfg.d_steps * cfg.d_every
    fed: list[PoissonSource] = []  # the source that the game is played on: it has the key

    def feed(source: Any) -> PoissonSource:
        private = source.by_poisson()
        if not bool(pairs.measured):
            pairs.measure(private.whole(), len(private), plan.pairs, private.key)
        fed[:] = [private]
        return private

    def make(nets: nn.ModuleDict, device: torch.device) -> Tensor:
        draw = noise.normal if cfg.noise == "normal" else lambda *shape, device: noise.uniform(*shape, low=-1, device=device)
        return nets["G"](draw(cfg.made, cfg.z_dim, device=device))

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        rows = batch["x"][:, places]
        weights = dict(nets["D"].named_parameters())
        with torch.autocast(rows.device.type, enabled=False):
            fixed = {name: value.detach() for name, value in weights.items()}
            total = private_sum(of_row, fixed, rows, cfg.clip, plan.d, fed[0].key, clock.step)
            if watch is not None:
                watch(fixed, total)
            fake = nets["D"](make(nets, rows.device).detach()[:, places])
            made = loss.d(torch.zeros_like(fake), fake, cfg.real_label)
            pulled = surrogate(weights, {name: value / expected for name, value in total.items()})
        return {"private": pulled, "adv_made": made, "logit_fake": fake.mean().detach()}

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        made = make(nets, batch["x"].device)
        with torch.autocast(made.device.type, enabled=False):  # counts to three figures would be another distance
            terms = {"pairs": cast(Pairs, nets["pairs"]).distance(made)}
        if clock.step < last and cfg.adversarial:
            fake = nets["D"](made[:, places])
            terms["adv"] = cfg.adversarial * loss.g(fake, fake)
        return terms

    def generate(nets: nn.ModuleDict, inputs: Batch) -> Tensor:
        grain = inputs["grain"]
        x = nets["G"](inputs["z"], grain=grain)
        if len(numbers):  # where in its bin a number lies was never read
            within = grain[:, numbers] if grain.is_floating_point() else grains(grain ^ 0x5DEECE66D, len(numbers))
            x[:, numbers] = 2 * within - 1
        return x

    return Game(
        nets={"G": G, "D": D, "pairs": pairs},
        players={"D": player_d(cfg, "D"), "G": player_g(cfg, "G")},
        turns=(Turn("D", d_turn, every=cfg.d_every, span=(0, last)), Turn("G", g_turn)),
        draw=lambda n: {"z": draw_z(cfg, n), "grain": torch.randint(2**62, (n,))},
        generate=generate,
        ema=ema(cfg, "G"),
        feed=feed,
        ledger=plan.ledger(pairs.sensitivity, cfg.clip),
    )
