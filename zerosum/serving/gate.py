"""Gate: counts and times every answer, and gives up requests that are sent, or answers that are read, too slowly."""

from __future__ import annotations

import asyncio
import time

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zerosum.serving.limits import Limits
from zerosum.serving.metrics import Metrics

HELD = 16
"""Bodies of the largest size that may be in memory at one time, in bytes together."""


class Gate:
    """The outermost part of the service."""

    def __init__(self, app: ASGIApp, limits: Limits, metrics: Metrics) -> None:
        self.app, self.limits, self.metrics = app, limits, metrics
        self._held = 0
        self.open = 0  # requests that are being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, held, whole = time.perf_counter(), 0, 0, False
        refusal: tuple[int, str] | None = None

        async def bounded() -> Message:
            nonlocal held, whole, refusal
            if whole:
                return await receive()  # only a goodbye can come
            try:
                async with asyncio.timeout(max(0.0, began + self.limits.patience - time.perf_counter())):
                    message = await receive()
            except TimeoutError:
                refusal = 408, f"the body did not come within {self.limits.patience:g} seconds: send it faster, or less"
                return {"type": "http.disconnect"}
            held += len(message.get("body", b""))
            self._held += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if self._held > HELD * self.limits.most_mib * 2**20:
                refusal = 503, "too many large requests at once: come again in a moment"
                return {"type": "http.disconnect"}
            return message

        async def watched(message: Message) -> None:
            nonlocal status
            if refusal is not None:
                return  # whatever the application makes of the goodbye, the answer is another
            if message["type"] == "http.response.start":
                status = message["status"]
            async with asyncio.timeout(self.limits.patience):  # or a client that does not read would hold it for ever
                await send(message)

        self.open += 1
        try:
            try:
                await self.app(scope, bounded, watched)
            except TimeoutError:
                raise
            except Exception:
                if refusal is None:
                    raise
            if refusal is not None and not status:
                status, why = refusal
                headers = {"retry-after": "1"} if status == 503 else {"connection": "close"}
                await JSONResponse({"error": why}, status, headers)(scope, receive, send)
        finally:
            self.open -= 1
            self._held -= held
            self.metrics.answered(scope["path"], status, time.perf_counter() - began)
