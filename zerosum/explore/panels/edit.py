"""Edit: a picture that somebody brings is found in the latent space, and steered there."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import torch
from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field
from torch import Tensor

from zerosum.data import modality
from zerosum.errors import UserError
from zerosum.explore.desk import Desk, Tell
from zerosum.explore.edits import Edit, Edits
from zerosum.explore.fit import as_item
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.explore.only import only
from zerosum.explore.spaces import Spaces
from zerosum.explore.steering import Steering
from zerosum.latent.inversion import Settings, invert
from zerosum.latent.space import Space
from zerosum.provenance import mark
from zerosum.web import uploads
from zerosum.web.trouble import Busy

TITLE, PLACE = "Edit", 3
MOST_PIXELS = 2**20
"""Of the run's own images: larger ones would take hours to invert without a GPU."""
FARTHEST = 6.0
"""Sigmas along a direction."""
Step = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Label = Annotated[int | None, Query(ge=0, lt=2**31)]


class Wish(BaseModel):
    """How an inverted item is moved."""

    steps: Annotated[list[Step], Field(max_length=256)] = []  # sigmas along each of the work's directions, in order
    label: Annotated[int | None, Field(ge=0, lt=2**31)] = None  # the class it becomes one of; none: as it is


def offers(offer: Offer) -> bool:
    """Runs that make images of noise."""
    fits = offer.spec.kind == "images" and len(offer.spec.shape) == 3 and offer.spec.shape[0] in (1, 3, 4)
    return offer.trained and offer.samples and fits


def settings(space: Space) -> Settings:
    """As much as a processor does in about half a minute: fewer starts and steps where images are large."""
    _, height, width = space.sampler.spec.shape
    if height * width > MOST_PIXELS:
        raise UserError(f"this run makes images of {width} x {height} pixels: they are too large to be inverted here")
    small = height * width <= 64 * 64
    return Settings() if small else Settings(starts=64, keep=1, steps=120, every=2)


def router(library: Library) -> APIRouter:
    """Paths."""
    routes, desk, edits = APIRouter(prefix="/api/run/{name}/edit", dependencies=[only(library, TITLE, offers)]), Desk(), Edits()
    spaces, steering = Spaces(library), Steering(library)

    @routes.get("")
    def about(name: str) -> dict[str, Any]:
        with spaces.open(name) as space:
            spec, sampler = space.sampler.spec, space.sampler
            settings(space)
            names = [*spec.names, *(str(y) for y in range(len(spec.names), spec.classes))] if sampler.labelled else []
            return {
                "shape": list(spec.shape),
                "classes": names,
                "morphs": bool(names) and not space.styled,  # of styles a class is part
                "encodes": space.game.encode is not None,
                "farthest": 4,
                "most": {"bytes": 32 * 2**20, "pixels": uploads.MOST_PIXELS},
            }

    @routes.post("/works")
    def begin(name: str, shown: uploads.Upload, label: Label = None) -> dict[str, str]:
        with spaces.open(name) as space:
            y = None if label is None else torch.tensor([_known(space, label)])
            item, way = as_item(shown, space.sampler.spec), settings(space)
            edit = Edit(name, item, space, steering(name, space))

        def task(tell: Tell) -> bytes:
            reports = invert(edit.space, edit.wanted, way, y)
            tell(0, way.steps)
            while True:
                with spaces.open(name):  # between two reports others may use the generator
                    if (found := next(reports, None)) is None:
                        break
                    edit.found = found
                tell(round(found.share * way.steps), way.steps)
            return b"found"

        number = desk.begin(name, task)
        edits.keep(number, edit)
        return {"id": number}

    @routes.get("/works/{number}")
    def look(name: str, number: str) -> dict[str, Any]:
        work, edit = desk.look(name, number), edits.take(name, number)
        ways = [{"name": one.name, "method": one.method} for one in edit.directions]
        told = {"state": work.state, "done": work.done, "of": work.of, "error": work.error}
        return told | {"decibels": edit.decibels, "directions": ways}

    @routes.post("/works/{number}/cancel")
    def cancel(name: str, number: str) -> dict[str, str]:
        work = desk.look(name, number)
        work.unwanted.set()
        return {"state": work.state}

    @routes.get("/works/{number}/wanted")
    def wanted(name: str, number: str) -> Response:
        edit = edits.take(name, number)
        return Response(_png(edit.space, edit.wanted), media_type="image/png")

    @routes.get("/works/{number}/picture")
    def so_far(name: str, number: str) -> Response:
        edit = edits.take(name, number)
        return Response(_marked(edit, edit.so_far().x), media_type="image/png")

    @routes.post("/works/{number}/edited")
    def edited(name: str, number: str, wish: Wish) -> Response:
        edit = edits.take(name, number)
        if desk.look(name, number).state == "at work":
            raise Busy(f"{name} is still looking for this picture: wait for it")
        if wish.label is not None:
            _known(edit.space, wish.label)
        with library.sampler(name):
            x = edit.moved(wish.steps, wish.label)
        return Response(_marked(edit, x), media_type="image/png")

    return routes


def _known(space: Space, label: int) -> int:
    classes = space.sampler.spec.classes if space.sampler.labelled else 0
    if label >= classes:
        have = f"the classes are 0 to {classes - 1}" if classes else "this run has no classes"
        raise UserError(f"label {label}: {have}")
    return label


def _png(space: Space, x: Tensor) -> bytes:
    spec = space.sampler.spec
    return uploads.png(modality(spec).decode(torch.nan_to_num(x), spec)[0])


def _marked(edit: Edit, x: Tensor) -> bytes:
    """A PNG that says what made it: every pixel is the generator's, after a picture that was given."""
    return mark(_png(edit.space, x), replace(edit.space.sampler.origin(), act="edit"))
