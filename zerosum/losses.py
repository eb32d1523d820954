"""What the discriminator and the generator minimise: functions of logits, each the mean over its batch.

`real` and `fake` are the discriminator's outputs ("logits") on real and generated items, any shape, averaged over all
elements. `real_label` is the target for real items, in (0, 1]: 0.9 is the one-sided label smoothing of Salimans et al.
2016 ("Improved Techniques for Training GANs", section 3.4); only losses that have a target take it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of one game."""

    d: Callable[[Tensor, Tensor, float], Tensor]  # (real, fake, real_label) -> scalar that D minimises
    g: Callable[[Tensor, Tensor], Tensor]  # (fake, real) -> scalar that G minimises
    g_sees_real: bool = False  # whether g looks at `real`; where it does not, callers may pass `fake` twice
    has_target: bool = True  # whether d takes a real_label other than 1
    undecided: float | None = 0.0  # the logit of an item as likely real as not; None where only differences say something


def logistic_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """-E[t log s(real) + (1 - t) log(1 - s(real))] - E[log(1 - s(fake))], s the sigmoid, t = real_label.

    The discriminator of Goodfellow et al. 2014 ("Generative Adversarial Nets", eq. 1), whose D is s(logit).
    """
    smoothed = softplus(-real) if real_label == 1 else real_label * softplus(-real) + (1 - real_label) * softplus(real)
    return smoothed.mean() + softplus(fake).mean()


def minimax_g(fake: Tensor, real: Tensor) -> Tensor:
    """E[log(1 - s(fake))]: the generator's side of eq. 1 of Goodfellow et al. 2014. Saturates where D is sure."""
    return -softplus(fake).mean()


def nonsaturating_g(fake: Tensor, real: Tensor) -> Tensor:
    """-E[log s(fake)]: the same fixed point with strong gradients early (Goodfellow et al. 2014, section 3)."""
    return softplus(-fake).mean()


def least_squares_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """(E[(real - b)^2] + E[fake^2]) / 2 with b = real_label (Mao et al. 2017, "Least Squares GANs", eq. 9: a=0, b=c=1)."""
    return ((real - real_label).square().mean() + fake.square().mean()) / 2


def least_squares_g(fake: Tensor, real: Tensor) -> Tensor:
    """E[(fake - 1)^2] / 2 (Mao et al. 2017, eq. 9)."""
    return (fake - 1).square().mean() / 2


def hinge_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """E[max(0, 1 - real)] + E[max(0, 1 + fake)] (Lim & Ye 2017, "Geometric GAN"; Miyato et al. 2018, eq. 16)."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def wasserstein_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """E[fake] - E[real]: minus the critic's estimate of the distance (Arjovsky et al. 2017, "Wasserstein GAN", eq. 3)."""
    return fake.mean() - real.mean()


def mean_g(fake: Tensor, real: Tensor) -> Tensor:
    """-E[fake]: the generator of Wasserstein and hinge games (Arjovsky et al. 2017, alg. 1; Miyato et al. 2018, eq. 17)."""
    return -fake.mean()


def relativistic_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """E[softplus(fake - real)] over pairs: "is this real item more real than this fake one?"

    Relativistic pairing GAN (Jolicoeur-Martineau 2018, "The relativistic discriminator", section 4.1, with f = softplus).
    `real` and `fake` have the same shape.
    """
    return softplus(fake - real).mean()


def relativistic_g(fake: Tensor, real: Tensor) -> Tensor:
    """E[softplus(real - fake)] over pairs (Jolicoeur-Martineau 2018, section 4.1)."""
    return softplus(real - fake).mean()


LossName = Literal["nonsaturating", "minimax", "least_squares", "hinge", "wasserstein", "relativistic"]


def adversarial_loss(name: LossName) -> AdversarialLoss:
    """Both sides of a game by its usual name."""
    table: dict[LossName, AdversarialLoss] = {
        "nonsaturating": AdversarialLoss(logistic_d, nonsaturating_g),
        "minimax": AdversarialLoss(logistic_d, minimax_g),
        "least_squares": AdversarialLoss(least_squares_d, least_squares_g, undecided=0.5),
        "hinge": AdversarialLoss(hinge_d, mean_g, has_target=False),
        "wasserstein": AdversarialLoss(wasserstein_d, mean_g, has_target=False, undecided=None),
        "relativistic": AdversarialLoss(relativistic_d, relativistic_g, g_sees_real=True, has_target=False, undecided=None),
    }
    return table[name]


def feature_matching(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean over layers of E|fake - real|: what a network's layers say of both, in pairs; gradients reach `fake` alone.

    Wang et al. 2018, "High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs", eq. 4.
    """
    return layer_differences(fake, real).mean()


def layer_differences(fake: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """E|fake - real| of each of a network's layers, [layers]; gradients reach `fake` alone."""
    return torch.stack([(a.float() - b.detach().float()).abs().mean() for a, b in zip(fake, real, strict=True)])
