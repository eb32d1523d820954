"""Spectral normalisation of a whole network."""

from __future__ import annotations

from typing import TypeVar

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

Net = TypeVar("Net", bound=nn.Module)


def spectral(net: Net) -> Net:
    """Divide every weight matrix by its largest singular value, estimated by one power iteration a forward pass.

    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", algorithm 1. Convolution kernels
    are read as matrices [out, in * height * width]. Changes the net in place and returns it.
    """
    for layer in list(net.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
            spectral_norm(layer, eps=1e-12)
    return net
