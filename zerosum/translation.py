"""The game of pairs: G makes an image from an image, D judges it beside what it was made from.

Isola et al. 2017, "Image-to-Image Translation with Conditional Adversarial Networks", eqs. 1 to 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from zerosum import noise
from zerosum.augment import augmentation, augmented, observed
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch, Clock, Game, Maps, Terms, Turn
from zerosum.layers.jitter import jittered
from zerosum.layers.norm import NormName
from zerosum.layers.spectral import spectral
from zerosum.layers.windows import windows
from zerosum.losses import adversarial_loss, layer_differences
from zerosum.nets import patch, perceptual
from zerosum.nets.unet import UNet, most_downs
from zerosum.parts import Settings, check, ema, need_images, noisy, player_d, player_g, smoothness
from zerosum.penalties import Critic


@dataclass(frozen=True, kw_only=True)
class PairSettings(Settings):
    """What recipes of pairs understand beside the rest. There is no noise vector: z_dim and noise do nothing."""

    adversarial: float = 1.0  # weight of what D says of the outputs; 0: no D at all, its feature maps neither: plain regression
    l1_weight: float = 100.0  # weight of the mean absolute difference from the wanted output
    match_weight: float = 0.0  # weight of the same difference between D's feature maps of the two
    features: str = ""  # file of a network whose features of the two count too (a MobileNetV2 trunk, .npz); "": none
    feature_weight: float = 10.0  # weight of the distance of those features
    pixel_share: float = 0.0  # share of training, from its start, in which l1_weight alone counts, before D and features join
    norm_g: NormName = "instance"  # norm of G's feature maps
    norm_d: NormName = "instance"  # norm of D's; a penalty on each item's gradient forbids batch
    downs: int = 0  # how often G halves the image; 0: until its shorter side is a pixel, 8 times at most
    n_layers: int = 0  # how often D halves what it judges the patches of; 0: 3 times from 128 pixels on, 2 from 64, else 1
    dropout: float = 0.0  # share dropped in G's first three doublings, in training
    blocks: int = 0  # residual blocks after each of G's doublings but the last
    finish: int = 0  # channels of a last stage of G at full size, which sees the input; 0: none
    zoom: float = 1.0  # pairs are enlarged by this and cut back at random; the paper: 1.117
    judged: int = 0  # side of the part, drawn at random, of each pair that D and features look at; 0: all of it


def pair_maps(spec: Spec) -> Maps:
    """Inputs as the data have them. Raises UserError where they are not of the output's size."""
    for name, (_, *size) in spec.given.items():
        if tuple(size) != spec.shape[1:]:
            sizes = f"{name} of {size[0]} x {size[1]} pixels, {spec.made or 'output'} of {spec.shape[1]} x {spec.shape[2]}"
            raise UserError(f"{sizes}: inputs and output must be of one size, so give --size")
    names, channels = tuple(spec.given), tuple(shape[0] for shape in spec.given.values())
    ask = lambda batch: {"a": batch["a"]}
    return Maps(ask, names, channels, (spec.shape[1], spec.shape[2]), made=spec.made or "output")


def judged_shape(spec: Spec, recipe: str, n_layers: int = 0) -> tuple[int, ...]:
    """The outputs' shape (channels, height, width), or UserError where they are no images or hold no patch to judge.

    `n_layers`: how often D halves them; 0: as often as suits them, at least once.
    """
    shape, least = need_images(spec, recipe), patch.least(n_layers or 1)
    if min(shape[1:]) < least:
        with_layers = f" with n_layers {n_layers}" if n_layers > 1 else ""
        have, wish = f"{shape[1]} x {shape[2]}", "lower it, or give --size" if with_layers else "give --size"
        judged = f"recipe {recipe} judges patches of {least} x {least} pixels or more{with_layers}"
        raise UserError(f"{judged}, and these images are {have}: {wish}")
    return shape


def looked_at(cfg: PairSettings, spec: Spec) -> tuple[int, int]:
    """Height and width of the part of each pair that D and features look at."""
    height, width = spec.shape[1:]
    return cfg.judged or height, cfg.judged or width


def networks(cfg: PairSettings, spec: Spec, maps: Maps, recipe: str) -> tuple[UNet, patch.Discriminator | None]:
    """The paper's U-Net, and its PatchGAN where the game is adversarial. Raises UserError where images are too small."""
    shape = judged_shape(spec, recipe, cfg.n_layers)
    before, height, width = sum(maps.channels), *maps.tile
    downs = cfg.downs or most_downs(height, width)
    G = UNet(before, shape[0], downs, cfg.width, cfg.norm_g, cfg.dropout, cfg.blocks, cfg.finish)
    if not cfg.adversarial:
        return G, None
    n_layers = cfg.n_layers or patch.layers_for(*looked_at(cfg, spec))
    return G, patch.Discriminator(before + shape[0], n_layers, cfg.width, cfg.norm_d)


