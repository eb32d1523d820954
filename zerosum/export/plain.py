"""Text that nobody vouches for, as text: in Markdown, in YAML, in names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

LONGEST = 300
"""Characters of a text in a model card."""
ACTIVE = str.maketrans({char: f"\\{char}" for char in "_*[]#~!|`"} | {char: f"&#{ord(char)};" for char in "\\<>&$^@"})
"""What Markdown, its mathematics and its mentions act on, escaped. Entities where a backslash would be read twice."""
PATH = re.compile(r"(?:[A-Za-z]:[\\/]|\\\\|~[\\/]|\.{1,2}[\\/]|(?<![\w/])/)[^\s,;:'\"]+")


def clean(value: Any, most: int = LONGEST) -> str:
    """One line of what can be printed (no control characters, no marks of direction), cut where it is longer than `most`."""
    line = " ".join("".join(char if char.isprintable() else " " for char in str(value)[: 8 * most]).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def markdown(value: Any, most: int = LONGEST) -> str:
    """The same as Markdown that shows it and does nothing else: no link, no HTML, no table's edge."""
    line = clean(value, most).replace("://", ": //")  # bare addresses become links, whatever is escaped in them
    return re.sub(r"\bwww\.", "www .", line, flags=re.IGNORECASE).translate(ACTIVE)


def slug(value: Any, most: int = 60) -> str:
    """Small Latin letters, digits, dots and hyphens, as identifiers have them; "" where there are none."""
    ascii_only = clean(value).lower().replace("é", "e")
    return re.sub(r"[^a-z0-9.]+", "-", ascii_only)[:most].strip("-.")


def private(config: Mapping[str, Any]) -> list[str]:
    """What config.json says of where the data lie: paths, and the names that end them; the longest first."""
    told = [config.get(name, {}) for name in ("data", "spec", "preflight")]
    words = [one.get(name) for one in told if isinstance(one, dict) for name in ("what", "origin", "cache")]
    places = [word for words_ in words if isinstance(words_, str) for word in (words_, *words_.split(",")) if word.strip()]
    names = [cut(place).name for place in places for cut in (PurePosixPath, PureWindowsPath)]
    return sorted({word for word in (*places, *names) if len(word) > 2}, key=len, reverse=True)


def scrubbed(value: Any, secrets: list[str]) -> str:
    """A text without paths, and without these words."""
    text = clean(value, 4 * LONGEST)
    for secret in secrets:
        text = text.replace(secret, "the data")
    return PATH.sub("(a path)", text)
