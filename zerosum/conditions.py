"""Rows of a table that are what was asked: directly, where the recipe can be told, and else by drawing until they are.

Both are measured: how often a row that was told what to be is it (hits), and how many of all rows drawn were kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from zerosum.data.source import Spec
from zerosum.data.tables import codec, decode
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.noise import mix
from zerosum.sampling import Sampler
from zerosum.tables.where import Ask, asks, met, through

if TYPE_CHECKING:
    import pandas as pd

ROUND = 10_000
"""Rows drawn at once, at most."""
PATIENCE = 100_000
"""Rows drawn, and a hundred for each wanted, before rows that do not come are given up."""


@dataclass(frozen=True)
class Asked:
    """Rows that are what was asked, and what it took."""

    frame: pd.DataFrame
    drawn: int
    direct: tuple[str, ...]  # columns that the generator was told
    hits: int  # rows drawn that are what the generator was told
    kept: int  # rows drawn that are all that was asked

    def words(self) -> str:
        """Hit rate and acceptance rate, in a sentence."""
        rate = lambda n: f"{100 * n / self.drawn:.3g} %"
        told = f"asked of the generator: {', '.join(self.direct)} ({rate(self.hits)} are); " if self.direct else ""
        return f"{told}{rate(self.kept)} of {self.drawn:,} rows drawn were accepted"


def sample_where(sampler: Sampler, n: int, where: Mapping[str, Any], seed: int = 0) -> Asked:
    """n rows that are what `where` asks; the same for the same seed.

    Raises UserError where a column or value is not there, or rows come too rarely: then it says how rarely.
    """
    import pandas as pd

    if sampler.spec.kind != "tables":
        raise UserError(f"where asks for columns of a table, and these are {sampler.spec.kind}: leave it out")
    known = codec(sampler.spec)
    asked = asks(where, known)
    parts: list[pd.DataFrame] = []
    drawn = kept = hits = 0
    direct: list[Ask] = []
    while kept < n:
        if drawn >= PATIENCE + 100 * n:
            rate = f"{100 * kept / drawn:.2g} % acceptance after {drawn:,} rows"
            raise UserError(f"where {', '.join(map(str, where))}: {rate}: ask for less at once, or for fewer than {n:,} rows")
        size = ROUND if not kept else int(1.1 * (n - kept) * drawn / kept) + 100
        inputs = sampler.inputs(min(ROUND, max(size, 100), PATIENCE + 100 * n - drawn), mix(seed, len(parts), drawn))
        direct = tell(inputs, sampler.spec, asked, mix(seed, drawn, 1))
        frame = decode(sampler.generate(inputs)["x"], sampler.spec)
        fit = met(frame, asked)
        drawn, kept, hits = drawn + len(frame), kept + int(fit.sum()), hits + int(met(frame, direct).sum())
        if fit.any():
            parts.append(frame[fit])
    whole = pd.concat(parts, ignore_index=True).iloc[:n] if len(parts) > 1 else parts[0].iloc[:n].reset_index(drop=True)
    return Asked(known.with_keys(whole), drawn, tuple(ask.column.name for ask in direct), hits, kept)


def tell(inputs: Batch, spec: Spec, asked: list[Ask], seed: int) -> list[Ask]:
    """Put what can be told into the inputs' "cond"; returns which were told: the rarest, as many as the recipe takes.

    Where several values will do, each row is told one, by their frequency in training.
    """
    if "cond" not in inputs:
        return []
    known, random = codec(spec), np.random.default_rng(seed)
    told: list[tuple[float, Ask, np.ndarray, np.ndarray, int]] = []
    for ask in asked:
        of = through(known, ask)
        span, codes = known.span(of.column.name), of.codes(known)
        if span is None or span.condition is None or codes is None:
            continue
        counts = np.array(span.counts, np.float64)[codes]
        if counts.sum() > 0:
            told.append((counts.sum() / sum(span.counts), ask, codes, counts / counts.sum(), span.condition))
    told = sorted(told, key=lambda one: one[0])[: int(inputs["cond_most"][0])]
    columns = {one[4]: one for one in reversed(told)}
    n = len(inputs["cond"])
    if not columns:
        return []
    cond = torch.zeros_like(inputs["cond"])  # whatever was drawn there gives way
    for start, (_, _, codes, law, _) in columns.items():
        cond[torch.arange(n), torch.from_numpy(start + random.choice(codes, n, p=law))] = 1.0
    inputs["cond"] = cond
    return [one[1] for one in columns.values()]
