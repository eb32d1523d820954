"""The panel that edits a picture of one's own: a real process, hostile bodies, a real browser and a held-out digit."""

import re
import time
from io import BytesIO

import httpx
import numpy as np
import pytest
import torch
from browser import sideways
from PIL import Image

from zerosum.data import modality, open_source
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.explore.fit import as_item
from zerosum.pictures import Picture
from zerosum.provenance import read


@pytest.fixture(scope="module")
def digit():
    """A digit that was held out of training, as a PNG."""
    source = open_source("digits")
    x = modality(source.spec).decode(source.held_out(3)["x"], source.spec)[2]
    return png(x)


def png(x):
    Image.fromarray(x).save(buffer := BytesIO(), "PNG")
    return buffer.getvalue()


def opened(data):
    return np.asarray(Image.open(BytesIO(data)))


@pytest.fixture
def site(explore, tiny_run):
    with httpx.Client(base_url=f"{explore(tiny_run).address}api/run/{tiny_run.name}/edit", timeout=30) as client:
        yield client


def lay(site, data, query="", kind="image/png"):
    return site.post(f"/works{query}", content=data, headers={"content-type": kind})


def ended(site, number):
    since = time.monotonic()
    while (work := site.get(f"/works/{number}").json())["state"] == "at work":
        assert time.monotonic() - since < 60
        time.sleep(0.05)
    return work


def test_a_picture_is_found_moved_and_marked(site, digit, tmp_path):
    number = lay(site, digit, "?label=4").json()["id"]
    work = ended(site, number)
    assert work["state"] == "done" and work["done"] == work["of"] and len(work["directions"]) == 8, work
    assert np.array_equal(opened(site.get(f"/works/{number}/wanted").content), opened(digit))
    found = site.get(f"/works/{number}/picture").content
    off = (opened(found).astype(float) - opened(digit)) / 255
    assert -10 * np.log10((off**2).mean()) == pytest.approx(work["decibels"], abs=0.5)
    edited = lambda **wish: site.post(f"/works/{number}/edited", json=wish).content
    assert np.array_equal(opened(edited()), opened(found))
    assert not np.array_equal(opened(edited(steps=[3.0])), opened(found))
    assert not np.array_equal(opened(edited(label=7)), opened(found))
    (tmp_path / "edited.png").write_bytes(edited(steps=[0, -2.0]))
    told = read(tmp_path / "edited.png")
    assert told.origin is not None and told.origin.act == "edit" and told.origin.recipe == "cgan"


def test_one_picture_at_a_time_that_can_be_given_up(site, digit):
    first = lay(site, digit).json()["id"]
    again = lay(site, digit)
    assert again.status_code == 409 and "at work" in again.json()["error"]
    site.post(f"/works/{first}/cancel", content=b"")
    assert ended(site, first)["state"] == "cancelled"
    assert ended(site, lay(site, digit).json()["id"])["state"] == "done"


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415),
        (png(np.zeros((64, 64), np.uint8))[:60], "image/png", 415),
        (png(np.zeros((5001, 5001), np.uint8)), "image/png", 413),
        (bytes(33 * 2**20), "image/png", 413),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415),
    ],
    ids=["svg", "truncated", "pixels", "bytes", "multipart"],
)
def test_hostile_pictures_are_refused_in_a_line(site, data, kind, status):
    answer = lay(site, data, kind=kind)
    assert answer.status_code == status and "\n" not in answer.json()["error"]


def test_wishes_out_of_range_and_works_of_nobody_are_refused(site, digit):
    assert "the classes are 0 to 9" in lay(site, digit, "?label=10").json()["error"]
    assert lay(site, digit, "?label=-1").status_code == 422
    number = lay(site, digit).json()["id"]
    ended(site, number)
    for wish in ({"steps": [7]}, {"steps": ["nan"]}, {"steps": [0] * 257}, {"label": 2**40}, [], {"steps": "x"}):
        assert site.post(f"/works/{number}/edited", json=wish).status_code == 422
    assert site.post(f"/works/{number}/edited", json={"label": 10}).status_code == 400
    for where in ("/works/guess", "/works/guess/picture", "/works/..%2f..%2fconfig.json/wanted"):
        assert site.get(where).status_code == 404


def test_any_picture_becomes_an_item_of_the_run():
    wide = Picture(np.dstack([np.full((20, 40), value, np.uint8) for value in (10, 20, 30)]))
    spec = lambda *shape: Spec("images", shape)
    x = as_item(wide, spec(4, 8, 8))
    assert x.shape == (1, 4, 8, 8) and (x[:, 3] == 1).all()
    assert ((x[0, :3, 0, 0] + 1) * 127.5).tolist() == pytest.approx([10, 20, 30], abs=1)
    assert as_item(wide, spec(1, 8, 8)).shape == (1, 1, 8, 8)
    clear = Picture(np.full((8, 8, 3), 200, np.uint8), np.zeros((8, 8), np.uint8))
    assert (as_item(clear, spec(3, 8, 8)) == -1).all() and (as_item(clear, spec(4, 8, 8)) == -1).all()
    exact = torch.arange(64, dtype=torch.uint8).reshape(8, 8)
    assert torch.equal(as_item(Picture(exact.numpy()[..., None]), spec(1, 8, 8))[0, 0], exact.float() / 127.5 - 1)
    with pytest.raises(UserError, match="7 channels"):
        as_item(wide, spec(7, 8, 8))


def test_in_a_browser_a_digit_is_uploaded_steered_compared_and_downloaded(explore, open_page, tiny_run, digit):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_page(explore(tiny_run).at(tiny_run.name, "edit"), wait=".drop")
    page.set_input_files("input[type=file]", {"name": "digit.png", "mimeType": "image/png", "buffer": digit})
    page.wait_for_selector("progress")
    page.wait_for_selector(".edit-look img[alt='what is found so far'][src]")
    page.wait_for_selector(".edit-slider")
    shown = page.locator(".compare-under")
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    before = shown.get_attribute("src")
    slider = page.get_by_role("slider", name="sefa 1")
    slider.focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    expect(shown).not_to_have_attribute("src", before)
    value = page.locator(".edit-slider output").first
    expect(value).to_have_text("+1.5 σ")
    assert "steps=0%3A1.5" in page.url
    page.wait_for_timeout(200)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download PNG").click()
    path = waiting.value.path()
    assert opened(path.read_bytes()).shape == (8, 8) and read(path).origin.act == "edit"
    handle = page.get_by_role("slider", name="How much of yours")
    handle.fill("80")
    assert "80" in page.locator(".compare-line").evaluate("line => line.style.left")
    page.get_by_role("button", name="Back to what was found").click()
    expect(value).to_have_text("0.0 σ")
    page.go_back()  # undo
    expect(value).to_have_text("+1.5 σ")
    page.reload()  # the address is the state, as long as the server remembers the picture
    expect(value).to_have_text("+1.5 σ")


def test_it_fits_a_phone_and_a_poem_is_no_picture(explore, open_page, tiny_run, digit):
    expect = pytest.importorskip("playwright.sync_api").expect
    page = open_page(explore(tiny_run).at(tiny_run.name, "edit"), dark=True, phone=True, wait=".drop")
    open_page.forgiven.append("415")
    page.set_input_files("input[type=file]", {"name": "poem.png", "mimeType": "image/png", "buffer": b"a poem"})
    expect(page.locator("#wrong")).to_contain_text("not an image")
    page.set_input_files("input[type=file]", {"name": "digit.png", "mimeType": "image/png", "buffer": digit})
    page.wait_for_selector(".edit-slider")
    assert page.text_content("#wrong") == "" and sideways(page) == 0
