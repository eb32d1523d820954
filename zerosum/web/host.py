"""Put an application on an address, on loopback unless told."""

from __future__ import annotations

import signal
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from zerosum.errors import UserError
from zerosum.web.shield import LOOPBACK


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens at the address; port 0 takes a free one. Raises UserError where it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()  # who comes before the server is ready waits
    except (OSError, OverflowError) as error:
        bound.close()
        raise UserError(
            f"cannot listen on {host}, port {port} ({error}): choose another --port, or 0 for any free one"
        ) from error
    return bound


def allowed(host: str) -> tuple[str, ...] | None:
    """Names that requests may ask for: those of loopback, or any where the user has bound something else."""
    return LOOPBACK if host in ("localhost", "127.0.0.1", "::1") else None


def serve(app: ASGIApp, bound: socket.socket, **options: Any) -> None:
    """Serve until Ctrl-C, which raises KeyboardInterrupt, or SIGTERM, after which it returns. `options`: of `uvicorn.Config`.

    Signals only ask: an interrupt in the midst of starting could be lost in a callback, or leave half a server behind.
    """
    asked: list[int] = []
    server: uvicorn.Server | None = None

    def ask(number: int, _: object) -> None:
        asked.append(number)
        if server is not None:
            server.should_exit = True

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)} if main else {}
    try:
        usual: dict[str, Any] = {"log_level": "warning", "access_log": False, "timeout_graceful_shutdown": 2}
        server = uvicorn.Server(uvicorn.Config(app, **(usual | options)))
        server.should_exit = bool(asked)
        server.run(sockets=[bound])  # its own handlers stand meanwhile; what they caught comes to `ask` at its end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if signal.SIGINT in asked:
        raise KeyboardInterrupt
