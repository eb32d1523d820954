"""zerosum check: what the data are and what would be done with them, without training."""

import tyro

from zerosum.cli._common import parse, say, say_of_classes

PLACE = 8
USAGE = """
zerosum check DATA [--size 64] [--target COLUMN] [--recipe NAME]            look the data over, without training
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(check, words, "check")


def check(
    data: tyro.conf.Positional[str],
    size: str | None = None,
    held_out: float | None = None,
    target: str | None = None,
    schema: str | None = None,
    inputs: str | None = None,
    recipe: str = "auto",
) -> int:
    """Look data over as `zerosum train` does before training, and say everything that was found.

    Args:
        data: what `zerosum train` takes
        size: bring images to 64 (a square) or 64x48 (height x width)
        held_out: share of items kept out of training
        target: of tables: the column to be predicted; of pairs: what is to be made
        schema: of tables: a JSON file that `zerosum schema` wrote
        inputs: of pairs: what to make it of, as "left,back"
        recipe: a name that `zerosum list` shows, or a .py file ; auto: what suits the data
    """
    from zerosum import recipes
    from zerosum.auto import Choice, choose
    from zerosum.data import open_source
    from zerosum.data.preflight import inspect, lines
    from zerosum.sampling import takes_labels
    from zerosum.settings import settings

    need = recipes.needs(recipe)
    source = open_source(data, held_out=held_out, size=size, target=target, schema=schema, need=need, inputs=inputs)
    for line in lines(inspect(source), whole=True):
        say(line)
    chosen = choose(source.spec) if recipe == "auto" else Choice(recipe)
    game = recipes.find(chosen.recipe).build(settings(chosen.recipe, chosen.settings), source.spec)
    say(f"recipe    {chosen.recipe}: {recipes.summary(chosen.recipe)}")
    for name, value in chosen.settings.items():
        say(f"          {name} {value}")
    for reason in chosen.why:
        say(f"          {reason}")
    say_of_classes(source.spec, chosen.recipe, takes_labels(game))
    return 0
