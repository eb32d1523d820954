"""The trunk of MobileNetV2, frozen: features of images, from a file of 8-bit weights.

Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2, with batch norm folded in. The file is
an .npz that holds `NAME.weight_int8` (out, in, kh, kw), `NAME.scale` (out) and `NAME.bias` (out) of 52 convolutions, named as
Keras does. Gradients pass through to the images; the weights are buffers, which no player can move and every checkpoint has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, hardtanh, pad

from zerosum.errors import UserError

DIM = 1280
HALVING = (1, 3, 6, 13)
"""Blocks whose depthwise convolution has stride 2, as the first convolution has."""

WIDTHS = (24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320)
"""Channels that blocks 1 to 16 give (table 2). Inside, a block has six times its input's."""


def shapes() -> dict[str, tuple[int, int, int, int]]:
    """The convolutions in order, each with its weight's shape (out, in / groups, kh, kw)."""
    found = {"Conv1": (32, 3, 3, 3), "expanded_conv_depthwise": (32, 1, 3, 3), "expanded_conv_project": (16, 32, 1, 1)}
    before = 16
    for i, after in enumerate(WIDTHS, 1):
        inside = 6 * before
        found[f"block_{i}_expand"] = (inside, before, 1, 1)
        found[f"block_{i}_depthwise"] = (inside, 1, 3, 3)
        found[f"block_{i}_project"] = (after, inside, 1, 1)
        before = after
    return found | {"Conv_1": (DIM, before, 1, 1)}


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file. Raises UserError where it is missing, damaged or holds something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            held: dict[str, Any] = {key: file[key] for key in file.files}
    except FileNotFoundError as error:
        raise UserError(f"no network at {path}: check the path") from error
    except Exception as error:  # a damaged file ends in anything
        raise UserError(f"{path}: cannot be read ({error}): give an .npz of a MobileNetV2 trunk") from error
    for name, shape in shapes().items():
        parts = {f"{name}.weight_int8": shape, f"{name}.scale": shape[:1], f"{name}.bias": shape[:1]}
        for key, wanted in parts.items():
            if key not in held:
                raise UserError(f"{path}: no feature network that is known here (it has no {key}): give a MobileNetV2 trunk")
            if held[key].shape != wanted:
                raise UserError(f"{path}: {key} has shape {held[key].shape}, not {wanted}: give one of width 1.0")
    return held


class Trunk(nn.Module):
    """RGB images [n, 3, h, w] in [-1, 1], at least 32 pixels a side -> features. Without `arrays` its weights are 0.

    `deepest`: the last of the blocks 1 to 16 that is kept; None: all of them, and the 1280 maps on top.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray] | None, deepest: int | None = None) -> None:
        super().__init__()
        self.blocks = len(WIDTHS) if deepest is None else deepest
        for name, shape in shapes().items():
            above = int(name.split("_")[1]) > self.blocks if name.startswith("block_") else name == "Conv_1"
            if above and deepest is not None:
                continue
            weight, bias = torch.zeros(shape), torch.zeros(shape[0])
            if arrays is not None:
                scale = arrays[f"{name}.scale"].astype(np.float32)[:, None, None, None]
                weight = torch.from_numpy(arrays[f"{name}.weight_int8"].astype(np.float32) * scale)
                bias = torch.from_numpy(arrays[f"{name}.bias"].astype(np.float32))
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", bias)

    def maps(self, x: Tensor) -> list[Tensor]:
        """What each block gives, from block 0 (16 maps of half the image's size) on."""
        found = [self._unit("expanded_conv_project", self._unit("expanded_conv_depthwise", self._unit("Conv1", x, stride=2)))]
        for i in range(1, self.blocks + 1):
            y = self._unit(f"block_{i}_depthwise", self._unit(f"block_{i}_expand", found[-1]), stride=2 if i in HALVING else 1)
            y = self._unit(f"block_{i}_project", y)
            found.append(found[-1] + y if found[-1].shape == y.shape else y)
        return found

    def pooled(self, x: Tensor) -> Tensor:
        """The features [n, 1280] on top, averaged over the image."""
        return self._unit("Conv_1", self.maps(x)[-1]).mean((2, 3))

    def forward(self, x: Tensor) -> list[Tensor]:
        return self.maps(x)

    def _unit(self, name: str, x: Tensor, stride: int = 1) -> Tensor:
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        if weight.shape[2] == 3:
            x = pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))  # TensorFlow pads what is left over behind
        groups = x.shape[1] // weight.shape[1]
        if groups > 1 and stride == 2 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            # In bfloat16 the way back takes 20 times as long: 16.4 ms instead of 0.9 for [8, 96, 57, 57], one core.
            with torch.autocast("cpu", enabled=False):
                x = conv2d(x.float(), weight.float(), bias.float(), stride, groups=groups).to(x.dtype)
        else:
            x = conv2d(x, weight, bias, stride, groups=groups)
        return x if name.endswith("project") else hardtanh(x, 0.0, 6.0)  # clamp's derivative takes three passes over memory
