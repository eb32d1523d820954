"""Put the service on a socket, until Ctrl-C."""

from __future__ import annotations

import socket
import sys

from starlette.types import ASGIApp

from zerosum.serving.limits import Limits
from zerosum.serving.patience import patient
from zerosum.web.host import serve as serve_until_stopped

CONNECTIONS = 2048
SWITCH = 0.0005
"""Seconds until a thread that wants to compute gets its turn. With Python's 0.005 a pass, which asks for it after each
operation, starves beside a busy loop."""


def serve(app: ASGIApp, bound: socket.socket, limits: Limits) -> None:
    """Serve until Ctrl-C: then no connection is taken any more, and what is under way is answered."""
    sys.setswitchinterval(SWITCH)
    serve_until_stopped(
        app,
        bound,
        http=patient(limits.patience),
        ws="none",
        proxy_headers=False,
        log_level="error",
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=round(limits.patience) + 1,
    )
