"""Tables from end to end: trained, sampled with conditions, resumed; and what a run folder tells of the rows."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from zerosum import GAN
from zerosum.cli import main
from zerosum.conditions import sample_where
from zerosum.data import open_source
from zerosum.data.tables import codec
from zerosum.errors import UserError
from zerosum.play import Run
from zerosum.recipes import gan
from zerosum.sampling import Sampler
from zerosum.tables.where import asks, from_words, met

NET = ("--recipe", "gan", "--width", "16", "--depth", "1", "--steps", "6")
PLAN = (*NET, "--pictures", "2", "--scores", "0", "--threads", "1")


def people(n=400, seed=0):
    r = np.random.default_rng(seed)
    town = r.choice(["Ulm", "Bonn", "Kiel"], n, p=[0.7, 0.25, 0.05])
    return pd.DataFrame(
        {
            "key": [f"P{i:07d}" for i in r.permutation(10**6)[:n]],
            "name": [f"Anna {a:x} Otto{b:x}" for a, b in r.integers(10**6, 10**9, (n, 2))],
            "town": town,
            "state": pd.Series(town).map({"Ulm": "BW", "Bonn": "NW", "Kiel": "SH"}),
            "age": r.integers(18, 90, n),
            "pay": np.round(r.lognormal(10, 1, n), 2),
            "born": (pd.Timestamp("1970-01-01") + pd.to_timedelta(r.integers(0, 9000, n), unit="D")).strftime("%Y-%m-%d"),
            "ill": r.choice(["yes", "no"], n, p=[0.1, 0.9]),
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on a file of people, and its file."""
    folder = tmp_path_factory.mktemp("people")
    people().to_csv(folder / "people.csv", index=False)
    with pytest.raises(SystemExit) as end:
        main(["train", str(folder / "people.csv"), "--target", "ill", *PLAN, "--out", str(folder / "run")])
    assert end.value.code == 0
    return folder / "run"


def command(*words, code=0):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    assert end.value.code == code


@pytest.mark.parametrize("name", ["o.csv", "o.csv.gz", "o.tsv", "o.parquet"])
def test_samples_are_written_as_tables_that_can_be_trained_on(run, tmp_path, name):
    command("sample", run, "-n", "50", "-o", tmp_path / name)
    source = open_source(tmp_path / name)
    whole = pd.concat([source.train_frame, source.held_frame])
    assert list(whole.columns) == list(people().columns) and len(whole) == 50
    assert (whole.dtypes.astype(str) == people().dtypes.astype(str)).all()
    assert whole["key"].is_unique and (whole["state"] == whole["town"].map({"Ulm": "BW", "Bonn": "NW", "Kiel": "SH"})).all()


def test_resume_reads_the_same_rows_by_the_same_codec(run, tmp_path, capsys):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    command("train", "--resume", copy, "--steps", "8")
    before, after = (json.loads((path / "config.json").read_text())["spec"] for path in (run, copy))
    assert before == after
    people(seed=1).to_csv(run.parent / "people.csv", index=False)
    try:
        command("train", "--resume", copy, "--steps", "9", code=2)
    finally:
        people().to_csv(run.parent / "people.csv", index=False)
    assert "has changed since" in capsys.readouterr().err


def test_the_estimator_takes_and_gives_dataframes():
    frame = people()
    made = GAN("gan", steps=2, width=8, depth=1, threads=1, target="ill").fit(frame).sample(30)
    assert list(made.columns) == list(frame.columns) and (made.dtypes == frame.dtypes).all() and len(made) == 30


def test_a_schema_is_printed_edited_and_taken(run, tmp_path, capsys):
    table = run.parent / "people.csv"
    command("schema", table)
    values = json.loads(capsys.readouterr().out)
    assert {one["name"]: one["kind"] for one in values["columns"]}["name"] == "id"
    assert not [key for key in people()["key"] if key in json.dumps(values)]
    command("schema", table, "-o", tmp_path / "s.json", "--target", "ill")
    values = json.loads((tmp_path / "s.json").read_text())
    values["columns"][4] |= {"low": 0, "high": 120}
    values["constraints"] = []
    (tmp_path / "s.json").write_text(json.dumps(values))
    capsys.readouterr()
    command("check", table, "--schema", tmp_path / "s.json", "--recipe", "gan")
    said = capsys.readouterr().out
    assert "target    ill" in said and "decides" not in said and "within 0 to 120" in said
    command("check", table, "--recipe", "gan")
    assert "town decides state" in capsys.readouterr().out


# -- conditions


def obedient(source, ear=0.9):
    """A sampler that gives training rows' law, and the told value in nine of ten rows."""
    known = source.codec
    rows = source.some(len(source))["x"]

    def draw(n):
        most = torch.ones(n, dtype=torch.int64)
        return {"z": torch.rand(n, 2), "cond": torch.zeros(n, known.condition_width), "cond_most": most}

    def generate(nets, inputs):
        x = rows[(inputs["z"][:, 0] * len(rows)).long()].clone()
        for span in known.spans:
            if span.condition is not None:
                told = inputs["cond"][:, span.condition : span.condition + span.size]
                hears = (told.sum(1) > 0) & (inputs["z"][:, 1] < ear)
                x[hears, span.start : span.stop] = told[hears]
        return x

    game = gan.build(gan.Config(width=4, depth=1), source.spec)
    return Sampler(Run(replace(game, draw=draw, generate=generate), 1, 64), source.spec)


@pytest.fixture(scope="module")
def sampler():
    return obedient(open_source(people(2000), target="ill"))


