"""What commands share: where they print, how they parse, how they say a line or a table."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

console = Console()
errors = Console(stderr=True)


def parse(function: Callable[..., Any], words: list[str], name: str) -> Any:
    """What `function` returns, called with the options among the words; only rank 0 prints the help."""
    first = os.environ.get("RANK", "0") == "0"
    return tyro.cli(function, args=words, prog=f"zerosum {name}", config=(tyro.conf.OmitArgPrefixes,), console_outputs=first)


def say(text: str) -> None:
    """Print a line, on rank 0 alone."""
    from zerosum.parallel import rank

    if rank() == 0:
        console.print(text, highlight=False, soft_wrap=True, markup=False)


def table(scores: list[Any]) -> None:
    """Print scores."""
    sheet = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("score", "this run", "real data", "trivial", "better"):
        sheet.add_column(title, justify="left" if title in ("score", "better") else "right")
    for one in scores:
        sheet.add_row(one.name, f"{one.value:.3f}", f"{one.real:.3f}", f"{one.trivial:.3f}", one.better)
    console.print(sheet)
