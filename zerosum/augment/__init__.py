"""Augmentation of what the discriminator sees, real and generated alike, so that it cannot learn few images by heart.

Three functions are all that a recipe needs:

    nets = {"G": G, "D": D, **augmentation(cfg, spec)}      # nothing is added where cfg.augment is "none"
    logit = nets["D"](augmented(nets, x, clock))             # wherever D judges: both turns, and inside penalties
    terms |= observed(nets, logit_real, clock)               # once in D's turn: what is logged, and what steers ADA
"""

from __future__ import annotations

from torch import Tensor, nn

from zerosum.augment.ada import Ada
from zerosum.augment.base import Augment
from zerosum.augment.diffaugment import DiffAugment
from zerosum.augment.fixed import Fixed
from zerosum.augment.pipe import Shares
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Clock, Schedule, Terms
from zerosum.losses import AdversarialLoss, adversarial_loss
from zerosum.parts import Settings, half_cosine, scheduled


def augmentation(
    cfg: Settings, spec: Spec, p: Schedule | None = None, loss: AdversarialLoss | None = None
) -> dict[str, nn.Module]:
    """{"augment": the module that `cfg.augment` names}, or {} for "none": to be added to a game's nets.

    `p` is the probability that "fixed" takes, instead of the one that the settings describe; `loss` is the game's, where
    `cfg.loss` is not. Raises UserError where the data are not images, or where ADA could not read D's logits.
    """
    if cfg.augment == "none":
        return {}
    if spec.kind != "images" or len(spec.shape) != 3:
        raise UserError(f"augment {cfg.augment}: is for images, and these are {spec.kind}: leave --augment out")
    undecided = (loss or adversarial_loss(cfg.loss)).undecided
    if cfg.augment == "diffaugment":
        return {"augment": DiffAugment(undecided or 0.0)}
    shares = Shares(cfg.augment_geometry, cfg.augment_colour, cfg.augment_cutout)
    if cfg.augment == "fixed":
        return {"augment": Fixed(shares, p or probability(cfg), undecided or 0.0)}
    if undecided is None:
        raise UserError(
            f"augment ada: steers by the sign of D's logits, which says nothing with loss {cfg.loss}: take fixed or diffaugment"
        )
    return {"augment": Ada(shares, cfg.batch, cfg.augment_target, cfg.augment_kimg, undecided)}


def augmented(nets: nn.ModuleDict, x: Tensor, clock: Clock) -> Tensor:
    """Images [n, c, h, w] as D is to see them, augmented anew at each call; x itself in a game without augmentation."""
    if "augment" not in nets:
        return x
    module = nets["augment"]
    assert isinstance(module, Augment)
    return module.augment(x, clock)


def observed(nets: nn.ModuleDict, logit_real: Tensor, clock: Clock) -> Terms:
    """Show the augmentation D's logits on augmented real images, once for each batch; {} in a game without augmentation.

    The terms are detached: `r_t`, the mean sign of the logits over all ranks, in [-1, 1], and `p` where there is one.
    """
    if "augment" not in nets:
        return {}
    module = nets["augment"]
    assert isinstance(module, Augment)
    return module.observe(logit_real, clock)


def probability(cfg: Settings) -> Schedule:
    """p(clock) of "fixed": from `augment_start` to `augment_p` as the other schedules go, or always `augment_p`.

    Huang et al. 2024, "The GAN is dead; long live the GAN!", let it rise from 0 in this way.
    """
    start = cfg.augment_p if cfg.augment_start is None else cfg.augment_start
    return lambda clock: half_cosine(start, cfg.augment_p, scheduled(cfg, clock))