def test_what_can_be_told_is_told_and_the_rest_is_drawn_until_it_comes(sampler):
    asked = sample_where(sampler, 500, {"town": "Kiel", "age": (30, 40)}, seed=3)
    assert len(asked.frame) == 500 and (asked.frame["town"] == "Kiel").all() and asked.frame["age"].between(30, 40).all()
    assert asked.direct == ("town",)
    assert asked.hits / asked.drawn == pytest.approx(0.9, abs=0.03), "nine of ten hear, hardly any other is from Kiel"
    assert asked.kept / asked.drawn == pytest.approx(0.9 * 11 / 72, rel=0.3)
    assert f"{asked.drawn:,} rows drawn" in asked.words() and "town" in asked.words()
    assert asked.frame["key"].is_unique
    pd.testing.assert_frame_equal(sample_where(sampler, 500, {"town": "Kiel", "age": (30, 40)}, seed=3).frame, asked.frame)


def test_several_values_are_told_by_their_frequency_and_a_decided_column_through_its_decider(sampler):
    asked = sample_where(sampler, 4000, {"town": ["Bonn", "Kiel"]})
    assert (asked.frame["town"] == "Kiel").mean() == pytest.approx(0.05 / 0.3, abs=0.03)
    asked = sample_where(sampler, 100, {"state": "SH"})
    assert asked.direct == ("state",) and (asked.frame["town"] == "Kiel").all() and asked.hits / asked.drawn > 0.85


def test_the_rarest_wish_is_told_where_one_alone_can_be(sampler):
    assert sample_where(sampler, 20, {"ill": "no", "town": "Kiel"}).direct == ("town",)


def test_what_never_comes_ends_in_one_line(sampler):
    frame = open_source(people(2000), target="ill").train_frame
    least = frame.loc[frame["pay"].idxmin()]
    where = {"pay": least["pay"], "ill": "no" if least["ill"] == "yes" else "yes", "age": 18 + (least["age"] == 18)}
    with pytest.raises(UserError, match=r"where pay, ill, age: 0 % acceptance after 100,100 rows: ask for less at") as refused:
        sample_where(sampler, 1, where)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"twon": "Ulm"}, "no column twon: did you mean town"),
        ({"town": "Ullm"}, "where town: no value Ullm: did you mean Ulm"),
        ({"age": (300, 400)}, "where age: none of its values, from 18 to 89, is that: 0 % of samples"),
        ({"pay": (-9, -8)}, "where pay: values .*: 0 % of samples"),
        ({"age": (40, 30)}, "where age: least 40 is above most 30"),
        ({"age": "old"}, "where age: old is not a number"),
        ({"born": ("then", None)}, "where born: then is not a date"),
        ({"key": "P1"}, "where key: keys are made anew"),
        ({"town": None}, "where town: no value is ever missing"),
        ({"town": ("Ulm", "Bonn")}, "where town: a range is"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(sampler, where, said):
    with pytest.raises(UserError, match=said):
        sample_where(sampler, 5, where)


def test_words_of_the_command_line_become_wishes(sampler):
    known = codec(sampler.spec)
    words = ["age=30:40", "town=Ulm", "town=Bonn", "born=1975-01-01..", "ill=yes"]
    where = from_words(words, known)
    assert where == {"age": ("30", "40"), "town": ["Ulm", "Bonn"], "born": ("1975-01-01", None), "ill": "yes"}
    frame = people(2000)
    plain = (
        frame["age"].between(30, 40) & frame["town"].isin(["Ulm", "Bonn"]) & (frame["born"] >= "1975") & (frame["ill"] == "yes")
    )
    assert (met(frame, asks(where, known)) == plain).all()
    with pytest.raises(UserError, match="give COLUMN=VALUE"):
        from_words(["age"], known)


# -- what a run folder tells


def test_a_run_folder_holds_no_row_and_no_key(run):
    """Everything that is there is read as text, and what it says of each column is no more than its set of values."""
    frame = open_source(run.parent / "people.csv", target="ill").train_frame
    files = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert len(files) > 5
    whole = b"\n".join(files.values())
    for name in ("key", "name"):
        assert not [value for value in frame[name] if str(value).encode() in whole], name
    config = json.loads((run / "config.json").read_text())
    longest = max(lists(config), key=len)
    assert len(longest) < 0.5 * len(frame), "nothing in the settings is as long as a column"
    rare = [value for value in frame["pay"] if f"{value:.2f}".encode() in whole]
    assert set(rare) <= {frame["pay"].min(), frame["pay"].max()}, "bounds are kept, and no other value of a row"
    weights = [path for path in files if path.suffix == ".safetensors"]
    from safetensors.torch import load_file

    for path in weights:
        for tensor in load_file(path).values():
            assert len(frame) not in tensor.shape, "no buffer has a place for every row"


def lists(value):
    """Every list within plain values."""
    if isinstance(value, dict):
        yield from (one for inner in value.values() for one in lists(inner))
    elif isinstance(value, list):
        yield value
        yield from (one for inner in value for one in lists(inner))


def test_ctgan_is_told_what_to_be_and_drawn_from_the_natural_law_otherwise():
    gan = GAN("ctgan", steps=50, width=48, batch=100, lr_g=4e-3, lr_d=2e-3, dropout=0.0, pictures=0, threads=1, guard=False)
    frame = people(1000)
    gan.fit(frame, y="ill")
    made = gan.sample(200, where={"ill": "yes"}, seed=1)
    assert (made["ill"] == "yes").all() and (made.dtypes == frame.dtypes).all()
    assert gan.asked is not None and gan.asked.direct == ("ill",)
    assert gan.asked.hits / gan.asked.drawn > 0.3 > 2 * (frame["ill"] == "yes").mean()
