"""Long work on a run: one piece at a time for each, with progress, that can be given up; and pictures laid down for it."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from zerosum.errors import UserError
from zerosum.pictures import Picture
from zerosum.web.trouble import Busy, Unknown

MOST_KEPT = 256 * 2**20
"""Bytes of pictures laid down; the oldest go first."""
MOST_RESULTS = 8
"""Pieces of work that are remembered after their end."""
AT_ONCE = 2
"""Pieces of work at one time, of all runs."""

Tell = Callable[[int, int], None]
"""Told how much of all is done; ends the work where it was given up."""


class GivenUp(Exception):
    """Somebody does not want this any more."""


@dataclass
class Work:
    """One piece of work in a thread of its own."""

    run: str
    done: int = 0
    of: int = 0
    state: str = "at work"  # then done, failed or cancelled
    error: str = ""
    result: bytes = b""
    unwanted: threading.Event = field(default_factory=threading.Event)

    def tell(self, done: int, of: int) -> None:
        """Note the progress. Raises GivenUp where the work is unwanted."""
        self.done, self.of = done, of
        if self.unwanted.is_set():
            raise GivenUp


class Desk:
    """Work by its number, which nobody can guess."""

    def __init__(self) -> None:
        self._works: OrderedDict[str, Work] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, run: str, task: Callable[[Tell], bytes]) -> str:
        """Start a task in a thread; its number. Raises Busy where this run is at work, or too many others are."""
        with self._lock:
            busy = [work for work in self._works.values() if work.state == "at work"]
            if any(work.run == run for work in busy):
                raise Busy(f"{run} is at work on another picture: wait for it, or cancel it")
            if len(busy) >= AT_ONCE:
                raise Busy(f"{' and '.join(work.run for work in busy)} are at work: wait for one of them")
            name, work = secrets.token_urlsafe(12), Work(run)
            self._works[name] = work
            over = [old for old, one in self._works.items() if one.state != "at work"][
                : max(0, len(self._works) - MOST_RESULTS)
            ]
            for old in over:
                del self._works[old]
        threading.Thread(target=_do, args=(work, task), daemon=True).start()
        return name

    def look(self, run: str, name: str) -> Work:
        """A piece of work of a run. Raises Unknown where there is none, or it is long over."""
        with self._lock:
            work = self._works.get(name)
        if work is None or work.run != run:
            raise Unknown("this work is no longer remembered: begin it again")
        return work


def _do(work: Work, task: Callable[[Tell], bytes]) -> None:
    try:
        work.result = task(work.tell)
        work.state = "done"
    except GivenUp:
        work.state = "cancelled"
    except UserError as error:
        work.error, work.state = str(error), "failed"
    except MemoryError:
        work.error, work.state = "there is not enough memory for a picture of this size: make it smaller", "failed"
    except Exception as error:  # a thread has nobody above it who would tell
        work.error, work.state = f"{type(error).__name__}: a fault of zerosum; please report it", "failed"


class Tray:
    """Pictures laid down for later, by numbers that nobody can guess; the oldest go when there are too many bytes."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str], Picture] = OrderedDict()
        self._lock = threading.Lock()

    def lay(self, run: str, picture: Picture) -> str:
        """Keep a picture; its number."""
        name = secrets.token_urlsafe(12)
        with self._lock:
            self._kept[run, name] = picture
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > self._most:
                self._kept.popitem(last=False)
        return name

    def take(self, run: str, name: str) -> Picture:
        """The picture of a number. Raises Unknown where it is not there any more."""
        with self._lock:
            found = self._kept.get((run, name))
            if found is None:
                raise Unknown("this picture is no longer kept: choose it again")
            self._kept.move_to_end((run, name))
        return found


def _bytes(picture: Picture) -> int:
    return picture.pixels.nbytes + (0 if picture.alpha is None else picture.alpha.nbytes)
