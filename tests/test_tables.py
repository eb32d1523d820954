"""Tables: what is inferred, what comes back from model space, what is drawn by which law."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from zerosum.data import modality, open_source
from zerosum.errors import UserError
from zerosum.tables.codec import Codec
from zerosum.tables.infer import infer
from zerosum.tables.modes import Modes
from zerosum.tables.schema import Schema


def mixed(n=600, seed=0):
    """A table with a column of every kind, nulls in most."""
    r = np.random.default_rng(seed)
    age = r.integers(18, 80, n)
    money = np.where(r.random(n) < 0.4, 0.0, np.round(r.lognormal(8, 2, n), 2))
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(r.integers(0, 700, n), unit="D")
    degree = r.choice(["school", "college", "master"], n, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(1000, 1000 + n),
            "code": [f"K{i:05d}-x" for i in r.permutation(n)],
            "age": age,
            "money": money,
            "rate": pd.array(np.where(r.random(n) < 0.1, np.nan, r.normal(0, 1, n)), dtype="Float64"),
            "children": pd.array(np.where(r.random(n) < 0.2, np.nan, r.integers(0, 5, n)), dtype="Int64"),
            "member": r.random(n) < 0.3,
            "asked": pd.array(np.where(r.random(n) < 0.1, None, r.random(n) < 0.5), dtype="boolean"),
            "degree": degree,
            "years": pd.Series(degree).map({"school": 10, "college": 14, "master": 17}),
            "size": pd.Categorical(r.choice(["S", "M", "L"], n), categories=["S", "M", "L", "XL"], ordered=True),
            "colour": pd.Categorical(r.choice(["red", "blue"], n)).add_categories("green"),
            "town": pd.Series(np.where(r.random(n) < 0.15, None, r.choice(["Ulm", "Bonn"], n)), dtype=object),
            "start": start,
            "end": start + pd.to_timedelta(r.integers(0, 300, n), unit="D"),
            "seen": pd.Series(start.tz_localize("UTC")).where(r.random(n) > 0.1),
            "day": pd.Series(start).dt.strftime("%Y-%m-%d"),
            "unit": "kg",
            "nothing": pd.Series([None] * n, dtype=object),
        }
    )
    return frame.assign(float32=frame["age"].astype("float32") / 8)


@pytest.fixture(scope="module")
def table():
    return mixed()


@pytest.fixture(scope="module")
def codec(table):
    return Codec.fit(table, infer(table, "member"))


def test_kinds_are_inferred(table):
    kinds = {column.name: column.kind for column in infer(table).columns}
    assert kinds == {
        "customer_id": "id",
        "code": "id",
        "age": "integer",
        "money": "continuous",
        "rate": "continuous",
        "children": "integer",
        "member": "boolean",
        "asked": "boolean",
        "degree": "categorical",
        "years": "integer",
        "size": "ordinal",
        "colour": "categorical",
        "town": "categorical",
        "start": "datetime",
        "end": "datetime",
        "seen": "datetime",
        "day": "datetime",
        "unit": "constant",
        "nothing": "constant",
        "float32": "continuous",
    }


def test_a_table_comes_back_with_its_columns_order_types_and_nulls(table, codec):
    back = codec.decode(codec.encode(table))
    made = {"customer_id", "code"}
    assert list(back.columns) == list(table.columns)
    assert (back.dtypes == table.dtypes).all()
    for name in [name for name in table if name not in made]:
        pd.testing.assert_series_equal(back[name], table[name], rtol=1e-5, atol=1e-6, obj=name)
    assert not set(back["customer_id"]) & set(table["customer_id"])
    assert back["code"].is_unique and back["code"].str.fullmatch(r"K\d{5}-x").all()


def test_the_codec_survives_json_and_the_spans_tile_the_row(table, codec):
    again = Codec.from_json(json.loads(json.dumps(codec.to_json())))
    x = codec.encode(table)
    assert torch.equal(again.encode(table), x)
    pd.testing.assert_frame_equal(again.decode(x), codec.decode(x))
    assert [span.start for span in codec.spans] == [0, *[span.stop for span in codec.spans][:-1]]
    assert x.shape == (len(table), codec.width) and x.dtype == torch.float32 and x.abs().max() <= 1
    for span in codec.spans:
        if span.kind == "choice":
            assert torch.equal(x[:, span.start : span.stop].sum(1), torch.ones(len(x)))
            assert span.counts == tuple(x[:, span.start : span.stop].sum(0).int().tolist())


def test_whatever_a_generator_says_decodes_to_a_legal_table(table, codec):
    x = torch.randn(2000, codec.width, generator=torch.Generator().manual_seed(0)) * 3
    made = codec.decode(x)
    assert (made.dtypes == table.dtypes).all() and list(made.columns) == list(table.columns)
    assert made["age"].between(table["age"].min(), table["age"].max()).all()
    assert made["money"].between(0, table["money"].max()).all() and (made["money"].round(2) == made["money"]).all()
    assert (made["start"] <= made["end"]).all()
    assert (made["float32"] == made["age"] / 8).all() and (made["day"] == made["start"].dt.strftime("%Y-%m-%d")).all()
    assert (made["years"] == made["degree"].map({"school": 10, "college": 14, "master": 17})).all()
    assert set(made["size"].dropna()) <= set(table["size"]) and made["nothing"].isna().all()
    assert (made["start"] == made["start"].dt.normalize()).all(), "dates without times stay so"
    nulls = {name for name in made if made[name].isna().any()}
    assert nulls <= {name for name in table if table[name].isna().any()}
    pd.testing.assert_frame_equal(codec.decode(x), made)


def test_constraints_are_found_where_they_hold(table):
    found = infer(table).constraints
    assert {"kind": "function", "of": "degree", "is": "years"} in found
    assert {"kind": "inequality", "low": "start", "high": "end"} in found
    assert {"kind": "linear", "of": "age", "is": "float32", "factor": 0.125, "plus": 0.0} in found
    assert {"kind": "linear", "of": "start", "is": "day", "factor": 1.0, "plus": 0.0} in found
    loose = table.assign(years=np.random.default_rng(0).permutation(table["years"]), end=table["end"][::-1].to_numpy())
    assert not [one for one in infer(loose).constraints if "years" in one.values() or "end" in one.values()]


def test_pairs_that_ought_to_come_and_never_do_are_not_made():
    r = np.random.default_rng(0)
    sex, ward = r.choice(["f", "m"], 3000), r.choice(["heart", "eye", "birth"], 3000)
    frame = pd.DataFrame({"sex": np.where(ward == "birth", "f", sex), "ward": ward, "x": r.normal(size=3000)})
    schema = infer(frame)
    assert schema.constraints == ({"kind": "never", "columns": ["sex", "ward"]},)
    codec = Codec.fit(frame, schema)
    made = codec.decode(torch.randn(5000, codec.width))
    assert not ((made["sex"] == "m") & (made["ward"] == "birth")).any()
    assert len(made.groupby(["sex", "ward"])) == 5


def test_heavy_tails_are_not_cut_off():
    r = np.random.default_rng(0)
    x = np.concatenate([r.normal(0, 1, 5000), [1e7, -3e6, 500.0]])
    modes = Modes.fit(x)
    assert np.allclose(modes.plain(*modes.codes(x)), x, rtol=1e-4, atol=1e-4)


def test_the_number_is_the_place_within_the_mode():
    """CTGAN, section 4.2: (x - mu) / (4 sigma), and one mode for each cluster."""
    r = np.random.default_rng(0)
    x = np.concatenate([r.normal(-10, 1, 3000), r.normal(10, 0.5, 1000)])
    modes = Modes.fit(x)
    numbers, codes = modes.codes(x)
    mu, scale = np.array(modes.centres)[codes], np.array(modes.scales)[codes]
    assert np.allclose(numbers, (x - mu) / scale, atol=1e-6)
    right = np.array(modes.centres) > 0
    assert sum(np.array(modes.weights)[right]) == pytest.approx(0.25, abs=0.01)
    assert (codes[3000:] == np.flatnonzero(right)[:, None]).any(0).all()


def test_a_column_of_many_values_is_bounded_and_keeps_no_value_of_a_single_row():
    r = np.random.default_rng(0)
    names = np.array([f"z{i:05d}" for i in range(20_000)])
    frame = pd.DataFrame({"zip": names[(20_000 * r.random(40_000) ** 2).astype(int)], "x": r.normal(size=40_000)})
    codec = Codec.fit(frame, infer(frame))
    assert codec.span("zip").size <= 200
    counts = frame["zip"].value_counts()
    kept = set(json.dumps(codec.to_json()).replace(",", '"').split('"'))
    assert not set(counts.index[counts == 1]) & kept
    made = codec.decode(codec.encode(frame))["zip"]
    assert set(made) <= set(counts.index[counts > 1])
    assert made.nunique() > 0.8 * (counts > 1).sum()
    top = counts.index[:5]
    assert made.value_counts()[top].tolist() == counts[top].tolist()


def test_declared_categories_that_single_rows_have_are_not_kept_either():
    r = np.random.default_rng(0)
    text = [f"w{i}" for i in range(300)] + ["often"] * 300
    frame = pd.DataFrame({"word": pd.Categorical(r.permutation(text)), "key": pd.Categorical([f"k{i}" for i in range(600)])})
    frame["x"] = r.normal(size=600)
    codec = Codec.fit(frame, infer(frame))
    told = json.dumps(codec.to_json())
    assert "often" in told and not [word for word in (*text[:300], *frame["key"]) if f'"{word}"' in told]
    made = codec.decode(codec.encode(frame))
    assert made["word"].dtype == "category" and made["key"].dtype == "category" and made["key"].is_unique


def test_held_out_rows_are_split_off_first_in_the_targets_proportions():
    frame = pd.DataFrame({"x": np.arange(200.0) ** 1.5, "y": ["a"] * 180 + ["b"] * 20})
    frame.loc[7, "x"] = -1e9
    source = open_source(frame, target="y")
    assert len(source.held_frame) == 40 and (source.held_frame["y"] == "b").sum() == 4
    assert not set(source.train_frame.index) & set(source.held_frame.index)
    assert source.spec.items == 160 and source.codec.schema.target == "y"
    low = source.codec.coders["x"].low
    assert low == source.train_frame["x"].min()
    assert source.held_out()["x"].shape == (40, source.codec.width)


def batches(source, count, **place):
    stream = source.batches(40, seed=5, **place)
    return [next(stream) for _ in range(count)]


@pytest.fixture(scope="module")
def opened(table):
    return open_source(table, target="member")


@pytest.mark.parametrize("law", ["natural", "sampling"])
def test_batches_are_functions_of_seed_cursor_and_rank(opened, law):
    source = opened
    source = source if law == "natural" else source.by_sampling()
    whole = batches(source, 20)
    for name in whole[0]:
        assert torch.equal(batches(source, 1, start=19)[0][name], whole[19][name])
        halves = [batches(source, 3, rank=rank, world=2)[2][name] for rank in range(2)]
        assert torch.equal(torch.cat(halves), whole[2][name])
    if law == "natural":
        epoch = torch.cat([batch["x"] for batch in whole[:12]])
        order = lambda x: sorted(map(tuple, x.tolist()))
        assert order(epoch) == order(source.some(480)["x"]), "every row once an epoch"


def test_training_by_sampling_draws_the_column_uniformly_and_the_value_by_log_frequency():
    frame = pd.DataFrame({"a": ["x"] * 900 + ["y"] * 90 + ["z"] * 10, "b": ["p", "q"] * 500, "v": np.arange(1000) % 7 / 8})
    source = open_source(frame, target="a", held_out=0.1)
    codec, sampled = source.codec, source.by_sampling()
    stream = sampled.batches(20_000, seed=0)
    batch = next(stream)
    assert (batch["cond"].sum(1) == 1).all() and batch["cond"].shape[1] == codec.condition_width == 5
    share = batch["cond"].double().mean(0)
    a, b = codec.span("a"), codec.span("b")
    counts = torch.tensor(a.counts).double()
    law = torch.log1p(counts) / torch.log1p(counts).sum() / 2
    assert torch.allclose(share[a.condition : a.condition + 3], law, atol=0.012)
    assert torch.allclose(share[b.condition : b.condition + 2], torch.tensor([0.25, 0.25]).double(), atol=0.012)
    for span in (a, b):
        asked = batch["cond"][:, span.condition : span.condition + span.size]
        rows = asked.sum(1) > 0
        assert torch.equal(batch["x"][rows][:, span.start : span.stop], asked[rows]), "the row has what was asked"


def test_the_modality_shows_and_writes_tables(table, opened, tmp_path):
    source = opened
    show = modality(source.spec)
    items = show.decode(source.some(100)["x"], source.spec)
    image = show.picture(items, source.spec, 4)
    assert min(image.size) > 200 and len(image.getcolors(10**6)) > 10
    show.write(items, source.spec, tmp_path)
    assert list(pd.read_csv(tmp_path / "samples.csv").columns) == list(table.columns)
    pd.testing.assert_frame_equal(show.decode(show.encode(items, source.spec), source.spec), items)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet"])
def test_files_are_read(name, tmp_path):
    frame = pd.DataFrame({"a": np.arange(40) % 4, "b": ["x", "y"] * 20, "c": np.linspace(0, 1, 40) ** 2})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    source = open_source(str(path), target="b")
    pd.testing.assert_frame_equal(source.train_frame, frame.loc[source.train_frame.index])
    assert source.fingerprint() == open_source(path, target="b").fingerprint()
    assert source.fingerprint() != open_source(frame.assign(a=0.5), target="b").fingerprint()


GOOD = {"a": [1.5, 2.5, 3.25] * 10, "b": ["x", "y", "z"] * 10}


@pytest.mark.parametrize(
    ("frame", "target", "said"),
    [
        (pd.DataFrame(), None, "an empty table: 0 rows"),
        (pd.DataFrame({"a": []}), None, "an empty table: 0 rows and 1 columns"),
        (pd.DataFrame({"a": [1.0]}), None, "a table of one row"),
        (pd.DataFrame([[1, 2]] * 30, columns=["a", "a"]), None, "two columns are called a: rename one"),
        (pd.DataFrame(GOOD), "bb", "no column bb: did you mean b"),
        (pd.DataFrame({**GOOD, "c": [1.0, np.inf, 2.0] * 10}), None, "column c holds infinity in 10 rows"),
        (pd.DataFrame({**GOOD, "c": [1, "two", 3] * 10}), None, r"column c mixes int and str \(row 2: 'two'\)"),
        (pd.DataFrame({"a": [1] * 30, "b": [None] * 30}), None, "no column to learn from"),
        (pd.DataFrame({**GOOD, "c": [1] * 30}), "c", "target c is a column of kind constant"),
        (pd.DataFrame({**GOOD, "c": [1j, 2j, 3j] * 10}), None, "column c holds values of type complex"),
    ],
)
def test_bad_tables_are_refused_in_one_line(frame, target, said):
    with pytest.raises(UserError, match=said) as refused:
        open_source(frame, target=target)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n1,2,3\n", "line 3"),
        ("a,a\n1,2\n3,4\n", "two columns are called a"),
    ],
)
def test_broken_files_are_refused_in_one_line(text, said, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as refused:
        open_source(path)
    assert "\n" not in str(refused.value) and "bad.csv" in str(refused.value)


def test_a_schema_can_be_edited_and_its_mistakes_are_named(tmp_path):
    frame = pd.DataFrame(GOOD)
    values = json.loads(json.dumps(infer(frame).to_json()))
    values["columns"][0] |= {"low": 0.0, "high": 9.0}
    codec = Codec.fit(frame, Schema.from_json(values))
    assert codec.schema["a"].high == 9.0
    for change, said in [
        ({"kind": "contiguous"}, "column a: kind contiguous: did you mean continuous"),
        ({"name": "aa"}, "the schema has a column aa and the table has none: did you mean a"),
        ({"high": 3.0}, r"column a: 3.25 \(row 3\) is beyond the bound 3"),
    ]:
        path = tmp_path / "schema.json"
        wrong = {**values, "columns": [values["columns"][0] | change, values["columns"][1]]}
        path.write_text(json.dumps(wrong))
        with pytest.raises(UserError, match=said):
            open_source(frame, schema=path)
