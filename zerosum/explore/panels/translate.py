"""Translate, or repair: pictures from pictures of any size, with progress, that can be given up."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter
from fastapi.responses import Response
from PIL import Image
from pydantic import BaseModel, Field

from zerosum.data.decoder import fitted
from zerosum.errors import UserError
from zerosum.explore.desk import Desk, Tell, Tray
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.explore.only import only
from zerosum.pictures import Picture
from zerosum.provenance import mark
from zerosum.translate import Translator, as_mask
from zerosum.web import uploads
from zerosum.web.trouble import Busy, TooMuch

TITLE, PLACE = "Translate", 50
MOST_MADE = 50_000_000
"""Pixels of a picture that is made."""
WAYS = Literal["a2b", "b2a"]


class Wish(BaseModel):
    """What is asked of one translation."""

    pictures: Annotated[dict[str, str], Field(max_length=64)]  # the inputs' names -> numbers of pictures laid down
    direction: WAYS = "a2b"
    mask: str | None = None  # number of a picture laid down: white where pixels are to be made
    fit: bool = False  # whether pictures are brought to the size of training first


def offers(offer: Offer) -> bool:
    """Runs that make images from images."""
    return offer.maps


def router(library: Library) -> APIRouter:
    """Paths."""
    routes, desk, tray = (
        APIRouter(prefix="/api/run/{name}/translate", dependencies=[only(library, TITLE, offers)]),
        Desk(),
        Tray(),
    )

    @routes.get("")
    def about(name: str) -> dict[str, Any]:
        with library.sampler(name) as sampler:
            maps, spec = sampler.maps, sampler.spec
            if maps is None:
                raise UserError(f"{name} makes new items from noise and takes no pictures")
            ways = {"a2b": Translator(sampler, "a2b", name=name)}
            if maps.back is not None:
                ways["b2a"] = Translator(sampler, "b2a", name=name)
        there = {"a2b": (maps.names, maps.made), "b2a": ((maps.made,), " and ".join(maps.names))}
        return {
            "ways": {way: {"takes": there[way][0], "gives": there[way][1], "scale": one.scale} for way, one in ways.items()},
            "mends": maps.mask,
            "trained": [spec.shape[1], spec.shape[2]],
            "most": {"bytes": 32 * 2**20, "pixels": uploads.MOST_PIXELS, "made": MOST_MADE},
        }

    @routes.post("/pictures")
    def lay(name: str, shown: uploads.Upload) -> dict[str, Any]:
        library.path(name)
        height, width = shown.size
        found = {"height": height, "width": width, "channels": shown.pixels.shape[2], "clear": shown.alpha is not None}
        return {"id": tray.lay(name, shown), **found}

    @routes.get("/pictures/{number}")
    def laid(name: str, number: str) -> Response:
        return uploads.answer(tray.take(name, number), fast=True)

    @routes.post("/works")
    def begin(name: str, wish: Wish) -> dict[str, str]:
        shown = {one: tray.take(name, number) for one, number in wish.pictures.items()}
        mask = None if wish.mask is None else tray.take(name, wish.mask)

        def task(tell: Tell) -> bytes:
            # a generator of its own: this may take minutes, and the other panels go on meanwhile
            sampler = library.own(name)
            translator = Translator(sampler, wish.direction, name=name)
            made = uploads.png(_made(translator, shown, mask, wish.fit, tell), fast=True)
            way = wish.direction if translator.maps.back is not None else None
            return mark(made, replace(sampler.origin(), act="translate", direction=way, part=translator.mends))

        return {"id": desk.begin(name, task)}

    @routes.get("/works/{number}")
    def look(name: str, number: str) -> dict[str, Any]:
        work = desk.look(name, number)
        return {"state": work.state, "done": work.done, "of": work.of, "error": work.error}

    @routes.post("/works/{number}/cancel")
    def cancel(name: str, number: str) -> dict[str, str]:
        work = desk.look(name, number)
        work.unwanted.set()
        return {"state": work.state}

    @routes.get("/works/{number}/picture")
    def made(name: str, number: str) -> Response:
        work = desk.look(name, number)
        if work.state != "done":
            raise Busy(f"there is no picture: the work is {work.state}")
        kept = {"content-disposition": f'inline; filename="made-{number}.png"'}
        return Response(work.result, media_type="image/png", headers=kept)

    return routes


def _made(translator: Translator, shown: dict[str, Picture], mask: Picture | None, fit: bool, tell: Tell) -> Picture:
    if gone := [name for name in translator.names if name not in shown]:
        raise UserError(f"no picture for {' and '.join(gone)}: choose one")
    shown = {name: shown[name] for name in translator.names}
    if fit:
        shown = {name: _fitted(one, translator.maps.tile) for name, one in shown.items()}
    height, width = shown[translator.names[0]].size
    if (pixels := height * width * translator.scale**2) > MOST_MADE:
        most = f"at most {MOST_MADE / 1e6:.3g} million are made at once"
        raise TooMuch(f"{pixels / 1e6:,.3g} million pixels would come of this, and {most}: give a smaller picture")
    hole = None
    if mask is not None:
        hole = np.array(Image.fromarray(as_mask(mask)).resize((width, height), Image.Resampling.NEAREST))
    tell(0, 1)
    return translator(shown, hole, tell)


def _fitted(shown: Picture, size: tuple[int, int]) -> Picture:
    """A picture at a size: scaled to cover it and cut to its middle, as training does."""
    bring = lambda plane: np.asarray(fitted(Image.fromarray(np.ascontiguousarray(plane)), size[1], size[0]))
    planes = [bring(shown.pixels[..., i]) for i in range(shown.pixels.shape[2])]
    return Picture(np.stack(planes, 2), None if shown.alpha is None else bring(shown.alpha), shown.profile)
