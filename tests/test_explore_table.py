"""The panel of tables: rows that are what was asked, drawings of what the folder holds, and no more than that."""

import csv
import gzip
import json
import shutil
from io import StringIO

import httpx
import pandas as pd
import pytest
from browser import sideways
from test_table_runs import PLAN, people

from zerosum.cli import main
from zerosum.errors import UserError
from zerosum.explore.form import Asked, fields, where
from zerosum.provenance import read
from zerosum.tables.codec import Codec
from zerosum.tables.infer import infer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on people; one under differential privacy; one whose folder says odd things."""
    folder = tmp_path_factory.mktemp("tables")
    people(600).to_csv(folder / "people.csv", index=False)
    runs = folder / "runs"
    private = ("--dp-epsilon", "3", "--steps", "4", "--pictures", "2", "--threads", "1", "--width", "16")
    for name, plan in {"open": PLAN, "private": private}.items():
        with pytest.raises(SystemExit) as end:
            main(["train", str(folder / "people.csv"), "--target", "ill", *plan, "--out", str(runs / name)])
        assert end.value.code == 0
    shutil.copytree(runs / "open", runs / "odd")
    seen = json.loads((runs / "odd" / "table.json").read_text())
    seen["columns"][0]["name"] = "<img src=x onerror=alert(1)>"
    seen["columns"] += [{"name": "x", "words": [1, None], "real": [1e300, 0], "made": [0, 0]}, 7, {"name": 3}]
    seen["pairs"] = {"names": ["a", "b"], "real": [[1, float("nan")], [0, 1]], "made": [[1], [1, 2]]}
    (runs / "odd" / "table.json").write_text(json.dumps(seen))
    with (runs / "odd" / "log.jsonl").open("a") as log:
        score = {"name": "exact copies of training rows", "value": 0.5, "real": None, "better": "lower"}
        log.write(json.dumps({"step": 6, "scores": [score, 5, {"value": "x"}]}) + "\n")
    return runs


@pytest.fixture
def ask(explore, folder):
    def ask(run, part="", **wish):
        where = f"{explore(folder).address}api/run/{run}/table{part}"
        return httpx.post(where, json=wish, timeout=30) if part else httpx.get(where, timeout=30)

    return ask


@pytest.mark.parametrize("panel", ["edit", "eye", "latent/about", "latent/directions", "translate"])
def test_panels_of_pictures_are_refused_for_a_table_in_words(explore, folder, panel):
    answer = httpx.get(f"{explore(folder).address}api/run/open/{panel}", timeout=30)
    assert answer.status_code == 404 and "open has no panel" in answer.json()["error"]


def test_the_form_fits_the_columns():
    frame = people(600)
    frame.loc[::7, "pay"] = None
    found = {one["name"]: one for one in fields(Codec.fit(frame, infer(frame, "ill")))}
    assert "key" not in found  # keys are made anew
    assert found["town"]["ask"] == "values" and set(found["town"]["values"]) == {"Ulm", "Bonn", "Kiel"}
    assert found["state"]["ask"] == "values" and set(found["state"]["values"]) == {"BW", "NW", "SH"}  # which town decides
    assert found["age"]["ask"] == "number" and (found["age"]["low"], found["age"]["high"]) == (18, 89)
    assert found["pay"]["ask"] == "number" and found["pay"]["missing"] and not found["age"]["missing"]
    assert found["born"]["ask"] == "date" and "1970-01-01" <= found["born"]["low"] < found["born"]["high"] < "1995"


def test_what_the_form_sends_is_what_conditions_take():
    asked = {"town": Asked(values=["Ulm", None]), "age": Asked(low=30), "born": Asked(low="1980-01-01", high="1981-01-01")}
    assert where(asked) == {"town": ["Ulm", None], "age": (30, None), "born": ("1980-01-01", "1981-01-01")}
    for wrong in (Asked(), Asked(values=[]), Asked(low=float("nan")), Asked(values=[float("inf")])):
        with pytest.raises(UserError, match="where age: give"):
            where({"age": wrong})


def test_rows_meet_the_conditions_and_the_rates_are_told(ask, tmp_path):
    wished = {"town": {"values": ["Bonn", "Kiel"]}, "age": {"low": 30, "high": 60}, "born": {"low": "1975-01-01", "high": None}}
    found = ask("open", "/sample", n=30, seed=4, where=wished).json()
    rows = pd.DataFrame(found["rows"], columns=found["columns"])
    assert len(rows) == 30 and rows["town"].isin(["Bonn", "Kiel"]).all()
    assert rows["age"].astype(int).between(30, 60).all() and (rows["born"] >= "1975-01-01").all()
    assert 30 <= found["kept"] < found["drawn"] and f"of {found['drawn']:,} rows drawn were accepted" in found["words"]
    again = ask("open", "/csv", n=30, seed=4, where=wished)
    assert again.headers["content-type"].startswith("text/csv") and "attachment" in again.headers["content-disposition"]
    assert [*csv.reader(StringIO(again.text))] == [found["columns"], *found["rows"]]
    packed = ask("open", "/csv", n=30, seed=4, where=wished, packed=True)
    assert gzip.decompress(packed.content) == again.content
    (tmp_path / "rows.csv.gz").write_bytes(packed.content)
    said = read(tmp_path / "rows.csv.gz").origin
    assert (said.recipe, said.seed, said.count) == ("gan", 4, 30) and "Bonn" in said.where
    assert len(ask("open", "/csv", n=321).text.strip().splitlines()) == 322


@pytest.mark.parametrize(
    ("wish", "status", "words"),
    [
        ({"where": {"nobody": {"values": ["x"]}}}, 400, "no column nobody"),
        ({"where": {"town": {"values": ["Rome"]}}}, 400, "no value Rome"),
        ({"where": {"age": {"low": 70, "high": 20}}}, 400, "exchange them"),
        ({"where": {"age": {"low": "old"}}}, 400, "not a number"),
        ({"where": {"age": {"low": 500}}}, 400, "lie between"),
        ({"where": {"key": {"values": ["P1"]}}}, 400, "keys are made anew"),
        ({"where": {"age": {}}}, 400, "give values"),
        ({"n": 20_000, "where": {"age": {"low": 20}}}, 400, "at most 10,000"),
        ({"n": 10**9}, 422, "n"),
        ({"n": 0}, 422, "n"),
        ({"seed": -1}, 422, "seed"),
        ({"where": [1]}, 422, "where"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_line(ask, wish, status, words):
    answer = ask("open", "/csv", **wish)
    assert answer.status_code == status and words in answer.json()["error"] and "\n" not in answer.json()["error"]


def test_a_private_run_shows_its_claim_and_nothing_of_real_rows(ask, folder):
    about = ask("private").json()
    assert about["columns"] == [] and about["pairs"] is None and about["scores"] == []
    assert about["claim"]["spent"] <= 3 and len(about["claim"]["reads"]) >= 2
    assert sum(one["epsilon"] for one in about["claim"]["reads"]) == pytest.approx(about["claim"]["spent"])
    assert len(ask("private", "/sample", n=5).json()["rows"]) == 5
    assert not (folder / "private" / "table.json").exists()  # looking at it has computed nothing


def test_a_folder_that_says_odd_things_is_read_without_them(ask):
    about = ask("odd").json()
    assert about["columns"][0]["name"].startswith("<img") and about["pairs"] is None
    assert all(isinstance(one["name"], str) for one in about["columns"]) and about["verdict"] == ""


def test_the_form_samples_rows_that_meet_it(explore, open_page, folder):
    page = open_page(explore(folder).at("open", "table"), phone=True)
    page.get_by_label("Kiel").check()
    page.get_by_label("age, least").fill("40")
    page.get_by_role("button", name="Sample").click()
    page.wait_for_selector(".wide tbody tr")
    head = page.locator(".wide thead th").all_inner_texts()
    rows = [row.locator("td").all_inner_texts() for row in page.locator(".wide tbody tr").all()]
    assert len(rows) == 20
    assert all(row[head.index("town")] == "Kiel" and int(row[head.index("age")]) >= 40 for row in rows)
    assert "rows drawn were accepted" in page.locator("main").inner_text()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV", exact=True).click()
    frame = pd.read_csv(download.value.path())
    assert len(frame) == 1000 and set(frame["town"]) == {"Kiel"} and frame["age"].min() >= 40
    assert sideways(page) <= 0
    page.reload()
    page.wait_for_selector(".asks")
    assert page.get_by_label("Kiel").is_checked() and page.get_by_label("age, least").input_value() == "40"


def test_names_from_a_folder_are_text(explore, open_page, folder):
    page = open_page(explore(folder).at("odd", "table"), dark=True)
    page.get_by_text("<img src=x onerror=alert(1)>").first.wait_for()
    assert page.locator("main img").count() == 0
