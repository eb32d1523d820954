"""Who makes synthetic tables in benchmarks: recipes, baselines, and a peer in an environment of its own.

A contestant takes training rows, a target and a seed, and gives as many rows and the seconds it took to fit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zerosum import GAN
from zerosum.metrics.tables import baselines
from zerosum.tables.infer import infer

Contestant = Callable[[pd.DataFrame, str, int], tuple[pd.DataFrame, float]]

HELD_OUT = 0.01
"""Of the training rows, for the guard and the quick scores: peers learn from all of them."""

PEER = """
import sys, time, json, random, numpy, pandas, torch
from ctgan import CTGAN
train = pandas.read_csv(sys.argv[1], keep_default_na=False, na_values=[""])
out, seed, epochs = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
random.seed(seed); numpy.random.seed(seed); torch.manual_seed(seed)
words = [c for c in train if not pandas.api.types.is_numeric_dtype(train[c]) or train[c].nunique() < 3]
train[words] = train[words].fillna("(missing)")
begun = time.perf_counter()
model = CTGAN(epochs=epochs)
model.fit(train, words)
seconds = time.perf_counter() - begun
made = model.sample(len(train))
made[words] = made[words].replace("(missing)", None)
made.to_csv(out, index=False)
print(json.dumps(seconds))
"""


def recipe(name: str, **settings: Any) -> Contestant:
    """A recipe of zerosum."""

    def make(train: pd.DataFrame, target: str, seed: int) -> tuple[pd.DataFrame, float]:
        plan: dict[str, Any] = {"held_out": HELD_OUT, "scores": 0, "pictures": 0}
        begun = time.perf_counter()
        gan = GAN(name, target=target, seed=seed, **plan | settings).fit(train)
        seconds = time.perf_counter() - begun
        return gan.sample(len(train), seed=seed), seconds

    return make


def baseline(name: str) -> Contestant:
    """A generator without a network: independent, copula or copies."""

    def make(train: pd.DataFrame, target: str, seed: int) -> tuple[pd.DataFrame, float]:
        begun = time.perf_counter()
        made = vars(baselines)[name](train, infer(train, target), len(train), seed)
        return made, time.perf_counter() - begun

    return make


def peer(python: Path, epochs: int = 300) -> Contestant:
    """ctgan as its documentation calls it, by another environment's Python; missing numbers, which it cannot have, filled."""

    def make(train: pd.DataFrame, target: str, seed: int) -> tuple[pd.DataFrame, float]:
        numbers = train.select_dtypes("number")
        whole = train.assign(**{name: numbers[name].fillna(numbers[name].median()) for name in numbers})
        with tempfile.TemporaryDirectory() as folder:
            files = [str(Path(folder) / name) for name in ("train.csv", "made.csv")]
            whole.to_csv(files[0], index=False)
            words = [str(python), "-W", "ignore", "-c", PEER, *files, str(seed), str(epochs)]
            environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
            done = subprocess.run(words, capture_output=True, text=True, env=environment)
            if done.returncode:
                raise SystemExit(f"the peer failed: {done.stderr.strip().splitlines()[-1:]}")
            return pd.read_csv(files[1], keep_default_na=False, na_values=[""]), float(done.stdout.strip().splitlines()[-1])

    return make


def named(words: list[str], settings: Mapping[str, Any], python: Path | None, epochs: int) -> dict[str, Contestant]:
    """Contestants by name; a peer where its Python is given."""
    found = {
        word: baseline(word) if word in ("independent", "copula", "copies") else recipe(word, **settings) for word in words
    }
    return found | ({f"ctgan peer, {epochs} epochs": peer(python, epochs)} if python else {})
