"""The page that `zerosum export --web` writes, and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from zerosum.cli._common import say

if TYPE_CHECKING:  # `zerosum --help` does not wait for torch
    from zerosum.sampling import Sampler


def page(run: Path, sampler: Sampler, to: Path, title: str, licence: str, runtime: Path | None, webgpu: str) -> None:
    """Write it, with the directions that the run folder holds, else SeFa's. Raises UserError as `zerosum.export.web.web`."""
    from zerosum.export.web import web
    from zerosum.latent import directions as ways
    from zerosum.latent.space import Space

    space = Space(sampler)
    directions = ways.read(run / ways.FILE, space, sampler.origin().step or 0) or ways.sefa(space)
    name = title or run.resolve().name
    made = web(space, directions, to, name, licence, runtime, {"auto": None, "yes": True, "no": False}[webgpu])
    loads = " or ".join(f"{(made.model + size) / 1e6:.1f} MB ({engine})" for engine, size in made.engines.items())
    say(f"web       {to}: a visitor loads {loads}, {made.model / 1e6:.1f} MB of it the generator")
    say(f"          largest difference from torch {made.difference * 127.5:.2g} of 255 levels")
    say(f"          look at it with `python -m http.server -d {to}`; docs/web.md says how to publish it")
