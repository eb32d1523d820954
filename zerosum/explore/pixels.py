"""Items as pixels for a browser's canvas."""

from __future__ import annotations

from torch import Tensor, cat, nan_to_num, ones_like


def rgba(x: Tensor) -> bytes:
    """Images in model space [n, c, h, w] -> n * h * w * 4 bytes: red, green, blue and alpha of each pixel, row by row.

    Grey becomes three equal colours; channel counts that no picture has show their first. Rounded as `zerosum sample` does.
    """
    x = nan_to_num(x.float())
    if x.shape[1] not in (3, 4):
        x = x[:, :1].expand(-1, 3, -1, -1)
    if x.shape[1] == 3:
        x = cat([x, ones_like(x[:, :1])], 1)
    return ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).contiguous().numpy().tobytes()
