"""The blind test by eye: what is real cannot be known before the answer, answers are kept, rates have their interval."""

import json
import math
import shutil
from io import BytesIO

import httpx
import numpy as np
import pytest
import torch
from browser import sideways
from PIL import Image

from zerosum.data import images
from zerosum.errors import UserError
from zerosum.explore.eye import answers
from zerosum.explore.eye.answers import Answer
from zerosum.explore.eye.trials import Session, pair, plan
from zerosum.job import open_data, open_run
from zerosum.metrics.intervals import Z, wilson
from zerosum.web.trouble import Busy, TooMuch


def test_wilsons_interval_is_where_a_share_would_not_surprise():
    for hits, n in [(3, 10), (50, 100), (199, 200)]:
        for end in wilson(hits, n):
            assert abs(hits / n - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / n))
    assert wilson(0, 20) == pytest.approx((0, Z**2 / (20 + Z**2)))
    assert wilson(20, 20) == pytest.approx((20 / (20 + Z**2), 1))
    assert wilson(0, 0) == (0, 1)
    low, high = wilson(30, 100)
    assert wilson(70, 100) == pytest.approx((1 - high, 1 - low))
    with pytest.raises(ValueError, match="5 hits of 4"):
        wilson(5, 4)


def test_wilsons_interval_covers_about_95_percent_of_the_time():
    for p, n in [(0.5, 20), (0.3, 40), (0.05, 100)]:
        chance = lambda k, p=p, n=n: math.comb(n, k) * p**k * (1 - p) ** (n - k)
        covered = sum(chance(k) for k in range(n + 1) if wilson(k, n)[0] <= p <= wilson(k, n)[1])
        assert 0.92 < covered < 0.99


def test_sides_are_a_fair_coin_and_real_items_come_once():
    trials = plan(4000, 4000)
    left = sum(one.real == "left" for one in trials)
    assert abs(left - 2000) < 6 * math.sqrt(4000 / 4)
    assert len({one.row for one in trials}) == 4000 and len({one.seed for one in trials}) == 4000
    assert sorted({one.row for one in plan(7, 3)}) == [0, 1, 2]
    assert [one.real for one in plan(60, 60)] != [one.real for one in plan(60, 60)]


def test_both_sides_are_of_one_class_and_one_is_the_real_item(tiny_run):
    sampler, held = open_run(tiny_run, device="cpu"), open_data(tiny_run).held_out(50)
    for one in plan(6, 50):
        shown = pair(sampler, held, one)
        assert shown.shape == (8, 16, 3) and shown.dtype == np.uint8
        real = images.decode(held["x"][one.row : one.row + 1], sampler.spec)[0]
        made = images.decode(sampler.make(1, one.seed, int(held["y"][one.row]))["x"], sampler.spec)[0]
        sides = (real, made) if one.real == "left" else (made, real)
        assert np.array_equal(shown, np.repeat(np.concatenate(sides, 1)[..., None], 3, 2))


def test_a_trial_is_judged_once_when_it_was_shown():
    session = Session("run", 6, {"x": torch.zeros(3, 1, 8, 8)}, plan(2, 3), None)
    for wrong in (lambda: session.trial(1), lambda: session.trial(-1), lambda: session.judged(0, "left")):
        with pytest.raises(Busy):
            wrong()
    first = session.trial(0)
    assert session.judged(0, first.real)[0] is False
    session.go_on(first.real)
    with pytest.raises(Busy):
        session.judged(0, "left")
    with pytest.raises(Busy):
        session.judged(1, "left")  # not shown yet
    assert session.trial(0) is first and not session.over


def one(**changes):
    base = {"session": "a", "trial": 0, "of": 9, "step": 6, "fooled": True, "real": "left", "limit_ms": None, "seconds": 1.0}
    return Answer(**base | changes)


def test_answers_are_lines_and_damage_is_passed_over(tmp_path):
    answers.keep(tmp_path, one())
    with (tmp_path / "eye.jsonl").open("a") as file:
        file.write('{"session": "cut')
    answers.keep(tmp_path, one(session="b", fooled=False))
    with (tmp_path / "eye.jsonl").open("a") as file:
        odd = json.loads(json.dumps(vars(one()))) | {"fooled": "yes"}
        file.write(f"\n[]\nnull\n{json.dumps(odd)}\n{'[' * 9999}\n")
    assert answers.read(tmp_path) == [one(), one(session="b", fooled=False)]
    told = answers.summary(answers.read(tmp_path))
    assert (told["trials"], told["fooled"], told["sessions"], told["rate"]) == (2, 1, 2, 0.5)
    assert (told["low"], told["high"]) == wilson(1, 2)


