"""Answers of a service that has too much to do."""

from __future__ import annotations

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from zerosum.errors import UserError


class Full(UserError):
    """Too many wait: 503, come again in a moment."""


class Slow(UserError):
    """It was not done in time: 504."""


def in_words(app: FastAPI) -> None:
    """Let an application answer them in words, with the header that tells programs when to come again."""

    @app.exception_handler(Full)
    async def _(request: Request, error: Full) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 503, {"retry-after": "1"})

    @app.exception_handler(Slow)
    async def _(request: Request, error: Slow) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 504)
