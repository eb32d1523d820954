"""The latent panel in a real browser: what is picked, moved, undone and shared, and that every picture is the generator's."""

import re

import httpx
import numpy as np
import pytest
from browser import sideways
from conftest import finish, start
from PIL import Image

from zerosum.job import open_run
from zerosum.provenance import read

PIXELS = "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"

IN_SIGHT = """() => {
  document.querySelector("input[aria-label='how far']").scrollIntoView({ block: "end" });
  const { top, bottom } = document.querySelector(".latent-main").getBoundingClientRect();
  return top >= -1 && bottom <= innerHeight;
}"""


def pixels(page, selector=".latent-main"):
    return np.array(page.locator(selector).first.evaluate(PIXELS), np.uint8)


def drawn(page, act):
    """The main picture after an act that draws it anew."""
    main = page.locator(".latent-main")
    before = main.get_attribute("data-drawn")
    act()
    page.wait_for_function("([n, was]) => document.querySelector(n).dataset.drawn !== was", arg=[".latent-main", before])
    page.wait_for_timeout(150)
    return pixels(page)


def opened(open_page, explore, run, query="", **options):
    open_page.forgiven.append("willReadFrequently")  # the tests read pixels back, the page does not
    page = open_page(explore(run).at(run.name, "latent", query), wait=".latent-main[data-drawn]", **options)
    page.wait_for_selector("text=found by sefa")
    page.wait_for_timeout(200)
    return page


def slide(page, name, value):
    page.get_by_label(name, exact=True).evaluate(
        "(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); s.dispatchEvent(new Event('change')); }", value
    )


def grey(made):
    return np.asarray(Image.fromarray(made).convert("RGBA")).reshape(-1)


def test_seeds_are_those_of_zerosum_sample_and_a_slider_moves_the_picture_and_is_undone(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run, dark=True)
    sampler = open_run(tiny_run, device="cpu")
    for seed in (0, 5, 11):
        made = ((sampler.make(1, seed, seed % 10)["x"][0, 0].numpy() + 1) * 127.5).round().astype(np.uint8)
        shown = pixels(page, f".latent-cell:nth-child({seed + 1}) canvas")
        assert np.abs(shown.astype(int) - grey(made)).max() <= 1
    first = pixels(page)
    moved = drawn(page, lambda: slide(page, "sefa 1", 3))
    assert np.abs(moved.astype(int) - first).max() > 1 and "steps=0%3A3" in page.url
    assert (drawn(page, lambda: page.get_by_role("button", name="Undo").click()) == first).all()
    assert (drawn(page, lambda: page.get_by_role("button", name="Redo").click()) == moved).all()
    assert (drawn(page, lambda: page.keyboard.press("Control+z")) == first).all()


def test_two_are_interpolated_and_a_shared_address_shows_the_same(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run, phone=True)
    ends = [pixels(page)]
    ends.append(drawn(page, lambda: page.get_by_label("seed 3, 3").click()))
    drawn(page, lambda: page.get_by_label("seed 0, 0").click())  # from seed 3 to seed 0
    strip = page.get_by_role("group", name="Between the chosen pictures").get_by_role("button")
    assert strip.count() == 8
    assert (drawn(page, strip.last.click) == ends[0]).all() and (drawn(page, strip.first.click) == ends[1]).all()
    middle = drawn(page, strip.nth(4).click)
    assert not (middle == ends[0]).all() and not (middle == ends[1]).all()
    drawn(page, lambda: slide(page, "sefa 2", -2))
    page.get_by_label("Class to change into").select_option("7")
    last = drawn(page, lambda: slide(page, "how far", 0.6))
    assert page.get_by_label("how far").is_visible() and page.evaluate(IN_SIGHT), "a phone shows the picture above the sliders"
    again = opened(open_page, explore, tiny_run, page.url.split("?")[1])
    assert (pixels(again) == last).all() and sideways(page) <= 0


def test_four_make_a_square_and_variations_are_near(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run, "of=1,2,3,4")
    assert page.get_by_role("group", name="Between the chosen pictures").get_by_role("button").count() == 16
    drawn(page, lambda: page.get_by_role("button", name="Only the last").click())
    first = pixels(page).astype(int)
    page.get_by_role("button", name="More like this").click()
    like = page.get_by_role("group", name="Pictures like this one").get_by_role("button")
    like.nth(7).wait_for()
    page.wait_for_timeout(400)
    shown = pixels(page, ".latent-strip .latent-cell:nth-child(3) canvas")
    near = drawn(page, like.nth(2).click)
    assert (near == shown).all() and np.abs(near - first).mean() > 0
    others = [np.abs(pixels(page, f".latent-grid .latent-cell:nth-child({i}) canvas") - first).mean() for i in range(6, 16)]
    assert np.abs(near - first).mean() < np.median(others)


def test_an_address_that_was_mended_by_hand_is_no_end(open_page, explore, tiny_run):
    page = open_page(explore(tiny_run).at(tiny_run.name, "latent", "tags=100%25~0,1,2,3,4,5~0,2,4"))
    page.get_by_role("button", name="boundary").click()
    assert page.get_by_label("100%", exact=True).is_visible()


def test_the_link_is_copied_and_shows_the_same_picture(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run, "of=2,7")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    moved = drawn(page, lambda: slide(page, "sefa 1", 2))
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link == page.url
    again = open_page(link, wait=".latent-main[data-drawn]")
    again.wait_for_selector("text=found by sefa")
    again.wait_for_timeout(300)
    assert (pixels(again) == moved).all()


