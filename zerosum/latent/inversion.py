"""Inversion: the point of which a generator makes about a given item.

By the game's encoder where it has one, and from there (or from the best of many drawn items) by descent on the point itself:
Zhu et al. 2016, "Generative Visual Manipulation on the Natural Image Manifold", sections 4.1 to 4.3. A styled generator has a
point for each layer (Abdal et al. 2019, "Image2StyleGAN": W+). Labels that are not given are found too, as shares of classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, pi

import torch
from torch import Tensor, nn

from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.latent.closeness import Home, alike, maps, pixels
from zerosum.latent.space import Space
from zerosum.sampling import draw


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How an item is inverted."""

    starts: int = 500  # drawn items, of which the nearest are where descent begins
    keep: int = 4  # so many of them, for each item; the best at the end is the answer
    steps: int = 200  # of descent; 0: the encoder's answer, or the nearest drawn item
    lr: float = 0.1  # Adam's learning rate at the start, in spreads of points; it falls to 0 by a half cosine
    features: float = 0.02  # weight of the distance between what D's layers see; 0: pixels alone
    prior: float = 0.002  # weight of leaving the place where the generator was trained, and of layers leaving each other
    every: int = 10  # steps between reports
    seed: int = 0  # of the drawn items


@dataclass(frozen=True)
class Inverted:
    """What has been found so far, on the CPU."""

    share: float  # of the work that is done, in (0, 1]
    points: Tensor  # [n, layers, dim]
    rest: Batch  # y: shares of classes [n, classes], where the generator takes labels beside points
    x: Tensor  # the items made of them, in model space
    error: Tensor  # mean squared difference to the wanted items in model space, [n]


def invert(space: Space, x: Tensor, cfg: Settings | None = None, y: Tensor | None = None) -> Iterator[Inverted]:
    """Points that make items like x [n, ...] (model space), step by step: stop taking them to cancel; the last is the answer.

    `y`: the items' labels, int64 [n]; found where not given. The same x and settings give the same answer. Between two
    reports nothing is held, so that others can use the generator. Raises UserError where the generator makes items of another
    shape, or a setting is out of range.
    """
    cfg = cfg or Settings()
    if tuple(x.shape[1:]) != tuple(space.sampler.spec.shape):
        raise UserError(f"items of shape {tuple(x.shape[1:])}: this generator makes {tuple(space.sampler.spec.shape)}")
    for name, least in (("starts", 1), ("keep", 1), ("steps", 0), ("every", 1), ("features", 0), ("prior", 0), ("seed", 0)):
        if getattr(cfg, name) < least:
            raise UserError(f"{name} {getattr(cfg, name)}: must be {least} or more")
    return _descent(space, x.float(), cfg, y)


def last(space: Space, x: Tensor, cfg: Settings | None = None, y: Tensor | None = None) -> Inverted:
    """The answer alone."""
    *_, found = invert(space, x, cfg, y)
    return found


def _descent(space: Space, x: Tensor, cfg: Settings, y: Tensor | None) -> Iterator[Inverted]:
    points, labels = _encoded(space, x, y) if space.game.encode is not None else _nearest(space, x, cfg, y)
    keep = len(points) // len(x)
    place = space.sampler.run.pace.device
    wanted, home = x.repeat_interleave(keep, 0).to(place), Home.of(space)
    home = Home(home.middle.to(place), home.spread.to(place))
    unit = ((points.to(place) - home.middle) / home.spread).requires_grad_(True)  # so that one learning rate suits every space
    moved = [unit]
    logits: Tensor | None = None
    if labels is not None and y is None and cfg.steps:  # labels that are known stay as they are
        logits = (labels.to(place) + 1e-2).log().requires_grad_(True)
        moved.append(logits)

    def rest() -> Batch:
        return {} if labels is None else {"y": labels.to(place) if logits is None else logits.softmax(1)}

    optim = torch.optim.Adam(moved, lr=cfg.lr)
    yield _report(space, x, unit, rest(), home, keep, 0.0 if cfg.steps else 1.0)
    for begin in range(0, cfg.steps, cfg.every):
        with space.sampler.run.shown() as nets:
            seen = maps(space, nets, wanted) if cfg.features else []
            for step in range(begin, min(begin + cfg.every, cfg.steps)):
                optim.param_groups[0]["lr"] = cfg.lr * (1 + cos(pi * step / cfg.steps)) / 2
                with torch.enable_grad():
                    loss = _loss(space, nets, wanted, seen, unit, rest(), home, cfg)
                for tensor, slope in zip(moved, torch.autograd.grad(loss, moved), strict=True):
                    tensor.grad = slope
                optim.step()
        yield _report(space, x, unit, rest(), home, keep, min(1.0, (begin + cfg.every) / cfg.steps))


