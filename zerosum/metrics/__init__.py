"""Scores, one metric a file: `applies(spec, labelled)`, `QUICK` and `measure(make, source, seed) -> [Score]`.

Metrics are found by looking at the files; adding one touches no other. `QUICK` ones are also taken while training.
"""

from __future__ import annotations

import importlib
import pkgutil

from zerosum.data.source import Source
from zerosum.metrics.score import Maker, Score


def score(make: Maker, source: Source, labelled: bool, seed: int = 0, quick: bool = False) -> list[Score]:
    """Every score that fits the data. `labelled`: whether `make` gives labels. `quick`: only the cheap ones."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    metrics = [module for module in modules if {"applies", "QUICK", "measure"} <= set(vars(module))]
    fitting = [m for m in metrics if (m.QUICK or not quick) and m.applies(source.spec, labelled)]
    return [one for metric in fitting for one in metric.measure(make, source, seed)]