def test_a_wish_that_comes_while_another_fails_is_drawn_all_the_same(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run)
    told = page.evaluate("""async () => {
      const { newest } = await import("/latent/pictures.js");
      const place = document.createElement("canvas");
      const model = { render: async (point) => point ? [new ImageData(1, 1)] : Promise.reject(new Error("gone")) };
      const wrongs = [];
      const show = newest(model, place, (error) => wrongs.push(error.message));
      const first = show(async () => ({ point: null }), "first");
      show(async () => ({ point: 1 }), "second");
      await first;
      const drawn = [place.dataset.drawn];
      const before = [...wrongs];
      await show(async () => ({ point: 1 }), "second");  // what is shown is not drawn again
      await show(async () => ({ point: null }), "third");
      await show(async () => ({ point: 1 }), "third");  // and what failed may be asked for again
      return [before, wrongs, [...drawn, place.dataset.drawn]];
    }""")
    assert told == [[], ["gone"], ["1", "2"]]  # of what nobody wishes for any more nothing is said


def test_the_keyboard_alone_picks_and_steers(open_page, explore, tiny_run):
    page = opened(open_page, explore, tiny_run)
    page.locator(".latent-cell").nth(0).focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    first = pixels(page)
    drawn(page, lambda: page.keyboard.press("Enter"))
    assert "of=2" in page.url
    page.keyboard.press("ArrowRight")
    drawn(page, lambda: page.keyboard.press(" "))
    assert "of=2%2C3" in page.url and page.locator(".latent-cell:focus").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Tab")  # the whole grid is one stop
    assert page.evaluate("document.activeElement.closest('.latent-grid')") is None
    drawn(page, lambda: page.get_by_role("button", name="Only the last").press("Enter"))
    drawn(page, lambda: [page.keyboard.press("Control+z") for _ in range(3)])
    assert (pixels(page) == first).all()
    drawn(page, lambda: [page.keyboard.press("Control+Shift+z") for _ in range(3)])
    page.get_by_label("sefa 1", exact=True).focus()
    before = pixels(page)
    after = drawn(page, lambda: [page.keyboard.press("ArrowRight") for _ in range(9)])
    assert not (before == after).all() and re.search("steps=0%3A0.9", page.url)
    back = drawn(page, lambda: page.keyboard.press("Control+z"))  # a key that is held down is one act
    assert (back == before).all() and "steps" not in page.url


def test_a_taught_direction_is_a_slider_and_a_download_says_what_made_it(open_page, explore, tiny_run, tmp_path):
    page = opened(open_page, explore, tiny_run)
    page.get_by_role("button", name="Teach a direction").click()
    page.get_by_label("What the marked pictures have").fill("a hat")
    for seed in range(0, 32, 2):
        page.locator(".latent-cell").nth(seed).click()
    page.get_by_role("button", name="Make a slider of it").click()
    page.get_by_role("button", name="boundary").click()
    drawn(page, lambda: slide(page, "a hat", 2))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download PNG").click()
    download.value.save_as(tmp_path / "one.png")
    found = read(tmp_path / "one.png")
    assert found.origin.act == "explore" and found.origin.run == open_run(tiny_run, device="cpu").origin().run
    assert (grey(np.asarray(Image.open(tmp_path / "one.png"))) == pixels(page)).all()


@pytest.fixture(scope="module")
def styled_run(tmp_path_factory):
    """A stylegan2 on digits, after one step."""
    run = tmp_path_factory.mktemp("styled") / "run"
    plan = ("--recipe", "stylegan2", "--steps", "1", "--width", "8", "--batch", "4", "--pictures", "1", "--scores", "0")
    code, _, errors = finish(start("train", "digits", *plan, "--threads", "1", "--out", run))
    assert code == 0, errors
    return run


def test_styles_are_truncated_mixed_and_led_to_another_class(open_page, explore, styled_run):
    page = opened(open_page, explore, styled_run, "of=3")
    third = pixels(page)
    fifth = drawn(page, lambda: (page.get_by_label("seed 5, 5").click(), page.get_by_label("seed 3, 3").click()))
    page.get_by_label("Seed whose fine styles are taken").fill("3")
    page.get_by_label("Seed whose fine styles are taken").press("Tab")
    all_fine = drawn(page, lambda: slide(page, "from layer", 0))
    some = drawn(page, lambda: slide(page, "from layer", 1))
    assert (all_fine == third).all() and not (some == third).all() and not (some == fifth).all()
    assert (drawn(page, lambda: slide(page, "from layer", 4)) == fifth).all()
    other = drawn(page, lambda: page.get_by_label("Class to change into").select_option("8"))
    assert not (other == fifth).all()
    assert (pixels(opened(open_page, explore, styled_run, "of=5&label=8")) == other).all()
    like = [pixels(opened(open_page, explore, styled_run, f"of=5&like=9:1&{to}")) for to in ("label=8", "morph=8:1")]
    assert (like[0] == like[1]).all()  # a variation of what became an 8 is an 8
    mean = drawn(page, lambda: slide(page, "Truncation ψ", 0))
    assert (pixels(opened(open_page, explore, styled_run, "of=12&psi=0")) == mean).all() and not (mean == other).all()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"name": "x", "seeds": [0, 1, 2, 3], "labels": [0] * 4, "tags": [True, False]}, "2 tags for 4 seeds"),
        ({"name": "x", "seeds": [0, 1, 2, 3], "labels": [0] * 4, "tags": [True] * 4}, "tag 3 of each"),
        ({"name": "x" * 100, "seeds": [0], "labels": [0], "tags": [True]}, "name"),
        ({"name": "x", "seeds": [-1], "labels": [0], "tags": [True]}, "seeds"),
    ],
)
def test_tags_that_make_no_sense_are_refused(explore, tiny_run, what, said):
    answer = httpx.post(f"{explore(tiny_run).address}api/run/{tiny_run.name}/latent/taught", json=what)
    assert answer.status_code in (400, 422) and said in answer.json()["error"]
