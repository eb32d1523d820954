"""Latent: points of a generator's latent space, and the pictures that they give."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from torch import Tensor

from zerosum.data import modality
from zerosum.errors import UserError
from zerosum.explore.library import Library
from zerosum.explore.numbers import floats
from zerosum.explore.offer import Offer
from zerosum.explore.only import only
from zerosum.explore.pixels import rgba
from zerosum.explore.spaces import Spaces
from zerosum.explore.steering import Steering
from zerosum.latent import directions as ways
from zerosum.latent.about import about
from zerosum.latent.directions import Direction
from zerosum.latent.space import Space
from zerosum.provenance import mark
from zerosum.web.trouble import TooMuch
from zerosum.web.uploads import Body, png

TITLE, PLACE = "Latent", 2
MOST_ITEMS = 64
"""In one request,"""
MOST_PIXELS = 2**24
"""and their pixels together; one picture of 4096 x 4096 is as many."""
BYTES = "application/octet-stream"
Count = Annotated[int, Query(ge=1, le=MOST_ITEMS)]
Seed = Annotated[int, Field(ge=0, lt=2**53)]


class Seeds(BaseModel):
    """What to enter the space with."""

    seeds: list[Seed] = Field(min_length=1, max_length=MOST_ITEMS)
    labels: list[Annotated[int, Field(ge=0, lt=2**31)]] | None = None  # a class for each seed, where the run has classes


class Tagged(Seeds):
    """Items that somebody has looked at, by their seeds, and which of them have what the tag names."""

    name: str = Field(max_length=80)
    tags: list[bool] = Field(max_length=MOST_ITEMS)


def offers(offer: Offer) -> bool:
    """Runs that make images of noise."""
    return offer.trained and offer.samples and offer.spec.kind == "images" and len(offer.spec.shape) == 3


def entered(space: Space, asked: Seeds) -> Tensor:
    """Points [n, layers, dim] of seeds: what `zerosum sample -n 1 --seed SEED --label LABEL` begins from.

    Raises UserError where labels are missing or there is no such class.
    """
    sampler = space.sampler
    labels: list[int | None] = [None] * len(asked.seeds)
    if sampler.labelled:
        if asked.labels is None or len(asked.labels) != len(asked.seeds):
            raise UserError(f"this run has {sampler.spec.classes} classes: send a label for each seed")
        labels = [*asked.labels]
    drawn = [sampler.inputs(1, seed, label) for seed, label in zip(asked.seeds, labels, strict=True)]
    return space.enter({name: torch.cat([one[name] for one in drawn]) for name in drawn[0]})


def rendered(space: Space, body: bytes, n: int) -> Tensor:
    """The items [n, c, h, w] of a body: points [n, layers, dim], then shares of classes [n, classes] where those steer.

    Raises UserError where the body holds something else, TooMuch where so many pictures are too many pixels.
    """
    spec, sampler = space.sampler.spec, space.sampler
    if n * spec.shape[1] * spec.shape[2] > MOST_PIXELS:
        most = MOST_PIXELS // (spec.shape[1] * spec.shape[2])
        raise TooMuch(f"{n} pictures of {spec.shape[2]} x {spec.shape[1]} pixels: ask for at most {most} at once")
    classes = spec.classes if sampler.labelled and not space.styled else 0
    points, shares = floats(body, (n, space.layers, space.dim), (n, classes))
    if classes and (bool((shares < -1e-4).any()) or bool(((shares.sum(1) - 1).abs() > 1e-3).any())):
        raise UserError("shares of classes must be 0 or more, and 1 together")
    return space.leave(points, {"y": shares} if classes else {})


def router(library: Library) -> APIRouter:
    """Paths."""
    routes, spaces, steering = (
        APIRouter(prefix="/api/run/{name}/latent", dependencies=[only(library, TITLE, offers)]),
        Spaces(library),
        Steering(library),
    )

    @routes.get("/about")
    def describe(name: str) -> dict[str, Any]:
        recipe = str(library.folder(name).config.get("recipe", ""))
        with spaces.open(name) as space:
            return about(space, recipe) | {"most": {"items": MOST_ITEMS, "pixels": MOST_PIXELS}}

    @routes.post("/enter")
    def enter(name: str, asked: Seeds) -> Response:
        with spaces.open(name) as space:
            return Response(entered(space, asked).numpy().astype("<f4").tobytes(), media_type=BYTES)

    @routes.post("/render")
    def render(name: str, body: Body, n: Count) -> Response:
        with spaces.open(name) as space:
            x = rendered(space, body, n)
        return Response(rgba(x), media_type=BYTES)

    @routes.post("/picture")
    def picture(name: str, body: Body, made: Annotated[str, Query(max_length=10_000)] = "{}") -> Response:
        with spaces.open(name) as space:
            x = rendered(space, body, 1)
            items = modality(space.sampler.spec).decode(x, space.sampler.spec)
            origin = replace(space.sampler.origin(), act="explore", seeds=", ".join(map(str, seeds_of(made))) or None)
        return Response(mark(png(items[0]), origin), media_type="image/png")

    @routes.post("/taught")
    def taught(name: str, tagged: Tagged) -> dict[str, Any]:
        with spaces.open(name) as space:
            if len(tagged.tags) != len(tagged.seeds):
                raise UserError(f"{len(tagged.tags)} tags for {len(tagged.seeds)} seeds: send one for each")
            return plain(ways.boundary(space, entered(space, tagged), torch.tensor(tagged.tags), tagged.name or "tagged"))

    @routes.get("/directions")
    def directions(name: str) -> list[dict[str, Any]]:
        with spaces.open(name) as space:
            return [plain(one) for one in steering(name, space)]

    return routes


def seeds_of(made: str) -> list[int]:
    """The seeds that a page says a picture was made of; none where it says nothing that makes sense."""
    try:
        found = json.loads(made)
    except (ValueError, RecursionError):
        return []
    seeds = found.get("seeds") if isinstance(found, dict) else None
    return [seed for seed in seeds if type(seed) is int and 0 <= seed < 2**53][:8] if isinstance(seeds, list) else []


def plain(one: Direction) -> dict[str, Any]:
    """A direction as the browser takes it."""
    values = {"name": one.name, "method": one.method, "sigma": one.sigma, "layers": [one.first, one.last]}
    return values | {"vector": one.vector.tolist()}