def translation(cfg: PairSettings, spec: Spec, maps: Maps, G: nn.Module, D: patch.Discriminator | None) -> Game:
    """G's turn, then D's (n_critic times, the first of them on what G made): both see the input. Without D, G's turn alone.

    G minimises `adversarial` times what D says, `l1_weight` times the mean absolute difference (eqs. 3 and 4) and
    `match_weight` times the same of D's feature maps, summed over its stages (Wang et al. 2018, "High-Resolution Image
    Synthesis and Semantic Manipulation with Conditional GANs", eq. 4). With or without D, the distance of the features of
    a network's file counts too where `features` names one (`zerosum.nets.perceptual`). D and that network look at a part of
    `judged` pixels a side: both say of each place what is around it, so a part says it of less, sooner. Until `pixel_share`
    of the training is done there is the difference alone. Raises UserError where the first two are 0.
    """
    check(cfg)
    if not cfg.adversarial + cfg.l1_weight:
        raise UserError("adversarial and l1_weight are both 0: G would learn nothing, so give one of them")
    if cfg.dropout >= 1:
        raise UserError(f"dropout {cfg.dropout}: must be below 1")
    if cfg.norm_d == "batch" and cfg.penalty != "none":
        raise UserError(
            f"norm_d batch mixes the items of a batch, and penalty {cfg.penalty} takes each alone: take instance or none"
        )
    if cfg.judged and not patch.least(cfg.n_layers or 1) <= cfg.judged <= min(spec.shape[1:]):
        sizes = f"from {patch.least(cfg.n_layers or 1)} to the {min(spec.shape[1:])} of the images' shorter side"
        raise UserError(f"judged {cfg.judged}: take 0 for whole images, or pixels {sizes}")
    if cfg.pixel_share >= 1 or (cfg.pixel_share and not cfg.l1_weight):
        raise UserError(f"pixel_share {cfg.pixel_share}: must be below 1, and G needs an l1_weight to learn from then")
    part, loss = looked_at(cfg, spec), adversarial_loss(cfg.loss)
    if D is not None and cfg.spectral_norm:
        spectral(D)

    def seen(batch: Batch) -> tuple[Tensor, Tensor]:
        a, x = jittered(maps.ask(batch)["a"], batch["x"], zoom=cfg.zoom)
        return a, x  # of one row the same place

    def shown(nets: nn.ModuleDict, a: Tensor, x: Tensor, clock: Clock) -> Tensor:
        return noisy(cfg, augmented(nets, torch.cat([a, x.float()], 1), clock), clock)

    def judge(nets: nn.ModuleDict, pair: Tensor) -> tuple[list[Tensor], Tensor]:
        """(D's feature maps, where they are compared; its logits)."""
        net = nets["D"]
        assert isinstance(net, patch.Discriminator)
        return net.maps(pair) if cfg.match_weight else ([], net(pair))

    def critic(nets: nn.ModuleDict, a: Tensor, clock: Clock) -> Critic:
        return lambda x: patch.each(nets["D"](augmented(nets, torch.cat([a, x], 1), clock)))

    def d_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if clock.progress < cfg.pixel_share:
            return {}
        if "made" in batch:
            a, x, made = batch["asked"], batch["wanted"], batch["made"]
        else:
            a, x = seen(batch)
            made = nets["G"](a)
        a, x, made = windows(*part, a, x, made)
        real, fake = nets["D"](shown(nets, a, x, clock)), nets["D"](shown(nets, a, made, clock))
        terms = {"adv": loss.d(real, fake, cfg.real_label)} | smoothness(cfg, critic(nets, a, clock), x, made, clock)
        watched = {"logit_real": real.mean().detach(), "logit_fake": fake.mean().detach()}
        return terms | watched | observed(nets, real, clock)

    def g_turn(nets: nn.ModuleDict, batch: Batch, clock: Clock) -> Terms:
        if cfg.features:
            perceptual.check(nets["features"])
        a, x = seen(batch)
        made = nets["G"](a).float()
        batch |= {"asked": a, "wanted": x, "made": made.detach()}
        terms: Terms = {"l1": cfg.l1_weight * l1_loss(made, x)} if cfg.l1_weight else {}
        if clock.progress < cfg.pixel_share:
            return terms
        a, x, made = windows(*part, a, x, made)
        if cfg.features:
            terms["features"] = cfg.feature_weight * nets["features"](made, x)
        if D is None:
            return terms
        stands = noise.mark(made.device)
        found, fake = judge(nets, shown(nets, a, made, clock))
        wanted, real = found, fake
        if cfg.match_weight or loss.g_sees_real:
            noise.back_to(stands, made.device)  # both augmented alike, or their maps would lie beside each other
            with torch.no_grad():
                wanted, real = judge(nets, shown(nets, a, x, clock))
        if cfg.adversarial:
            terms["adv"] = cfg.adversarial * loss.g(fake, real)
        if cfg.match_weight:
            terms["match"] = cfg.match_weight * layer_differences(found, wanted).sum()
        return terms

    judged: dict[str, nn.Module] = perceptual.beside(cfg.features, spec.shape[0])
    judged |= {} if D is None else {"D": D, **augmentation(cfg, spec)}
    g = Turn("G", g_turn)
    return Game(
        nets={"G": G, **judged},
        players={"G": player_g(cfg, "G")} | ({} if D is None else {"D": player_d(cfg, "D")}),
        turns=(g,) if D is None else (g, Turn("D", d_turn, repeat=cfg.n_critic)),
        draw=lambda n: {},
        generate=lambda nets, batch: nets["G"](batch["a"]),
        ema=ema(cfg, "G"),
        maps=maps,
        phases=(cfg.pixel_share,) if cfg.pixel_share and (D is not None or cfg.features) else (),
    )
