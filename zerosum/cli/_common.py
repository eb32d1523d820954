"""What commands share: where they print, how they parse, how they say a line or a table."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
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


def say(text: str, style: str | None = None) -> None:
    """Print a line, on rank 0 alone."""
    from zerosum.parallel import rank

    if rank() == 0:
        console.print(text, highlight=False, soft_wrap=True, markup=False, style=style)


def say_of_classes(spec: Any, recipe: str, labelled: bool) -> None:
    """Say what becomes of the data's labels, and loudly where nothing does."""
    from zerosum import recipes

    if spec.classes < 2:
        return
    if labelled:
        say(f"classes   conditioning is on: recipe {recipe} learns which of the {spec.classes} classes an item is of")
        return
    known = "conditional" in {field.name for field in fields(recipes.find(recipe).Config)}
    mend = "leave --no-conditional out to use them" if known else "--recipe auto uses them"
    say(f"WARNING   conditioning is off: recipe {recipe} ignores the {spec.classes} classes of the data; {mend}", "bold yellow")


def table(scores: list[Any]) -> None:
    """Print scores; where other generators were scored beside, with a column each."""
    others = list(dict.fromkeys(name for one in scores for name in one.beside))
    sheet = Table(box=None, header_style="bold", padding=(0, 1 if others else 2, 0, 0))
    titles = ("score", "this run", "95 % interval", "real data", "trivial", *(others or ("better",)))
    for title in titles:
        words = title in ("score", "better")
        sheet.add_column(title, justify="left" if words else "right", no_wrap=title != "score", min_width=len(title))
    for one in scores:
        between = "" if one.low is None or one.high is None else f"{number(one.low)} to {number(one.high)}"
        real, trivial = ("" if value is None else number(value) for value in (one.real, one.trivial))
        beside = ["" if name not in one.beside else number(one.beside[name]) for name in others]
        name = f"{'↑' if one.better == 'higher' else '↓'} {one.name}" if others else one.name
        sheet.add_row(name, number(one.value), between, real, trivial, *(beside if others else [one.better]))
    console.print(sheet)
    if others:
        say("↑ higher is better, ↓ lower is better")


def number(value: float) -> str:
    """Four figures where a number is large, at least three decimals where it is small."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.1f}" if abs(value) >= 1000 else f"{value:.3f}"
