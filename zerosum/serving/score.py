"""/v1/score: what the discriminator thinks of an item."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any

import numpy as np
import torch
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from torch import Tensor

from zerosum.data import modality
from zerosum.errors import UserError
from zerosum.pictures import Picture, as_channels
from zerosum.sampling import Sampler
from zerosum.serving.answers import documented
from zerosum.serving.batcher import Batcher
from zerosum.serving.maker import Maker
from zerosum.serving.pictures import Room
from zerosum.web.trouble import Unfit

COMPARED = 256
"""Generated items whose logits an item's is compared with."""


class Items(BaseModel):
    """Vectors that are to be judged."""

    model_config = ConfigDict(extra="forbid")
    items: Annotated[list[list[FiniteFloat]], Field(min_length=1)]


class Judge:
    """The discriminator, and how it judges what the run itself makes. To be called in the batcher's thread alone."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler = sampler

    def __call__(self, x: Tensor, label: str | None) -> dict[str, Any]:
        """The opinion of items in model space [n, ...]."""
        logits = self._logits(x, label)
        above = (logits[:, None] > self._usual[None]).float().mean(1)
        return {"logits": logits.tolist(), "above_generated": above.tolist()}

    @cached_property
    def _usual(self) -> Tensor:
        return self._judged(self.sampler.make(COMPARED, seed=0))

    def _logits(self, x: Tensor, label: str | None) -> Tensor:
        batch = {"x": x}
        if self.sampler.labelled:
            if label is None:
                raise UserError("this discriminator judges an item as one of a class: say label=NAME")
            number = self.sampler.class_number(label)
            if not 0 <= number < self.sampler.spec.classes:
                raise UserError(f"label {number}: the classes are 0 to {self.sampler.spec.classes - 1}")
            batch["y"] = torch.full((len(x),), number)
        elif label is not None:
            raise UserError("this discriminator takes no labels: leave label out")
        return self._judged(batch)

    def _judged(self, batch: dict[str, Tensor]) -> Tensor:
        run = self.sampler.run
        assert run.game.judge is not None
        with run.shown() as nets:
            return run.game.judge(nets, {name: value.to(run.pace.device) for name, value in batch.items()}).float().cpu()


def router(maker: Maker, batcher: Batcher) -> APIRouter:
    """Paths."""
    sampler, limits = maker.sampler, batcher.limits
    routes, room, judge = APIRouter(), Room(limits), Judge(sampler)
    images = sampler.spec.kind == "images"
    kind = "image/*" if images else "application/json"
    schema = {"type": "string", "format": "binary"} if images else Items.model_json_schema()
    documents: Any = {
        "responses": documented(["json"], 400, 403, 408, 413, 415, 422, 503, 504),
        "openapi_extra": {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}},
    }

    @routes.post("/v1/score", summary="What the discriminator thinks", **documents)
    async def score(
        request: Request,
        label: Annotated[str | None, Query(max_length=200, description="The class it is judged as one of.")] = None,
    ) -> dict[str, Any]:
        """Logits of items, higher for more real, and the share of this run's own items that are judged less real.

        A discriminator knows what this game's fakes look like, and nothing else: this is no detector of other fakes. Images are
        sent as files of the run's size, vectors as `{"items": [[...]]}`."""
        async with room.place():
            x = _image(await room.received(request, "picture"), sampler) if images else _vectors(await request.body(), sampler)
            if len(x) > limits.most_items:
                raise UserError(f"{len(x)} items: at most {limits.most_items} at once")
            found: dict[str, Any] = await batcher.alone(lambda: judge(x, label))
            return {**found, "run": maker.origin.run, "step": maker.origin.step}

    return routes


def _image(shown: dict[str, Picture], sampler: Sampler) -> Tensor:
    """A picture in model space [1, c, h, w]. Raises Unfit where its size is another than the run's."""
    channels, height, width = sampler.spec.shape
    picture = shown["picture"]
    if picture.size != (height, width):
        size = f"{picture.size[1]} x {picture.size[0]}"
        raise Unfit(f"a picture of {size} pixels: this run's are {width} x {height}; bring it to that size as training did")
    pixels = as_channels(picture.pixels, min(channels, 3), "the picture")
    if channels == 4:
        alpha = np.full((height, width), 255, np.uint8) if picture.alpha is None else picture.alpha
        pixels = np.dstack([pixels, alpha])
    elif channels == 1:
        pixels = pixels[..., 0]
    return modality(sampler.spec).encode(np.ascontiguousarray(pixels)[None], sampler.spec)


def _vectors(body: bytes, sampler: Sampler) -> Tensor:
    try:
        items = Items.model_validate_json(body).items
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unfit(f'{where or "the body"}: {first["msg"]}: send {{"items": [[NUMBER, ...], ...]}}') from error
    if any(len(item) != sampler.spec.shape[0] for item in items):
        raise Unfit(f"an item of another length: this run's vectors have {sampler.spec.shape[0]} numbers")
    return modality(sampler.spec).encode(np.array(items, np.float32), sampler.spec)
