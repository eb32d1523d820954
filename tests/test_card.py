"""Model cards: what they tell, what they do not, and that nothing in a run folder gets out of its place."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import TINY
from markdown_it import MarkdownIt

from zerosum.cli import main
from zerosum.errors import UserError
from zerosum.export import hub
from zerosum.export.card import card
from zerosum.rundir import RunDir

FIELDS = {"license", "license_name", "license_link", "library_name", "tags", "pipeline_tag", "model-index"}
EVIL = '</td><script>alert(1)</script> [x](http://e.example) ![i](http://e.example/i) | `a` $$x$$ "'
EVIL += "\n---\nlicense: mit\n# H\n\u202e\ud800\x00"


def command(*words, code=0):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    assert end.value.code == code


def parts(text):
    """(the head as YAML reads it, the body)."""
    empty, head, body = text.split("---\n", 2)
    assert empty == ""
    return yaml.safe_load(head), body


def checked(text):
    """The head, whose fields are those that the hub documents, and the body."""
    head, body = parts(text)
    assert set(head) <= FIELDS and head["license"] in hub.LICENCES and head["library_name"] == "zerosum"
    assert head.get("pipeline_tag") in (None, "unconditional-image-generation", "image-to-image")
    for model in head.get("model-index", []):
        assert isinstance(model["name"], str)
        for result in model["results"]:
            assert result["task"]["type"] and result["dataset"]["type"] and result["dataset"]["name"]
            for metric in result["metrics"]:
                assert isinstance(metric["type"], str) and isinstance(metric["value"], float)
    return head, body


def seen(body):
    """(kinds of tokens in the body as CommonMark with tables and bare addresses as links, its HTML)."""
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = reader.parse(body)
    kinds = [token.type for token in tokens] + [child.type for token in tokens for child in token.children or []]
    return kinds, reader.render(body)


@pytest.fixture
def copy(tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    return RunDir(tmp_path / "run")


def test_the_card_of_digits_tells_data_scores_limits_energy(tiny_run, tmp_path, capsys):
    command("export", tiny_run, "--card", tmp_path / "README.md", "--licence", "CC-BY-4.0", "--title", "Ten digits")
    assert "licence CC-BY-4.0" in capsys.readouterr().out
    head, body = checked((tmp_path / "README.md").read_text())
    assert head["license"] == "cc-by-4.0"
    assert head["pipeline_tag"] == "unconditional-image-generation" and "cgan" in head["tags"]
    logged = [row for row in RunDir(tiny_run).rows() if "scores" in row][-1]
    (result,) = head["model-index"][0]["results"]
    assert result["dataset"]["name"] == "digits"
    for metric, score in zip(result["metrics"], logged["scores"], strict=True):
        assert metric["name"] == score["name"] and metric["value"] == pytest.approx(score["value"], rel=1e-4)
        assert metric["args"]["real"] == pytest.approx(score["real"], rel=1e-4)
        assert f"{score['value']:.4g}" in body and f"{score['trivial']:.4g}" in body
    kinds, html = seen(body)
    assert kinds.count("table_open") == 1 and "html_block" not in kinds and "html_inline" not in kinds
    assert "<h1>Ten digits</h1>" in html and "Mirza &amp; Osindero 2014" in html
    for words in ("1,437 images to train on, 360 held out", "10 classes", "SVC (rbf)", "W, assumed", "--label 0", "cc-by-4.0"):
        assert words in body, words
    from zerosum.job import open_run

    assert open_run(tiny_run, None, "cpu").origin().run in body


def test_a_card_is_written_over_and_another_file_is_not(tiny_run, tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text("# Mine\n")
    command("export", tiny_run, "--card", path, code=2)
    assert path.read_text() == "# Mine\n" and "is no card of zerosum's" in " ".join(capsys.readouterr().err.split())
    path.unlink()
    for _ in range(2):
        command("export", tiny_run, "--card", path)
    assert checked(path.read_text())[0]["license"] == "unknown" and "None was stated" in path.read_text()
    command("export", tiny_run, "--card", tmp_path / "card.txt", code=2)


def test_licences_are_the_hub_s_or_other():
    assert hub.licence_of("Research only") == {"license": "other", "license_name": "research-only", "license_link": "LICENSE"}
    assert hub.licence_of("Apache 2.0") == {"license": "apache-2.0"}
    assert hub.licence_of(" MIT ") == {"license": "mit"}
    assert hub.licence_of("Ours: ask\n---\nus")["license_name"] == "ours-ask-us"


def hostile(value):
    """The same JSON with every text made hostile, keys too where they are the user's."""
    if isinstance(value, dict):
        return {name: hostile(one) for name, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return EVIL + value if isinstance(value, str) else value


def test_hostile_text_in_every_field_stays_text(copy, tmp_path):
    config = json.loads((copy.path / "config.json").read_text())
    evil = hostile(config)
    evil["spec"]["kind"] = "images"
    evil["spec"]["given"] = {EVIL: [1, 8, 8]}
    (copy.path / "config.json").write_text(json.dumps(evil))
    rows = [hostile(row) for row in copy.rows()]
    rows.append({"step": 6, "note": EVIL * 500, "guard": {"name": EVIL, "from": 5, "kind": EVIL}})
    (copy.path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    head, body = checked(card(RunDir(copy.path), EVIL, EVIL))
    assert head["license"] == "other" and len(body) < 60_000
    kinds, html = seen(body)
    assert not {"html_block", "html_inline", "link_open", "image", "math", "hr"} & set(kinds)
    assert kinds.count("heading_open") == 9 and kinds.count("table_open") == 1  # one title, and a section each
    assert "<script" not in html and "$$" not in body and "://" not in body
    rows_of_table = [line for line in body.splitlines() if line.startswith("|")]
    assert len({len(line.replace("\\|", "").split("|")) for line in rows_of_table}) == 1


@pytest.mark.parametrize("spec", [{}, [], {"kind": "images", "shape": "x"}, {"kind": "images", "shape": [-1]}])
def test_a_folder_that_cannot_be_told_of_is_one_line(copy, spec):
    copy.config["spec"] = spec
    with pytest.raises(UserError, match="no card of it"):
        card(copy)


def test_a_step_that_is_not_there_is_one_line(copy):
    with pytest.raises(UserError, match="check --step"):
        card(copy, step=4)


def test_a_run_without_scores_has_a_card(copy):
    (copy.path / "log.jsonl").unlink()
    head, body = checked(card(copy))
    assert "model-index" not in head and "It has not been scored" in body


def people(n=400):
    r = np.random.default_rng(3)
    pay = 31_000 + 17 * np.arange(n)
    return pd.DataFrame({"town": r.choice(["Ulmen", "Bonndorf"], n), "pay": pay, "rich": r.choice(["y", "n"], n)})


def test_the_card_of_a_table_tells_columns_and_neither_rows_nor_where_they_lie(tmp_path):
    path = tmp_path / "clients of Mrs Smith.csv"
    people().to_csv(path, index=False)
    tiny = ("--width", "8", "--batch", "16", "--pictures", "2", "--threads", "1", "--steps", "4", "--scores", "1")
    plan = ("--recipe", "tabular", "--target", "rich", *tiny)
    command("train", path, *plan, "--out", tmp_path / "run")
    text = card(RunDir(tmp_path / "run"))
    head, body = checked(text)
    assert "pipeline_tag" not in head and "tabular" in head["tags"]
    assert "3 columns: town (categorical)" in body and "pay (integer)" in body and "without differential privacy" in body
    for told in ("Smith", str(tmp_path), "Ulmen", "Bonndorf", "31000", "31,000", "37783"):
        assert told not in text, told


def test_the_card_of_a_private_table_tells_the_claim(tmp_path):
    people(2000).to_csv(tmp_path / "secret.csv", index=False)
    small = ("--batch", 64, "--made", 64, "--width", 16, "--z-dim", 8, "--d-width", 8, "--d-steps", 4, "--d-every", 2)
    plan = ("--target", "rich", "--dp-epsilon", 3, "--steps", 4, "--pictures", 2, "--threads", 1)
    command("train", tmp_path / "secret.csv", *plan, *small, "--out", tmp_path / "run")
    text = card(RunDir(tmp_path / "run"))
    body = checked(text)[1]
    assert "## Privacy" in body and "at delta 1e-05" in body and "Audit: epsilon is at least" in body
    key = json.loads((tmp_path / "run" / "secret.json").read_text())
    for told in ("secret", str(tmp_path), "Ulmen", *map(str, key.values())):
        assert told not in text, told


def test_the_card_of_a_map_says_what_becomes_of_what(tmp_path):
    r = np.random.default_rng(0)
    pairs = {name: r.integers(0, 256, (40, 16, 16, 3), np.uint8) for name in ("sketch", "photo")}
    np.savez(tmp_path / "rooms.npz", **pairs)
    plan = (
        "--recipe",
        "pix2pix",
        "--inputs",
        "sketch",
        "--target",
        "photo",
        "--steps",
        "1",
        *TINY[:2],
        "--batch",
        "4",
        *TINY[4:],
    )
    command("train", tmp_path / "rooms.npz", *plan, "--out", tmp_path / "run")
    text = card(RunDir(tmp_path / "run"))
    head, body = checked(text)
    assert head["pipeline_tag"] == "image-to-image" and "From sketch to photo, matched one by one" in body
    assert "zerosum translate RUN" in body and "no evidence" in body and "are few" in body
    assert "rooms" not in text and str(tmp_path) not in text
