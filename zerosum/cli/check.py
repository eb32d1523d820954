"""zerosum check: what the data are and what would be done with them, without training."""

import tyro

from zerosum.cli._common import parse, say

PLACE = 8
USAGE = """
zerosum check DATA [--size 64]                                              look the data over, without training
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(check, words, "check")


def check(data: tyro.conf.Positional[str], size: str | None = None, held_out: float | None = None) -> int:
    """Look data over as `zerosum train` does before training, and say everything that was found.

    Args:
        data: what `zerosum train` takes
        size: bring images to 64 (a square) or 64x48 (height x width)
        held_out: share of items kept out of training
    """
    from zerosum import recipes
    from zerosum.auto import choose
    from zerosum.data import open_source
    from zerosum.data.preflight import inspect, lines

    source = open_source(data, held_out=held_out, size=size)
    for line in lines(inspect(source), whole=True):
        say(line)
    chosen = choose(source.spec)
    say(f"recipe    {chosen.recipe}: {recipes.summary(chosen.recipe)}")
    for name, value in chosen.settings.items():
        say(f"          {name} {value}")
    for reason in chosen.why:
        say(f"          {reason}")
    return 0
