"""Randomness is a function of (seed, rank, step), whatever the number of processes."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from zerosum import noise, recipes
from zerosum.building import build_run
from zerosum.data.source import Spec
from zerosum.noise import mix
from zerosum.train import Training

DRAWS = """
import sys, torch
from zerosum import noise, parallel
from zerosum.holes import holes
torch.set_num_threads(1)
parallel.start()
def apart():
    with noise.apart(5):
        return torch.cat([noise.uniform(3), noise.normal(4, 5).flatten(), torch.randn(2)])
torch.save(
    {
        "world": parallel.world(),
        "steps": [
            {
                "normal": (noise.seed_step(7, step), noise.normal(6 // parallel.world(), 5))[1],
                "images": noise.normal(4 // parallel.world(), 2, 3, 3),
                "uniform": noise.uniform(6 // parallel.world(), 2, low=-1.0),
                "masks": holes(4 // parallel.world(), 16, 24),
                "global": torch.randn(8),
                "after": noise.normal(2 // parallel.world()),
            }
            for step in (0, 3)
        ],
        "apart": apart(),
        "afterwards": noise.uniform(4 // parallel.world()),
        "votes": [parallel.unanimous(True), parallel.unanimous(parallel.rank() == 0)],
        "mean": parallel.average({"loss": float(parallel.rank())}),
    },
    sys.argv[1],
)
parallel.stop()
"""


def drawn(seed):
    with noise.apart(seed):
        return noise.normal(3), torch.randn(3), noise.normal(3), torch.randn(3)


def in_processes(tmp_path, world):
    """What each of `world` processes draws, started as torchrun would start them."""
    script = tmp_path / "draws.py"
    script.write_text(DRAWS)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running, files = [], [tmp_path / f"{world}-{rank}.pt" for rank in range(world)]
    for rank, file in enumerate(files):
        place = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        env = os.environ | {name: str(value) for name, value in place.items()} | {"CUDA_VISIBLE_DEVICES": ""}
        running.append(subprocess.Popen([sys.executable, script, file], env=env))
    assert [process.wait(120) for process in running] == [0] * world
    return [torch.load(file, weights_only=True) for file in files]


@pytest.fixture(scope="module")
def draws(tmp_path_factory):
    folder = tmp_path_factory.mktemp("draws")
    return {world: in_processes(folder, world) for world in (1, 2)}


@pytest.mark.parametrize("name", ["normal", "images", "uniform", "masks", "after"])
def test_two_ranks_hold_the_halves_of_what_one_would_draw(draws, name):
    (one,), two = draws[1], draws[2]
    assert one["world"] == 1 and [rank["world"] for rank in two] == [2, 2]
    for step in range(2):
        halves = [rank["steps"][step][name] for rank in two]
        assert torch.equal(torch.cat(halves), one["steps"][step][name])
        assert not torch.equal(*halves)


def test_apart_every_rank_draws_what_one_would(draws):
    (one,), two = draws[1], draws[2]
    assert all(torch.equal(rank["apart"], one["apart"]) for rank in two)
    assert torch.equal(torch.cat([rank["afterwards"] for rank in two]), one["afterwards"])


def built():
    spec = Spec("images", (1, 8, 8))
    recipe = recipes.find("gan")
    return build_run("gan", recipe.Config(), spec, Training(device="cpu"))


@pytest.mark.parametrize("other", [lambda: drawn(9), built], ids=["draws", "builds a game"])
def test_a_thread_is_not_disturbed_by_what_another_does_meanwhile(other):
    alone, over = drawn(5), threading.Event()

    def on_and_on():
        while not over.is_set():
            other()

    busy = threading.Thread(target=on_and_on)
    busy.start()
    try:
        found = [drawn(5) for _ in range(200)]
    finally:
        over.set()
        busy.join()
    assert all(torch.equal(a, b) for one in found for a, b in zip(alone, one, strict=True))


def test_the_stream_can_be_drawn_again_from_a_mark():
    noise.seed_step(3, 1)
    noise.normal(7)
    stands = noise.mark("cpu")
    once = noise.normal(5), noise.uniform(3)
    noise.back_to(stands, "cpu")
    assert all(torch.equal(a, b) for a, b in zip(once, (noise.normal(5), noise.uniform(3)), strict=True))


def test_the_global_stream_is_private_to_a_rank_and_a_step(draws):
    streams = [rank["steps"][step]["global"] for rank in draws[2] for step in range(2)]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(streams, 2))
    assert torch.equal(draws[1][0]["steps"][1]["global"], draws[2][0]["steps"][1]["global"])  # rank 0 is rank 0


def test_ranks_decide_and_average_together(draws):
    assert [rank["votes"] for rank in draws[2]] == [[True, False]] * 2
    assert [rank["mean"]["loss"] for rank in draws[2]] == [0.5, 0.5]
    assert draws[1][0]["votes"] == [True, True]


@pytest.mark.parametrize(
    ("words", "seed"),
    [
        ((0,), 3941715099434534770),
        ((0, 0), 4297168834411834182),
        ((1, 2, 3), 8317739815817533684),
        ((2**31, 7), 6813042408264285147),
        ((2**64 - 1,), 7148366357000878227),
    ],
)
def test_mix_is_the_same_on_every_machine(words, seed):
    assert mix(*words) == seed


def test_mix_tells_words_apart():
    """Also where they differ in a trailing zero, in order, or in how a large word would fall into 32-bit pieces."""
    small = [words for n in (1, 2, 3) for words in itertools.product(range(6), repeat=n)]
    large = [(2**32, 7), (0, 1, 7), (2**32 + 5, 7), (5, 1, 7), (2**63,), (0, 2**31), (2**31, 0), (2**64 - 1,)]
    seeds = {mix(*words) for words in {*small, *large}}
    assert len(seeds) == len({*small, *large})
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_seeds_fill_their_range_evenly():
    top = np.array([mix(0, step) >> 60 for step in range(4000)])
    counts = np.bincount(top, minlength=8)
    assert len(counts) == 8 and ((counts - 500) ** 2 / 500).sum() < 30  # chi-square on 7 degrees, p < 1e-4


def test_a_step_can_be_drawn_again_and_no_other_step_is_like_it():
    def drawn(seed, step):
        noise.seed_step(seed, step)
        return torch.cat([noise.normal(3, 4).flatten(), noise.uniform(5), torch.randn(6)])

    first = drawn(1, 2)
    others = [drawn(1, 3), drawn(2, 2), drawn(2, 1)]
    assert torch.equal(drawn(1, 2), first)
    assert all(not (first == other).any() for other in others)


def test_the_two_streams_do_not_touch_each_other():
    noise.seed_step(0, 0)
    shared, own = noise.normal(20), torch.randn(20)
    noise.seed_step(0, 0)
    torch.randn(100)  # dropout, say
    assert torch.equal(noise.normal(20), shared)
    noise.seed_step(0, 0)
    noise.normal(100)
    assert torch.equal(torch.randn(20), own)
    assert not (shared == own).any()


def test_the_laws_are_as_named():
    noise.seed_step(0, 0)
    x = noise.normal(100_000, 2)
    assert x.dtype == torch.float32 and x.shape == (100_000, 2)
    assert x.mean().abs() < 0.01 and x.std().item() == pytest.approx(1, abs=0.01)
    u = noise.uniform(100_000, low=-1.0, high=3.0)
    assert u.shape == (100_000,) and -1 <= u.min() < -0.99 and 2.99 < u.max() < 3
    assert u.mean().item() == pytest.approx(1, abs=0.02) and u.var().item() == pytest.approx(16 / 12, rel=0.02)
