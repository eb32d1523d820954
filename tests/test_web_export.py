"""The page of files alone: what it makes in a real browser, behind a bare file server, is what torch makes."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from browser import executable, sideways
from PIL import Image

from zerosum import recipes
from zerosum.building import build_run
from zerosum.cli import main
from zerosum.data import images
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.export import runtime
from zerosum.export.web import copy_page, law, web
from zerosum.latent.directions import sefa
from zerosum.latent.space import Space
from zerosum.provenance import Origin, read
from zerosum.sampling import Sampler
from zerosum.train import Training

SEEDS = [0, 1, 41, 2**32 - 1, 2**32 + 7]
ORIGIN = Origin("0123456789abcdef", "tiny", 6)
NO_GPU = "No available adapters"  # what Chromium says where a page asks for a graphics processor and there is none

MAKE = """async ({ seeds, labels, psi, step }) => {
  const from = (name) => import(new URL(name, document.baseURI).href);
  const [{ local }, { add, shares, truncate }, { joined, numbers, rows }] = await Promise.all(
    ["latent/local.js", "latent/algebra.js", "latent/model.js"].map(from));
  const model = await local(new URL("./", document.baseURI));
  const [{ vector, sigma, layers }] = await model.directions();
  const points = await model.enter(seeds, labels);
  const moved = seeds.map((_, i) => {
    const point = truncate(rows(points, numbers(model.about), i), model.about.mean, psi);
    return add(point, vector, step * sigma, ...layers);
  });
  const mixed = model.about.shares ? joined(labels.map((label) => shares(model.about.shares, label))) : null;
  const pictures = await model.render(joined(moved), mixed, seeds.length);
  const pixels = pictures.map((picture) => {
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext("2d");
    canvas.putImageData(picture, 0, 0);
    return [...canvas.getImageData(0, 0, picture.width, picture.height).data];
  });
  const share = mixed && rows(mixed, model.about.shares, 0);
  const saved = await model.save(moved[0], share, { seeds: seeds.slice(0, 1), note: '"<&' });
  return { pixels, saved: [...new Uint8Array(await saved.arrayBuffer())], engine: model.engine, away: model.away };
}"""


def space_of(recipe, shape=(3, 16, 16), classes=3, **settings) -> Space:
    """A generator with random weights, large enough for pictures that differ."""
    spec = Spec(
        "images", shape, counts=(5,) * classes, names=tuple("abcdef"[:classes]), offset=(0.0,), scale=(255.0,), items=15
    )
    cfg = recipes.find(recipe).Config(batch=4, width=8, **settings)
    made = Sampler(build_run(recipe, cfg, spec, Training(device="cpu")), spec, origin=lambda: ORIGIN)
    with torch.random.fork_rng([]), torch.no_grad():
        torch.default_generator.manual_seed(1)
        for name, values in made.run.nets.named_parameters():
            if name.startswith("G") and values.ndim > 1 and recipe != "stylegan2":  # which scales its own
                values.normal_(0, 1.5 / values[0].numel() ** 0.5)
    return Space(made)


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """onnxruntime-web as npm fetches it."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm to fetch onnxruntime-web")
    folder = tmp_path_factory.mktemp("npm")
    command = [
        npm,
        "pack",
        f"onnxruntime-web@{runtime.VERSION}",
        "--prefer-offline",
        "--silent",
        "--pack-destination",
        str(folder),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip(f"needs onnxruntime-web from npm: {done.stderr.strip().splitlines()[-1:]}")
    return next(folder.glob("*.tgz"))


@contextmanager
def serving(folder):
    """`python -m http.server` over a folder: nothing but files, and no headers of its own."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield f"http://127.0.0.1:{re.search(r'port ([0-9]+)', server.stdout.readline())[1]}/"
        finally:
            server.kill()


def test_the_package_is_the_one_whose_integrity_is_kept(package):
    assert runtime.whole(package.read_bytes())


@pytest.mark.parametrize(
    ("space", "psi"),
    [
        (lambda: space_of("swift", (4, 16, 16), z_dim=20), 1.0),
        (lambda: space_of("dcgan", classes=0, noise="uniform", z_dim=9), 1.0),
        (lambda: space_of("stylegan2"), 0.7),
    ],
    ids=["swift-rgba", "dcgan-uniform", "stylegan2"],
)
def test_the_same_picture_as_torch_for_the_same_seed(space, psi, package, tmp_path, open_page):
    space = space()
    directions = sefa(space, 2)
    web(space, directions, tmp_path / "deep" / "page", at_hand=package)
    labels = [i % 3 for i in range(len(SEEDS))] if space.sampler.labelled else None
    open_page.forgiven.append(NO_GPU)
    with serving(tmp_path) as address:
        page = open_page(f"{address}deep/page/", wait="canvas")
        found = page.evaluate(MAKE, {"seeds": SEEDS, "labels": labels, "psi": psi, "step": 2})
    assert found["engine"] == "wasm" and found["away"] <= 1 / 255
    inputs = [
        space.sampler.inputs(1, seed, labels and labels[i], psi if space.styled else None) for i, seed in enumerate(SEEDS)
    ]
    inputs = {name: torch.cat([one[name] for one in inputs]) for name in inputs[0]}
    wanted = images.decode(space.leave(directions[0].move(space.enter(inputs), 2), inputs), space.sampler.spec)
    spread = wanted.astype(float).std(0).mean()
    assert spread > 5, "pictures that are all alike would show nothing"
    mine = np.array(found["pixels"]).reshape(len(SEEDS), *wanted.shape[1:3], 4)
    assert np.abs(seen(mine) - seen(wanted)).max() <= 2
    (tmp_path / "saved.png").write_bytes(bytes(found["saved"]))
    kept = np.asarray(Image.open(tmp_path / "saved.png")).astype(int)
    channels = wanted[0].reshape(*kept.shape[:2], -1)
    assert np.abs(kept[..., : channels.shape[-1]] - channels).max() <= 2
    said = read(tmp_path / "saved.png")
    assert said.source_type.endswith("/trainedAlgorithmicMedia")
    assert said.origin.run == ORIGIN.run and json.loads(said.origin.seeds) == {"seeds": SEEDS[:1], "note": '"<&'}


def on_a_graphics_processor(browser, address: str, asked) -> dict:
    """What the page makes where there is WebGPU: Chromium's software adapter, which the page takes for hardware."""
    adapter = ("--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader")
    options = {"executable_path": executable(), "args": ["--no-sandbox", *adapter, "--use-vulkan=swiftshader"]}
    with browser.browser_type.launch(**options) as other:
        page = other.new_page()
        page.add_init_script("Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false })")
        page.goto(f"{address}licences.txt")
        return page.evaluate(MAKE, asked)


def run_command(*words) -> None:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert end.value.code == 0


def test_the_command_s_page_shows_what_the_command_samples(tiny_run, package, tmp_path, open_page, capsys):
    page = tmp_path / "page"
    (page / "model").mkdir(parents=True)
    (page / "model" / "about.json").write_text("{}")  # an older page, which is written over
    (page / "old.txt").write_text("old")
    words = [
        "--web",
        page,
        "--runtime",
        package,
        "--webgpu",
        "yes",
        "--title",
        "<b>Ten</b> digits",
        "--licence",
        "CC0 & <more>",
        "--card",
        page / "README.md",
    ]
    run_command("export", tiny_run, *words)
    assert (page / "README.md").is_file()  # beside the page, which was written first
    assert "a visitor loads 14.3 MB (wasm) or 26.8 MB (webgpu)" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["page"] and not (page / "old.txt").exists()
    seeds, labels = [0, 5], [3, 9]
    open_page.forgiven.append(NO_GPU)
    with serving(page) as address:
        shown = open_page(address, wait="footer p", phone=True)
        assert shown.title() == shown.text_content("h1") == "<b>Ten</b> digits"
        assert "Licence: CC0 & <more>." in shown.text_content("footer")
        assert sideways(shown) <= 0
        asked = {"seeds": seeds, "labels": labels, "psi": 1, "step": 0}
        found = shown.evaluate(MAKE, asked)
        other = on_a_graphics_processor(open_page.browser, address, asked)
        (page / "runtime" / "webgpu.wasm").write_bytes(b"broken")
        rescued = on_a_graphics_processor(open_page.browser, address, asked)
    assert [one["engine"] for one in (found, other, rescued)] == ["wasm", "webgpu", "wasm"]
    assert rescued["pixels"] == found["pixels"]
    for i, (seed, label) in enumerate(zip(seeds, labels, strict=True)):
        run_command("sample", tiny_run, "-n", 1, "--seed", seed, "--label", label, "--out", tmp_path / "sampled")
        wanted = np.asarray(Image.open(tmp_path / "sampled" / "00000.png")).astype(int)
        for one in (found, other):
            assert np.abs(np.array(one["pixels"][i]).reshape(8, 8, 4)[..., 0] - wanted).max() <= 2


def test_a_browser_without_webassembly_is_told(tmp_path, open_page):
    copy_page(tmp_path)
    with serving(tmp_path) as address:
        page = open_page("about:blank", wait="")
        page.add_init_script("delete globalThis.WebAssembly")
        page.goto(address)
        page.wait_for_selector("#wrong:not(:empty)")
        assert "has WebAssembly turned off" in page.text_content("#wrong")
        assert page.locator("#loading").count() == 0


def seen(pixels) -> np.ndarray:
    """Colours [n, h, w, 3] of pictures over black: what a canvas keeps of colours that nobody sees is its own affair."""
    pixels = pixels.astype(float)
    if pixels.ndim == 3:
        return np.repeat(pixels[..., None], 3, -1)
    return pixels if pixels.shape[-1] == 3 else pixels[..., :3] * pixels[..., 3:] / 255


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        web(space_of("cgan", (1, 8, 8)), [], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_page_is_written_over_but_no_repository(package, tmp_path):
    space, to = space_of("cgan", (1, 8, 8)), tmp_path / "page"
    for _ in range(2):
        web(space, [], to, at_hand=package)
    (to / ".git").mkdir()
    with pytest.raises(UserError, match=r"also holds \.git"):
        web(space, [], to, at_hand=package)
    assert (to / ".git").is_dir() and (to / "index.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_noise_that_is_drawn_in_another_way_is_refused():
    space = space_of("cgan", (1, 8, 8))
    assert law(space) == "normal"
    signs = lambda n: {"z": torch.randn(n, 100).sign(), "y": torch.zeros(n, dtype=torch.int64)}
    space.sampler.run.game = replace(space.game, draw=signs)
    with pytest.raises(UserError, match="in a way of its own"):
        law(space)


def test_a_generator_of_points_has_no_page(tmp_path):
    spec = Spec("vectors", (2,), items=10, offset=(0.0, 0.0), scale=(1.0, 1.0))
    cfg = recipes.find("gan").Config(batch=4, width=8)
    with pytest.raises(UserError, match="makes none"):
        web(Space(Sampler(build_run("gan", cfg, spec, Training(device="cpu")), spec)), [], tmp_path / "page")
    assert not list(tmp_path.iterdir())
