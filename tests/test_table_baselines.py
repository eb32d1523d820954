"""Generators of tables without a network."""

import numpy as np
import pandas as pd
import pytest

from zerosum.metrics.tables.baselines import copies, copula, independent
from zerosum.tables.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="key", kind="id"),
        Column(name="x", kind="continuous"),
        Column(name="n", kind="integer", nulls=True),
        Column(name="c", kind="categorical", nulls=True),
        Column(name="size", kind="ordinal", order=("s", "m", "l")),
        Column(name="t", kind="datetime"),
        Column(name="one", kind="constant"),
    )
)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.standard_normal(3000)
    n = pd.Series(np.round(10 * x + rng.standard_normal(3000))).astype("Int64")
    n[rng.random(3000) < 0.1] = pd.NA
    c = pd.Series(np.where(rng.random(3000) < 0.2, None, np.where(x > 1, "rare", "often")))
    size = pd.Series(np.select([x < -0.5, x < 0.5], ["s", "m"], "l")).astype("category")
    t = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.round(1000 * x), unit="h")
    return pd.DataFrame({"key": np.arange(3000), "x": x, "n": n, "c": c, "size": size, "t": t, "one": 7})


@pytest.mark.parametrize("make", [independent, copies, copula])
def test_columns_types_and_missing_values_stay(make, table):
    made = make(table, SCHEMA, 5000, seed=1)
    assert len(made) == 5000 and (made.index == np.arange(5000)).all()
    assert made.dtypes.equals(table.dtypes)
    assert np.abs(made.isna().mean() - table.isna().mean()).max() < 0.03
    assert made.equals(make(table, SCHEMA, 5000, seed=1))
    assert not made.equals(make(table, SCHEMA, 5000, seed=2))


@pytest.mark.parametrize("make", [independent, copula])
def test_each_column_keeps_its_law(make, table):
    made = make(table, SCHEMA, 20_000)
    for name in ("c", "size"):
        shares = [side[name].value_counts(normalize=True, dropna=False) for side in (table, made)]
        assert shares[0].subtract(shares[1], fill_value=0).abs().max() < 0.03
    assert made["x"].quantile([0.1, 0.5, 0.9]).to_numpy() == pytest.approx(
        table["x"].quantile([0.1, 0.5, 0.9]).to_numpy(), abs=0.06
    )


def test_what_hangs_together_does_so_in_a_copula_alone(table):
    order = lambda frame: frame[["x", "n", "t"]].assign(t=lambda d: d["t"].astype("int64")).corr("spearman").to_numpy()
    real, made, loose = (order(side) for side in (table, copula(table, SCHEMA, 10_000), independent(table, SCHEMA, 10_000)))
    assert np.abs(real - made).max() < 0.08 and real.min() > 0.9
    assert np.abs(loose - np.eye(3)).max() < 0.05
    by_size = copula(table, SCHEMA, 10_000).groupby("size", observed=True)["x"].mean()
    assert by_size["s"] < by_size["m"] < by_size["l"]


def test_copied_rows_are_rows(table):
    made = copies(table, SCHEMA, 500)
    assert made.equals(table.loc[made["key"]].reset_index(drop=True))


def test_one_column_and_no_column():
    frame = pd.DataFrame({"x": [1.0, 2.0, None]})
    schema = Schema((Column(name="x", kind="continuous"),))
    assert set(copula(frame, schema, 50)["x"].dropna()) == {1.0, 2.0}
    assert (copula(frame, Schema((Column(name="x", kind="id"),)), 50)["x"].dropna().isin([1.0, 2.0])).all()
