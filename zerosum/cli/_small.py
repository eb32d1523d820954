"""What `zerosum export --distill` does and says: train a smaller generator, and put it beside the large one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from zerosum.cli._common import console, number, say
from zerosum.errors import UserError

if TYPE_CHECKING:  # `zerosum --help` does not wait for torch
    from zerosum.sampling import Sampler


def distill(
    sampler: Sampler, config: dict[str, Any], run: Path, width: int, out: Path | None, minutes: float, recipe: str | None
) -> int:
    """Train a smaller generator into a run folder of its own; 130 where it was stopped before its end."""
    from zerosum.export.distill import distil
    from zerosum.job import open_data
    from zerosum.progress import display
    from zerosum.report import write_report

    out = out or run.with_name(f"{run.resolve().name}-{width}")
    job = distil(sampler, config, open_data(run, recipe), width, out, minutes)
    taught = f"taught by width {config['settings']['width']}, {minutes:g} minutes"
    say(f"distil    {out}: {config['recipe']} of width {width}, {taught}")
    finished = job.play(display(console))
    if not finished:
        say(f"stopped at step {job.run.clock.step:,} and saved: {out} is a run of its own, and goes on without its teacher")
        return 130
    job.finish()
    assert job.folder is not None
    _beside(sampler, job)
    say(f"report: {write_report(job.folder)}")
    return 0


def _beside(teacher: Sampler, job: Any) -> None:
    """Score, size and speed of both."""
    import torch

    from zerosum.export.compare import BATCHES, lost, own_score, raced
    from zerosum.export.view import example, view
    from zerosum.sampling import Sampler

    source, small = job.sampler._source, job.sampler
    large = Sampler(teacher.run, teacher.spec, source, teacher.origin)
    sheet = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("", "teacher", "distilled", ""):
        sheet.add_column(title, justify="right" if title else "left", no_wrap=True)
    scores = [own_score(one, source) for one in (large, small)]
    if scores[0] is not None and scores[1] is not None:
        away = lost(scores[0], scores[1])
        how = f"{abs(away):.1%} {'worse' if away > 0 else 'better'}"
        sheet.add_row(scores[0].name, number(scores[0].value), number(scores[1].value), how)
    with large.run.shown() as one, small.run.shown() as other, torch.no_grad():
        views = {"teacher": view(large, one), "distilled": view(small, other)}
        counts = [sum(p.numel() for p in seen.parameters()) for seen in views.values()]
        sheet.add_row("parameters", *(f"{n:,}" for n in counts), f"{counts[1] / counts[0]:.0%}")
        for n in BATCHES:
            values = example(large, n).values()
            times = raced({name: lambda seen=seen, values=values: seen(*values) for name, seen in views.items()})  # type: ignore[misc]
            faster = f"{times['teacher'] / times['distilled']:.1f} times as fast"
            sheet.add_row(f"ms, batch {n}", *(number(1e3 * times[name]) for name in views), faster)
    console.print(sheet)
    if scores[0] is not None:
        say(f"{scores[0].name}: {scores[0].protocol}")


def wanted(distill: int | None, minutes: float | None, out: Path | None) -> float:
    """Minutes of a distillation. Raises UserError where these are given for something else."""
    if distill is None and (minutes is not None or out is not None):
        raise UserError("--minutes and --out are for --distill WIDTH")
    return 10.0 if minutes is None else minutes
