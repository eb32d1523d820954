"""How long a visitor of an exported page waits: until the first picture, and from a slider's move to the next picture.

python benchmarks/web.py RUN [--runtime PACKAGE] [--moves 200] [--software-gpu]

The page is exported, given out by `python -m http.server` and opened in headless Chromium. Each move adds another step of the
first direction to seed 0's point, renders it and draws it on a canvas. --software-gpu computes by WebGPU on Chromium's software
adapter (SwiftShader): it shows that WebGPU computes the same, and nothing of a graphics processor's speed.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from zerosum.export.web import Page, web
from zerosum.job import open_run
from zerosum.latent.directions import sefa
from zerosum.latent.space import Space
from zerosum.machine import describe

SOFTWARE = (
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--use-webgpu-adapter=swiftshader",
    "--use-vulkan=swiftshader",
)
AS_HARDWARE = "Object.defineProperty(GPUAdapterInfo.prototype, 'isFallbackAdapter', { get: () => false })"
MEASURE = """async (moves) => {
  const from = (name) => import(new URL(name, document.baseURI).href);
  const [{ local }, { add, shares }] = await Promise.all(["latent/local.js", "latent/algebra.js"].map(from));
  let start = performance.now();
  const model = await local(new URL("./", document.baseURI));
  const [{ vector, sigma, layers }] = await model.directions();
  const point = await model.enter([0], model.about.classes.length ? [0] : null);
  const share = model.about.shares ? shares(model.about.shares, 0) : null;
  const canvas = document.createElement("canvas").getContext("2d");
  const times = [];
  let ready = 0;
  for (let i = 0; i < moves + 5; i++) {
    if (i) start = performance.now();
    const [picture] = await model.render(add(point, vector, (sigma * (i % 60 - 30)) / 10, ...layers), share, 1);
    canvas.putImageData(picture, 0, 0);
    if (i) times.push(performance.now() - start);
    else ready = performance.now() - start;
  }
  return { ready, times: times.slice(4), engine: model.engine, away: model.away };
}"""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a plain file server."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        port = re.search(r"port ([0-9]+)", server.stdout.readline())
        assert port is not None
        try:
            yield f"http://127.0.0.1:{port[1]}/"
        finally:
            server.kill()


@contextmanager
def chromium(software: bool) -> Iterator[Browser]:
    """A headless browser."""
    arguments = ["--no-sandbox", *(SOFTWARE if software else ("--disable-gpu",))]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        yield browser
        browser.close()


def exported(run: Path, to: Path, package: Path | None, software: bool) -> Page:
    """The page of a run."""
    space = Space(open_run(run, device="cpu"))
    return web(space, sefa(space), to, at_hand=package, webgpu=software)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--runtime", type=Path)
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--software-gpu", action="store_true")
    asked = parser.parse_args()
    with TemporaryDirectory() as place:
        page = exported(asked.run, Path(place) / "page", asked.runtime, asked.software_gpu)
        with serving(Path(place) / "page") as address, chromium(asked.software_gpu) as browser:
            tab = browser.new_page()
            if asked.software_gpu:
                tab.add_init_script(AS_HARDWARE)
            tab.goto(f"{address}licences.txt")  # a page of the same origin, on which nothing else computes
            found: dict[str, Any] = tab.evaluate(MEASURE, asked.moves)
            version = browser.version
    times = found["times"]
    print(f"{describe('cpu')['processor']}, Chromium {version}, {found['engine']}\n")
    print("| run | loaded, MB | first picture after, s | slider to picture, median ms | p95 ms | from torch, of 255 levels |")
    print("|---|---|---|---|---|---|")
    loaded = (page.model + page.engines[found["engine"]]) / 1e6
    numbers = f"{median(times):.1f} | {quantiles(times, n=20)[-1]:.1f} | {found['away'] * 127.5:.3f}"
    print(f"| {asked.run.name} | {loaded:.1f} | {found['ready'] / 1e3:.2f} | {numbers} |")


if __name__ == "__main__":
    main()
