"""/v1/sample: new items.

FastAPI can read parameters into a model, but takes a third of a millisecond for it; here the model reads them itself.
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


def router(maker: Maker, batcher: Batcher) -> APIRouter:
    """Paths. The model of what is asked for has this run's formats."""
    routes, kinds, most = APIRouter(), formats.of(maker.sampler.spec), batcher.limits.most_items
    format_field: Any = (Literal[kinds], Field(kinds[0], description="Of the answer."))
    wished: Any = create_model("SampleRequest", __base__=Asked, format=format_field)

    async def answer(asked: Any) -> Response:
        if asked.n > most:
            raise TooMuch(f"{asked.n} items: at most {most} at once; ask several times with other seeds")
        if asked.label is not None and not maker.labelled:
            raise UserError("this generator takes no labels: leave label out")
        seed = secrets.randbits(53) if asked.seed is None else asked.seed
        wish = Wish(asked.n, seed, asked.label, asked.truncation, asked.format)
        return marked(await batcher.ask(wish, wish.n), wish.format, maker.told(wish))

    schema = wished.model_json_schema()
    parameters = [
        {"name": name, "in": "query", "schema": one, "description": one.get("description", "")}
        for name, one in schema["properties"].items()
    ]
    body = {"content": {"application/json": {"schema": schema}}}
    answers: Any = {"response_class": Response, "responses": documented(kinds, 400, 403, 413, 422, 503, 504)}

    @routes.get("/v1/sample", summary="New items", openapi_extra={"parameters": parameters}, **answers)
    async def sample(request: Request) -> Response:
        """Items of noise, drawn from the seed as `zerosum sample RUN -n N --seed SEED` draws them."""
        pairs = request.query_params.multi_items()
        values = dict(pairs)
        if len(values) < len(pairs):
            raise RequestValidationError([{"loc": ("query",), "msg": "a parameter is given twice"}])
        return await answer(_read("query", lambda: wished.model_validate(values)))

    @routes.post("/v1/sample", summary="New items, asked for in JSON", openapi_extra={"requestBody": body}, **answers)
    async def sample_of(request: Request) -> Response:
        """The same, with the wishes as a JSON object."""
        data = await request.body()
        return await answer(_read("body", lambda: wished.model_validate_json(data)))

    return routes


def _read(where: str, read: Any) -> Any:
    """What a model reads. Raises RequestValidationError with the place of what is wrong."""
    try:
        return read()
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": (where, *one["loc"])} for one in error.errors()]) from error
