"""How long a slider of the explorer takes to a new picture: `zerosum explore` on this processor, in headless Chromium.

python benchmarks/explorer.py RUN... [--moves 200] [--threads 0] [--stylegan2]

Each move is a key press on the first direction's slider in the latent panel, after a pause of 20 to 120 ms. It is timed from
the `input` event to the end of the frame in which the main picture is painted anew: adding the direction, a request to the
server, the generator, the answer, the canvas, the browser's own frame. --stylegan2 adds one of 3 x 64 x 64 with the recipe's
own settings, hardly trained (how long it computes does not depend on what it has learned). Bar: 100 ms at p95.
"""

from __future__ import annotations

import argparse
import os
import random
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
from urllib.parse import quote

import numpy as np
from playwright.sync_api import Page, sync_playwright

from zerosum.job import open_run
from zerosum.machine import describe

WATCH = """() => {
  const slider = document.querySelector(".latent-directions input[type=range]");
  const picture = document.querySelector(".latent-main");
  let since = null;
  window.painted = [];
  slider.addEventListener("input", (event) => { since ??= event.timeStamp; }, true);
  new MutationObserver(() => {
    if (since === null) return;
    const start = since;
    since = null;
    requestAnimationFrame(() => {
      const after = new MessageChannel(); // a message posted in a frame's callbacks arrives once the frame is painted
      after.port1.onmessage = () => window.painted.push(performance.now() - start);
      after.port2.postMessage(0);
    });
  }).observe(picture, { attributeFilter: ["data-drawn"] });
  slider.focus();
}"""


@contextmanager
def exploring(run: Path, threads: int) -> Iterator[str]:
    """The address of a running explorer."""
    command = [sys.executable, "-u", "-m", "zerosum", "explore", str(run), "--port", "0", "--no-browser"]
    more = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **more}) as server:
        assert server.stdout is not None
        address = None
        while address is None and (line := server.stdout.readline()):
            address = re.search(r"http://\S+/", line)
        assert address is not None
        try:
            yield address[0]
        finally:
            server.terminate()


def moved(page: Page, moves: int) -> list[float]:
    """Milliseconds of each move."""
    page.wait_for_selector(".latent-directions input[type=range]")
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    pauses = random.Random(0)
    for i in range(moves):
        page.keyboard.press("ArrowLeft" if i // 30 % 2 else "ArrowRight")
        page.wait_for_function("n => window.painted.length >= n", arg=i + 1, polling=5)
        page.wait_for_timeout(pauses.uniform(20, 120))
    return page.evaluate("window.painted")


def stylegan2(folder: Path) -> Path:
    """A run folder of StyleGAN2 on noise."""
    np.save(folder / "noise.npy", np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3), np.uint8))
    run = folder / "stylegan2-untrained"
    plan = ("--recipe", "stylegan2", "--steps", "1", "--batch", "4", "--scores", "1", "--pictures", "1", "--out", str(run))
    subprocess.run(
        [sys.executable, "-m", "zerosum", "train", str(folder / "noise.npy"), *plan], check=True, capture_output=True
    )
    return run


def what(run: Path) -> str:
    """A run's recipe and the size of its pictures."""
    sampler = open_run(run, device="cpu")
    return f"`{sampler.origin().recipe}` | {' x '.join(map(str, sampler.spec.shape))}"


def measured(run: Path, moves: int, threads: int) -> tuple[list[float], str]:
    """Milliseconds of each move, and the browser's version."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with exploring(run, threads) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        page: Any = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto(f"{address}#/{quote(run.resolve().name, safe='')}/latent")
        times, version = moved(page, moves), browser.version
        browser.close()
    return times, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0, help="of the server; 0: torch's own choice")
    parser.add_argument("--stylegan2", action="store_true")
    asked = parser.parse_args()
    with TemporaryDirectory() as place:
        rows, version = [], ""
        for run in [*asked.runs, *([stylegan2(Path(place))] if asked.stylegan2 else [])]:
            times, version = measured(run, asked.moves, asked.threads)
            numbers = f"{len(times)} | {median(times):.1f} | {quantiles(times, n=20)[-1]:.1f} | {max(times):.1f}"
            rows.append(f"| {run.name} | {what(run)} | {numbers} |")
    machine = describe("cpu")
    threads = asked.threads or machine["threads"]
    where = f"{machine['processor']}, {threads} threads, torch {machine['torch']}, Chromium {version}"
    print(f"{where}, load {os.getloadavg()[0]:.1f}\n")
    print("| run | recipe | picture | moves | median, ms | p95, ms | longest, ms |\n|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
