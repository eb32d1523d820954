"""Where a command that serves can be reached."""

from __future__ import annotations

import socket

from zerosum.cli._common import say


def bound(host: str, port: int, beware: str) -> tuple[socket.socket, str]:
    """(a listening socket, http://HOST:PORT), with a warning of what others may do where the address is not loopback.

    `beware`: what everyone can do who reaches it, and the remedy. Raises UserError where the address is not to be had.
    """
    from zerosum.web.host import allowed, listen

    listening = listen(host, port)
    if allowed(host) is None:
        say(f"WARNING   everyone who reaches {host} can {beware}", "bold yellow")
    return listening, f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
