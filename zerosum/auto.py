"""What to play on data about which the user said nothing: recipe and settings, with the reasons in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zerosum.data.source import Spec
from zerosum.machine import pick_device

FEW = 5_000
"""Images below which D would learn them by heart without augmentation (Karras et al. 2020, "Limited Data", figure 1)."""


@dataclass(frozen=True)
class Choice:
    """A recipe, the settings in which it should differ from its defaults, and why: a sentence each."""

    recipe: str
    settings: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()


def choose(spec: Spec, device: str = "auto") -> Choice:
    """The recipe and the settings for data of this kind, shape and number; `device`: auto, cpu, cuda, cuda:1, mps.

    Raises UserError where the device is not there.
    """
    if spec.private:
        return Choice("dptabular", why=("rows are private: noisy pairs of values for G, DP-SGD for D",))
    if spec.kind == "tables":
        return Choice("tabular", why=("a table: a game of single rows beside a distance of marginals of every order",))
    if spec.kind != "images":
        return _vectors(spec)
    if spec.given:
        return _pairs(spec, pick_device(device))
    if min(spec.shape[1:]) < 16:
        return _tiny(spec)
    return _images(spec) if pick_device(device) == "cpu" else _images_on_gpu(spec)


def _vectors(spec: Spec) -> Choice:
    if spec.classes:
        return Choice("cgan", why=(f"vectors in {spec.classes} classes: the classes steer the generator",))
    settings = {
        "loss": "relativistic",
        "penalty": "r1_r2",
        "penalty_weight": 0.02,
        "batch": 128,
        "width": 128,
        "z_dim": min(100, max(2, spec.shape[0])),
        "noise": "uniform",
        "lr_g": 2e-3,
        "lr_d": 2e-3,
        "beta1": 0.0,
        "beta2": 0.99,
        "lr_schedule": "cosine",
        "lr_decay_from": 0.4,
        "ema_halflife_kimg": 10.0,
    }
    return Choice("gan", settings, ("vectors without classes: a relativistic game with R1 and R2 drops no modes",))


def _pairs(spec: Spec, device: str) -> Choice:
    """What suits images that are to be made from images: matched or not, from one or from several."""
    names, side = " and ".join(spec.given), min(spec.shape[1:])
    size = f"{spec.shape[1]} x {spec.shape[2]} pixels"
    slow = "a processor: half of the paper's channels, for a quarter of the work"
    if not spec.matched:
        why = [f"{names} and {spec.made} are not matched: each way is learned so that it leads back"]
        return Choice("cyclegan", {"width": 32}, (*why, slow)) if device == "cpu" else Choice("cyclegan", why=tuple(why))
    if len(spec.given) > 1:
        return Choice("compose", why=(f"pairs with {len(spec.given)} inputs: {spec.made} is composed of {names}",))
    if side <= 64:
        return Choice("compose", why=(f"pairs with one input of {size}: compose's settings are for small images",))
    why = [f"pairs with one input: {spec.made} is made of {names}"]
    return Choice("pix2pix", {"width": 32}, (*why, slow)) if device == "cpu" else Choice("pix2pix", why=tuple(why))


def _tiny(spec: Spec) -> Choice:
    side = f"images of {spec.shape[1]} x {spec.shape[2]} pixels"
    if spec.classes:
        return Choice("cgan", why=(f"{side} in {spec.classes} classes: a small conditional pair",))
    return Choice("dcgan", why=(f"{side}: a small convolutional pair",))


def _images(spec: Spec) -> Choice:
    """Up to 32 pixels a side swift's own settings; beyond, those under which 64 x 64 characters stayed varied (docs/LOG.md)."""
    size = f"a processor and {spec.shape[1]} x {spec.shape[2]} pixels"
    if spec.shape[1] * spec.shape[2] <= 32**2:
        settings: dict[str, Any] = {"width": 64, "penalty_weight": 0.02}
        why = [f"{size}: 64 channels learn most in a given time", "R1 weight 0.02"]
    else:
        settings = {"width": 32, "finish": 16, "batch": 32, "lr_g": 4e-4, "lr_d": 4e-4}
        settings |= {"loss": "relativistic", "penalty": "r1_r2", "penalty_weight": 0.1, "penalty_every": 8}
        why = [
            f"{size}: 32 channels and batches of 32 learn most in a given time",
            "a relativistic game with R1 and R2 keeps images of this size varied; a last block at full size keeps them crisp",
        ]
    return Choice("swift", settings | _few(spec, why, "diffaugment" if "loss" in settings else "ada"), tuple(why))


def _images_on_gpu(spec: Spec) -> Choice:
    """StyleGAN2-ADA's own rule for gamma (Karras et al. 2020, appendix C), and its channels; 0.01 is its CIFAR-10 setting."""
    height, wide = spec.shape[1:]
    batch = 64 if max(height, wide) <= 64 else 32
    gamma = round(max(0.01, 2e-4 * height * wide / batch), 4)
    why = ["a GPU: stylegan2 at its authors' width", f"R1 weight {gamma:g} for {height} x {wide} pixels in batches of {batch}"]
    settings = {"width": 512, "full": 32, "z_dim": 512, "batch": batch, "penalty_weight": gamma}
    return Choice("stylegan2", settings | _few(spec, why, "ada"), tuple(why))


def _few(spec: Spec, why: list[str], way: str) -> dict[str, Any]:
    """`way`: adaptive augmentation steers by the sign of D's logits on real images; a relativistic game has no such sign."""
    if not 0 < spec.items < FEW:
        return {}
    kind = {"ada": "adaptive augmentation", "diffaugment": "augmentation"}[way]
    why.append(f"{spec.items:,} images are few: {kind} keeps D from learning them by heart")
    return {"augment": way}
