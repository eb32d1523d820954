"""The one exception that is meant for people: it says what is wrong, where, and what to do."""

from difflib import get_close_matches


class UserError(Exception):
    """Something the user can mend. The command line prints it as one line and exits with code 2."""


def suggest(word: str, known: list[str]) -> str:
    """What to say to someone who typed a word that is not known."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"choose from {', '.join(known)}"
