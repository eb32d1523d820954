"""What a report shows of a table: drawings, and in words what was given away."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from zerosum import open_source, recipes
from zerosum.cli import main
from zerosum.job import Job
from zerosum.metrics.tables.baselines import copies, independent
from zerosum.metrics.tables.sides import Sides
from zerosum.metrics.tables.views import views
from zerosum.metrics.tables.words import CLOSER, COPIES, MEMBERS, findings, verdict
from zerosum.report import write_report
from zerosum.rundir import RunDir
from zerosum.table_charts import distributions, pairs
from zerosum.tables.schema import Column, Schema
from zerosum.train import Training

SCHEMA = Schema(
    (
        Column(name="age", kind="integer"),
        Column(name="pay", kind="continuous", nulls=True),
        Column(name="job", kind="categorical"),
        Column(name="since", kind="datetime"),
    )
)


def people(n=800, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, n)
    pay = np.where(rng.random(n) < 0.6, 0, age * 100.0 + rng.standard_normal(n))
    pay[rng.random(n) < 0.1] = np.nan
    job = np.where(age > 65, "retired", rng.choice(["<b>$clerk$</b>", "nurse"], n))
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
    return pd.DataFrame({"age": age, "pay": pay, "job": job, "since": since})


def test_views_are_shares_and_correlations():
    frame = people()
    seen = views(Sides(frame, people(seed=1), lambda n: copies(frame, SCHEMA, n), SCHEMA, 800))
    assert json.loads(json.dumps(seen)) == seen
    age, pay, job, since = seen["columns"]
    for one in (age, since, job):
        assert sum(one["real"]) == pytest.approx(1, abs=0.02) and sum(one["made"]) == pytest.approx(1, abs=0.02)
    assert pay["real_missing"] == pytest.approx(frame["pay"].isna().mean(), abs=1e-3)
    assert np.mod(np.diff(age["edges"]), 1).max() == 0  # as many ages in each bin
    assert set(job["words"]) == {"<b>$clerk$</b>", "nurse", "retired"}
    real = np.array(seen["pairs"]["real"])
    assert (real == real.T).all() and (np.diag(real) == 1).all()
    assert real[0, 2] > 0.6 and abs(real[0, 3]) < 0.15


def test_drawings_of_a_table_and_of_nothing():
    frame = people()
    seen = views(Sides(frame, people(seed=1), lambda n: independent(frame, SCHEMA, n), SCHEMA, 800))
    drawn = distributions(seen)
    assert len(drawn) == 4 and all(one.startswith("<svg") for one in drawn)
    assert "missing: real" in drawn[1] and "square roots" in drawn[1]
    assert "<b>" not in "".join(drawn) and "2020-" in drawn[3]
    assert pairs(seen).count("difference") >= 1
    for broken in ({}, {"columns": 3, "pairs": []}, {"columns": [{"name": "x", "words": ["a"], "real": [1, 2], "made": [1]}]}):
        assert distributions(broken) == [] and pairs(broken) == ""
    assert pairs({"pairs": {"names": ["a", "b"], "real": [[1, 2]], "made": [[float("nan")]]}}) == ""


def test_words_say_what_is_beyond_luck():
    score = lambda name, value, low, high, real: {"name": name, "value": value, "low": low, "high": high, "real": real}
    clean = [score(COPIES, 0.01, 0.005, 0.015, 0.01), score(CLOSER, 0.51, 0.49, 0.53, 0.5)]
    clean.append(score(MEMBERS, 0.5, 0.48, 0.52, 0.5))
    assert verdict(findings(clean)) == "None of 3 checks found a leak."
    leaky = [*clean[:2], score(MEMBERS, 0.6, 0.58, 0.62, 0.5)]
    assert [one.leak for one in findings(leaky)] == [False, False, True]
    assert "60.0%" in findings(leaky)[2].words and verdict(findings(leaky)).startswith("1 of 3")
    assert findings([score("overall quality", 1, 1, 1, 1)]) == []


def test_a_run_on_a_table_is_scored_and_reported(tmp_path, capsys):
    people().to_csv(tmp_path / "people.csv", index=False)
    source = open_source(tmp_path / "people.csv")
    cfg = recipes.find("wgan_gp").Config(batch=32)
    plan = Training(steps=3, device="cpu", scores=1)
    job = Job.new(str(tmp_path / "people.csv"), source, "wgan_gp", cfg, plan, tmp_path / "run")
    assert job.play()
    assert {one.name for one in job.finish()} >= {"column shapes"}
    with pytest.raises(SystemExit) as end:
        main(["score", str(tmp_path / "run"), "--items", "300", "--device", "cpu"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for words in ("copula", "copies", "↓", "privacy:", "only differential privacy"):
        assert words in out, words
    page = write_report(RunDir(tmp_path / "run")).read_text()
    for words in ("What the table gives away", "a table of 4 columns, 640 training rows", "hang together", "copula"):
        assert words in page, words
    assert not re.search(r"<b>\$?clerk", page)
