"""A generator as one safetensors file: its weights, and as JSON in the header what builds the networks that they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import prod
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from zerosum import recipes
from zerosum.bounds import Bounded
from zerosum.building import build_run
from zerosum.data import modality
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.export.about import FORMAT
from zerosum.export.beside import beside
from zerosum.export.view import view
from zerosum.files import writing
from zerosum.provenance import Origin
from zerosum.sampling import Sampler
from zerosum.settings import settings
from zerosum.train import Training

KEY = "zerosum"
FOREIGN = (
    RuntimeError,
    TypeError,
    ValueError,
    KeyError,
    AttributeError,
    IndexError,
    MemoryError,
    OverflowError,
    RecursionError,
)
"""What building networks from a stranger's words may end in."""
LARGEST = 2**26
"""Numbers of an item, at most: a picture of 4 channels and 4096 x 4096 pixels."""


@dataclass(frozen=True)
class Written:
    """A file of weights."""

    path: Path
    parameters: int

    @property
    def size(self) -> int:
        """Bytes."""
        return self.path.stat().st_size


def write(sampler: Sampler, path: str | Path, config: Mapping[str, Any]) -> Written:
    """Write what a sampler's generator needs: its nets as they are shown (averaged, where there is an average), float32.

    `config`: the run's config.json. Where the data lay is left out. Raises UserError for a recipe that is a file of the
    user's: whoever gets the weights could not build its networks.
    """
    path = Path(path)
    if config["recipe"] not in recipes.names():
        raise UserError(f"recipe {config['recipe']} is a file of your own, and a file of weights holds no code: take --onnx")
    origin = sampler.origin()
    told = {
        "format": FORMAT,
        "recipe": config["recipe"],
        "settings": _own(config["settings"]),
        "spec": replace(sampler.spec, origin="").to_json(),
        "run": origin.run,
        "step": origin.step,
    }
    with sampler.run.shown() as nets:
        kept = {name: value.contiguous() for name, value in view(sampler, nets).nets.state_dict().items()}
        data = safetensors.torch.save(kept, {KEY: json.dumps(told)})
        parameters = sum(p.numel() for p in view(sampler, nets).nets.parameters())
    with beside(path) as scratch, writing(path):
        scratch.write_bytes(data)
    return Written(path, parameters)


def read(path: str | Path, device: str = "auto") -> Sampler:
    """The generator of such a file. Nothing in it is run: its words name a recipe of the house, its numbers are weights.

    Raises UserError where the file is none of these, is of a newer version, or does not fit the networks that it describes.
    """
    path = Path(path)
    told = _header(path)
    try:
        name, values = told["recipe"], told["settings"]
        if name not in recipes.names():
            raise UserError(f"{path} is of recipe {str(name)[:40]}, which is not one of the house: no code is run from files")
        if strangers := sorted({*_own(values)} - {field.name for field in fields(recipes.find(name).Config)}):
            raise ValueError(f"no setting {strangers[0][:80]}")
        cfg, spec = settings(name, _own(values)), Spec.from_json(told["spec"])
        modality(spec)
        if prod(spec.shape) > LARGEST:
            raise ValueError(f"items of {prod(spec.shape):.0e} numbers")
        with Bounded():
            run = build_run(name, cfg, spec, Training(device=device, steps=1), "float32")
        origin = Origin.from_plain({"run": told.get("run"), "recipe": name, "step": told.get("step")})
        sampler = Sampler(run, spec, origin=lambda: origin)
        with run.shown() as nets:
            used = view(sampler, nets).nets
    except FOREIGN as error:
        raise UserError(f"{path} describes no generator that can be built here ({_first(error)}): export it again") from error
    with run.shown():
        _fill(used, path)
    return sampler


def _own(values: Any) -> dict[str, Any]:
    """Settings without the names of other files, which a generator does not need."""
    if not isinstance(values, dict):
        raise TypeError("settings are no object")
    return values | ({"features": ""} if "features" in values else {})


def _header(path: Path) -> dict[str, Any]:
    """The JSON in a file's header."""
    try:
        with safe_open(path, "pt") as file:
            words = (file.metadata() or {}).get(KEY)
    except FileNotFoundError:
        raise UserError(f"{path} is not there: check the path") from None
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} is no safetensors file ({_first(error)}): give one of `zerosum export --safetensors`"
        ) from error
    try:
        told = json.loads(words or "")
        version = told["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} says nothing of a generator: give a file of `zerosum export --safetensors`") from None
    if type(version) is not int or version > FORMAT:
        raise UserError(f"{path} was written by a newer zerosum (format {str(version)[:20]}): update zerosum")
    return dict(told)


def _fill(nets: nn.ModuleDict, path: Path) -> None:
    """Put a file's numbers in their places. Raises UserError where names, shapes or types are others."""
    places: dict[str, Tensor] = nets.state_dict()
    with safe_open(path, "pt") as file:
        names = set(file.keys())
        if strangers := sorted(names ^ set(places)):
            where = "lacks" if strangers[0] in places else "holds"
            raise UserError(f"{path} {where} {strangers[0][:80]}, unlike the generator that it describes: export it again")
        for name, place in places.items():
            part = file.get_slice(name)
            if part.get_shape() != list(place.shape):
                shapes = f"{part.get_shape()} and not {list(place.shape)}"
                raise UserError(f"{path}: {name} is of shape {shapes}, unlike the generator that it describes")
            value = file.get_tensor(name)
            if value.dtype != place.dtype:
                raise UserError(f"{path}: {name} is of type {value.dtype} and not {place.dtype}: export it again")
            if value.is_floating_point() and not torch.isfinite(value).all():
                raise UserError(f"{path}: {name} holds NaN or infinity: export it again")
            place.copy_(value)


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
