"""Rare classes: SMOTE's geometry, what is compared, and `zerosum augment` as a user has it."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import finish, start

from zerosum.balance import compare, missing_rows, rare_value
from zerosum.errors import UserError
from zerosum.metrics.tables.baselines import copies
from zerosum.metrics.tables.smote import smote
from zerosum.tables.schema import Column, Schema


def table(n=600, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, n))
    ill = x + y + 0.3 * rng.standard_normal(n) > 2.2
    return pd.DataFrame(
        {"x": x, "visits": rng.poisson(3, n), "place": rng.choice(["a", "b"], n), "y": y, "ill": np.where(ill, "yes", "no")}
    )


SCHEMA = Schema(
    (
        Column(name="x", kind="continuous"),
        Column(name="n", kind="integer", nulls=True),
        Column(name="c", kind="categorical", nulls=True),
    )
)


def test_smote_lies_on_the_way_to_a_neighbour():
    rare = pd.DataFrame({"x": [0.0, 1.0, 2.0, 100.0, 101.0], "n": [0, 10, 20, 1000, 1010], "c": ["a", "a", "a", "b", "b"]})
    made = smote(rare.iloc[:2], SCHEMA, 500, seed=0)
    assert made["x"].between(0, 1).all() and made["x"].nunique() > 400
    assert np.abs(made["n"] - 10 * made["x"]).max() <= 0.5  # the same place of the way, rounded
    assert made.dtypes.equals(rare.dtypes)
    assert made.equals(smote(rare.iloc[:2], SCHEMA, 500, seed=0))
    assert not made.equals(smote(rare.iloc[:2], SCHEMA, 500, seed=1))


def test_smote_takes_words_by_vote_and_keeps_what_is_missing():
    rare = pd.DataFrame({"x": np.arange(7.0), "n": pd.array([1, 2, None, 4, 5, 6, 7], "Int64"), "c": ["a"] * 6 + [None]})
    made = smote(rare, SCHEMA, 400, seed=0)
    assert set(made["c"]) == {"a"}  # most of any five neighbours
    assert made["n"].dtype == "Int64" and 0 < made["n"].isna().mean() < 0.3
    with pytest.raises(ValueError):
        smote(rare[:1], SCHEMA, 3)


def test_the_rare_class_and_how_many_rows_it_lacks():
    frame = table()
    count = int((frame["ill"] == "yes").sum())
    assert rare_value(frame, "ill") == "yes" and rare_value(frame, "ill", "no") == "no"
    assert missing_rows(frame, "ill", "yes", 1.0) == 600 - 2 * count
    assert rare_value(frame.assign(ill=(frame["ill"] == "yes").astype(int)), "ill", "1") == 1
    for words, wrong in {
        "no column sick": lambda: rare_value(frame, "sick"),
        "never maybe": lambda: rare_value(frame, "ill", "maybe"),
        "nothing to balance": lambda: rare_value(frame.assign(ill="no"), "ill"),
        "at least 10": lambda: rare_value(frame[(frame["ill"] == "no") | (frame.index < 20)], "ill"),
        "no rows to add": lambda: missing_rows(frame, "ill", "no", 1.0),
    }.items():
        with pytest.raises(UserError, match=words):
            wrong()


def test_what_is_compared_never_sees_the_held_out_part():
    frame, seen = table(), []

    def make(train, n, seed):
        seen.append(train)
        return copies(train[train["ill"] == "yes"], None, n, seed)

    scores = compare(frame, "ill", "yes", 1.0, 2, make)
    assert list(scores) == ["nothing", "class weights", "SMOTE", "synthetic rows"]
    assert all(len(rows) == 2 for rows in scores.values())
    assert all(len(train) == 420 for train in seen) and not seen[0].index.equals(seen[1].index)
    for rows in scores.values():
        assert all(0.7 < row["AUC"] <= 1 and 0 <= row["F1"] <= 1 and 0.3 < row["average precision"] <= 1 for row in rows)
    # rows of the class twice and more weigh like weights: the decision moves, the order hardly does
    assert scores["synthetic rows"][0]["F1"] == pytest.approx(scores["class weights"][0]["F1"], abs=0.1)


def test_augment_adds_rows_and_tells_the_gain(tmp_path):
    frame = table(300)
    frame.to_csv(tmp_path / "t.csv", index=False)
    words = ("--target", "ill", "--recipe", "ctgan", "--steps", "3", "--seeds", "1", "--threads", "1")
    code, out, err = finish(
        start("augment", tmp_path / "t.csv", *words, "-o", tmp_path / "more.csv", "--json", tmp_path / "gain.json")
    )
    assert code == 0, err
    made = pd.read_csv(tmp_path / "more.csv")
    pd.testing.assert_frame_equal(made[:300], frame)
    assert set(made["ill"][300:]) == {"yes"} and (made["ill"] == "yes").sum() == (made["ill"] == "no").sum()
    assert "class weights" in out and "SMOTE" in out and "synthetic rows" in out
    assert set(json.loads((tmp_path / "gain.json").read_text())) == {"nothing", "class weights", "SMOTE", "synthetic rows"}


@pytest.mark.parametrize(
    "words, said", [(("--target", "sick"), "no column sick"), (("--target", "ill", "--ratio", "-1"), "--ratio")]
)
def test_mistakes_are_a_line(words, said, tmp_path):
    table(100).to_csv(tmp_path / "t.csv", index=False)
    code, _, err = finish(start("augment", tmp_path / "t.csv", *words, "-o", tmp_path / "more.csv"))
    assert code == 2 and said in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "more.csv").exists()
