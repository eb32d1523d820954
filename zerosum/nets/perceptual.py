"""How different two images look: a distance between the features of a frozen network.

Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", section 3.1, eq. 1, on four
depths of a MobileNetV2, every channel of equal weight: it is no LPIPS, whose network and weights are others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zerosum.errors import UserError
from zerosum.layers.windows import windows
from zerosum.nets.mobilenet import Trunk, read

DEPTHS = (0, 2, 5, 12)
"""Blocks that are looked at: the last ones at a half, a quarter, an eighth and a sixteenth of the image's size."""

SHIFT = 16
"""Pixels by which the window that is looked at wanders while training, at most, and at most an eighth of the image."""


def looks_at(channels: int) -> None:
    """Raises UserError where images have a number of channels that no feature network looks at."""
    if channels not in (1, 3, 4):
        raise UserError(f"a feature network looks at grey, RGB and RGBA images, and these have {channels} channels")


def in_rgb(x: Tensor) -> Tensor:
    """Images of 1, 3 or 4 channels in [-1, 1] as RGB: grey thrice, RGBA laid over mid-grey.

    Raises UserError for other numbers of channels.
    """
    looks_at(x.shape[1])
    if x.shape[1] == 4:
        return x[:, :3] * (x[:, 3:] + 1) / 2
    return x.expand(-1, 3, -1, -1)


def distances(trunk: Trunk, made: Tensor, real: Tensor) -> Tensor:
    """The distance between images [n, c, h, w] in [-1, 1], each to its partner, [n]; 0 where their features agree.

    At every position of a map features are scaled to length 1; squared differences are summed over channels, averaged over
    positions and summed over `DEPTHS`. Gradients reach `made` alone.
    """
    with torch.no_grad():
        wanted = trunk(in_rgb(real))
    seen = trunk(in_rgb(made))
    parts = [(_unit(seen[i]) - _unit(wanted[i])).square().sum(1).mean((1, 2)) for i in DEPTHS]
    return torch.stack(parts).sum(0)


def _unit(x: Tensor) -> Tensor:
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    return x / (x.square().sum(1, keepdim=True) + 1e-10).sqrt()


class Perceptual(nn.Module):
    """The distance by the network of a file: images made and real [n, c, h, w] -> their mean distance, a scalar, through a
    window that wanders at random (`zerosum.noise`), the same for both.

    The weights are in checkpoints, so a trained run does without the file: where it cannot be read, nothing is said before
    the distance is asked for, and nothing at all once weights were loaded.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self.missing: UserError | None = None
        try:
            self.trunk = Trunk(read(Path(path)), deepest=DEPTHS[-1])
        except UserError as error:
            self.trunk, self.missing = Trunk(None, deepest=DEPTHS[-1]), error
        self.trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, made: Tensor, real: Tensor) -> Tensor:
        check(self)
        # The trunk halves four times, always at the same pixels: looked at from one place, it writes its grid into the images.
        height, width = (side - min(SHIFT, side // 8) for side in made.shape[2:])
        return distances(self.trunk, *windows(height, width, made, real)).mean()

    def _load_from_state_dict(self, state: Any, prefix: str, *args: Any) -> None:
        self.missing = None
        super()._load_from_state_dict(state, prefix, *args)


def beside(path: str, channels: int) -> dict[str, nn.Module]:
    """What a game of images of so many channels has among its nets for the features of a file; nothing for "".

    Raises UserError where a feature network does not look at such images.
    """
    if not path:
        return {}
    looks_at(channels)
    return {"features": Perceptual(path)}


def check(net: nn.Module) -> None:
    """Raises UserError where a `Perceptual` has no weights: its file is missing, damaged or holds something else."""
    assert isinstance(net, Perceptual)
    if net.missing is not None:
        raise net.missing
