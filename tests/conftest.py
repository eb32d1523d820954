"""What tests share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

torch.set_num_threads(1)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in its background: no child would hear
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Packed pictures of tests go where tests' files go."""
    os.environ["ZEROSUM_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Where a set of real data lies: a folder beside the repository. The test is skipped where it is absent."""

    def find(name: str) -> Path:
        path = Path(__file__).resolve().parents[2] / "shared" / "data" / name
        if not path.exists():
            pytest.skip(f"needs ../shared/data/{name}")
        return path

    return find


TINY = ("--width", "8", "--batch", "16", "--pictures", "2", "--scores", "1", "--threads", "1")
"""Settings of a run that takes a second."""


def start(*words: str | Path, module: str = "zerosum", **options: object) -> subprocess.Popen[str]:
    """A real process: `python -m zerosum WORDS`, one thread, warnings as errors of zerosum's own modules."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error:::zerosum", "COLUMNS": "100"}
    pipe = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", module, *map(str, words)], env=environment, **(pipe | options))


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a process."""
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    return process.returncode, out, err


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """A trained cgan on digits with checkpoints at steps 5 and 6. Tests that change it copy it first."""
    from zerosum.cli import main

    run = tmp_path_factory.mktemp("tiny") / "run"
    plan = ("--recipe", "cgan", "--steps", "6", "--log-every", "1", "--save-every", "0")
    with pytest.raises(SystemExit) as end:
        main(["train", "digits", *plan, *TINY, "--out", str(run)])
    assert end.value.code == 0
    return run


@pytest.fixture(scope="session")
def explore() -> Iterator[Callable[..., Any]]:
    """`explore(folder)`: a running `zerosum explore` (browser.Explorer); the same one for the same folder."""
    from browser import Explorers

    explorers = Explorers()
    yield explorers
    explorers.end()


@pytest.fixture(scope="module")  # no longer: while it lasts, Playwright's event loop forbids others
def _chromium() -> Iterator[Any]:
    from browser import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture
def open_page(_chromium: Any) -> Iterator[Any]:
    """`open_page(address, dark=False, phone=False)`: a Playwright page (browser.Pages). The test fails where the browser's
    console says that something is wrong."""
    from browser import Pages

    pages = Pages(_chromium)
    yield pages
    pages.end()


@pytest.fixture
def trunk_file(tmp_path: Path) -> Path:
    """A file of a feature network of random weights."""
    from zerosum.nets.mobilenet import shapes

    rng, arrays = np.random.default_rng(0), {}
    for name, shape in shapes().items():
        arrays[f"{name}.weight_int8"] = rng.integers(-127, 128, shape, np.int8)
        arrays[f"{name}.scale"] = np.full(shape[0], 1.4 / 73 / np.sqrt(np.prod(shape[1:])), np.float32)
        arrays[f"{name}.bias"] = np.zeros(shape[0], np.float32)
    np.savez(tmp_path / "trunk.npz", **arrays)
    return tmp_path / "trunk.npz"
