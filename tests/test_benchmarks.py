"""What benchmarks of translation count on: nothing of the test part is learned from, and bytes stay what they are."""

import importlib
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def load(monkeypatch):
    """Benchmarks find their helpers beside them."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


@pytest.mark.parametrize("validate", [False, True])
def test_parts_share_no_group_and_validation_leaves_the_test_part_alone(load, validate):
    our, groups = load("_translation"), np.arange(400) // 4
    train, held = our.parts(groups, validate)
    test = our.parts(groups, False)[1]
    assert not set(groups[train]) & set(groups[held]) and not set(groups[train]) & set(groups[test])
    assert (set(held) == set(test)) is not validate and not (validate and set(held) & set(test))
    assert len(test) == 60


def test_outputs_of_the_test_part_are_not_learned(load):
    x = np.arange(20).reshape(20, 1, 1, 1).repeat(3, 1).astype(np.uint8)
    x[3] = x[17]
    train = load("_translation").unseen(x, np.arange(15), np.arange(15, 20))
    assert train.tolist() == [i for i in range(15) if i != 3]
    assert load("_translation").unseen(x[:3], np.arange(2), np.array([2])).tolist() == [0, 1]


def test_every_level_of_grey_comes_back(load):
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(load("digits_look").as_bytes(load("_translation").space(levels[:, None])), levels)


def test_noise_ratio_of_one_level_is_that_of_bytes(load):
    our = load("_translation")
    x, y = (our.space(np.full((2, 3, 16, 16), level, np.uint8)) for level in (100, 101))
    assert our.decibels(x, y) == pytest.approx(48.1308, abs=1e-3) == our.pooled(x, y)  # 20 log10 255
    assert our.decibels(x, x) == 100
