"""How far two sets of rows are apart by what their columns agree on: a kernel distance that sees marginals of every order.

k(x, y) = exp(b x . y). For rows of one-hot choices x . y is the number of columns on which they agree, and
exp(b a) = sum over sets S of columns of (e^b - 1)^|S| [x and y agree on S]. So the squared maximum mean discrepancy (Gretton et
al. 2012, "A Kernel Two-Sample Test") is the sum over all sets of columns of (e^b - 1)^|S| times the squared difference of the
two joint distributions of these columns. Training a generator by such a distance is Li et al. 2015, "Generative Moment
Matching Networks"; here it stands beside a discriminator.
"""

from __future__ import annotations

from torch import Tensor


def agreement_distance(real: Tensor, fake: Tensor, sharpness: float) -> Tensor:
    """The part of the squared discrepancy that `fake` [n, d] decides, in units of the kernel's mean.

    E k(fake, fake') - 2 E k(real, fake): unbiased but for the unit, and -1 at its least, where both have one law. The unit is
    the mean of both expectations, without a gradient. A row of `fake` may have been made after the same row of `real`: these
    pairs are left out. `sharpness`: b.
    """
    fake = fake.float()
    similar = real.float() @ fake.T
    middle = similar.mean().detach()  # only the kernel's unit changes with it, and it keeps exp() in range
    between = _apart((sharpness * (similar - middle)).exp())
    among = _apart((sharpness * (fake @ fake.T - middle)).exp())
    return (among - 2 * between) / (0.5 * (among + between)).detach()


def _apart(kernel: Tensor) -> Tensor:
    """The mean of a square matrix off its diagonal."""
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
