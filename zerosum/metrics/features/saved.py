"""Features from a .safetensors file that a judge was saved to: to judge other runs, or other data, by the same network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.features.base import Features, weights_hash
from zerosum.metrics.features.convolutions import DIM, Convolutions


def accepts(wanted: str) -> bool:
    """Whether this is the path of a .safetensors file."""
    return wanted.endswith(".safetensors")


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """The judge of a file. Raises UserError where it is missing, damaged, or for images of another shape."""
    path = Path(wanted)
    if not path.is_file():
        raise UserError(f"no judge at {path}: check the path")
    features, shape = read(path)
    if shape != source.spec.shape:
        raise UserError(f"{path}: a judge of images of {shape}, and these are {source.spec.shape} (channels, height, width)")
    features.net.to(device)
    return features


def read(path: Path) -> tuple[Features, tuple[int, ...]]:
    """(the judge of a file, the shape of its images). Raises UserError where the file is damaged or holds no judge."""
    try:
        with safe_open(path, "pt") as file:
            told: dict[str, Any] = json.loads((file.metadata() or {})["judge"])
        net = Convolutions(tuple(told["shape"]), told["classes"])
        net.load_state_dict(safetensors.torch.load_file(path))
        if weights_hash(net, told["how"]) != told["hash"]:
            raise ValueError("its weights are not those it was saved with")
    except (OSError, SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(f"{path}: holds no judge that can be read ({str(error).splitlines()[0]}): make it anew") from error
    net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Features("judge", told["how"], told["hash"], DIM, net), tuple(told["shape"])


def write(features: Features, shape: tuple[int, ...], path: Path) -> None:
    """Save a judge. Raises TypeError where the features are no judge's, OSError where it cannot be written."""
    if not isinstance(features.net, Convolutions):
        raise TypeError(f"{features.name} is not a judge")
    classes = features.net.head.out_features if features.net.head else 0
    told = {"shape": shape, "classes": classes, "how": features.how, "hash": features.hash}
    state = {name: value.cpu().contiguous() for name, value in features.net.state_dict().items()}
    path.write_bytes(safetensors.torch.save(state, {"judge": json.dumps(told)}))
