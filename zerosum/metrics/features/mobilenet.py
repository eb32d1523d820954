"""Features from a file of a MobileNetV2 trunk, 8-bit weights in an .npz: a stand-in for the official network."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import interpolate

from zerosum.data.source import Source
from zerosum.metrics.features.base import Features, in_rgb, rgb
from zerosum.nets.mobilenet import DIM, Trunk, read

SIDES = (96, 224)
"""Sides that images are resized to: the larger one where they have as many pixels on their shorter side."""


def accepts(wanted: str) -> bool:
    """Whether this is the path of an .npz file."""
    return wanted.endswith(".npz")


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """The network of a file. Raises UserError where it is missing, damaged or holds something else."""
    path = Path(wanted)
    net = Resized(Trunk(read(path)))
    whole = rgb(net, source.spec.shape[0], f"{path.name}").eval().requires_grad_(False).to(device)
    side = net.side(source.spec.shape[1:])
    how = f"MobileNetV2 trunk {path.name}, images resized to {side} x {side} (bilinear, antialiased)" + in_rgb(
        source.spec.shape[0]
    )
    digest = sha256(path.read_bytes() + how.encode()).hexdigest()
    return Features(path.stem, how, digest, DIM, whole)


class Resized(nn.Module):
    """RGB images [n, 3, h, w] in [-1, 1] of any size -> (features [n, 1280], None)."""

    def __init__(self, trunk: Trunk) -> None:
        super().__init__()
        self.trunk = trunk

    def side(self, size: tuple[int, ...]) -> int:
        """What images of this height and width are resized to."""
        return SIDES[1] if min(size) >= SIDES[1] else SIDES[0]

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        side = self.side(x.shape[2:])
        if x.shape[2:] != (side, side):
            x = interpolate(x, size=(side, side), mode="bilinear", antialias=True)
        return self.trunk.pooled(x), None
