"""Features from a file of a MobileNetV2 trunk, 8-bit weights in an .npz: a stand-in where the official network cannot be had.

Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2, with batch norm folded in. The file
holds `NAME.weight_int8` (out, in, kh, kw), `NAME.scale` (out) and `NAME.bias` (out) of 52 convolutions, named as Keras does.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate, pad

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.features.base import Features, in_rgb, rgb

SIDES = (96, 224)
"""Sides that images are resized to: the larger one where they have as many pixels on their shorter side."""

DIM = 1280
HALVING = (1, 3, 6, 13)
"""Blocks whose depthwise convolution has stride 2, as the first convolution has."""


def names() -> list[str]:
    """The convolutions in order."""
    blocks = [f"block_{i}_{part}" for i in range(1, 17) for part in ("expand", "depthwise", "project")]
    return ["Conv1", "expanded_conv_depthwise", "expanded_conv_project", *blocks, "Conv_1"]


def accepts(wanted: str) -> bool:
    """Whether this is the path of an .npz file."""
    return wanted.endswith(".npz")


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """The network of a file. Raises UserError where it is missing, damaged or holds something else."""
    path = Path(wanted)
    net = Trunk(_arrays(path))
    whole = rgb(net, source.spec.shape[0], f"{path.name}").eval().requires_grad_(False).to(device)
    side = net.side(source.spec.shape[1:])
    how = f"MobileNetV2 trunk {path.name}, images resized to {side} x {side} (bilinear, antialiased)" + in_rgb(
        source.spec.shape[0]
    )
    digest = sha256(path.read_bytes() + how.encode()).hexdigest()
    return Features(path.stem, how, digest, DIM, whole)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            held: dict[str, Any] = {key: file[key] for key in file.files}
    except FileNotFoundError as error:
        raise UserError(f"no network at {path}: check the path") from error
    except Exception as error:  # a damaged file ends in anything
        raise UserError(f"{path}: cannot be read ({error}): give an .npz of a MobileNetV2 trunk") from error
    if missing := [f"{n}.{part}" for n in names() for part in ("weight_int8", "scale", "bias") if f"{n}.{part}" not in held]:
        raise UserError(f"{path}: no feature network that is known here (it has no {missing[0]}): give a MobileNetV2 trunk")
    return held


class Trunk(nn.Module):
    """RGB images [n, 3, h, w] in [-1, 1] -> (features [n, 1280], None)."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for name in names():
            scale = arrays[f"{name}.scale"].astype(np.float32)[:, None, None, None]
            self.weights[name] = nn.Parameter(torch.from_numpy(arrays[f"{name}.weight_int8"].astype(np.float32) * scale))
            self.biases[name] = nn.Parameter(torch.from_numpy(arrays[f"{name}.bias"].astype(np.float32)))

    def side(self, size: tuple[int, ...]) -> int:
        """What images of this height and width are resized to."""
        return SIDES[1] if min(size) >= SIDES[1] else SIDES[0]

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        side = self.side(x.shape[2:])
        if x.shape[2:] != (side, side):
            x = interpolate(x, size=(side, side), mode="bilinear", antialias=True)
        return self.pooled(x), None

    def pooled(self, x: Tensor) -> Tensor:
        """The features of images as they are, without resizing."""
        x = self._unit("expanded_conv_depthwise", self._unit("Conv1", x, stride=2))
        x = self._unit("expanded_conv_project", x)
        for i in range(1, 17):
            y = self._unit(f"block_{i}_depthwise", self._unit(f"block_{i}_expand", x), stride=2 if i in HALVING else 1)
            y = self._unit(f"block_{i}_project", y)
            x = x + y if x.shape == y.shape else y
        return self._unit("Conv_1", x).mean((2, 3))

    def _unit(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight = self.weights[name]
        if weight.shape[2] == 3:
            x = pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))  # TensorFlow pads what is left over behind
        x = conv2d(x, weight, self.biases[name], stride, groups=x.shape[1] // weight.shape[1])
        return x if name.endswith("project") else x.clamp(0, 6)
