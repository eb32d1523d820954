"""Two processes under torchrun play one game: the same parameters, the same losses as one, and nobody waits for ever."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
import torch
from conftest import TINY, finish, start

from zerosum import noise
from zerosum.cli import main
from zerosum.layers.pool import ImagePool

TOGETHER = ("--standalone", "--nproc-per-node", "2")
PLAN = ("--steps", "12", "--batch", "32", "--width", "8", "--log-every", "1", "--precision", "fp32", "--pictures", "2")


def torchrun(*words, **options) -> subprocess.Popen[str]:
    """Two processes, started as users start them."""
    return start(*TOGETHER, *words, module="torch.distributed.run", **options)


def train(*words, **options):
    return torchrun("-m", "zerosum", "train", *words, **options)


def alone(*words):
    with pytest.raises(SystemExit) as end:
        main(["train", *map(str, words)])
    assert end.value.code == 0


def losses(run):
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if "/" in k or k == "step"} for row in rows if "scores" not in row]


def assert_same_curve(one, other, tolerance=1e-4):
    assert [row.keys() for row in one] == [row.keys() for row in other]
    worst = max(abs(a[name] - b[name]) for a, b in zip(one, other, strict=True) for name in a)
    assert worst <= tolerance, worst


SCRIPT = '''
"""Plays several games on two ranks in one go; each rank checks that its parameters are rank 0's, bit for bit."""
import os
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist

from zerosum import open_source, parallel, recipes
from zerosum.job import Job
from zerosum.settings import settings
from zerosum.train import Training

parallel.start()
assert parallel.world() == 2
out = Path(sys.argv[1])

def equal(nets, buffers):
    kinds = (nets.parameters(), nets.buffers()) if buffers else (nets.parameters(),)
    flat = torch.cat([p.detach().double().flatten() for kind in kinds for p in kind])
    both = [torch.empty_like(flat) for _ in range(2)]
    dist.all_gather(both, flat)
    assert torch.isfinite(flat).all() and torch.equal(*both)
    return flat

def job(recipe, data, name, steps=12, **values):
    cfg = settings(recipe, {"batch": 32, "width": 8, **values})
    plan = Training(steps=steps, log_every=1, precision="fp32", pictures=0, scores=0, threads=1)
    return Job.new(data, open_source(data, need=recipes.needs(recipe)), recipe, cfg, plan, out / name)

for recipe, data in (("gan", "digits"), ("gan", "ring8"), ("wgan_gp", "ring8"), ("cgan", f"{out}/labelled.npz")):
    one = job(recipe, data, f"{recipe}-{Path(data).stem}")
    start = equal(one.run.nets, True)
    assert one.play()
    assert not torch.equal(start, equal(one.run.nets, True))
for recipe, values in (("pix2pix", {"l1_weight": 1}), ("cyclegan", {"blocks": 1, "pool": 40})):
    one = job(recipe, f"{out}/pairs.npz", f"{recipe}-pairs", 6, **values)
    assert one.play()
    equal(one.run.nets, True)
tables = {"ctgan", "dptabular", "tabular"}
plain = [name for name in recipes.names() if name not in tables and recipes.needs(name) is None]
for recipe in plain:  # those with batch statistics too: rank 0's are shared when saving
    one = job(recipe, "digits", f"{recipe}-all", 3)
    assert one.play()
    equal(one.run.nets, True)

# A turn that only one rank would take is passed by both; one that both take is taken by both.
one = job("gan", "digits", "passes", instance_noise=0.1)
(d_turn, g_turn) = one.run.game.turns

def moody(nets, batch, clock):
    alone = clock.step % 3
    return {} if alone == 1 + parallel.rank() else d_turn.loss(nets, batch, clock)

object.__setattr__(one.run.game, "turns", (replace(d_turn, loss=moody), g_turn))
assert one.play()
equal(one.run.nets, True)
steps = one.run.optims["D"].state_dict()["state"][0]["step"]
assert int(steps) == 4, steps

