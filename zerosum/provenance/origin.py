"""Origin: what made an item, as it is written into files; and the hash by which a run is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from zerosum import __version__

TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
WHOLE, PART = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
"""IPTC's terms (Digital Source Type NewsCodes): made by a trained model; composed of what one made and of what was given."""
HASHED = ("recipe", "settings", "spec")
"""Entries of config.json that a run's hash is of: those that say how to build its networks."""
LONGEST = 500
"""Characters of a text in an origin."""


@dataclass(frozen=True)
class Origin:
    """What made an item. Of the data that were learned from, of paths and of people it says nothing."""

    run: str = ""  # the run's hash, 16 hexadecimal digits; empty: a game that was never saved
    recipe: str = ""  # its name, or its file's name
    step: int | None = None  # of training
    act: str = "sample"  # the command: sample, translate, train, show ...
    seed: int | None = None
    seeds: str | None = None  # several, of a show
    count: int | None = None  # items asked for at once; a seed's items depend on how many they are
    index: int | None = None  # which of them this is, from 0; None: all of them
    label: str | None = None
    truncation: float | None = None
    where: str | None = None  # of tables: what rows should be
    direction: str | None = None  # of games that map both ways
    part: bool = False  # whether the rest of it was not made but given
    version: str = __version__

    @property
    def source_type(self) -> str:
        """IPTC's address of its digital source type."""
        return TYPES + (PART if self.part else WHOLE)

    @property
    def tool(self) -> str:
        """The program, with its version."""
        return f"zerosum {self.version}"

    def to_plain(self) -> dict[str, Any]:
        """The fields that say something, as plain values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None and value is not False and value != ""}

    @staticmethod
    def from_plain(values: Mapping[str, Any]) -> Origin:
        """The origin that such values tell of, words or numbers; what is unknown or of another kind is left out."""
        kinds = {field.name: str(field.type) for field in fields(Origin)}
        found = {name: _value(kinds[name], value) for name, value in values.items() if name in kinds}
        return Origin(**{"version": ""} | {name: value for name, value in found.items() if value is not None})


def _value(kind: str, value: Any) -> Any:
    """A value of a field's kind, or None."""
    if kind.startswith("str"):
        return str(value)[:LONGEST] if isinstance(value, str | int | float) else None
    if kind == "bool":
        return str(value).lower() == "true"
    try:
        number = (int if kind.startswith("int") else float)(str(value)[:40])
    except ValueError:
        return None
    return number if isfinite(number) else None


def run_hash(config: Mapping[str, Any], step: int, nets: bytes) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of what a checkpoint's generator is: equal for a copied folder.

    Hashed are the UTF-8 bytes of one line of JSON with sorted keys and without spaces: `recipe`, `settings` and `spec` of
    config.json, the `step`, and as `nets` the SHA-256 of the file nets.safetensors, `nets`. Where the data lay, what else
    was asked of training and the machine do not enter.
    """
    told = {name: config.get(name) for name in HASHED} | {"step": step, "nets": sha256(nets).hexdigest()}
    if isinstance(told["recipe"], str):
        told["recipe"] = recipe_name(told["recipe"])
    return sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def of_checkpoint(folder: Path, config: Mapping[str, Any], step: int) -> Origin:
    """What makes items with a run folder's checkpoint. Raises OSError where its networks cannot be read."""
    nets = (folder / f"step-{step}" / "nets.safetensors").read_bytes()
    return Origin(run_hash(config, step, nets), recipe_name(str(config.get("recipe", ""))), step)


def recipe_name(recipe: str) -> str:
    """A recipe's name; of a recipe's file its name alone, for where it lay is nobody's business."""
    return Path(recipe).name if recipe.endswith(".py") else recipe
