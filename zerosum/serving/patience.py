"""HTTP for clients that nobody vouches for: a request's head must come in time and be short, or the connection is closed.

uvicorn gives a connection that says nothing, or says it letter by letter, all the time in the world.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from zerosum.serving.corked import Corked

SECONDS = 10.0
"""For a request's head, from the connection or from its first letter on, at most."""
LONGEST = 64 * 1024
"""Bytes of a head."""

# A body that was answered before it had come, because it is too large or not wanted, is read to its end and dropped: closed
# with letters unread, the connection would be reset, and its client might never see the answer, or lose its next request.


class Patient(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, with a clock and a bound for heads."""

    seconds = SECONDS
    _clock: asyncio.TimerHandle | None = None
    _came = 0  # of a head
    _body = False  # whether what comes next belongs to a body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(cast(asyncio.Transport, Corked(transport, self.loop)))
        self._clock = self.loop.call_later(self.seconds, self._late)

    def data_received(self, data: bytes) -> None:
        """Stop the clock where a head has come; start it where a part of one has, or of a body that nobody waits for."""
        begun = self._body
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._came = 0
            self._stop()
            return
        self._came += 0 if begun else len(data)
        if self._came > LONGEST:
            self.transport.close()
        elif self._clock is None:
            self._clock = self.loop.call_later(self.seconds, self._late)

    def on_headers_complete(self) -> None:
        """A body follows, if only an empty one."""
        self._body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head follows."""
        self._body = False
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _late(self) -> None:
        self._clock = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def patient(seconds: float) -> type[Patient]:
    """The protocol that waits so long for a head, and no longer than `SECONDS`."""
    return type("Patient", (Patient,), {"seconds": min(SECONDS, seconds)})