def test_the_file_has_an_end_and_is_no_link(tmp_path, monkeypatch):
    (tmp_path / "eye.jsonl").write_bytes(b"\n" * (answers.MOST - 10))
    with pytest.raises(TooMuch, match="full"):
        answers.keep(tmp_path, one())
    assert (tmp_path / "eye.jsonl").stat().st_size == answers.MOST - 10
    other = tmp_path / "run"
    other.mkdir()
    (other / "eye.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError):
        answers.keep(other, one())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("fooled", "words"),
    [(0, "more often than by chance"), (25, "better than a coin"), (50, "more often than real ones themselves")],
)
def test_a_rate_is_told_in_words(fooled, words):
    told = answers.summary(one(trial=i, fooled=i < fooled) for i in range(50))
    assert words in answers.words(told) and f"{fooled} of 50" in answers.words(told)
    assert answers.words(answers.summary([])) == "nobody has judged yet"


@pytest.fixture(scope="module")
def folder(tiny_run, tmp_path_factory):
    """Runs that are looked at, and runs whose data are not what they were."""
    folder = tmp_path_factory.mktemp("eye")
    for name in ("run", "page", "gone", "other"):
        shutil.copytree(tiny_run, folder / name)
    for name, change in {"gone": {"what": str(folder / "nowhere")}, "other": {"fingerprint": "0"}}.items():
        config = json.loads((folder / name / "config.json").read_text())
        config["data"] |= change
        (folder / name / "config.json").write_text(json.dumps(config))
    return folder


def test_nothing_tells_what_is_real_before_the_answer(explore, folder):
    base = f"{explore(folder).address}api/run/run/eye"
    with httpx.Client(timeout=60) as client:
        session = client.post(f"{base}/sessions", json={"trials": 3, "limit_ms": 500}).json()
        assert set(session) == {"id", "trials"}
        where = f"{base}/sessions/{session['id']}"
        post = lambda trial, real: client.post(f"{where}/answers", json={"trial": trial, "real": real})
        assert post(0, "left").status_code == 409  # not looked at
        assert client.get(f"{where}/trials/1").status_code == 409
        for trial in range(3):
            answer = client.get(f"{where}/trials/{trial}")
            image = Image.open(BytesIO(answer.content))
            assert (image.size, image.mode, image.info) == ((16, 8), "RGB", {})
            assert not {"content-disposition", "etag", "last-modified"} & {*answer.headers}
            told = post(trial, "left").json()
            assert post(trial, "right").status_code == 409
            if trial < 2:
                assert told == {"answered": trial + 1, "of": 3}
        assert [one["chosen"] for one in told["truth"]] == ["left"] * 3
        assert told["mine"]["fooled"] == sum(one["real"] == "right" for one in told["truth"])
        kept = answers.read(folder / "run")
        assert [(one.trial, one.real, one.limit_ms, one.step) for one in kept] == [
            (i, one["real"], 500, 6) for i, one in enumerate(told["truth"])
        ]
        assert all(one.session not in (session["id"], "") and one.seconds >= 0 for one in kept)
        assert client.get(base).json()["results"]["trials"] == 3
        assert client.get(f"{base}/sessions/guess/trials/0").status_code == 404
        assert client.get(f"{explore(folder).address}api/run/page/eye/sessions/{session['id']}/trials/0").status_code == 404
        for wish in ({"trials": 0}, {"trials": 10**6}, {"limit_ms": -5}, {"trials": "many"}):
            assert client.post(f"{base}/sessions", json=wish).status_code == 422
        assert client.post(f"{where}/answers", json={"trial": 0, "real": "up"}).status_code == 422


@pytest.mark.parametrize(("run", "words"), [("gone", "no data at"), ("other", "has changed")])
def test_data_that_are_gone_are_told_in_a_line(explore, folder, run, words):
    answer = httpx.post(f"{explore(folder).address}api/run/{run}/eye/sessions", json={}, timeout=60)
    error = answer.json()["error"]
    assert answer.status_code == 400 and words in error and "real items" in error and "\n" not in error


def test_a_sitting_by_keys_is_recorded_and_its_rate_shown(explore, open_page, folder):
    page = open_page(explore(folder).at("page", "eye"), phone=True)
    page.get_by_label("Pairs").fill("4")
    page.get_by_label("Time limit").select_option("250")
    page.get_by_role("button", name="Begin").click()
    for i in range(4):
        page.get_by_text(f"Pair {i + 1} of 4").wait_for()
        if i == 0:
            page.wait_for_selector(".stage.hidden", state="attached")  # the time is over; the answer is not
        page.wait_for_selector(".sides button:enabled")
        if i == 3:
            page.get_by_role("button", name="Right is real").click()
        else:
            page.keyboard.press("ArrowLeft")
    page.get_by_role("heading", name="Which one was real").wait_for()
    kept = answers.read(folder / "page")
    assert len(kept) == 4 and [one.limit_ms for one in kept] == [250] * 4
    fooled = [one.real != side for one, side in zip(kept, ["left", "left", "left", "right"], strict=True)]
    assert [one.fooled for one in kept] == fooled
    assert f"fooled in {sum(fooled)} of 4 trials" in page.locator("main").inner_text()
    assert page.locator(".mistaken").count() == sum(fooled)
    assert sideways(page) <= 0
