"""zerosum score: a run against the data held out of its training."""

from pathlib import Path

import tyro

from zerosum.cli._common import console, parse, say, table
from zerosum.errors import UserError

PLACE = 3
USAGE = """
zerosum score RUN [--features F] [--items N] [--json FILE]                  scores against held-out data; F: judge, inception
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(score, words, "score")


def score(
    run: tyro.conf.Positional[Path],
    features: str | None = None,
    items: int = 10_000,
    seed: int = 1,
    quick: bool = False,
    json: Path | None = None,
    download: bool = False,
    recipe: str | None = None,
    device: str = "auto",
) -> int:
    """Score a trained run against the data held out of its training. The scores go into its log, and into its report.

    Args:
        run: the run folder; its data must still be where they were
        features: what images are compared by: judge (a small network trained on the run's own data, once), pixels, inception,
            or the path of a network file (default: judge, or pixels for images below 16 pixels a side)
        items: how many generated, held-out and training items are compared, at most
        seed: of the generated items
        quick: only the scores that need no network
        json: also write the scores into this file
        download: fetch the official Inception weights (95 MB) where they are missing
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
        device: auto, cpu, cuda, cuda:1, mps
    """
    from zerosum.files import writing
    from zerosum.job import Job
    from zerosum.metrics.score import as_json
    from zerosum.metrics.tables.words import BEWARE, findings, verdict
    from zerosum.report import write_report
    from zerosum.secrecy import SCORED

    if items < 2:
        raise UserError(f"--items {items}: compare at least 2, and thousands for a score to mean anything")
    job = Job.resume(run, recipe=recipe, device=device, reading=True)
    if job.run.game.ledger is not None:
        say(f"note: {SCORED}")
    told = "" if job.sampler.spec.kind == "tables" else ": the first time, a judge is trained"
    with console.status(f"scoring{told}"):
        scores = job.score(quick, seed, items, features, download)
    table(scores)
    for one in scores:
        say(f"  {one.name}: {one.protocol}")
    if found := findings([one.to_json() for one in scores]):
        say(f"privacy: {verdict(found)} {BEWARE}")
    if json is not None:
        with writing(json):
            json.write_text(as_json(scores, run=str(run), step=job.run.clock.step, items=items, seed=seed), "utf-8")
    job.keep(scores)
    job.compare()
    assert job.folder is not None
    say(f"report: {write_report(job.folder)}")
    return 0
