"""The explorer's frame: a real process, a real browser."""

import json
import shutil
import signal
import socket

import httpx
import pytest
from browser import exploring, sideways
from conftest import finish, start

from zerosum.explore.logbook import Logbook
from zerosum.explore.series import MOST
from zerosum.web.host import listen


@pytest.fixture(scope="module")
def folder(tiny_run, tmp_path_factory):
    """A folder with two runs."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("first", "second"):
        shutil.copytree(tiny_run, folder / name)
    return folder


def test_the_page_opens_and_every_run_is_reached_by_its_link(explore, open_page, folder):
    page = open_page(explore(folder).address, wait=".run")
    assert page.title().endswith("zerosum")
    page.get_by_role("link", name="second", exact=True).press("Enter")  # by keyboard
    page.get_by_role("heading", name="second").wait_for()
    assert page.title() == "second · Watch · zerosum"
    assert page.evaluate("document.activeElement.id") == "main"  # where a reader goes on
    page.get_by_role("link", name="All runs").click()
    page.get_by_role("article", name="first").wait_for()
    page.go_back()
    page.get_by_role("heading", name="second").wait_for()


@pytest.mark.parametrize(("run", "panel"), [("", ""), ("first", "watch")])
def test_the_page_fits_a_phone(explore, open_page, folder, run, panel):
    page = open_page(explore(folder).at(run, panel), phone=True, dark=True, wait="article, .charts")
    assert sideways(page) <= 0


def test_runs_are_found_sorted_and_compared_and_the_address_keeps_it(explore, open_page, folder):
    page = open_page(explore(folder).address, wait=".run")
    page.get_by_label("Sort by").select_option("name")
    assert page.locator(".run h3").all_text_contents() == ["first", "second"]
    for name in ("first", "second"):
        page.get_by_role("article", name=name).get_by_label("Compare").check()
    table = page.get_by_role("region", name="Scores side by side")
    table.wait_for()
    assert table.locator("thead th").all_text_contents() == ["score", "first", "second"]
    assert "real" in table.text_content() and "trivial" in table.text_content()
    page.locator(".side .chart").wait_for()
    again = open_page(page.url, wait=".side .chart")  # what was chosen is in the address
    assert again.get_by_role("region", name="Scores side by side").is_visible()
    page.get_by_label("Find").fill("sec")
    page.wait_for_function("() => document.querySelectorAll('.run').length === 1")


def test_the_slider_and_the_keys_change_the_picture_and_the_address(explore, open_page, folder):
    page = open_page(explore(folder).at("first", "watch"), wait="img.samples:not([hidden])")
    slider = page.get_by_role("slider", name="Step of training")
    newest = page.locator("img.samples").get_attribute("src")
    assert "newest" in slider.get_attribute("aria-valuetext")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("old => document.querySelector('img.samples').src !== old", arg=newest)
    assert "step=2" in page.url
    page.keyboard.press("Home")
    page.locator("img[alt='Samples at step 0']").wait_for()
    assert "step=0" in page.url
    page.locator("main").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('img.samples').alt === 'Samples at step 6'")
    open_page(explore(folder).at("first", "watch", "step=0"), wait="img[alt='Samples at step 0']")


def test_a_slider_on_the_move_does_not_call_back_whoever_leaves(explore, open_page, folder):
    page = open_page(explore(folder).at("first", "watch"), wait="img.samples:not([hidden])")
    page.evaluate("""() => {
      const slider = document.querySelector("input[type=range][aria-label='Step of training']");
      location.hash = "#/second/watch";  // of which the page is told after this script
      slider.value = "0";
      slider.dispatchEvent(new Event("input"));
    }""")
    page.get_by_role("heading", name="second").wait_for()
    assert "second" in page.url


def test_a_run_is_watched_from_before_it_begins_to_its_end_without_reload(explore, open_page, tmp_path):
    page = open_page(explore(tmp_path).address, wait=".empty")
    assert "zerosum train" in page.locator(".empty").text_content()  # what to do is said
    page.evaluate("window.stays = true")
    plan = ("--recipe", "gan", "--width", "16", "--batch", "32", "--threads", "1", "--scores", "0", "--minutes", "0.15")
    training = start("train", "ring8", *plan, "--pictures", "12", "--out", tmp_path / "ring")
    try:
        page.get_by_role("article", name="ring").wait_for()
        page.locator(".badge.training").wait_for()
        page.get_by_role("link", name="ring", exact=True).click()
        page.locator("canvas.plane").wait_for()
        page.wait_for_function("() => /step ([1-9]|[0-9],)/.test(document.querySelector('.player output').textContent)")
        page.wait_for_function("() => document.querySelector('canvas.plane').ariaLabel")
        said, before = page.locator("canvas.plane").get_attribute("aria-label"), page.screenshot(clip=box(page))
        page.wait_for_function("old => document.querySelector('canvas.plane').ariaLabel !== old", arg=said)
        for _ in range(50):  # the words change a frame before the picture, or more on a busy machine
            if page.screenshot(clip=box(page)) != before:
                break
            page.wait_for_timeout(100)
        else:
            raise AssertionError("points and D's surface have not moved")
        assert "generated points among 400 real ones, over what D says" in said
        page.locator(".badge.finished").wait_for()
        assert page.evaluate("window.stays")
    finally:
        code, _, errors = finish(training)
    assert code == 0, errors


def box(page):
    return page.locator("canvas.plane").bounding_box()


def test_without_a_checkpoint_only_what_needs_none_is_offered(explore, open_page, tiny_run, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "young", ignore=shutil.ignore_patterns("step-[0-9]"))
    page = open_page(explore(tmp_path).at("young"), wait=".charts")
    page.get_by_role("navigation").get_by_text("Why no more?").click()
    assert "no checkpoint yet" in page.get_by_role("navigation").text_content()
    assert page.get_by_role("navigation").get_by_role("link").all_text_contents() == ["All runs", "Watch"]
    page.goto(explore(tmp_path).at("young", "latent"))
    page.get_by_role("alert").get_by_text("no panel latent").wait_for()


def test_a_run_folder_alone_is_opened_at_once(explore, open_page, tiny_run):
    page = open_page(explore(tiny_run).address, wait=".charts")
    page.get_by_role("heading", name=tiny_run.name).wait_for()
    assert page.get_by_role("link", name="All runs").count() == 0


def test_a_server_that_ended_is_told_in_words(open_page, folder):
    with exploring(folder) as explorer:
        open_page.forgiven.append("ERR_CONNECTION_REFUSED")
        page = open_page(explorer.address, wait=".run")
        explorer.process.send_signal(signal.SIGINT)
        page.get_by_role("alert").get_by_text("does not answer").wait_for()


def test_answers_that_have_not_changed_are_not_sent_again(explore, folder):
    with httpx.Client(base_url=explore(folder).address, timeout=30) as client:
        for path in ("/api/runs", "/api/run/first/watch", "/api/run/first/watch/picture/6"):
            answer = client.get(path)
            again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
            assert answer.status_code == 200 and again.status_code == 304 and not again.content


def test_a_curve_has_no_more_points_however_long_a_training(tmp_path):
    rows = [json.dumps({"step": i, "seconds": i, "D/adv": i / 2}) for i in range(5000)]
    (tmp_path / "log.jsonl").write_text("\n".join(rows[:2500]) + "\n" + rows[2500][:9])  # a line that is half written
    book = Logbook(tmp_path / "log.jsonl")
    book.read()
    assert book.step == 2499
    (tmp_path / "log.jsonl").write_text("\n".join(rows) + "\n")
    book.read()
    steps, values = book.lines["D/adv"].points()
    assert book.step == steps[-1] == 4999 and MOST <= len(steps) <= 2 * MOST
    each = steps[1] - steps[0]
    assert values[0] == pytest.approx(sum(range(each)) / each / 2, abs=1e-3)  # the mean of its bunch
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write(json.dumps({"step": 100, "note": "went back", "guard": {"from": 4999, "name": "mend"}}) + "\n")
    book.read()
    assert max(book.lines["D/adv"].points()[0]) <= 100 and book.acts[-1]["step"] == 4999


def test_ctrl_c_ends_it_with_one_line(folder):
    with exploring(folder) as explorer:
        explorer.process.send_signal(signal.SIGINT)
        out, errors = explorer.process.communicate(timeout=20)
        assert explorer.process.returncode in (0, 130)
        assert len((out + errors).strip().splitlines()) <= 1


def test_a_wrong_path_is_one_line(tmp_path):
    code, out, errors = finish(start("explore", tmp_path / "nowhere", "--no-browser"))
    assert code == 2 and not out and len(errors.strip().splitlines()) == 1 and "no such folder" in errors


def test_a_browser_that_is_there_before_the_server_waits():
    with listen("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname(), timeout=5):
        pass


def test_a_busy_port_is_one_line(folder):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        code, _, errors = finish(start("explore", folder, "--no-browser", "--port", str(busy.getsockname()[1])))
    assert code == 2 and len(errors.strip().splitlines()) == 1 and "--port" in errors
