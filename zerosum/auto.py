"""What to play on data about which the user said nothing: recipe and settings, with the reasons in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from zerosum.data.source import Spec


@dataclass(frozen=True)
class Choice:
    """A recipe, the settings in which it should differ from its defaults, and why: a sentence each."""

    recipe: str
    settings: dict[str, Any] = field(default_factory=dict)
    why: tuple[str, ...] = ()


def choose(spec: Spec) -> Choice:
    """The recipe and the settings for data of this kind, shape and number."""
    if spec.classes:
        return Choice("cgan", why=(f"the data have {spec.classes} classes",))
    if spec.kind == "images":
        return Choice("dcgan", why=("images without classes",))
    return Choice("gan", why=("vectors without classes",))
