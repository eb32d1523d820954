"""Batch normalisation whose gain and bias come from what the generator was given: noise, and class."""

from __future__ import annotations

from torch import Tensor, nn


class SelfModulation(nn.Module):
    """Batch norm of maps x [n, c, h, w], then gain 1 + A s and bias B s, linear in the item's inputs s [n, inputs].

    Chen et al. 2019, "On Self Modulation for Generative Adversarial Networks", section 2, eq. 1, with one linear layer in
    place of their two. Noise thus reaches every layer anew, and cannot be lost on the way up. It keeps bfloat16 maps bfloat16.
    """

    def __init__(self, channels: int, inputs: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gain, self.bias = nn.Linear(inputs, channels), nn.Linear(inputs, channels)

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        gain, bias = self.gain(s)[:, :, None, None], self.bias(s)[:, :, None, None]
        return self.norm(x) * (1 + gain).to(x.dtype) + bias.to(x.dtype)
