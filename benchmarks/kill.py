"""SIGKILL at random moments, also during saves; resume; compare the final weights with the uninterrupted run, bit by bit.

python benchmarks/kill.py [--kills 20] [--recipes all] [--seed 0]

Every run is a real process of its own. One kill is one run: killed, resumed, played to its end. About ten seconds a kill.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from zerosum import recipes

STEPS = 60
SETTINGS = ("--width=8", "--batch=16", "--log-every=2", "--save-every=0", "--pictures=4", "--scores=1", "--threads=1")


@dataclass(frozen=True)
class Kill:
    """One killed and resumed run."""

    recipe: str
    step: int  # of the last line of the log when it was killed
    saving: bool  # whether a half-written checkpoint was left
    identical: bool


def start(*words: str | Path) -> subprocess.Popen[bytes]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "zerosum", "train", *map(str, words)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a run that nobody disturbs."""
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()


def train(recipe: str, out: Path, steps: int = STEPS) -> subprocess.Popen[bytes]:
    """Start a small run on digits."""
    return start("digits", "--recipe", recipe, "--out", out, "--steps", str(steps), *SETTINGS)


def final(run: Path) -> bytes:
    """The weights that a run ended with."""
    return (run / f"step-{STEPS}" / "nets.safetensors").read_bytes()


def lines(run: Path) -> int:
    """Lines that the log has."""
    return (run / "log.jsonl").read_bytes().count(b"\n") if (run / "log.jsonl").exists() else 0


def saving(run: Path) -> bool:
    """Whether a checkpoint is half-written."""
    return run.is_dir() and any(name.startswith(".saving-") for name in os.listdir(run))


def kill(process: subprocess.Popen[bytes], run: Path, after: int, save: bool, delay: float) -> bool:
    """Kill the process when the log has `after` lines: during the next save, or `delay` seconds later; False if too late."""
    while process.poll() is None and lines(run) < after:
        time.sleep(0.001)
    if not save:
        time.sleep(delay)
    while process.poll() is None and save and not saving(run):
        pass
    process.kill()
    process.communicate()
    return process.returncode == -signal.SIGKILL


def killed(recipe: str, folder: Path, chance: random.Random, save: bool, steps: int = STEPS) -> Path:
    """A run folder as a kill left it, during a save or at a moment by chance."""
    run, done = folder / f"{recipe}-killed", False
    while not done:
        shutil.rmtree(run, ignore_errors=True)
        after, delay = chance.randint(1 if save else 0, steps // 2 - 2), chance.uniform(0, 0.1)
        done = kill(train(recipe, run, steps), run, after, save, delay)
    return run


def once(recipe: str, folder: Path, whole: bytes, chance: random.Random, save: bool) -> Kill:
    """Train, kill, resume, compare with the weights of the uninterrupted run."""
    run = killed(recipe, folder, chance, save)
    half, step = saving(run), max([0, *(int(p.name[5:]) for p in run.glob("step-*"))])
    if not (run / "config.json").exists():  # killed before there was a run
        finish(train(recipe, run))
    else:
        finish(start("--resume", run))
    assert not saving(run), "a half-written checkpoint was left"
    return Kill(recipe, step, half, final(run) == whole)


def main() -> None:
    """Run the schedule and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20, help="kills in all")
    parser.add_argument("--recipes", default="all", help="names, separated by commas")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    asked = parser.parse_args()
    names = recipes.names() if asked.recipes == "all" else asked.recipes.split(",")
    assert asked.kills >= len(names), "give at least one kill a recipe"
    chance = random.Random(asked.seed)
    schedule = [(names[i % len(names)], i % 2 == 0) for i in range(asked.kills)]
    chance.shuffle(schedule)
    kills: list[Kill] = []
    with tempfile.TemporaryDirectory() as place:
        folder, whole = Path(place), {}
        for name in names:
            finish(train(name, folder / name))
            whole[name] = final(folder / name)
        for recipe, save in schedule:
            kills.append(one := once(recipe, folder, whole[recipe], chance, save))
            print(f"{len(kills)}/{asked.kills} {one}", file=sys.stderr, flush=True)
    print("| recipe | kills | during a save | identical |\n|---|---|---|---|")
    for name in names:
        mine = [one for one in kills if one.recipe == name]
        same = "yes" if all(one.identical for one in mine) else "no"
        print(f"| {name} | {len(mine)} | {sum(one.saving for one in mine)} | {same} |")
    right = sum(one.identical for one in kills)
    print(f"\n{right} of {len(kills)} bit-identical, {sum(one.saving for one in kills)} of them killed during a save")
    assert right == len(kills) and {one.recipe for one in kills} == set(names)


if __name__ == "__main__":
    main()
