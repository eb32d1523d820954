"""How long it takes from a slider's move in the explorer's latent panel to the new picture on the screen.

    python benchmarks/explorer.py RUN [RUN ...] [--moves 200] [--threads 0]

Each RUN is a run folder of images. `zerosum explore` is started as a process of its own and opened in headless Chromium; the
first direction's slider is moved, and the time taken from its input event to the frame after the one in which the new picture
was put on the canvas. The next move comes 30 ms after that. Bar: 95 % of the moves within 100 ms at 64 x 64 pixels.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from playwright.sync_api import sync_playwright

from zerosum.machine import describe

MEASURE = """async (moves) => {
  const slider = document.querySelector(".latent-directions input[type=range]");
  const picture = document.querySelector(".latent-main");
  const frame = () => new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
  const times = [];
  for (let i = 0; i < moves + 5; i++) {
    const before = picture.dataset.drawn;
    slider.value = String(((i * 7) % 60 - 30) / 10);
    const start = performance.now();
    slider.dispatchEvent(new Event("input"));
    while (picture.dataset.drawn === before) await new Promise((next) => setTimeout(next, 1));
    await frame();
    times.push(performance.now() - start);
    await new Promise((next) => setTimeout(next, 30));
  }
  return times.slice(5);
}"""


@contextmanager
def exploring(run: Path, threads: int) -> Iterator[str]:
    """The address of an explorer of a run."""
    more = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    command = [sys.executable, "-m", "zerosum", "explore", str(run), "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **more}) as server:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        try:
            yield address[0]
        finally:
            server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    machine = describe("cpu")
    print(f"{machine['processor']}, {args.threads or machine['threads']} threads, load {os.getloadavg()[0]:.1f}\n")
    print("| run | slider to picture, median ms | p95 ms | slowest ms |\n|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        for run in args.runs:
            with exploring(run, args.threads) as address:
                page = browser.new_page()
                page.goto(f"{address}#/{run.resolve().name}/latent")
                page.wait_for_selector(".latent-directions input[type=range]", timeout=60_000)
                page.wait_for_timeout(1000)
                times = page.evaluate(MEASURE, args.moves)
                page.close()
            print(f"| {run.name} | {median(times):.1f} | {quantiles(times, n=20)[-1]:.1f} | {max(times):.1f} |", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
