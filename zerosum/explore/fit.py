"""A picture of any size and kind as an item that a run could have been trained on."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.decoder import fitted
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.pictures import Picture, as_channels


def as_item(shown: Picture, spec: Spec, name: str = "the picture") -> Tensor:
    """Model space [1, c, h, w]: scaled to cover the run's size and cut to its middle, as in training, with its channels.

    Where the run knows no transparency, what is transparent becomes black; where it does, a picture without is opaque. Raises
    UserError where the run's images have channels that no picture has.
    """
    channels, height, width = spec.shape
    if channels not in (1, 3, 4):
        raise UserError(f"{name}: this run's images have {channels} channels, which no picture file has")
    pixels = as_channels(shown.pixels, 1 if channels == 1 else 3, name)
    planes = [_plane(pixels[..., i], height, width) for i in range(pixels.shape[2])]
    alpha = np.full((height, width), 255, np.uint8) if shown.alpha is None else _plane(shown.alpha, height, width)
    if channels == 4:
        planes = [np.where(alpha > 0, plane, 0) for plane in planes] + [alpha]  # colours that nobody sees steer nothing
    else:
        planes = [np.rint(plane * (alpha / 255.0)) for plane in planes]
    return torch.from_numpy(np.stack(planes).astype(np.float32))[None] / 127.5 - 1


def _plane(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    if plane.shape == (height, width):
        return plane
    return np.asarray(fitted(Image.fromarray(np.ascontiguousarray(plane)), width, height))
