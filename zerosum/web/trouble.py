"""Errors over HTTP: {"error": what, where, what to do}, and never a traceback."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from zerosum.errors import UserError


class Json(JSONResponse):
    """JSON of any text, half characters too (names of folders and classes are a user's), with null for what is not finite."""

    def render(self, content: Any) -> bytes:
        """ASCII alone."""
        return json.dumps(_finite(content), allow_nan=False, separators=(",", ":")).encode("ascii")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class Unknown(UserError):
    """Nothing is there under this name: 404."""


class TooMuch(UserError):
    """More than is taken at once: 413."""


class Unfit(UserError):
    """A body that is not what it should be: 415."""


class Busy(UserError):
    """What was asked goes on already, or no longer does: 409."""


STATUS: dict[type[UserError], int] = {Unknown: 404, TooMuch: 413, Unfit: 415, Busy: 409}


def in_words(app: FastAPI) -> None:
    """Let an application answer errors in words: the status of `STATUS`, 400 for any other `UserError`,
    422 for wrong types."""

    @app.exception_handler(UserError)
    async def _(request: Request, error: UserError) -> Json:
        return Json({"error": " ".join(str(error).split())}, STATUS.get(type(error), 400))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Json({"error": f"{where}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        return Json({"error": str(error.detail)}, error.status_code)

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        return Json({"error": f"{type(error).__name__}: a fault of zerosum; please report it"}, 500)
