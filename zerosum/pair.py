"""The game of one generator against one discriminator, which most recipes share."""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.augment import augmentation, augmented, observed
from zerosum.data.source import Spec
from zerosum.game import Batch, Clock, Game, Terms, Turn
from zerosum.layers.spectral import spectral
from zerosum.losses import AdversarialLoss, adversarial_loss
from zerosum.parts import Settings, check, draw_z, ema, noisy, player_d, player_g, prior, smoothness
from zerosum.penalties import Critic


def pair(
    cfg: Settings,
    spec: Spec,
    G: nn.Module,
    D: nn.Module,
    labelled: bool = False,
    loss: AdversarialLoss | None = None,
    lazy: bool = False,
    given: tuple[str, ...] = (),
) -> Game:
    """D's turn (n_critic times), then G's. With `labelled`, both nets take the labels of the batch's real items.

    `given`: keys of the batch that both nets take after noise or items, as they take labels.
    `loss`: what the two sides minimise, where it is not one that `cfg.loss` can name. `lazy`: the penalty is a turn of its
    own for D, between the two, as in Karras et al. 2020 ("Analyzing and Improving the Image Quality of StyleGAN", 3.1).
    """
    check(cfg)
    loss, z_for = loss or adversarial_loss(cfg.loss), prior(cfg)
    if cfg.spectral_norm:
        spectral(D)

    def labels(batch: Batch) -> tuple[Tensor, ...]:
        return (*((batch["y"],) if labelled else ()), *(batch[key] for key in given))

    def make(nets: nn.ModuleDict, batch: Batch) -> Tensor:
        return nets["G"](z_for(batch["x"]), *labels(batch))

    def judge(nets: nn.ModuleDict, x: Tensor, batch: Batch, clock: Clock) -> Tensor:
        return nets["D"](noisy(cfg, augmented(nets, x, clock), clock), *labels(batch))

    def critic(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Critic:
        return lambda x: nets["D"](augmented(nets, x, clock), *labels(batch))

    def smooth_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        fake_items = batch["x"] if cfg.penalty == "r1" else make(nets, batch)  # R1 looks at real items alone
        return smoothness(cfg, critic(nets, batch, clock), batch["x"], fake_items, clock)

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        fake_items = make(nets, batch)
        real, fake = judge(nets, batch["x"], batch, clock), judge(nets, fake_items, batch, clock)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}
        smooth = {} if lazy else smoothness(cfg, critic(nets, batch, clock), batch["x"], fake_items, clock)
        return {"adv": loss.d(real, fake, cfg.real_label)} | smooth | watched | observed(nets, real, clock)

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        fake = judge(nets, make(nets, batch), batch, clock)
        real = judge(nets, batch["x"], batch, clock) if loss.g_sees_real else fake
        return {"adv": loss.g(fake, real)}

    def draw(n: int) -> Batch:
        inputs = {"z": draw_z(cfg, n)}
        return inputs | {"y": spec.draw_labels(n)} if labelled else inputs

    return Game(
        nets={"G": G, "D": D, **augmentation(cfg, spec, loss=loss)},
        players={"D": player_d(cfg, "D"), "G": player_g(cfg, "G")},
        turns=(
            Turn("D", d_turn, repeat=cfg.n_critic),
            *([Turn("D", smooth_turn, every=cfg.penalty_every)] if lazy and cfg.penalty != "none" else []),
            Turn("G", g_turn),
        ),
        draw=draw,
        generate=lambda nets, batch: nets["G"](batch["z"], *labels(batch)),
        ema=ema(cfg, "G"),
        judge=lambda nets, batch: nets["D"](batch["x"], *labels(batch))[:, 0],
    )
