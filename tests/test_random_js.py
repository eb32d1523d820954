"""The browser draws what torch draws: random.js, run by node, beside torch itself."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

import zerosum.explore

RANDOM = Path(zerosum.explore.__file__).parent / "static" / "latent" / "random.js"
SEEDS = [*range(16), 1234, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**53 - 1, 2**53 + 1, 2**63 - 1]
TOLERANCE = 4e-6 if torch.backends.cpu.get_cpu_capability() == "DEFAULT" else 1e-6
"""Torch's own numbers differ by 2e-6 between processors with AVX and without: their cosines and logarithms do."""


LAWS = {"normal": torch.randn, "uniform": torch.rand}


def compare(*asked: tuple[str, int]) -> None:
    """What each seed gives in one stream of calls, in JavaScript and in torch."""
    if (node := shutil.which("node")) is None:
        pytest.skip("needs node to run random.js")
    jobs = json.dumps([[str(seed), asked] for seed in SEEDS])  # as words: JSON's numbers end at 2**53 in JavaScript
    command = [node, str(Path(__file__).with_name("random.mjs")), RANDOM.as_uri()]
    found = json.loads(subprocess.run(command, input=jobs, capture_output=True, text=True, check=True, timeout=60).stdout)
    with torch.random.fork_rng([]):
        for seed, numbers in zip(SEEDS, found, strict=True):
            torch.default_generator.manual_seed(seed)
            for (law, n), mine in zip(asked, numbers, strict=True):
                theirs = LAWS[law](n).double()
                assert (theirs - torch.tensor(mine, dtype=torch.float64)).abs().max() <= TOLERANCE, (law, n, seed)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 31, 32, 100, 128, 512, 513, 6400])
def test_normal_numbers_of_any_size(n):
    compare(("normal", n))


@pytest.mark.parametrize("n", [1, 16, 100, 700])
def test_uniform_numbers_are_equal_to_the_last_bit(n):
    compare(("uniform", n))


def test_a_pair_s_second_number_is_kept_from_call_to_call():
    compare(("normal", 3), ("normal", 16), ("normal", 3), ("uniform", 5), ("normal", 1))
