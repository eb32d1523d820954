"""Quality of tables: closed forms, agreement with SDMetrics, and leaving tenths out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from zerosum.metrics.intervals import GROUPS
from zerosum.metrics.tables.baselines import copula, independent
from zerosum.metrics.tables.quality import quality
from zerosum.tables.schema import Column, Schema

KINDS = {"continuous": "numerical", "integer": "numerical"}


def rough(frame, target=None):
    """A schema good enough for scores: numbers of three values or more are numbers, words are classes."""
    number = lambda s: pd.api.types.is_numeric_dtype(s) and not pd.api.types.is_bool_dtype(s) and s.nunique() > 2
    kind = lambda s: "constant" if s.nunique(dropna=False) < 2 else "continuous" if number(s) else "categorical"
    return Schema(tuple(Column(name=name, kind=kind(frame[name])) for name in frame), target=target)


def test_shapes_are_their_definitions():
    real = pd.DataFrame({"x": [1.0, 2, 3, 4, None], "c": ["a", "a", "b", None, "b"]})
    made = pd.DataFrame({"x": [3.0, 4, 5, None, None], "c": ["a", "c", "c", "b", None]})
    found = quality(real, made, rough(real))
    assert found.shapes["x"][0] == pytest.approx(1 - 1 / 2)  # F(2) = 1/2 of real values, none of the generated
    assert found.shapes["c"][0] == pytest.approx(1 - (1 / 4 + 1 / 4 + 2 / 4) / 2)


def test_trends_are_their_definitions():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(4000)
    real = pd.DataFrame({"x": x, "y": x + 0.5 * rng.standard_normal(4000), "a": x > 0, "b": np.where(x > 0, "p", "n")})
    made = real.copy()
    made["y"] = -made["y"]
    made["b"] = made["b"].to_numpy()[::-1]
    found = quality(real, made, rough(real))
    r = np.corrcoef(real["x"], real["y"])[0, 1]
    assert found.trends["x", "y"][0] == pytest.approx(1 - abs(2 * r) / 2)
    cells = lambda frame: pd.crosstab(frame["a"], frame["b"]).to_numpy() / 4000
    assert found.trends["a", "b"][0] == pytest.approx(1 - np.abs(cells(real) - cells(made)).sum() / 2)


def test_pairs_that_hardly_hang_together_do_not_count():
    rng = np.random.default_rng(1)
    real = pd.DataFrame({"x": rng.random(2000), "y": rng.random(2000), "c": rng.choice(["a", "b"], 2000)})
    found = quality(real, real, rough(real))
    assert not found.trends and np.isnan(found.trend)
    assert found.overall == found.shape == 1


def test_an_empty_column_and_a_generated_constant_have_no_score():
    real = pd.DataFrame({"x": [1.0, 2, 3, 4], "y": [2.0, 4, 6, 8], "c": ["a", "b", "a", "b"]})
    made = pd.DataFrame({"x": [5.0] * 4, "y": [1.0, 2, 3, 4], "c": [None] * 4})
    found = quality(real, made, rough(real))
    assert np.isnan(found.shapes["c"][0])
    assert ("x", "y") not in found.trends
    assert 0 <= found.overall <= 1


def test_a_table_equals_itself_by_parts_too():
    real = pd.DataFrame({"x": np.arange(100.0), "y": np.arange(100.0) ** 2, "c": list("abcd") * 25})
    found = quality(real, real, rough(real), groups=GROUPS)
    assert found.overall == 1
    assert found.intervals()[0][0] > 0.8  # a tenth of a column in order is a tenth of its range


def test_weightings_leave_a_tenth_out():
    rng = np.random.default_rng(2)
    real = pd.DataFrame({"x": rng.standard_normal(200), "c": rng.choice(list("abc"), 200)})
    real["y"] = real["x"] + 0.3 * rng.standard_normal(200)
    made = real.sample(150, random_state=0).assign(x=lambda d: d["x"] + 0.2)
    whole = quality(real, made, rough(real), groups=GROUPS)
    left = np.arange(150) * GROUPS // 150 == 3
    without = quality(real, made[~left], rough(real))
    for name in ("x", "c"):
        assert whole.shapes[name][1 + GROUPS + 3] == pytest.approx(without.shapes[name][0])
    assert whole.trends["x", "y"][1 + GROUPS + 3] == pytest.approx(without.trends["x", "y"][0])
    assert whole.shapes["x"][0] == quality(real, made, rough(real)).shapes["x"][0]


def test_intervals_hold_the_score_of_another_sample():
    rng = np.random.default_rng(3)
    draw = lambda n: pd.DataFrame({"x": rng.standard_normal(n), "c": rng.choice(list("ab"), n, p=[0.7, 0.3])})
    worse = lambda n: draw(n).assign(x=lambda d: d["x"] * 1.5)
    true = quality(draw(200_000), worse(200_000), rough(draw(10))).shape
    hits = 0
    for _ in range(60):
        low, high = quality(draw(1000), worse(1000), rough(draw(10)), groups=GROUPS).intervals()[0]
        hits += low <= true <= high
    assert hits >= 48  # the score of finite samples is a little low, so not quite 95 %


def test_times_are_numbers():
    times = pd.Series(pd.date_range("2020-01-01", periods=50, tz="UTC"))
    real = pd.DataFrame({"t": times, "s": times.dt.strftime("%d/%m/%Y"), "x": np.arange(50.0)})
    columns = Column(name="t", kind="datetime"), Column(name="s", kind="datetime", format="%d/%m/%Y")
    schema = Schema((*columns, Column(name="x", kind="continuous")))
    made = real.iloc[25:].reset_index(drop=True)
    found = quality(real, made, schema)
    assert found.shapes["t"][0] == found.shapes["s"][0] == pytest.approx(0.5)
    assert found.trends["t", "x"][0] == pytest.approx(1)


@pytest.mark.parametrize("name", ["adult_train.csv.gz", "heart_cleveland.csv", "ai4i2020_maintenance.csv.gz"])
def test_it_agrees_with_sdmetrics(name, shared_data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("sdmetrics", reason="needs sdmetrics, which is no dependency: pip install sdmetrics")
        from sdmetrics.reports.single_table import QualityReport

        frame = pd.read_csv(shared_data("tabular") / name, skipinitialspace=True, na_values=["?"])
        frame = frame.sample(min(len(frame), 2000), random_state=0).reset_index(drop=True)
        assert frame.isna().any().any() or name.startswith("ai4i")
        schema, half = rough(frame), len(frame) // 2
        real, other = frame[:half], frame[half:]
        for made in (other, copula(real, schema, 1000), independent(real, schema, 3000)):
            report = QualityReport()
            kinds = {c.name: {"sdtype": "id" if c.kind == "constant" else KINDS.get(c.kind, c.kind)} for c in schema.columns}
            report.generate(real, made, {"columns": kinds}, verbose=False)
            found = quality(real, made, schema)
            theirs = [*report.get_properties()["Score"], report.get_score()]
            assert [found.shape, found.trend, found.overall] == pytest.approx(theirs, abs=1e-6)
            for _, row in report.get_details("Column Shapes").iterrows():
                assert found.shapes[row["Column"]][0] == pytest.approx(row["Score"], abs=1e-6)
