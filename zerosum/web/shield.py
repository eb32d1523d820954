"""A shield before a local web application: who may ask, how much they may send, what a browser may do with the answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from h11 import LocalProtocolError
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
MOST_BYTES = 32 * 2**20
"""Of a request's body, unless told otherwise."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Shield:
    """Refuses what a page of another site could make a browser send: a foreign Host (DNS rebinding), a foreign Origin.

    `hosts`: names under which the server may be asked; None: any (for a server that the user has put on a network). Bodies
    beyond `most` bytes are refused with 413, whatever their headers say.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...] | None = LOOPBACK, most: int = MOST_BYTES) -> None:
        self.app, self.hosts, self.most = app, hosts, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if (refusal := self._refusal(headers)) is not None:
            await refusal(scope, receive, send)
            return
        came, started = 0, False

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            return {"type": "http.disconnect"} if came > self.most else message

        async def marked(message: Message) -> None:
            nonlocal started
            if came > self.most and not started:
                return  # whatever the application makes of a body that broke off, the answer is another
            if message["type"] == "http.response.start":
                started = True
                have = {name.lower() for name, _ in message.get("headers", [])}
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in have]
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        try:
            await self.app(scope, bounded, marked)
        except LocalProtocolError:  # a request that broke off, or was none: there is nobody to answer
            return
        except ClientDisconnect:  # the same, in the midst of a body; or it is too large, which is answered below
            pass
        except Exception:
            if came <= self.most:
                raise
        if came > self.most and not started:
            await self._too_large()(scope, receive, send)

    def _refusal(self, headers: dict[str, str]) -> JSONResponse | None:
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return _no(403, f"asked as {host or 'nobody'}: open this page by its address, http://127.0.0.1 and its port")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return _no(403, f"asked by a page of {origin}: only pages of this server may ask it")
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return _no(403, "asked by a page of another site: only pages of this server may ask it")
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > self.most:
            return self._too_large()
        return None

    def _too_large(self) -> JSONResponse:
        return _no(413, f"more than {self.most // 2**20} MiB at once: send less")


def _name(host: str) -> str:
    """A Host header's name, without the port."""
    return host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.split(":")[0]


def _no(status: int, why: str) -> JSONResponse:
    return JSONResponse({"error": why}, status, HEADERS)
