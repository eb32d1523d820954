"""report.html is one file that stands alone, tells the run's story, and trusts nothing in the run folder."""

import json
import math
import shutil
import struct
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from zerosum import open_source, recipes
from zerosum.charts import curves, thinned
from zerosum.job import Job
from zerosum.report import write_report
from zerosum.rundir import RunDir
from zerosum.train import Training


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A tiny finished run on digits."""
    path = tmp_path_factory.mktemp("report") / "run"
    cfg = recipes.find("cgan").Config(width=8, batch=16)
    training = Training(steps=30, device="cpu", log_every=2, pictures=6, scores=2)
    job = Job.new("digits", open_source("digits"), "cgan", cfg, training, path)
    assert job.play()
    job.finish()
    return path


@pytest.fixture
def run(finished, tmp_path):
    """A copy that a test may spoil."""
    shutil.copytree(finished, tmp_path / "run")
    return RunDir(tmp_path / "run")


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href") and value]

    def handle_data(self, data):
        self.text += data


def page(folder):
    return Page(write_report(folder).read_text())


def test_report_stands_alone_and_tells_everything(run):
    shown = page(run)
    assert all(link.startswith(("data:image/png;base64,", "#")) for link in shown.links)
    assert "link" not in shown.tags and shown.tags.count("svg") >= 5
    for words in (
        "cgan on digits",
        "finished",
        "accuracy, trained on generated",
        "real data",
        "trivial",
        "D(real)",
        "D(generated)",
    ):
        assert words in shown.text, words
    for words in ("Wh (", "penalty_weight", "torch", "items a second", "lr_g"):
        assert words in shown.text, words
    assert len(json.loads(write_report(run).read_text().split('id="pictures">')[1].split("</script>")[0])) == len(
        run.pictures()
    )


def test_hostile_names_come_out_as_text(run):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    run.config["spec"]["origin"] = run.config["data"]["what"] = run.config["recipe"] = evil
    run.log({"step": 30, "D/" + evil: 1.0})
    text = write_report(run).read_text()
    assert "<script>alert" not in text and "<img src=x" not in text and "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("missing", ["log.jsonl", "samples", "step-30"])
def test_report_of_an_incomplete_folder(run, missing):
    path = run.path / missing
    path.unlink() if path.is_file() else shutil.rmtree(path)
    assert "Exactly what was run" in page(run).text


def test_report_of_a_run_that_stopped_at_once(finished, tmp_path):
    (tmp_path / "run").mkdir()
    shutil.copy(finished / "config.json", tmp_path / "run")
    shown = page(RunDir(tmp_path / "run"))
    assert "not finished" in shown.text and "Scores" not in shown.text


def test_long_logs_are_thinned_and_holes_left_out():
    x, y = thinned([(i, math.nan if i % 7 == 0 else 2.0 * i) for i in range(10_000)])
    assert len(x) <= 600 and all(abs(b - 2 * a) < 1e-6 for a, b in zip(x, y, strict=True))
    assert "<svg" in curves({"a": [(0, math.nan)], "$b_$": []}, "odd $ names")


def events(folder):
    """Every scalar in the folder's event files, as {(tag, step): value}: the TFRecord framing, read by hand."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for file in sorted(Path(folder).glob("events.*")):
        data = file.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[12 + length + 4 :]
            found |= {(value.tag, event.step): value.simple_value for value in event.summary.value}
    return found


def test_tensorboard_events_equal_the_log(run):
    found = events(run.path / "tensorboard")
    rows = [row for row in run.rows() if "scores" not in row]
    assert len(rows) == 15
    for row in rows:
        for name in ("D/adv", "G/adv", "D/logit_real", "items_per_s"):
            assert found[name, row["step"]] == pytest.approx(row[name], rel=1e-6)
    final = next(row for row in run.rows() if row.get("final"))
    assert found["score/accuracy_trained_on_generated", 30] == pytest.approx(final["scores"][1]["value"], rel=1e-6)


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs /usr/bin/chromium")
def test_a_real_browser_shows_it_without_errors(run, tmp_path):
    report = write_report(run)
    report.write_text(
        report.read_text().replace("</body>", "<script>scrub.value=0;scrub.dispatchEvent(new Event('input'))</script></body>")
    )
    flags = "headless no-sandbox disable-gpu disable-background-networking no-first-run disable-component-update disable-sync"
    done = subprocess.run(
        [
            "chromium",
            *(f"--{flag}" for flag in flags.split()),
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'chrome'}",
            "--virtual-time-budget=2000",
            "--dump-dom",
            report.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "step 0</output>" in done.stdout and "Generated samples at step 0" in done.stdout
    assert "CONSOLE" not in done.stderr, done.stderr


def test_a_link_among_the_pictures_gives_nothing_away(run, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"\x89PNG\r\n\x1a\n" + b"not yours")
    (run.path / "samples" / "step-999.png").symlink_to(secret)
    (run.path / "samples" / "step-1000.png").write_bytes(b"no picture")
    text = write_report(run).read_text()
    assert '"step": 999' not in text and '"step": 1000' not in text and "Samples over time" in text


ODD = [
    "[1, 2]",
    '{"no": "step"}',
    '{"step": "3"}',
    '{"step": 3, "seconds": null, "D/adv": 1}',
    '{"step": 3, "D/adv": 1e308, "D/b": "x"}',
    '{"step": 3, "D/adv": NaN}',
    '{"step": 3, "scores": [null, {"name": "x"}]}',
]


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_in_the_log_spoil_nothing(run, line):
    with (run.path / "log.jsonl").open("a") as file:
        file.write(line + "\n")
    assert "Exactly what was run" in page(run).text


@pytest.mark.parametrize(("key", "value"), [("machine", None), ("spec", []), ("settings", 3), ("recipe", None)])
def test_odd_values_in_the_config_spoil_nothing(run, key, value):
    run.config[key] = value
    assert "Exactly what was run" in page(run).text
