"""The panel that translates and repairs: a real process, real pictures, hostile bodies, a real browser."""

import time
from contextlib import ExitStack
from io import BytesIO

import httpx
import numpy as np
import pytest
from browser import sideways
from conftest import TINY
from PIL import Image

from zerosum.cli import main
from zerosum.data import images
from zerosum.errors import UserError
from zerosum.explore.desk import Desk, Tray
from zerosum.explore.eye import trials as eye
from zerosum.explore.eye.trials import SIDES, Trial
from zerosum.job import open_data, open_run
from zerosum.pictures import Picture
from zerosum.provenance import read
from zerosum.web.trouble import Busy, Unknown


def shapes(n, seed=0, size=32):
    """Pictures with something in them: a bright box on a dark ground."""
    random, x = np.random.default_rng(seed), np.full((n, size, size, 3), 30, np.uint8)
    for one in x:
        top, left = random.integers(2, size // 2, 2)
        one[top : top + 10, left : left + 10] = random.integers(90, 256, 3)
    return x


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs that mend, that take two inputs, and that know a way back, trained for a step each."""
    folder = tmp_path_factory.mktemp("maps")
    np.save(folder / "shapes.npy", shapes(40))
    np.savez(folder / "pairs.npz", person=shapes(40), coat=shapes(40, 1), worn=shapes(40, 2))
    np.savez(folder / "two.npz", day=shapes(40), night=255 - shapes(40, 3))
    plans = {
        "mend": ("shapes.npy", "--recipe", "inpaint", "--width-d", "8", "--blocks", "1", "--size", "32"),
        "wear": ("pairs.npz", "--recipe", "compose", "--inputs", "person,coat", "--target", "worn"),
        "light": ("two.npz", "--recipe", "cyclegan", "--blocks", "1"),
    }
    for name, (data, *words) in plans.items():
        tiny = [*TINY[:2], "--batch", "4", *TINY[4:]]
        with pytest.raises(SystemExit) as end:
            main(["train", str(folder / data), *words, "--steps", "1", *tiny, "--out", str(folder / "runs" / name)])
        assert end.value.code == 0
    return folder


def png(x):
    Image.fromarray(x).save(buffer := BytesIO(), "PNG")
    return buffer.getvalue()


def opened(data):
    return np.asarray(Image.open(BytesIO(data)))


class Site:
    """The panel over HTTP, as the page uses it."""

    def __init__(self, address, run):
        self.about = lambda: httpx.get(f"{address}api/run/{run}/translate").json()
        self.client = httpx.Client(base_url=f"{address}api/run/{run}/translate", timeout=30)

    def lay(self, data, kind="image/png"):
        return self.client.post("/pictures", content=data, headers={"content-type": kind})

    def wait(self, wish):
        begun = self.client.post("/works", json=wish)
        assert begun.status_code == 200, begun.text
        number = begun.json()["id"]
        while (work := self.client.get(f"/works/{number}").json())["state"] == "at work":
            time.sleep(0.02)
        return work, self.client.get(f"/works/{number}/picture")


@pytest.fixture
def site(explore, folder):
    with ExitStack() as stack:

        def find(run):
            found = Site(explore(folder / "runs").address, run)
            stack.enter_context(found.client)
            return found

        yield find


def test_known_pixels_are_untouched_and_the_rest_is_made(site, tmp_path):
    mend, x = site("mend"), shapes(1, 9, size=45)[0]
    hole = np.zeros((45, 45), np.uint8)
    hole[10:30, 12:33] = 255
    picture, mask = (mend.lay(png(one)).json()["id"] for one in (x, hole))
    work, made = mend.wait({"pictures": {"image": picture}, "mask": mask})
    assert work["state"] == "done" and work["done"] == work["of"]
    y = opened(made.content)
    assert y.shape == x.shape and np.array_equal(y[hole == 0], x[hole == 0])
    assert (y[hole > 0] != x[hole > 0]).any()
    (tmp_path / "made.png").write_bytes(made.content)
    said = read(tmp_path / "made.png").origin
    assert (said.recipe, said.act, said.part) == ("inpaint", "translate", True)


def test_a_coarse_mask_is_brought_to_the_pictures_size(site):
    mend, x = site("mend"), shapes(1, 9, size=64)[0]
    picture, mask = mend.lay(png(x)).json()["id"], mend.lay(png(np.array([[255, 0], [0, 0]], np.uint8))).json()["id"]
    _, made = mend.wait({"pictures": {"image": picture}, "mask": mask})
    y = opened(made.content)
    assert np.array_equal(y[32:], x[32:]) and np.array_equal(y[:, 32:], x[:, 32:])


@pytest.mark.parametrize("run", ["mend", "wear", "light"])
def test_outputs_are_judged_by_eye_beside_targets(folder, run):
    sampler, held = open_run(folder / "runs" / run, device="cpu"), open_data(folder / "runs" / run).held_out(8)
    for i in range(4):
        trial = Trial(row=i, other=7 - i, seed=i, real=SIDES[i % 2])
        shown = eye.pair(sampler, held, trial)
        real, made = (shown[:, :32], shown[:, 32:]) if trial.real == "left" else (shown[:, 32:], shown[:, :32])
        assert np.array_equal(real, images.decode(held["x"][trial.row : trial.row + 1], sampler.spec)[0])
        same = (real == made).all(2).mean()
        assert same >= 0.6 if run == "mend" else same < 0.5  # what is known around a hole is the target's own


def test_several_inputs_by_name_and_the_way_back(site):
    wear, light = site("wear"), site("light")
    ways = wear.about()["ways"]
    assert ways["a2b"]["takes"] == ["person", "coat"] and ways["a2b"]["gives"] == "worn" and set(ways) == {"a2b"}
    ids = {name: wear.lay(png(shapes(1, i)[0])).json()["id"] for i, name in enumerate(["person", "coat"])}
    assert opened(wear.wait({"pictures": ids})[1].content).shape == (32, 32, 3)
    swapped = dict(zip(ids, reversed(ids.values()), strict=True))
    assert wear.wait({"pictures": ids})[1].content != wear.wait({"pictures": swapped})[1].content
    assert "no picture for coat" in wear.wait({"pictures": {"person": ids["person"]}})[0]["error"]

    assert light.about()["ways"]["b2a"] == {"takes": ["night"], "gives": "day", "scale": 1}
    one = light.lay(png(shapes(1, 5, size=70)[0])).json()["id"]
    assert opened(light.wait({"pictures": {"night": one}, "direction": "b2a"})[1].content).shape == (70, 70, 3)
    assert opened(light.wait({"pictures": {"day": one}, "fit": True})[1].content).shape == (32, 32, 3)


def test_large_pictures_tell_their_progress_and_can_be_given_up(site):
    light = site("light")
    one = light.lay(png(shapes(1, size=3000)[0])).json()
    begun = light.client.post("/works", json={"pictures": {"day": one["id"]}}).json()["id"]
    assert light.client.post("/works", json={"pictures": {"day": one["id"]}}).status_code == 409
    while not (work := light.client.get(f"/works/{begun}").json())["done"]:
        time.sleep(0.02)
    assert work["state"] == "at work" and 0 < work["done"] < work["of"]
    assert light.client.get(f"/works/{begun}/picture").status_code == 409
    light.client.post(f"/works/{begun}/cancel", content=b"")
    since = time.monotonic()
    while (work := light.client.get(f"/works/{begun}").json())["state"] == "at work":
        assert time.monotonic() - since < 10
        time.sleep(0.02)
    assert work["state"] == "cancelled" and work["done"] < work["of"]
    small = light.lay(png(shapes(1)[0])).json()["id"]
    assert light.wait({"pictures": {"day": small}})[0]["state"] == "done"


@pytest.mark.parametrize(
    ("data", "kind", "status", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 415, "SVG"),
        (png(shapes(1)[0])[:99], "image/png", 415, "picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png", 415, "picture"),
        (png(np.zeros((5001, 5001), np.uint8)), "image/png", 413, "25 million"),
        (bytes(33 * 2**20), "image/png", 413, "32 MiB"),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x", 415, "body"),
    ],
    ids=["svg", "truncated", "no header", "pixels", "bytes", "multipart"],
)
def test_hostile_uploads_are_refused_in_a_line(site, data, kind, status, words):
    answer = site("mend").lay(data, kind)
    assert answer.status_code == status and words in answer.json()["error"] and "\n" not in answer.json()["error"]


def test_what_cannot_be_done_is_said(site):
    mend = site("mend")
    np.save(buffer := BytesIO(), np.zeros((8, 8, 7), np.uint8))
    seven = mend.lay(buffer.getvalue(), "application/octet-stream").json()["id"]
    mask = mend.lay(png(np.full((8, 8), 255, np.uint8))).json()["id"]
    assert "7 channels, and this run takes 3" in mend.wait({"pictures": {"image": seven}, "mask": mask})[0]["error"]
    plain = mend.lay(png(shapes(1)[0])).json()["id"]
    assert "no hole to fill" in mend.wait({"pictures": {"image": plain}})[0]["error"]
    for wish, status in [
        ({"pictures": {"image": "guess"}}, 404),
        ({"pictures": {"image": plain}, "direction": "sideways"}, 422),
        ({"pictures": [1]}, 422),
        ([], 422),
    ]:
        answer = mend.client.post("/works", json=wish)
        assert answer.status_code == status and set(answer.json()) == {"error"}
    assert site("light").client.get(f"/pictures/{plain}").status_code == 404  # another run's
    for where in ("/works/..%2f..", "/works/x/picture", "/pictures/x"):
        assert mend.client.get(where).status_code == 404
    assert site("nowhere").lay(png(shapes(1)[0])).status_code == 404


def test_work_ends_in_words_and_is_remembered_for_a_while():
    desk = Desk()

    def ended(task):
        number = desk.begin("run", task)
        while desk.look("run", number).state == "at work":
            time.sleep(0.001)
        return number, desk.look("run", number)

    def fails(error):
        def task(tell):
            raise error

        return task

    first, work = ended(lambda tell: b"made")
    assert (work.state, work.result) == ("done", b"made")
    assert ended(fails(UserError("too dark")))[1].error == "too dark"
    assert "memory" in ended(fails(MemoryError()))[1].error
    assert "fault of zerosum" in ended(fails(ValueError("secret path")))[1].error
    with pytest.raises(Unknown):
        desk.look("another", first)
    for _ in range(9):
        ended(lambda tell: b"")
    with pytest.raises(Unknown):
        desk.look("run", first)


def test_one_run_works_at_one_thing_and_all_at_few():
    desk, hold = Desk(), []

    def task(tell):
        while not hold:
            tell(0, 1)
            time.sleep(0.001)
        return b""

    desk.begin("a", task)
    with pytest.raises(Busy, match="a is at work"):
        desk.begin("a", task)
    desk.begin("b", task)
    with pytest.raises(Busy, match="wait for one"):
        desk.begin("c", task)
    hold.append(True)


def test_the_tray_holds_no_more_bytes_than_it_may():
    tray, one = Tray(most=250), Picture(np.zeros((10, 10, 1), np.uint8))
    numbers = [tray.lay("run", one) for _ in range(3)]
    with pytest.raises(Unknown):
        tray.take("run", numbers[0])
    assert tray.take("run", numbers[2]) is one


def laid(page, x, name="x.png"):
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "image/png", "buffer": png(x)})
    page.wait_for_selector(".drop-shown:visible")


def fetched(page, selector):
    """The bytes behind a picture on the page, decoded."""
    code = """async (where) => {
      const bytes = new Uint8Array(await (await fetch(document.querySelector(where).src)).arrayBuffer());
      return Array.from(bytes);
    }"""
    return opened(bytes(page.evaluate(code, selector)))


def test_a_mask_is_painted_and_the_picture_repaired(explore, open_page, folder):
    page, x = open_page(explore(folder / "runs").at("mend", "translate"), phone=True), shapes(1, 4, size=40)[0]
    laid(page, x)
    place = page.locator(".mask").bounding_box()
    at = lambda across, down: (place["x"] + across * place["width"], place["y"] + down * place["height"])
    page.mouse.move(*at(0.3, 0.5))
    page.mouse.down()
    page.mouse.move(*at(0.6, 0.5), steps=4)
    page.mouse.up()
    painted = page.locator(".mask").get_attribute("aria-label")
    assert "%" in painted
    page.get_by_text("A box by numbers").click()
    for name, value in {"Left": 2, "Top": 3, "Width": 5, "Height": 6}.items():
        page.get_by_label(name, exact=True).fill(str(value))
    page.get_by_role("button", name="Add the box").click()
    assert page.locator(".mask").get_attribute("aria-label") != painted
    for _ in range(2):
        page.get_by_role("button", name="Invert").click()
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    assert page.locator(".mask").get_attribute("aria-label") == painted  # the box is gone, the stroke stays

    page.get_by_role("button", name="Repair").click()
    page.wait_for_selector(".compare")
    y = fetched(page, ".compare-under")
    changed = (y != x).any(2)
    assert changed.any() and not changed[:12].any() and not changed[-12:].any() and not changed[:, :8].any()
    assert page.get_by_role("link", name="Download PNG").get_attribute("download") == "mend-repaired.png"
    assert sideways(page) <= 0


def test_a_translation_is_compared_by_keys(explore, open_page, folder):
    page = open_page(explore(folder / "runs").at("light", "translate"), dark=True)
    page.get_by_label("night → day").check()
    assert "direction=b2a" in page.url
    laid(page, shapes(1, 2)[0])
    page.get_by_role("button", name="Make day").click()
    handle = page.get_by_role("slider", name="How much of night is shown over day")
    handle.wait_for()
    handle.focus()
    page.keyboard.press("ArrowLeft")
    assert handle.get_attribute("aria-valuetext") == "49 % night, 51 % day"
    page.keyboard.press("Home")
    assert page.locator(".compare-over").evaluate("one => one.style.clipPath") == "inset(0px 100% 0px 0px)"


def test_a_refusal_is_read_on_the_page(explore, open_page, folder):
    page = open_page(explore(folder / "runs").at("light", "translate"))
    open_page.forgiven.append("415")  # which the browser notes by itself
    page.set_input_files("input[type=file]", {"name": "poem.png", "mimeType": "image/png", "buffer": b"roses are red"})
    page.get_by_role("alert").get_by_text("not an image of a known format").wait_for()
