"""zerosum report: a run's report.html, written anew."""

from pathlib import Path

import tyro

from zerosum.cli._common import parse, say

PLACE = 4
USAGE = """
zerosum report RUN                                                          write report.html anew
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(report, words, "report")


def report(run: tyro.conf.Positional[Path]) -> int:
    """Write a run's report.html anew.

    Args:
        run: the run folder
    """
    from zerosum.report import write_report
    from zerosum.rundir import RunDir

    say(f"report: {write_report(RunDir(run))}")
    return 0
