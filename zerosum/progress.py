"""What a person sees while a game is played: a live bar in a terminal, a line now and then in a file."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from zerosum.game import Clock
from zerosum.metrics.score import Score


class Display:
    """Shows nothing: for libraries, notebooks, and ranks other than 0."""

    def __enter__(self) -> Display:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def update(self, clock: Clock, rate: float, seconds: float, losses: dict[str, float], scores: list[Score]) -> None:
        """A look-up: `rate` in items/s, `seconds` of training so far."""

    def note(self, said: str) -> None:
        """What the guard did."""


class Lines(Display):
    """A line every ten seconds, for logs."""

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self.console, self.every, self._last = console, every, 0.0

    def update(self, clock: Clock, rate: float, seconds: float, losses: dict[str, float], scores: list[Score]) -> None:
        if time.monotonic() - self._last >= self.every or clock.step >= clock.total:
            self._last = time.monotonic()
            self.console.print(
                f"{_where(clock, rate, seconds)}  {_losses(losses)}{_score(scores)}", soft_wrap=True, highlight=False
            )

    def note(self, said: str) -> None:
        self.console.print(f"guard: {said}", soft_wrap=True, highlight=False, markup=False)


class Bar(Display):
    """A live bar with step, items/s, time left, each player's loss and the last score."""

    def __init__(self, console: Console) -> None:
        self._console, self._noted = console, ""
        self._live = Live(console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Bar:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.stop()

    def update(self, clock: Clock, rate: float, seconds: float, losses: dict[str, float], scores: list[Score]) -> None:
        table = Table.grid(padding=(0, 1))
        table.add_row(
            ProgressBar(total=1.0, completed=clock.progress, width=40), Text(_where(clock, rate, seconds), style="bold")
        )
        rest = Table.grid()
        rest.add_row(table)
        rest.add_row(Text(_losses(losses) + _score(scores), style="dim"))
        if self._noted:
            rest.add_row(Text(self._noted, style="yellow"))
        self._live.update(rest)

    def note(self, said: str) -> None:
        self._noted = f"guard: {said}"
        self._console.print(Text(self._noted, style="yellow"))


def display(console: Console) -> Display:
    """The display that suits where the output goes."""
    return Bar(console) if console.is_terminal else Lines(console)


def _where(clock: Clock, rate: float, seconds: float) -> str:
    left = seconds * (1 - clock.progress) / max(clock.progress, 1e-9)
    known = f"{_time(left)} left" if clock.progress > 0.002 else "estimating"
    return f"step {clock.step:,}/{clock.total:,}  {rate:,.0f} items/s  {_time(seconds)} done, {known}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _losses(losses: dict[str, float]) -> str:
    shown = {name: value for name, value in losses.items() if "logit" not in name}
    return "  ".join(f"{name} {value:.3f}" for name, value in shown.items())


def _score(scores: list[Score]) -> str:
    if not scores:
        return ""
    known = "" if scores[0].real is None else f" (real data {scores[0].real:.3f})"
    return f"  | {scores[0].name} {scores[0].value:.3f}{known}"
