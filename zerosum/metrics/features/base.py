"""Features: a fixed network that turns items into vectors, with what a reader needs to know which network it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import torch
from torch import Tensor, nn

from zerosum.errors import UserError

CHUNK = 500
"""Items in a network at once."""


@contextmanager
def whole_float32() -> Iterator[None]:
    """Float32 with all its digits: GPUs otherwise multiply in convolutions with ten bits (TensorFloat-32)."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@dataclass(frozen=True)
class Features:
    """A network in eval mode whose outputs compare generated with real items.

    `net`: items [n, *shape] in model space -> (features [n, dim], logits [n, classes] or None).
    """

    name: str  # as it stands in a score's name: judge, Inception, or the file's
    how: str  # network and preprocessing, in a few words, for protocols
    hash: str  # SHA-256 of weights and preprocessing
    dim: int
    net: nn.Module
    official: bool = False  # whether FID, KID and Inception Score may be called so

    @torch.no_grad()
    @whole_float32()
    def look(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """(features [n, dim], class probabilities [n, classes] or None) of items, float32 on the CPU.

        Images [n, c, h, w] in [-1, 1] are rounded to 8 bits first: what a viewer would see, and what real images are.
        """
        features, chances = [], []
        for part in x.split(CHUNK):
            seen, logits = self.net(as_bytes(part).to(self.device))
            features.append(seen.float().cpu())
            if logits is not None:
                chances.append(logits.float().softmax(1).cpu())
        return torch.cat(features), torch.cat(chances) if chances else None

    def __call__(self, x: Tensor) -> Tensor:
        """Features [n, dim] of items [n, *shape], float32 on the CPU."""
        return self.look(x)[0]

    @torch.no_grad()
    @whole_float32()
    def unrounded(self, x: Tensor) -> Tensor:
        """Features of items as they are, without rounding: for differences smaller than a step of 8 bits."""
        return torch.cat([self.net(part.to(self.device))[0].float().cpu() for part in x.split(CHUNK)])

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(iter(self.net.state_dict().values())).device


def as_bytes(x: Tensor) -> Tensor:
    """Images [n, c, h, w] in [-1, 1] as 8-bit images would give them; vectors [n, d] as they are."""
    return x if x.ndim == 2 else ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def weights_hash(net: nn.Module, preprocessing: str) -> str:
    """SHA-256 of the names, shapes and values of everything in a network's state, and of its preprocessing in words."""
    digest = sha256(preprocessing.encode())
    for name, value in sorted(net.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def rgb(net: nn.Module, channels: int, what: str) -> nn.Module:
    """A network of RGB images, for images of so many channels: grey thrice, RGBA laid over mid-grey.

    Raises UserError for other numbers of channels.
    """
    if channels not in (1, 3, 4):
        raise UserError(f"{what} looks at grey, RGB and RGBA images, and these have {channels} channels: take --features judge")
    return net if channels == 3 else nn.Sequential(_Thrice() if channels == 1 else _Flattened(), net)


def in_rgb(channels: int) -> str:
    """In words, for protocols, what `rgb` does to images of so many channels."""
    return {1: ", grey as RGB", 4: ", alpha laid over mid-grey"}.get(channels, "")


class _Thrice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.expand(-1, 3, -1, -1)


class _Flattened(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :3] * (x[:, 3:] + 1) / 2
