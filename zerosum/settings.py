"""Settings from plain values: each of its field's kind, or refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from zerosum import recipes
from zerosum.errors import UserError, suggest
from zerosum.train import Training

WORDS = {bool: "True or False", int: "a whole number", float: "a number", str: "a word"}


def settings(recipe: str, values: Mapping[str, Any]) -> Any:
    """The recipe's Config from plain values. Raises UserError where a name is unknown."""
    config = recipes.find(recipe).Config
    known = {field.name for field in fields(config)}
    if strangers := sorted(set(values) - known):
        others = {field.name for field in fields(Training)}
        said = "it is one of Training's" if strangers[0] in others else suggest(strangers[0], sorted(known | others))
        raise UserError(f"recipe {recipe} has no setting {strangers[0]}: {said}")
    return worded(plain(config(**values)))


def plain(config: Any) -> Any:
    """The same dataclass, as `typed` gives it. Raises UserError where a value is of another kind than its field."""
    try:
        return typed(config)
    except TypeError as error:
        raise UserError(str(error)) from None


def typed(config: Any) -> Any:
    """The same dataclass, with whole numbers as floats where its fields are floats.

    Raises TypeError where a value is of another kind than its field.
    """
    changed: dict[str, Any] = {}
    for name, kind in get_type_hints(type(config)).items():
        value, kinds = getattr(config, name), set(get_args(kind) or (kind,))
        if not kinds <= {int, float, str, bool, NoneType}:
            continue  # a few words, or something of the recipe's own
        if isinstance(value, Integral) and int in kinds and not isinstance(value, bool):
            value = int(value)  # NumPy's too
        elif isinstance(value, Real) and float in kinds and not isinstance(value, bool):
            value = float(value)
        if type(value) not in kinds:
            wanted = " or ".join(WORDS[one] for one in (bool, int, float, str) if one in kinds)
            raise TypeError(f"{name} {getattr(config, name)!r}: give {wanted}")
        changed[name] = value
    return replace(config, **changed)


def worded(config: Any) -> Any:
    """The same dataclass. Raises UserError where a field that is one of a few words is none of them."""
    for name, kind in get_type_hints(type(config)).items():
        value = getattr(config, name)
        if get_origin(kind) is Literal and value not in get_args(kind):
            raise UserError(f"{name} {value}: {suggest(str(value), list(get_args(kind)))}")
    return config