# Two ranks hold the pool that one would, and each gets its own rows of what one would get.
from zerosum import noise
from zerosum.layers.pool import ImagePool

together, given = ImagePool((2,), 6), []
for step in range(8):
    noise.seed_step(5, step)
    rows = (torch.arange(8.0) + 8 * step).view(4, 2)
    given.append(parallel.gather(together(rows.chunk(2)[parallel.rank()])))
torch.save((together.state_dict(), torch.cat(given)), out / f"pool-{parallel.rank()}.pt")

# What one rank cannot make, none goes on with.
def fails():
    if parallel.rank() == 1:
        raise OSError("no such thing here")
    return 3

assert parallel.together(lambda: 3) == 3
try:
    parallel.together(fails)
    raise AssertionError
except OSError:
    assert parallel.rank() == 1
except Exception as error:
    assert parallel.rank() == 0 and str(error) == "rank 1: no such thing here", error
assert parallel.average({"a": 1.0 + parallel.rank()} | ({"b": 5.0} if parallel.rank() else {})) == {"a": 1.5, "b": 5.0}
(out / f"rank-{parallel.rank()}").write_text("done")
parallel.wait_for_all()
parallel.stop()
sys.stdout.flush()
os._exit(0)  # as the command line does
'''


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """What the script left: run folders of several games."""
    out = tmp_path_factory.mktemp("played")
    (out / "script.py").write_text(SCRIPT)
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 400)
    images = rng.integers(0, 256, (2, 60, 16, 16, 3), dtype=np.uint8)
    np.savez(out / "pairs.npz", a=images[0], b=images[1])
    np.savez(out / "labelled.npz", x=rng.normal(size=(400, 5)) + y[:, None], y=y)
    code, said, err = finish(torchrun(out / "script.py", out))
    assert code == 0 and not said, err
    assert (out / "rank-0").exists() and (out / "rank-1").exists()
    return out


@pytest.mark.parametrize(("recipe", "data"), [("gan", "digits"), ("gan", "ring8"), ("wgan_gp", "ring8"), ("cgan", "labelled")])
def test_two_ranks_lose_as_one_with_the_same_batch(tmp_path, played, recipe, data):
    """Of nets without batch normalisation, which would see each rank's share alone."""
    where = played / "labelled.npz" if data == "labelled" else data
    alone(where, "--recipe", recipe, *PLAN, "--threads", "1", "--scores", "0", "--out", tmp_path / "one")
    assert_same_curve(losses(tmp_path / "one"), losses(played / f"{recipe}-{data}"))


@pytest.mark.parametrize(
    ("recipe", "words"), [("pix2pix", ("--l1-weight", "1")), ("cyclegan", ("--blocks", "1", "--pool", "40"))]
)
def test_two_ranks_translate_as_one(tmp_path, played, recipe, words):
    """Without batch statistics; what is cut out of pairs, and the pool of past images, are those of one process."""
    plan = (*PLAN[2:], "--steps", "6", "--threads", "1", "--scores", "0", *words)
    alone(played / "pairs.npz", "--recipe", recipe, *plan, "--out", tmp_path / "one")
    assert_same_curve(losses(tmp_path / "one"), losses(played / f"{recipe}-pairs"), tolerance=1e-3)


def test_a_turn_that_one_rank_passes_is_logged_and_hangs_nobody(played):
    rows = losses(played / "passes")
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert all("D/adv" in row and "G/adv" in row for row in rows)


def test_two_ranks_hold_one_pool_of_past_images(played):
    alone, given = ImagePool((2,), 6), []
    for step in range(8):
        noise.seed_step(5, step)
        given.append(alone((torch.arange(8.0) + 8 * step).view(4, 2)))
    assert not torch.equal(torch.cat(given), torch.arange(64.0).view(32, 2))
    for rank in (0, 1):
        state, both = torch.load(played / f"pool-{rank}.pt", weights_only=True)
        assert torch.equal(both, torch.cat(given))
        assert all(torch.equal(state[name], value) for name, value in alone.state_dict().items())


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two ranks from the command line."""
    run = tmp_path_factory.mktemp("trained") / "run"
    code, out, err = finish(train("digits", "--recipe", "gan", *PLAN, "--save-every", "0", "--out", run))
    assert code == 0, err
    return run, out


def test_only_rank_0_prints_and_writes(trained):
    run, out = trained
    assert out.count("WARNING   conditioning is off") == 1
    assert out.count("step 12/12") == 1 and out.count("training is done") == 1 and out.count(f"report: {run}") == 1
    assert [row["step"] for row in losses(run)] == list(range(1, 13))
    assert json.loads((run / "config.json").read_text())["world"] == 2
    assert (run / "step-12").is_dir() and (run / "report.html").exists() and not list(run.glob(".*"))


def test_going_on_with_two_ranks_is_exact(tmp_path, trained):
    whole, _ = trained
    broken = shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(broken / "step-12")  # as if it had been killed in its last step
    code, out, err = finish(train("--resume", broken))
    assert code == 0 and out.count("going on from step 11") == 1, err
    assert (broken / "step-12/nets.safetensors").read_bytes() == (whole / "step-12/nets.safetensors").read_bytes()
    assert losses(broken) == losses(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_saves_on_rank_0_and_ends_both(tmp_path, number):
    run = tmp_path / "run"
    plan = ("--steps", "1000000", "--save-every", "1000", "--pictures", "0", "--scores", "0")
    process = train("digits", "--recipe", "gan", *TINY[:4], *plan, "--out", run, start_new_session=True)
    while process.poll() is None and not (run / "log.jsonl").exists():
        time.sleep(0.01)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)  # as a batch system does
    _, out, err = finish(process)
    assert out.count("go on with: zerosum train --resume") == 1, err
    (saved,) = run.glob("step-*")
    assert losses(run)[-1]["step"] == int(saved.name[5:]) and not list(run.glob(".*"))


def test_minutes_end_on_both_ranks(tmp_path):
    run = tmp_path / "run"
    begun = time.monotonic()
    words = ("digits", "--recipe", "dcgan", *TINY, "--minutes", "0.03", "--out", run)
    code, _, err = finish(train(*words))
    assert code == 0 and time.monotonic() - begun < 60, err
    (saved,) = run.glob("step-*")
    meta = json.loads((saved / "meta.json").read_text())
    assert meta["clock"]["step"] == meta["clock"]["total"] > 1 and 1 < meta["seconds"] < 10


def test_an_error_of_rank_0_hangs_nobody_and_is_said_once(tmp_path, trained):
    run, _ = trained
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    begun = time.monotonic()
    code, _, err = finish(train("digits", "--recipe", "gan", *PLAN, "--out", run))
    assert code != 0 and time.monotonic() - begun < 60
    assert err.count(f"zerosum: {run} already holds a run") == 1 and "fault of zerosum" not in err
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_failed_save_of_rank_0_ends_both(tmp_path):
    run = tmp_path / "run"
    limit = tmp_path / "limited.py"
    limit.write_text(
        "import resource, sys\nfrom zerosum.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, -1))\nmain(sys.argv[1:])\n"
    )
    plan = ("--steps", "1000000", "--save-every", "0", "--pictures", "0")
    begun = time.monotonic()
    words = ("digits", "--recipe", "gan", "--width", "64", "--batch", "16", *plan, "--out", run)
    code, _, err = finish(torchrun(limit, "train", *words))
    assert code != 0 and time.monotonic() - begun < 60
    assert err.count("zerosum: ") == 1 and f"zerosum: cannot write to {run} (File too large)" in err
    assert not list(run.glob("step-*")) and not list(run.glob(".*"))
