"""Many clients of an HTTP service in one light process: raw HTTP/1.1 over asyncio, each asks again as soon as it is answered.

python benchmarks/_clients.py PORT CLIENTS SECONDS ITEMS    prints a line of JSON
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from functools import partial


class Client(asyncio.Protocol):
    """One connection that is kept open."""

    def __init__(self, items: int, number: int, until: float, seen: dict[str, list[float]], done: asyncio.Event) -> None:
        self.items, self.seed, self.until, self.seen, self.done = items, number * 10**6, until, seen, done
        self.came, self.need, self.began = bytearray(), 0, 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def _ask(self) -> None:
        self.seed, self.began = self.seed + 1, time.perf_counter()
        path = f"/v1/sample?n={self.items}&seed={self.seed}"
        self.transport.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Look whether the answer is whole, and right."""
        self.came += data
        if not self.need:
            if (end := self.came.find(b"\r\n\r\n")) < 0:
                return
            head = bytes(self.came[:end]).lower()
            self.need = end + 4 + int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(self.came) < self.need:
            return
        now = time.perf_counter()
        fine = self.came.startswith(b"HTTP/1.1 200") and self.came.endswith(b"IEND\xaeB`\x82") and len(self.came) == self.need
        self.seen["answers" if fine else "errors"].append(now - self.began)
        self.came, self.need = bytearray(), 0
        if now < self.until:
            self._ask()
        else:
            self.done.set()
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """A connection that ends by itself is an error."""
        if not self.done.is_set():
            self.seen["errors"].append(time.perf_counter() - self.began)
            self.done.set()


async def main(port: int, clients: int, seconds: float, items: int) -> None:
    """Ask, and print what came of it."""
    loop, began = asyncio.get_running_loop(), time.perf_counter()
    seen: dict[str, list[float]] = {"answers": [], "errors": []}
    ends = [asyncio.Event() for _ in range(clients)]
    for number, done in enumerate(ends):
        await loop.create_connection(partial(Client, items, number, began + seconds, seen, done), "127.0.0.1", port)
    await asyncio.gather(*(done.wait() for done in ends))
    took, times = time.perf_counter() - began, sorted(seen["answers"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"answers": len(times), "errors": len(seen["errors"]), "seconds": took}
    told |= {"p50": times[len(times) // 2], "p95": times[len(times) * 95 // 100], "p99": times[len(times) * 99 // 100]}
    print(json.dumps(told | {"cores": (used.ru_utime + used.ru_stime) / took}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
