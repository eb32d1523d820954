"""Quick: the one endpoint that is asked thousands of times, without the framework's round of each request.

FastAPI's routing, dependencies and layers of middleware take about as long as making a small item does. The endpoint stands
in FastAPI too, from where it is documented and where every other method goes; both call one function.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class Quick:
    """Answers GET on one path by itself, errors in the application's words; the rest is the application's."""

    def __init__(self, app: FastAPI, path: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self.app, self.path, self.answer = app, path, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self.path or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await self.answer(request)
        except Exception as error:
            handlers = self.app.exception_handlers
            kind = next(kind for kind in type(error).__mro__ if kind in handlers)  # Exception has one
            found: Any = handlers[kind]
            response = await found(request, error)
            if kind is Exception:  # a fault: answered, and raised for the log, as Starlette does
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)
