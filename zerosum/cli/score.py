"""zerosum score: a run against the data held out of its training."""

from pathlib import Path

import tyro

from zerosum.cli._common import parse, say, table

PLACE = 3
USAGE = """
zerosum score RUN                                                           scores against held-out data
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(score, words, "score")


def score(run: tyro.conf.Positional[Path], seed: int = 1, recipe: str | None = None, device: str = "auto") -> int:
    """Score a trained run against the data held out of its training.

    Args:
        run: the run folder; its data must still be where they were
        seed: of the generated items
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
        device: auto, cpu, cuda, cuda:1, mps
    """
    from zerosum.job import Job

    scores = Job.resume(run, recipe=recipe, device=device, reading=True).score(seed=seed)
    table(scores)
    for one in scores:
        say(f"  {one.name}: {one.protocol}")
    return 0
