"""zerosum doctor: what happened in a run, in plain words, and what to try."""

from pathlib import Path

import tyro

from zerosum.cli._common import parse, say

PLACE = 5
USAGE = """
zerosum doctor RUN                                                          what happened, in words, and what to try
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(doctor, words, "doctor")


def doctor(run: tyro.conf.Positional[Path]) -> int:
    """Say in words what happened in a run, and what to try. Reads the run folder alone.

    Args:
        run: the run folder
    """
    from zerosum.guard.doctor import diagnosis
    from zerosum.rundir import RunDir

    for line in diagnosis(RunDir(run)):
        say(line)
    return 0
