"""The metrics of tables, as `zerosum score` takes them: which come, and where known generators end up on them."""

import time

import numpy as np
import pandas as pd
import pytest

from zerosum.data import modality, open_source
from zerosum.metrics import score
from zerosum.metrics.tables.baselines import copies, copula


def table(n=1200, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = (x**2 + 0.3 * rng.standard_normal(n)).round(3)
    c = pd.Series(np.select([x < -0.7, x < 0.7], ["low", "mid"], "high"))
    c[rng.random(n) < 0.1] = None
    return pd.DataFrame({"x": x.round(3), "y": y, "c": c, "label": np.where(y > 1.2, "yes", "no")})


class Made:
    """A generator of tables that knows how to make them without a network."""

    labelled = False
    maps = None

    def __init__(self, source, make):
        self.source, self._make = source, make

    def make(self, n, seed=0):
        rows = self._make(self.source.train_frame, self.source.codec.schema, n, seed)
        return {"x": modality(self.source.spec).encode(rows, self.source.spec)}


@pytest.fixture(scope="module")
def source():
    return open_source(table(), target="label", held_out=0.3)


@pytest.fixture(scope="module")
def copied(source):
    return {one.name: one for one in score(Made(source, copies), source, items=2000)}


def test_these_scores_come_and_no_others(copied):
    assert list(copied) == [
        "detection AUC",
        "exact copies of training rows",
        "closer to a training row",
        "distance to the closest training row",
        "membership inference AUC",
        "attribute disclosure",
        "column shapes",
        "pair trends",
        "overall quality",
        "label: error of a share",
        "F1, trained on generated",
        "AUC, trained on generated",
    ]
    for one in copied.values():
        assert set(one.beside) == {"copula", "copies"} and one.trivial is not None
        assert all(np.isfinite(value) for value in (one.value, one.real, one.trivial, *one.beside.values()))
        assert one.low is not None and one.low <= one.high
        assert "seed 0" in one.protocol and "interval" in one.protocol


def test_a_copier_is_good_and_leaks(copied):
    assert copied["overall quality"].value == pytest.approx(copied["overall quality"].real, abs=0.05)
    assert copied["overall quality"].value > copied["overall quality"].trivial + 0.05
    assert copied["AUC, trained on generated"].value > 0.95
    assert copied["membership inference AUC"].value > 0.9 > copied["membership inference AUC"].real
    assert copied["closer to a training row"].low > 0.6
    assert copied["distance to the closest training row"].value < copied["distance to the closest training row"].real


def test_a_copula_does_not_leak_and_cannot_bend(source):
    found = {one.name: one for one in score(Made(source, copula), source, items=2000)}
    assert abs(found["closer to a training row"].value - 0.5) < 0.1
    assert found["membership inference AUC"].low < 0.56
    assert found["exact copies of training rows"].value < 0.01
    assert found["detection AUC"].value > 0.75  # y is a parabola of x


def test_quick_scores_are_quick(source):
    score(Made(source, copula), source, quick=True)
    begun = time.perf_counter()
    found = score(Made(source, copula), source, quick=True)
    assert {one.name for one in found} == {"column shapes", "pair trends", "overall quality", "label: error of a share"}
    assert time.perf_counter() - begun < 2


def test_a_number_has_r2_and_a_table_without_target_no_utility():
    frame = table(300, seed=1)
    names = [one.name for one in score(*_made(open_source(frame, target="y")), items=500)]
    assert "R2, trained on generated" in names and "F1, trained on generated" not in names
    names = [one.name for one in score(*_made(open_source(frame)), items=500)]
    assert not any("trained on" in name or "share" in name for name in names) and "attribute disclosure" in names


def test_a_table_of_few_rows_and_one_column():
    names = {one.name for one in score(*_made(open_source(table(12)[["x"]])), items=500)}
    assert "column shapes" in names and "membership inference AUC" not in names


def _made(source):
    return Made(source, copula), source
