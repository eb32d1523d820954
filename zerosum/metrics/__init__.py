"""Scores, one metric a file: `applies(case)`, `QUICK` and `measure(case) -> [Score]`.

Metrics are found by looking at the files; adding one touches no other. `QUICK` ones are also taken while training and at its
end; `zerosum score` and `GAN.score` take them all.
"""

from __future__ import annotations

import importlib
import pkgutil

from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.case import ITEMS, Case
from zerosum.metrics.features import default, find_features
from zerosum.metrics.score import Maker, Score

QUICK_ITEMS = 3000
"""Items that quick scores compare, at most, where they do not say otherwise."""


def score(
    maker: Maker,
    source: Source,
    seed: int = 0,
    quick: bool = False,
    items: int = ITEMS,
    features: str | None = None,
    device: str = "cpu",
    download: bool = False,
) -> list[Score]:
    """Every score that fits the data. `quick`: only the cheap ones, which need no network.

    `items`: how many generated, held-out and training items are compared, at most. `features`: what images are compared by,
    as `find_features` takes it (default: the judge, or pixels for tiny images), on `device`. Raises UserError where there are
    no such features, or fewer than two images are held out (then `quick` gives no scores).
    """
    if source.spec.kind == "images" and (count := len(source.held_out(2)["x"])) < 2:
        if quick:
            return []  # taken unasked, while training and at its end
        raise UserError(f"{source.spec.origin}: {count} held-out image: no score without 2; train with --held-out 0.2")
    find = lambda: find_features(features or default(source), source, device, download)
    return measured(Case(maker, source, find, seed, min(items, QUICK_ITEMS) if quick else items, quick), quick)


def measured(case: Case, quick: bool = False) -> list[Score]:
    """Every score of a case, in the order of the metrics' names."""
    modules = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    metrics = [module for module in modules if {"applies", "QUICK", "measure"} <= set(vars(module))]
    fitting = [m for m in metrics if (m.QUICK or not quick) and m.applies(case)]
    return [one for metric in fitting for one in metric.measure(case)]
