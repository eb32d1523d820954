"""How far many pictures are: a live bar in a terminal, a line now and then in a file."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

EVERY = 10.0
"""Seconds between lines."""


class Counter:
    """Counts pictures, and the tiles of those that have many."""

    def __init__(self, console: Console, pictures: int) -> None:
        self._console, self._pictures, self._done, self._name = console, pictures, 0, ""
        self._started = self._last = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._tasks: tuple[TaskID, TaskID] | None = None

    def __enter__(self) -> Counter:
        if self._bar is not None:
            self._bar.start()
            self._tasks = self._bar.add_task("pictures", total=self._pictures), self._bar.add_task("tiles", visible=False)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def begin(self, name: str) -> None:
        """A picture is begun."""
        self._name, self._started = name, time.monotonic()
        if self._bar is not None and self._tasks is not None:
            self._bar.reset(self._tasks[1], visible=False)

    def tiles(self, done: int, of: int) -> None:
        """So many of its tiles are done."""
        if self._bar is not None and self._tasks is not None:
            self._bar.update(self._tasks[1], completed=done, total=of, visible=of > 1)
            return
        now = time.monotonic()
        if now - self._last >= EVERY:
            self._last = now
            left = (now - self._started) / done * (of - done)
            place = f"picture {self._done + 1:,} of {self._pictures:,}  " if self._pictures > 1 else ""
            told = f"{place}{self._name}: {done:,} of {of:,} tiles, {left:.0f} s left"
            self._console.print(told, highlight=False, soft_wrap=True, markup=False)

    def end(self) -> None:
        """It is done, or could not be done."""
        self._done += 1
        if self._bar is not None and self._tasks is not None:
            self._bar.advance(self._tasks[0])
