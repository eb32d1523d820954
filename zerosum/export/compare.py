"""Two makers of the same items beside each other: what one's score is, and how long each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import torch

from zerosum.data.source import Source
from zerosum.export.played import Played
from zerosum.export.view import example, view
from zerosum.metrics import Case, default, find_features, frechet, l1, modes, table_quality
from zerosum.metrics.score import Maker, Score
from zerosum.sampling import Sampler

ITEMS = 2000
"""Items that a score compares, at most."""

BATCHES = (1, 64)
"""Sizes of batch that are timed."""


def own_score(maker: Maker, source: Source, items: int = ITEMS, seed: int = 1) -> Score | None:
    """The one score that says most of this kind of data; None where there is none.

    L1 to the held-out targets of games of pairs, overall quality of tables, share of good points of the known mixtures, the
    Fréchet distance of other images. `zerosum score` takes all there are.
    """
    case = Case(maker, source, lambda: find_features(default(source), source), seed, items)
    for metric, which in ((l1, 0), (table_quality, -1), (modes, 0), (frechet, 0)):
        if metric.applies(case):
            return metric.measure(case)[which]
    return None


def lost(before: Score, after: Score) -> float:
    """How much worse a score became, as a share of what it was; below 0 where it became better."""
    worse = after.value - before.value if before.better == "lower" else before.value - after.value
    return worse / abs(before.value) if before.value else float(worse > 0)


def raced(contestants: Mapping[str, Callable[[], object]], seconds: float = 2.0, least: int = 5) -> dict[str, float]:
    """Median seconds of a call, by name: called in turn, for so many seconds in all, so that whatever else the machine does
    meets all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    end = time.perf_counter() + seconds
    for turn in range(10_000):
        if turn >= least + 2 and time.perf_counter() > end:
            break
        for name, call in contestants.items():
            start = time.perf_counter()
            call()
            if turn >= 2:  # warm
                times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def speeds(sampler: Sampler, files: Mapping[str, Played], seconds: float = 2.0) -> dict[int, dict[str, float]]:
    """Median seconds of "torch" (fp32, eager) and of each file for the same inputs, by size of batch, on as many threads."""
    found = {}
    with sampler.run.shown() as nets, torch.no_grad():
        seen = view(sampler, nets)
        for n in BATCHES:
            inputs = example(sampler, n)
            calls: dict[str, Callable[[], object]] = {"torch": lambda inputs=inputs: seen(*inputs.values())}  # type: ignore[misc]
            calls |= {name: lambda file=file, inputs=inputs: file(inputs) for name, file in files.items()}  # type: ignore[misc]
            found[n] = raced(calls, seconds)
    return found
