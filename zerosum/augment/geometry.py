"""Images moved, turned and stretched: affine maps, composed first and sampled once.

A map is held as its inverse [n, 2, 3]: where in the old image each pixel of the new one comes from, (x, y) in pixels from
the image's centre. Whole shifts, mirrorings and right angles are in it exactly, and sampling them moves pixels exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor

from zerosum import noise
from zerosum.augment.sample import sample

SHIFT = 0.125  # of the image's size: largest whole shift, standard deviation of the other
SCALE = 0.2  # standard deviation of the logarithm, base 2, of a change of scale


def draw(n: int, height: int, width: int, p: Tensor | float, device: torch.device) -> Tensor:
    """Inverse maps [n, 2, 3], each operation taken with probability p.

    Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", appendix B: mirror, right angles,
    whole shift, scale, rotation, anisotropic scale, rotation, shift. An image that is not square is turned by 0 or 180
    degrees, not by 90, as no turn by 90 fills its frame.
    """
    u, z = noise.uniform(n, 15, device=device), noise.normal(n, 4, device=device)
    p = p if isinstance(p, Tensor) else u.new_full((), p)  # filled on the device: a copy to a GPU would wait for it
    chosen = iter((u[:, :8] < torch.stack([p, p, p, p, 1 - (1 - p).sqrt(), p, 1 - (1 - p).sqrt(), p])).unbind(1))
    one, zero = torch.ones_like(u[:, 0]), torch.zeros_like(u[:, 0])
    size = torch.stack([u.new_full((), width), u.new_full((), height)])

    flip = torch.where(next(chosen) & (u[:, 8] < 0.5), -one, one)
    back = linear(flip, zero, zero, one)
    quarters = torch.where(next(chosen), (4 * u[:, 9]).floor(), zero)
    if height != width:
        quarters = 2 * (quarters // 2)
    back = back @ linear(*right_angle(quarters))
    whole = torch.where(next(chosen)[:, None], ((2 * u[:, 10:12] - 1) * SHIFT * size).round(), 0.0)
    back = back @ shifted(-whole)
    grow = torch.where(next(chosen), torch.exp2(SCALE * z[:, 0]), one)
    back = back @ linear(1 / grow, zero, zero, 1 / grow)
    back = back @ turn(next(chosen), u[:, 12])
    stretch = torch.where(next(chosen), torch.exp2(SCALE * z[:, 1]), one)
    back = back @ linear(1 / stretch, zero, zero, stretch)
    back = back @ turn(next(chosen), u[:, 13])
    part = torch.where(next(chosen)[:, None], z[:, 2:4] * SHIFT * size, 0.0)
    return (back @ shifted(-part))[:, :2]


def linear(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """The maps (x, y) -> (a x + b y, c x + d y), from numbers [n], as matrices [n, 3, 3]."""
    zero = torch.zeros_like(a)
    rows = (torch.stack(row, 1) for row in ((a, b, zero), (c, d, zero), (zero, zero, torch.ones_like(a))))
    return torch.stack(list(rows), 1)


def shifted(by: Tensor) -> Tensor:
    """The maps (x, y) -> (x, y) + by, from [n, 2], as matrices [n, 3, 3]."""
    maps = torch.eye(3, device=by.device).repeat(len(by), 1, 1)
    maps[:, :2, 2] = by
    return maps


def right_angle(quarters: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cosine, minus sine, sine, cosine of whole quarters of a turn [n], without rounding."""
    cos, sin = (quarters == 0).float() - (quarters == 2).float(), (quarters == 1).float() - (quarters == 3).float()
    return cos, -sin, sin, cos


def turn(chosen: Tensor, u: Tensor) -> Tensor:
    """Rotations [n, 3, 3] by any angle, from uniform numbers in [0, 1); none where not chosen."""
    angle = torch.where(chosen, (2 * u - 1) * torch.pi, 0.0)
    return linear(angle.cos(), -angle.sin(), angle.sin(), angle.cos())


def warp(x: Tensor, inverse: Tensor) -> Tensor:
    """Images [n, c, h, w] under maps whose inverses are [n, 2, 3]; between pixels linear, beyond the edge mirrored.

    Where a map makes things smaller, the image is blurred before, or fine detail would turn into false patterns.
    """
    _, _, h, w = x.shape
    x, inverse = smoothed(x, (shrinking(inverse) - 1).clamp(0, 1).to(x.dtype)), inverse.float()
    ys = torch.arange(h, device=x.device).sub((h - 1) / 2).repeat_interleave(w)
    xs = torch.arange(w, device=x.device).sub((w - 1) / 2).repeat(h)
    a, b, c, d, e, f = inverse.flatten(1)[:, :, None].unbind(1)  # no matrix product: a GPU may round those to ten bits
    columns, rows = a * xs + b * ys + c + (w - 1) / 2, d * xs + e * ys + f + (h - 1) / 2
    left, top = columns.floor(), rows.floor()
    right_share, low_share = columns.sub_(left).to(x.dtype), rows.sub_(top).to(x.dtype)
    across, down = ([mirrored(at + i, size) for i in (0, 1)] for at, size in ((left, w), (top, h)))
    index = torch.stack([(row * w + column).long() for row in down for column in across], 1)
    low_left, low_right = low_share - low_share * right_share, low_share * right_share
    weight = torch.stack([1 - right_share - low_left, right_share - low_right, low_left, low_right], 1)
    return sample(x, index, weight).unflatten(2, (h, w))


def mirrored(at: Tensor, size: int) -> Tensor:
    """Whole-number positions brought into [0, size) by mirrors on the first and the last pixel.

    They are floats, which processors divide many at a time; whole numbers up to 2**24 are exact in them.
    """
    if size == 1:
        return torch.zeros_like(at)
    period = 2 * (size - 1)
    at = at - period * (at / period).floor()
    return torch.minimum(at, period - at)


def shrinking(inverse: Tensor) -> Tensor:
    """By how much each map [n, 2, 3] shrinks at most: the largest singular value of its inverse, [n]."""
    (a, b), (c, d) = (row.unbind(1) for row in inverse[:, :, :2].unbind(1))
    squares, det = a * a + b * b + c * c + d * d, a * d - b * c
    return ((squares + (squares.square() - 4 * det.square()).clamp_min(0).sqrt()) / 2).sqrt()


def smoothed(x: Tensor, share: Tensor) -> Tensor:
    """Images [n, c, h, w] blurred by (s / 4, 1 - s / 2, s / 4) along each side, s [n] in [0, 1]: 0 leaves them as they are.

    s = 1 is the blur that halving an image asks for. A map that shrinks to 1 / f takes s = f - 1, as mip-maps mix levels.
    """
    share = share[:, None, None, None]
    for side in (2, 3):
        size = x.shape[side]
        if size > 1:
            before = torch.cat([x.narrow(side, 1, 1), x.narrow(side, 0, size - 1)], side)
            after = torch.cat([x.narrow(side, 1, size - 1), x.narrow(side, size - 2, 1)], side)
            x = x + share / 4 * (before + after - 2 * x)
    return x
