"""/v1/sample: new items.

FastAPI can read parameters into a model, but takes a third of a millisecond for it; here the model reads them itself.
`Samples.asked_by_get` needs nothing of FastAPI, so that `Quick` can call it.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.responses import Response

from zerosum.errors import UserError
from zerosum.serving import formats
from zerosum.serving.answers import documented, marked
from zerosum.serving.batcher import Batcher
from zerosum.serving.maker import Maker, Wish
from zerosum.web.trouble import TooMuch

MOST_SEED = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""
_SEED = "The same seed and n give the same items. Without one, each answer has another."


class Asked(BaseModel):
    """Items that are asked for."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)  # a class may be given as a number

    n: Annotated[int, Field(description="How many items.", ge=1)] = 1
    seed: Annotated[int | None, Field(description=_SEED, ge=0, le=MOST_SEED)] = None
    label: Annotated[
        str | None, Field(description="A class, by number or name; where the generator takes labels.", max_length=200)
    ] = None
    truncation: Annotated[
        float | None,
        Field(description="From 0 (the mean style) to 1 (off); where the generator has it.", ge=0, le=2, allow_inf_nan=False),
    ] = None


class Samples:
    """Answers to what is asked for. The model of it has this run's formats."""

    def __init__(self, maker: Maker, batcher: Batcher) -> None:
        self.maker, self.batcher, self.kinds = maker, batcher, formats.of(maker.sampler.spec)
        format_field: Any = (Literal[self.kinds], Field(self.kinds[0], description="Of the answer."))
        self.wished: Any = create_model("SampleRequest", __base__=Asked, format=format_field)

    async def asked_by_get(self, request: Request) -> Response:
        """Wishes in the query. Raises RequestValidationError or UserError where they cannot be had."""
        pairs = request.query_params.multi_items()
        values = dict(pairs)
        if len(values) < len(pairs):
            raise RequestValidationError([{"loc": ("query",), "msg": "a parameter is given twice"}])
        return await self._answer(_read("query", lambda: self.wished.model_validate(values)))

    async def asked_by_post(self, request: Request) -> Response:
        """Wishes in a JSON object. Raises as `asked_by_get` does."""
        data = await request.body()
        return await self._answer(_read("body", lambda: self.wished.model_validate_json(data)))

    async def _answer(self, asked: Any) -> Response:
        if asked.n > (most := self.batcher.limits.most_items):
            raise TooMuch(f"{asked.n} items: at most {most} at once; ask several times with other seeds")
        if asked.label is not None and not self.maker.labelled:
            raise UserError("this generator takes no labels: leave label out")
        seed = secrets.randbits(53) if asked.seed is None else asked.seed
        wish = Wish(asked.n, seed, asked.label, asked.truncation, asked.format)
        return marked(await self.batcher.ask(wish, wish.n), wish.format, self.maker.told(wish))


def router(samples: Samples) -> APIRouter:
    """Paths."""
    routes, schema = APIRouter(), samples.wished.model_json_schema()
    parameters = [
        {"name": name, "in": "query", "schema": one, "description": one.get("description", "")}
        for name, one in schema["properties"].items()
    ]
    body = {"content": {"application/json": {"schema": schema}}}
    answers: Any = {"response_class": Response, "responses": documented(samples.kinds, 400, 403, 413, 422, 503, 504)}

    @routes.get("/v1/sample", summary="New items", openapi_extra={"parameters": parameters}, **answers)
    async def sample(request: Request) -> Response:
        """Items of noise, drawn from the seed as `zerosum sample RUN -n N --seed SEED` draws them."""
        return await samples.asked_by_get(request)

    @routes.post("/v1/sample", summary="New items, asked for in JSON", openapi_extra={"requestBody": body}, **answers)
    async def sample_of(request: Request) -> Response:
        """The same, with the wishes as a JSON object."""
        return await samples.asked_by_post(request)

    return routes


def _read(where: str, read: Any) -> Any:
    """What a model reads. Raises RequestValidationError with the place of what is wrong."""
    try:
        return read()
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": (where, *one["loc"])} for one in error.errors()]) from error
