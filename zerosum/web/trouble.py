"""Errors over HTTP: {"error": what, where, what to do}, and never a traceback."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from zerosum.errors import UserError


class Unknown(UserError):
    """Nothing is there under this name: 404."""


def in_words(app: FastAPI) -> None:
    """Let an application answer errors in words: 404 for `Unknown`, 400 for other `UserError`, 422 for wrong types."""

    @app.exception_handler(UserError)
    async def _(request: Request, error: UserError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, 404 if isinstance(error, Unknown) else 400)

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return JSONResponse({"error": f"{where}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": f"{type(error).__name__}: a fault of zerosum; please report it"}, 500)
