"""/v1/translate: a picture from a picture, or from several."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from zerosum.errors import UserError
from zerosum.provenance import mark
from zerosum.serving.answers import documented, marked
from zerosum.serving.batcher import Batcher
from zerosum.serving.maker import Maker
from zerosum.serving.pictures import Room
from zerosum.translate import Translator, as_mask
from zerosum.web import uploads
from zerosum.web.trouble import TooMuch

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "Several pictures by their names, as /v1 tells them, and `mask`: files in base64.",
                    "additionalProperties": {"type": "string", "contentEncoding": "base64"},
                }
            },
        },
    }
}


def router(maker: Maker, batcher: Batcher) -> APIRouter:
    """Paths."""
    sampler, limits = maker.sampler, batcher.limits
    assert sampler.maps is not None
    inputs, both = " and ".join(sampler.maps.names), sampler.maps.back is not None
    translators = {way: Translator(sampler, way) for way in (("a2b", "b2a") if both else ("a2b",))}
    routes, room = APIRouter(), Room(limits)
    documents: Any = {"responses": documented(["png"], 400, 403, 408, 413, 415, 422, 503, 504), "openapi_extra": BODY}

    @routes.post("/v1/translate", summary="A picture from a picture", response_class=Response, **documents)
    async def translate(
        request: Request, direction: Annotated[Literal["a2b", "b2a"], Query(description="b2a: the way back.")] = "a2b"
    ) -> Response:
        """What the run makes of a picture of any size, as a PNG. Send the file as the body, or several in JSON, in base64.

        Runs that fill holes take `mask`, white where pixels are to be made; without it, what is transparent is made."""
        if (translator := translators.get(direction)) is None:
            raise UserError(f"this run knows one way, from {inputs}: leave direction out")
        async with room.place():
            others = (*translator.names[1:], *(("mask",) if translator.mends else ()))
            shown = await room.received(request, translator.names[0], others)
            if gone := [name for name in translator.names if name not in shown]:
                raise UserError(f"no picture for {' and '.join(gone)}: send JSON, {{NAME: BASE64, ...}}")
            height, width = shown[translator.names[0]].size
            if (made := height * width * translator.scale**2) > limits.most_pixels:
                raise TooMuch(f"{made:,} pixels would come of this, and at most {limits.most_pixels:,} are made: send less")
            hole = as_mask(shown.pop("mask")) if "mask" in shown else None
            picture = await batcher.alone(lambda: translator(shown, hole))
            way = direction if both else None
            origin = replace(maker.origin, act="translate", direction=way, part=translator.mends)
            return marked(mark(uploads.png(picture, fast=True), origin), "png", origin)

    return routes
