"""Networks whose features compare generated with real items, one kind a file; `base.Features` is what they all give.

A kind is a module here with `accepts(wanted) -> bool` and `load(wanted, source, device, download) -> Features`, found by
looking at the files: adding one touches no other.
"""

from __future__ import annotations

import importlib
import pkgutil

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.features.base import Features

SMALLEST = 16
"""Pixels of the shorter side below which a judge sees no more than the pixels themselves."""


def default(source: Source) -> str:
    """What is looked with where the user does not say: `judge`, or `pixels` for images below 16 pixels a side."""
    return "judge" if min(source.spec.shape[1:]) >= SMALLEST else "pixels"


def find_features(wanted: str, source: Source, device: str = "cpu", download: bool = False) -> Features:
    """Features by name (judge, pixels, inception) or by the path of a network file.

    `download`: whether weights that are missing may be fetched. Raises UserError where nothing here knows what is wanted.
    """
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    kinds = [module for module in modules if {"accepts", "load"} <= set(vars(module))]
    for kind in kinds:
        if kind.accepts(wanted):
            found: Features = kind.load(wanted, source, device, download)
            return found
    raise UserError(f"features {wanted}: take judge, pixels, inception, or the path of an .npz, .safetensors or .pth network")