def _loss(
    space: Space,
    nets: nn.ModuleDict,
    wanted: Tensor,
    seen: list[Tensor],
    unit: Tensor,
    rest: Batch,
    home: Home,
    cfg: Settings,
) -> Tensor:
    points = home.middle + unit * home.spread
    made = space.paint(nets, points, rest)
    terms = pixels(made, wanted) + cfg.prior * home.distance(points)
    return (terms + cfg.features * alike(maps(space, nets, made), seen) if seen else terms).sum()


@torch.no_grad()
def _report(space: Space, x: Tensor, unit: Tensor, rest: Batch, home: Home, keep: int, share: float) -> Inverted:
    """The best of the points kept for each item."""
    points = (home.middle + unit * home.spread).cpu()
    rest = {name: value.detach().cpu() for name, value in rest.items()}
    made = space.leave(points, rest)
    error = pixels(made, x.repeat_interleave(keep, 0))
    best = torch.arange(len(x)) * keep + error.view(-1, keep).argmin(1)
    return Inverted(share, points[best], {name: value[best] for name, value in rest.items()}, made[best], error[best])


def _encoded(space: Space, x: Tensor, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The encoder's points [n, layers, dim], and shares of classes where it gives labels or they are known."""
    assert space.game.encode is not None
    with space.sampler.run.shown() as nets:
        inputs = {name: value.cpu() for name, value in space.game.encode(nets, x.to(space.sampler.run.pace.device)).items()}
    labels = inputs.get("y") if y is None else y
    return space.enter(inputs), None if labels is None else _shares(labels, space.sampler.spec.classes)


def _nearest(space: Space, x: Tensor, cfg: Settings, y: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The points of the drawn items nearest to each x, [n * keep, layers, dim], and their labels as shares of classes.

    Where labels are known all items are drawn with them, label by label.
    """
    inputs = draw(space.game, cfg.starts, cfg.seed)
    labelled = "y" in inputs
    keep = min(cfg.keep, cfg.starts)
    groups = y.unique().tolist() if y is not None and labelled else [None]
    points = torch.zeros(len(x), keep, space.layers, space.dim)
    labels = torch.zeros(len(x), keep, dtype=torch.int64)
    for label in groups:
        if label is not None:
            inputs = inputs | {"y": torch.full((cfg.starts,), int(label))}
        drawn = space.enter(inputs)
        made = space.leave(drawn, inputs).flatten(1)
        mine = torch.arange(len(x)) if label is None or y is None else (y == label).nonzero().flatten()
        near = torch.cdist(x[mine].flatten(1), made).topk(keep, 1, largest=False).indices
        points[mine] = drawn[near]
        if labelled:
            labels[mine] = inputs["y"][near]
    beside = labelled and space.game.styles is None  # styles hold their label already
    return points.flatten(0, 1), _shares(labels.flatten(), space.sampler.spec.classes) if beside else None


def _shares(labels: Tensor, classes: int) -> Tensor:
    return labels if labels.is_floating_point() else nn.functional.one_hot(labels, classes).float()
