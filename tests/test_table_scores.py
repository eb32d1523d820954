"""Detection, utility and privacy of tables: what must hold for copies, for fresh rows and for rows without structure."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from zerosum.metrics.tables import auc, privacy
from zerosum.metrics.tables.baselines import copies, independent
from zerosum.metrics.tables.detection import detection
from zerosum.metrics.tables.features import Features
from zerosum.metrics.tables.nearest import Points
from zerosum.metrics.tables.utility import utility
from zerosum.tables.schema import Column, Schema

COLUMNS = (
    Column(name="x", kind="continuous", nulls=True),
    Column(name="y", kind="continuous"),
    Column(name="c", kind="categorical", nulls=True),
    Column(name="label", kind="categorical"),
)
SCHEMA = Schema(COLUMNS, target="label")


def draw(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n)
    y = x**2 + 0.3 * rng.standard_normal(n)
    c = np.select([x < -0.7, x < 0.7], ["low", "mid"], "high").astype(object)
    label = np.where(y > 1.2, "yes", "no")
    x[rng.random(n) < 0.1], c[rng.random(n) < 0.1] = np.nan, None
    return pd.DataFrame({"x": x, "y": y, "c": c, "label": label})


def test_area_is_scikit_learns_with_ties():
    rng = np.random.default_rng(0)
    yes, no = rng.integers(2, 9, 40), rng.integers(0, 7, 70)
    expected = roc_auc_score(np.repeat([1, 0], [40, 70]), np.r_[yes, no])
    assert auc.auc(yes, no) == pytest.approx(expected)


def test_the_areas_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    intervals = [auc.interval(rng.normal(1, 1, 60), rng.normal(0, 1, 80)) for _ in range(300)]
    hits = np.mean([low <= 0.7602 <= high for low, high in intervals])  # Phi(1 / sqrt 2)
    assert 0.91 < hits < 0.98


def test_features_know_missing_and_rare_values():
    frame = draw(200, 0)
    x = Features(frame, COLUMNS)(pd.DataFrame({"x": [np.nan], "y": [0.0], "c": ["never seen"], "label": ["no"]}))
    assert x.shape == (1, 4 + 5 + 3)  # two numbers with flags; three words, missing, other; two words, other
    assert x[0, :2].tolist() == [0, 1] and x[0, 8] == 1


def test_detection_is_blind_to_the_same_law_and_sees_a_broken_pair():
    real, other = draw(1500, 1), draw(1500, 2)
    value, (low, high) = detection(real, other, SCHEMA)
    assert low <= 0.5 <= high and abs(value - 0.5) < 0.05
    value, (low, high) = detection(real, independent(other, SCHEMA, 1500), SCHEMA)
    assert 0.8 < low < value < high
    assert np.isnan(detection(real[:2], other, SCHEMA)[0])


def test_utility_of_copies_of_loose_columns_and_of_one_class():
    train, test = draw(1500, 3), draw(1000, 4)
    rows = np.arange(len(test))
    reached = lambda fit: {name: score(rows) for name, score in utility(fit, test, SCHEMA).items()}
    real = reached(train)
    assert real["F1"] > 0.9 and real["AUC"] > 0.97
    assert reached(independent(train, SCHEMA, 1500))["AUC"] == pytest.approx(0.5, abs=0.1)
    single = reached(train.assign(label="no"))
    assert single["F1"] == 0 and single["AUC"] == 0.5


def test_utility_of_a_number():
    train, test = draw(1500, 5), draw(1000, 6)
    schema = Schema(COLUMNS[:3], target="y")
    score = utility(train, test, schema)["R2"]
    assert score(np.arange(1000)) > 0.4
    assert utility(independent(train, schema, 1500), test, schema)["R2"](np.arange(1000)) < 0.1


def test_utility_of_many_classes():
    train, test = draw(1500, 7), draw(1000, 8)
    found = utility(train, test, Schema(COLUMNS, target="c"))
    assert found["F1"](np.arange(1000)) > 0.6 and found["AUC"](np.arange(1000)) > 0.9


def test_distances_are_gowers():
    a, b = draw(20, 9), draw(30, 10)
    whole = np.concatenate([distances for _, distances in Points(COLUMNS, a, b).parts(0, 1)])
    low, high = zip(*([*a[name].quantile([0.01, 0.99])] for name in ("x", "y")), strict=True)
    for i in range(20):
        for j in range(30):
            gaps = []
            for k, name in enumerate(("x", "y")):
                p, q = a[name][i], b[name][j]
                missing = np.isnan(p), np.isnan(q)
                gaps.append(min(1, abs(p - q) / (high[k] - low[k])) if not any(missing) else missing[0] != missing[1])
            gaps += [0 if a[name][i] == b[name][j] or (a[name][i] is b[name][j] is None) else 1 for name in ("c", "label")]
            assert whole[i, j] == pytest.approx(np.mean(gaps), abs=1e-5)


def test_copies_give_everything_away_and_fresh_rows_nothing():
    train, held, fresh = draw(600, 11), draw(600, 12), draw(600, 13)
    leak = privacy.distances(train.sample(frac=1, random_state=0), train, held, SCHEMA)
    assert leak.closer.mean() == 1 and leak.made_train.max() == 0
    assert auc.auc(-leak.train_made, -leak.held_made) > 0.99
    clean = privacy.distances(fresh, train, held, SCHEMA)
    assert clean.closer.mean() == pytest.approx(0.5, abs=0.06)
    low, high = auc.interval(-clean.train_made, -clean.held_made)
    assert low <= 0.5 <= high


def test_luck_in_which_rows_are_near_is_no_leak():
    leaks = 0
    for seed in range(30):
        made = privacy.distances(draw(400, 3 * seed), draw(100, 3 * seed + 1), draw(100, 3 * seed + 2), SCHEMA)
        value, held, (low, high) = made.fifth()
        assert low <= value <= high
        leaks += high < held
    assert leaks <= 3
    wide = Schema(tuple(Column(name=name, kind="continuous") for name in "abcdefgh"))
    train, held = (pd.DataFrame(np.random.default_rng(seed).random((100, 8)), columns=list("abcdefgh")) for seed in (1, 2))
    value, other, (_, high) = privacy.distances(train, train, held, wide).fifth()
    assert value == 0 and high < other


def test_exact_copies_are_counted_among_all_rows():
    train = draw(25_000, 14)
    made = pd.concat([draw(300, 15), train.tail(100)], ignore_index=True)
    found = privacy.copied(made, train, SCHEMA)
    assert found[:300].sum() == 0 and found[300:].all()
    keyed = Schema((Column(name="key", kind="id"), *COLUMNS))
    renamed = train[:50].assign(key=range(50, 100))
    assert privacy.copied(renamed, train.assign(key=range(25_000)), keyed).all()  # a new key makes no new person


def test_secrets_are_read_off_copies():
    train, held = draw(800, 16), draw(800, 17)
    schema = Schema(COLUMNS[:2] + COLUMNS[3:] + (Column(name="secret", kind="categorical"),), target="secret")
    luck = np.random.default_rng(0)
    train, held = (side.assign(secret=luck.choice(list("abcd"), 800)) for side in (train, held))
    leak = copies(train, schema, 8000)
    assert privacy.disclosed(leak, train, schema).mean() == pytest.approx(1, abs=0.01)
    assert privacy.disclosed(leak, held, schema).mean() == pytest.approx(0.25, abs=0.06)
