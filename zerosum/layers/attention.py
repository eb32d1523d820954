"""Self-attention over the positions of a feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d


class SelfAttention(nn.Module):
    """y = x + gamma * attention(x), gamma learned from 0, so that training starts with local cues alone.

    Zhang et al. 2019, "Self-Attention Generative Adversarial Networks", section 3: keys and queries of channels / 8. Values
    of channels / 2, and keys and values max-pooled by 2, are not in the paper but in its authors' code; the pooling is the
    subsampling of Wang et al. 2018, "Non-local Neural Networks", section 3.3.

    Shape: [n, channels, height, width] -> the same. Height and width of at least 2.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query = self.query(x).flatten(2)
        key = max_pool2d(self.key(x), 2).flatten(2)
        value = max_pool2d(self.value(x), 2).flatten(2)
        weights = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        seen = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        return x + self.gamma * self.out(seen)
