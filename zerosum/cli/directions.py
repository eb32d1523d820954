"""zerosum directions: find what a run's latent space can be steered by."""

from pathlib import Path
from typing import Literal

import tyro

from zerosum.cli._common import console, parse, say
from zerosum.errors import UserError

PLACE = 4.4
USAGE = """
zerosum directions RUN [--method M] [--count 8] [--labels FILE.csv]         what to steer by; M: sefa, ganspace, boundary, all
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(directions, words, "directions")


def directions(
    run: tyro.conf.Positional[Path],
    method: Literal["sefa", "ganspace", "boundary", "all"] = "all",
    count: int = 8,
    labels: Path | None = None,
    apart: bool = False,
    layers: tuple[int, int] | None = None,
    seed: int = 0,
    step: int | None = None,
    device: str = "auto",
    recipe: str | None = None,
) -> int:
    """Find directions in a trained run's latent space, and keep them in RUN/directions.json for the explorer.

    Args:
        run: the run folder
        method: sefa (from the weights), ganspace (principal components), boundary (from tags), or all that can be had
        count: how many of sefa and of ganspace
        labels: for boundary: a CSV with a column "seed", tags in others (1 and 0, or words), and "label" where the generator
            takes labels; the item of a seed is the one that `zerosum sample RUN -n 1 --seed SEED` makes
        apart: make each tag's direction independent of the other tags
        layers: move these layers alone, first and one behind the last, of a generator with styles
        seed: of the items that ganspace looks at
        step: a checkpoint's step (default: the one that is shown, which is what the explorer uses)
        device: auto, cpu, cuda, cuda:1, mps
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    from rich.table import Table

    from zerosum.job import open_run
    from zerosum.latent import directions as ways
    from zerosum.latent.space import Space
    from zerosum.latent.tags import boundaries
    from zerosum.rundir import RunDir

    if not 1 <= count <= 64:
        raise UserError(f"--count {count}: must be 1 to 64")
    if method == "boundary" and labels is None:
        raise UserError("--method boundary learns from tags: give --labels FILE.csv, with a column seed and one for each tag")
    if labels is not None and method in ("sefa", "ganspace"):
        raise UserError(f"--labels {labels}: {method} takes no tags; add --method boundary, or all")
    folder = RunDir(run)
    step = folder.shown() if step is None else step
    space = Space(open_run(run, step, device, recipe))
    first, last = layers if layers is not None else (0, None)
    found: list[ways.Direction] = []
    if method in ("sefa", "all"):
        found += ways.sefa(space, count, first, last)
    if method in ("ganspace", "all"):
        found += ways.ganspace(space, count, seed, first, last)
    if labels is not None:
        found += boundaries(space, labels, apart, first, last)
    sheet = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("direction", "method", "sigma", "layers"):
        sheet.add_column(title, justify="right" if title == "sigma" else "left")
    for one in found:
        sheet.add_row(one.name, one.method, f"{one.sigma:.3f}", f"{one.first} to {one.last - 1}" if space.styled else "all")
    console.print(sheet, markup=False)
    where = folder.write_text(ways.FILE, ways.as_text(found, step))
    say(f"{len(found)} directions, a step of one is one sigma: {where}")
    return 0
