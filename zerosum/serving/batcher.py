"""Batcher: requests of many clients in one thread, those that go together in one pass."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from zerosum.serving.limits import Limits
from zerosum.serving.trouble import Full, Slow

Finish = Callable[[], Any]
Pass = Callable[[Sequence[Any]], Sequence[Finish]]
"""Takes what several requests asked for and gives, for each in their order, a function that returns its result."""
FINISHING = 2
"""Threads that finish results while the next pass is computed."""
SOON = 0.01
"""Seconds that a finished result waits for others at most, but for the one being finished."""


@dataclass(eq=False)
class Work:
    """What one request asked for, and where its result goes."""

    asked: Any  # for the pass; or a function that is called alone, where size is 0
    size: int  # items; 0: it goes with no other
    result: asyncio.Future[Any]


class Batcher:
    """A bounded queue and one thread, which owns the nets; others finish (encode) what it computed.

    `act` computes what several requests asked for. `saw(requests, items, seconds)` is told of each pass.
    """

    def __init__(self, act: Pass, limits: Limits, saw: Callable[[int, int, float], None] = lambda *_: None) -> None:
        self.act, self.limits, self.saw = act, limits, saw
        self._queue: deque[Work] = deque()
        self._change = threading.Condition()
        self._ended = False
        self._pool = ThreadPoolExecutor(FINISHING, "finishing")
        self._thread = threading.Thread(target=self._serve, name="batcher", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def end(self) -> None:
        """Let the thread finish the pass it is at, and drop what waits."""
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join(timeout=self.limits.patience)
        self._pool.shutdown(wait=False, cancel_futures=True)

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    async def ask(self, asked: Any, size: int) -> Any:
        """The result of what is asked for, `size` items of a pass. Raises Full, Slow, or what the pass raised."""
        return await self._wait(Work(asked, size, asyncio.get_running_loop().create_future()))

    async def alone(self, act: Callable[[], Any]) -> Any:
        """What a function returns that the batcher's thread calls between passes. Raises Full, Slow, or what that raised."""
        return await self._wait(Work(act, 0, asyncio.get_running_loop().create_future()))

    async def _wait(self, work: Work) -> Any:
        with self._change:
            if len(self._queue) >= self.limits.most_waiting:
                raise Full(f"{self.limits.most_waiting} requests are waiting already: come again in a moment")
            self._queue.append(work)
            self._change.notify()
        try:
            async with asyncio.timeout(self.limits.patience):
                return await work.result
        except TimeoutError:
            raise Slow(f"not done within {self.limits.patience:g} seconds: ask for less, or come again later") from None
        finally:
            if work.result.cancelled():  # whoever gives up leaves the queue to others
                with self._change, suppress(ValueError):
                    self._queue.remove(work)

    def _serve(self) -> None:
        before: list[Future[None]] = []
        while works := self._next():
            if not works[0].size:
                _finish(iter([(works[0], works[0].asked)]))
                continue
            at = time.perf_counter()
            try:
                finishes = self.act([work.asked for work in works])
            except Exception as error:
                finishes = [_raiser(error)] * len(works)
            self.saw(len(works), sum(work.size for work in works), time.perf_counter() - at)
            wait(before)  # never more than two passes' items in memory
            pairs = iter([*zip(works, finishes, strict=True)])  # all take the next from it
            before = [self._pool.submit(_finish, pairs) for _ in range(min(FINISHING, len(works)))]

    def _next(self) -> list[Work]:
        """The works of the next pass; none where there will be no more."""
        with self._change:
            while True:
                while not self._queue and not self._ended:
                    self._change.wait()
                if self._ended:
                    return []
                first = self._queue.popleft()
                if not first.result.done():  # nobody waits any more for one that is
                    break
            works, size, until = [first], first.size, time.monotonic() + self.limits.wait_ms / 1000
            while first.size and size < self.limits.batch and not self._ended:
                if not self._queue:
                    if (left := until - time.monotonic()) <= 0 or not self._change.wait(left):
                        break
                    continue
                if not (work := self._queue[0]).size:
                    break
                self._queue.popleft()
                if not work.result.done():
                    works.append(work)
                    size += work.size
            return works


def _raiser(error: Exception) -> Finish:
    def finish() -> Any:
        raise error

    return finish


def _finish(pairs: Iterator[tuple[Work, Finish]]) -> None:
    """Call functions and give their results, or what they raised, to whoever still waits, in the loop's thread.

    Several at once: to wake the loop for each would hand Python's lock to and fro as often.
    """
    found: list[tuple[Callable[[Any], None], Any, asyncio.Future[Any]]] = []
    since = time.perf_counter()
    for work, finish in pairs:
        if not work.result.done():
            try:
                found.append((work.result.set_result, finish(), work.result))
            except Exception as error:
                found.append((work.result.set_exception, error, work.result))
        if time.perf_counter() - since > SOON:
            _send(found)
            found, since = [], time.perf_counter()
    _send(found)


def _send(found: Sequence[tuple[Callable[[Any], None], Any, asyncio.Future[Any]]]) -> None:
    if found:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            found[0][2].get_loop().call_soon_threadsafe(_deliver, found)


def _deliver(found: Sequence[tuple[Callable[[Any], None], Any, asyncio.Future[Any]]]) -> None:
    for give, value, result in found:
        if not result.done():
            give(value)
