"""Corked: what is written to a connection in one turn of the event loop goes out together.

uvicorn writes an answer's head and body one by one. Each is a call of the system, at which Python's lock goes to other threads
and has to be waited for: with items computed beside, that costs more than the call.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Corked:
    """A transport that joins small writes; in all else it is the one it stands before."""

    SMALL = 64 * 1024
    """Bytes up to which writes are joined: beyond, copying costs more than a call."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send soon, in order."""
        if len(data) > self.SMALL:
            self._send()
            self._transport.write(data)
            return
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def close(self) -> None:
        """Send what is left, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        data = b"".join(self._parts)
        self._parts.clear()
        if data and not self._transport.is_closing():  # or the client has gone meanwhile
            self._transport.write(data)
