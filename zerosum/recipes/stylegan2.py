"""StyleGAN2: styles steer every layer of the generator; truncation, mixing of styles, smooth paths between images.

Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN"; settings and labels of Karras et al. 2020,
"Training Generative Adversarial Networks with Limited Data" (StyleGAN2-ADA).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from zerosum import parallel
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Styles, Terms, Turn
from zerosum.nets.stylegan2 import Discriminator, Generator
from zerosum.pair import pair
from zerosum.parts import Settings, need_images, player_d, player_g, prior
from zerosum.penalties import PenaltyName, path_lengths


@dataclass(frozen=True, kw_only=True)
class Config(Settings):
    """StyleGAN2's settings: those of its authors for small images, on narrower networks so that a laptop can train them."""

    z_dim: int = 128  # numbers in a noise vector, and in a style (the paper: 512)
    width: int = 128  # most channels of a layer, at sizes up to `full` pixels, a multiple of 8 (the paper: 512)
    full: int = 8  # side in pixels beyond which layers have half the channels of the size before (the paper: 32 or 64)
    mapping_depth: int = 2  # layers between noise and style (the paper: 8; 2 in later work)
    mixing: float = 0.9  # share of training items with the styles of two noise vectors
    conditional: bool = True  # labels, where the data have them, steer G and inform D
    group: int = 4  # items whose spread D is shown
    penalty: PenaltyName = "r1"  # penalty on D's gradient with respect to its input
    penalty_weight: float = 0.01  # weight of the penalty: gamma; about 0.0002 * height * width / batch
    penalty_every: int = 16  # steps between penalties, turns of their own; the weight is multiplied by it
    path_weight: float = 2.0  # weight of path length regularisation; 0: none
    path_every: int = 4  # steps between its turns, on half the batch; the weight is multiplied by it
    path_decay: float = 0.01  # share of a new batch in the running mean of path lengths
    lr_g: float = 2.5e-3  # G's learning rate
    lr_d: float = 2.5e-3  # D's learning rate
    beta1: float = 0.0  # Adam's decay of the mean gradient, both sides
    beta2: float = 0.99  # Adam's decay of the mean squared gradient, both sides
    ema_halflife_kimg: float = 20.0  # half-life of G's moving average, in thousands of items; 0: no average


class PathMean(nn.Module):
    """The running mean of path lengths, over all ranks."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))

    def follow(self, lengths: Tensor, share: float) -> None:
        """Move towards this batch's mean."""
        self.mean.lerp_(parallel.mean(lengths.detach().mean()), share)


def lazily(cfg: Config, every: int) -> Config:
    """Adam's settings for a player with a turn more every so many steps: c = every / (every + 1) of its learning rates, and
    its decays to the power of c, so that they mean the same in items (Karras et al. 2020, appendix B)."""
    c = every / (every + 1)
    start = None if cfg.beta2_start is None else cfg.beta2_start**c
    return replace(cfg, lr_g=cfg.lr_g * c, lr_d=cfg.lr_d * c, beta1=cfg.beta1**c, beta2=cfg.beta2**c, beta2_start=start)


def path_turn(cfg: Config, labelled: bool) -> Turn:
    """G's turn towards paths of one length: (||J_w^T y|| - a)^2, a their running mean (Karras et al. 2020, eq. 4)."""
    z_for = prior(cfg)

    def loss(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        G, path = cast(Generator, nets["G"]), cast(PathMean, nets["path"])
        half = {name: value[::2] for name, value in batch.items()}  # every second row: the same rows on 1 rank and on 2
        z = z_for(half["x"])
        grain = G.grain(len(z), z.device)
        lengths = path_lengths(lambda w: G.synthesis(w, grain), G.styles(z, *([half["y"]] if labelled else [])))
        path.follow(lengths, cfg.path_decay)
        term = cfg.path_weight * cfg.path_every * (lengths - path.mean).square().mean()
        return {"path": term, "path_length": lengths.mean().detach()}

    return Turn("G", loss, every=cfg.path_every)


def build(cfg: Config, spec: Spec) -> Game:
    """The game on images of any size. Raises UserError where a setting is out of range."""
    shape = need_images(spec, "stylegan2", least=4)
    if cfg.width % 8:
        raise UserError(f"width {cfg.width}: stylegan2 takes multiples of 8")
    if cfg.spectral_norm:
        raise UserError("spectral_norm does nothing to stylegan2, whose weights are scaled as they are used: leave it out")
    for name in ("full", "mapping_depth", "group", "path_every"):
        if getattr(cfg, name) < 1:
            raise UserError(f"{name} {getattr(cfg, name)}: must be 1 or more")
    for name in ("mixing", "path_decay"):
        if getattr(cfg, name) > 1:
            raise UserError(f"{name} {getattr(cfg, name)}: must be at most 1")
    classes = spec.classes if cfg.conditional else 0
    G = Generator(shape, cfg.z_dim, cfg.width, cfg.full, cfg.mapping_depth, classes, cfg.mixing, prior(cfg))
    D = Discriminator(shape, cfg.width, cfg.full, cfg.group, cfg.mapping_depth, classes)
    game = pair(cfg, spec, G, D, labelled=classes > 0, lazy=True)
    paths = cfg.path_weight > 0

    def draw(n: int) -> Batch:
        inputs = game.draw(n)
        off = {"truncation": torch.ones(n), "z_fine": inputs["z"].clone(), "fine_from": torch.full((n,), G.layers)}
        return inputs | off

    def enter(nets: nn.ModuleDict, inputs: Batch) -> Tensor:
        y = inputs["y"] if classes else None
        return cast(Generator, nets["G"]).styles(
            inputs["z"], y, inputs["truncation"], inputs.get("z_fine"), inputs.get("fine_from")
        )

    def paint(nets: nn.ModuleDict, w: Tensor) -> Tensor:
        return cast(Generator, nets["G"]).painted(w)

    return replace(
        game,
        nets={**game.nets, **({"path": PathMean()} if paths else {})},
        players={
            "D": player_d(lazily(cfg, cfg.penalty_every) if cfg.penalty != "none" else cfg, "D"),
            "G": player_g(lazily(cfg, cfg.path_every) if paths else cfg, "G"),
        },
        turns=(*game.turns, *([path_turn(cfg, classes > 0)] if paths else [])),
        draw=draw,
        generate=lambda nets, inputs: paint(nets, enter(nets, inputs)),
        styles=Styles(G.layers, enter, paint, lambda nets: cast(Generator, nets["G"]).w_mean),
    )
