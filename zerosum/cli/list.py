"""zerosum list: the recipes."""

from rich.markup import escape

from zerosum import recipes
from zerosum.cli._common import console, parse

PLACE = 9
USAGE = """
zerosum list                                                                the recipes
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(list_recipes, words, "list")


def list_recipes() -> int:
    """Show every recipe in a line."""
    width = max(map(len, recipes.names()))
    for name in recipes.names():
        console.print(f"[bold]{name:{width}}[/bold]  {escape(recipes.summary(name))}", highlight=False, soft_wrap=True)
    return 0
