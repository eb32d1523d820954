"""zerosum show: grids and films of a trained run."""

from pathlib import Path
from typing import Any

import tyro

from zerosum.cli._common import parse, say
from zerosum.errors import UserError

PLACE = 4
USAGE = """
zerosum show RUN KIND --out X                                               a grid (.png) or a film (.gif, .webp, .mp4);
                                                                            KIND: interpolation, truncation, mixing,
                                                                            classes or training
"""


def main(words: list[str]) -> int:
    """Parse with the options of the kind that was named, and run."""
    from zerosum import shows

    plain, helping = [word for word in words if not word.startswith("-")], {"-h", "--help"} & set(words)
    if not helping and len(plain) < 2:
        raise UserError(f"show what? `zerosum show RUN KIND --out FILE`; the kinds are {', '.join(shows.names())}")
    named = next((word for word in plain[1:] if word in shows.names()), "interpolation" if helping else plain[1])
    config = shows.find(named).Config

    def show(
        run: tyro.conf.Positional[Path],
        kind: tyro.conf.Positional[str],
        out: Path,
        step: int | None = None,
        device: str = "auto",
        recipe: str | None = None,
        wishes: config = config(),  # type: ignore[valid-type]  # noqa: B008
    ) -> int:
        """Write a grid or a film of a trained run. The last settings below are those of the kind that is named (here: KIND).

        Args:
            run: the run folder
            kind: KINDS
            out: .png, .jpg or .webp for a picture; .gif, .webp or .mp4 for a film
            step: a checkpoint's step (default: the newest)
            device: auto, cpu, cuda, cuda:1, mps
            recipe: the recipe's .py file again, where the run's recipe is not one of the house
        """
        from zerosum.job import open_run
        from zerosum.rundir import RunDir

        of_folder = shows.find(kind).SUBJECT is RunDir
        subject: Any = RunDir(run) if of_folder else open_run(run, step, device, recipe)
        say(f"{kind}: {shows.write(subject, kind, wishes, out)}: {out}")
        return 0

    show.__doc__ = (show.__doc__ or "").replace("KINDS", ", ".join(shows.names())).replace("KIND)", f"{named})")
    return parse(show, words, "show")
