"""Convolutions."""

from torch import nn

Conv2d = nn.Conv2d
ConvTranspose2d = nn.ConvTranspose2d
