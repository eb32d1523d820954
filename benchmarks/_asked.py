"""Settings from words of the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any


def asked(words: Iterable[str]) -> dict[str, Any]:
    """NAME=VALUE words as settings, their values in Python's words or JSON's; what is neither is a word."""
    return {name: _value(value) for name, _, value in (word.partition("=") for word in words)}


def _value(text: str) -> Any:
    try:
        return json.loads({"True": "true", "False": "false", "None": "null"}.get(text, text))
    except ValueError:
        return text
