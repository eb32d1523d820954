"""Training under differential privacy from end to end: the game, refusals, resume, and what a run folder holds."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum import GAN, conformance
from zerosum.audit import Audit, audit
from zerosum.cli import main
from zerosum.data import open_source
from zerosum.errors import UserError
from zerosum.play import Pace, Run, play
from zerosum.private.bound import at_least
from zerosum.private.budget import Budget
from zerosum.private.key import Key
from zerosum.private.ledger import Ledger
from zerosum.recipes import dptabular, gan, tabular
from zerosum.tables.schema import Column, Schema

pd = pytest.importorskip("pandas")
SMALL = {"batch": 64, "made": 64, "width": 16, "z_dim": 8, "d_width": 8, "d_steps": 4, "d_every": 2}
WORDS = [word for name, value in SMALL.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def people(n=3000, seed=0):
    r = np.random.default_rng(seed)
    town = r.choice(["Ulm", "Bonn"], n, p=[0.7, 0.3])
    rich = np.where(r.random(n) < 0.1 + 0.6 * (town == "Ulm"), "yes", "no")
    return pd.DataFrame({"town": town, "age": r.integers(18, 80, n), "kids": r.integers(0, 3, n), "rich": rich})


def opened(frame=None, epsilon=3.0, key=bytes(32)):
    return open_source(people() if frame is None else frame, target="rich", budget=Budget(epsilon, 1e-5, Key(key)))


@pytest.fixture(scope="module")
def source():
    return opened()


def fresh(source, seed=0, steps=10, **settings):
    torch.manual_seed(seed)
    cfg = dptabular.Config(**SMALL | settings)
    return Run(dptabular.build(cfg, source.spec), steps, cfg.batch, seed=0, pace=Pace())


def test_it_learns_resumes_and_samples_as_every_recipe(source):
    conformance.check_config(dptabular, dptabular.Config(**SMALL))
    conformance.check_learning(fresh(source), source)
    conformance.check_resume(lambda seed=0: fresh(source, seed), source, 10)
    conformance.check_sampling(fresh(source), source)


def weights(run):
    return torch.cat([p.flatten() for p in run.nets["G"].parameters()])


def test_one_key_one_training_and_another_key_another(source):
    runs = [(fresh(source), source), (fresh(source), opened()), (fresh(source), opened(key=bytes([1]) * 32))]
    for run, data in runs:
        for _ in play(run, data):
            pass
    one, same, other = (weights(run) for run, _ in runs)
    assert torch.equal(one, same) and not torch.equal(one, other)


def test_every_row_has_a_coin_of_its_own(source):
    batches = source.by_poisson().batches(300, seed=0)
    sizes = np.array([len(next(batches)["x"]) for _ in range(200)])
    n, rate = len(source), 300 / len(source)
    assert abs(sizes.mean() - 300) < 4 and 0.7 < sizes.var() / (n * rate * (1 - rate)) < 1.4
    again = source.by_poisson().batches(300, seed=7, start=3)
    ahead = source.by_poisson().batches(300, seed=0)
    whole = [next(ahead)["x"] for _ in range(4)]
    assert torch.equal(next(again)["x"], whole[3])  # the published seed has no part in it
    empty = next(source.by_poisson().batches(1, seed=0, start=0))["x"]
    assert empty.shape[1] == source.codec.width


def test_a_table_without_a_row_gives_batches_without_that_row():
    """Its place empty, all other coins are the same: what the proof calls neighbours."""
    source = opened()
    private = source.by_poisson()
    kept = torch.arange(len(source)) != 5
    chosen = [np.flatnonzero(private.key.uniform(len(source), "rows", at) < 0.1) for at in range(50)]
    for at, batch in zip(range(50), private.batches(round(0.1 * len(source)), 0), strict=False):
        assert len(batch["x"]) == pytest.approx(len(chosen[at]), abs=1)
    held = np.random.default_rng(0).random(3000) < 0.2
    assert len(source) == (~held).sum() and int(kept.sum()) == len(source) - 1
    shorter = opened(people().assign(rich="no"))  # other values: the same places are held out
    assert list(shorter.held_frame.index) == list(source.held_frame.index)


def test_in_bfloat16_the_pairs_and_ds_gradient_stay_exact(source):
    torch.manual_seed(0)
    cfg = dptabular.Config(**SMALL)
    run = Run(dptabular.build(cfg, source.spec), 6, cfg.batch, seed=0, pace=Pace(dtype=torch.bfloat16))
    first, exact = next(iter(play(run, source))), next(iter(play(fresh(source), source)))
    assert first["G/pairs"].dtype == torch.float32
    assert torch.equal(first["D/private"], exact["D/private"])  # G's part is rounded, D's is not


def test_an_empty_batch_is_noise_alone_and_no_fault(source):
    run = fresh(source, batch=1, d_steps=10, d_every=1)
    for logs in play(run, source):
        assert all(torch.isfinite(value) for value in logs.values())


def test_the_games_ledger_is_what_was_asked_for(source):
    ledger = fresh(source).game.ledger
    assert 0.999 * 3 <= ledger.spent <= 3 and len(ledger.reads) == 5
    d = ledger.reads[3]
    assert (d.steps, d.rate) == (4, 64 / source.spec.items)


def test_d_learns_in_the_steps_that_are_paid_for_and_never_again(source):
    run = fresh(source, steps=14)
    read = ["D/private" in logs for logs in play(run, source)]
    assert [at for at, one in enumerate(read) if one] == [0, 2, 4, 6]


def test_pairs_are_measured_once(source):
    run = fresh(source)
    next(iter(play(run, source)))
    before = run.nets["pairs"].table.clone()
    other = opened(people(seed=1))
    for _ in play(run, other):
        pass
    assert torch.equal(run.nets["pairs"].table, before)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ({"loss": "relativistic"}, "in pairs"),
        ({"penalty": "gradient_penalty"}, "one by one"),
        ({"n_critic": 2}, "more d_steps"),
        ({"spectral_norm": True}, "between rows"),
        ({"augment": "ada"}, "images"),
        ({"d_share": 0.0}, "between 0 and 1"),
    ],
)
def test_settings_that_break_the_proof_are_refused(source, setting, why):
    with pytest.raises(UserError, match=why):
        dptabular.build(dptabular.Config(**SMALL | setting), source.spec)


@pytest.mark.parametrize(
    ("recipe", "settings", "why"),
    [
        ("ctgan", {}, "10 rows as one"),
        ("tabular", {}, "G's loss"),
        ("gan", {}, "without clipping"),
        ("dptabular", {"patience": 3}, "ends training"),
        ("dptabular", {"guard_every": 3}, "compares"),
        ("dptabular", {"accum": 2}, "every part"),
        ("dptabular", {"compile": True}, "single rows"),
        ("dptabular", {"dp_delta": 0.01}, "one over"),
        ("dptabular", {"dp_epsilon": -1.0}, "greater than 0"),
    ],
)
def test_what_breaks_the_proof_is_refused_in_a_line(recipe, settings, why):
    with pytest.raises(UserError, match=why) as error:
        GAN(recipe, **{"dp_epsilon": 3.0, "steps": 2, **settings}).fit(people(), "rich")
    assert "\n" not in str(error.value)


def test_private_rows_cannot_be_opened_and_played_without_their_recipe(source):
    for recipe in (tabular, gan):
        with pytest.raises(UserError, match="without"):
            GAN(recipe.__name__.split(".")[-1], steps=2).fit(source)
    with pytest.raises(UserError, match="dp-epsilon"):
        GAN("dptabular", steps=2).fit(people(), "rich")
    with pytest.raises(UserError, match="for tables"):
        GAN(dp_epsilon=1.0, steps=2).fit(np.zeros((50, 4), np.float32))


def test_the_estimator_has_the_ledger():
    model = GAN(dp_epsilon=3.0, steps=6, **SMALL).fit(people(), "rich")
    assert isinstance(model.ledger, Ledger) and model.ledger.spent <= 3
    made = model.sample(50)
    assert list(made.columns) == list(people().columns) and (made.dtypes == people().dtypes).all()


def run_command(*words, code=0):
    with pytest.raises(SystemExit) as end:
        main([*map(str, words)])
    assert end.value.code == code


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("private")
    people().to_csv(place / "people.csv", index=False)
    plan = ("--target", "rich", "--dp-epsilon", 3, "--steps", 6, "--pictures", 2, "--threads", 1)
    run_command("train", place / "people.csv", *plan, *WORDS, "--out", place / "run")
    return place / "run"


def test_a_run_folder_tells_nothing_but_what_the_ledger_lists(folder):
    config = json.loads((folder / "config.json").read_text())
    assert config["recipe"] == "dptabular" and config["privacy"]["spent"] <= 3
    assert config["privacy"]["audit"]["bound"] <= 3
    assert "Differential privacy: epsilon" in (folder / "report.html").read_text()
    assert config["data"]["fingerprint"] == "" and config["training"]["guard"] is False
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    assert not any("scores" in row or "guard" in row for row in rows)
    assert not any("logit_real" in name for row in rows for name in row)
    assert not (folder / "table.json").exists()
    secret = json.loads((folder / "secret.json").read_text())
    assert (folder / "secret.json").stat().st_mode & 0o077 == 0
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "secret.json":
            found = path.read_bytes()
            assert secret["key"].encode() not in found and bytes.fromhex(secret["key"]) not in found
            assert secret["fingerprint"].encode() not in found


def test_resume_goes_on_with_the_same_key(folder, tmp_path, capsys):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    run_command("train", "--resume", copy, "--steps", 8)
    assert "epsilon 3 at delta" in capsys.readouterr().out.replace("2.999", "3").replace("2.9998", "3")
    (copy / "secret.json").unlink()
    run_command("train", "--resume", copy, "--steps", 9, code=2)
    assert "can be sampled" in " ".join(capsys.readouterr().err.split())
    run_command("sample", copy, "-n", 5, "-o", tmp_path / "made.csv")
    assert len(pd.read_csv(tmp_path / "made.csv")) == 5


def test_scores_of_a_private_run_are_taken_when_asked_and_said_not_to_be_covered(folder, tmp_path, capsys):
    import shutil

    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    run_command("score", copy, "--quick", "--items", 200)
    assert "not covered by epsilon" in " ".join(capsys.readouterr().out.split())


# ---- the audit -------------------------------------------------------------------------------------------------------


def test_guesses_prove_what_the_theorem_says():
    assert at_least(1000, 500, 250, 0.0) == 0.0  # as a coin
    p = 1 / (1 + np.exp(-at_least(1000, 200, 200, 0.0)))
    assert p**200 == pytest.approx(0.05, rel=0.01)  # all right: chance of that many heads in a row
    assert (
        at_least(1000, 200, 180, 1e-4) < at_least(1000, 200, 180, 0.0) < np.log(9)
    )  # under the plain estimate, and less for delta


def test_the_bound_is_rarely_above_the_epsilon_of_randomised_response():
    """Each bit told rightly with a chance of e / (1 + e): epsilon is 1, and of 300 audits about 5 % may say more."""
    r = np.random.default_rng(0)
    right = r.binomial(400, 1 / (1 + np.exp(-1.0)), 300)
    wrong = sum(at_least(400, 400, int(one), 0.0) > 1 for one in right)
    assert wrong <= 24
    assert np.mean([at_least(400, 400, int(one), 0.0) for one in right]) > 0.7


@pytest.fixture(scope="module")
def attacked():
    """900 places of a table of five columns, at epsilon 1, a game whose D reads a third of the rows at each of ten steps."""
    r = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": r.integers(0, 5, 1200) for i in range(4)} | {"rich": r.integers(0, 2, 1200)})
    named = {name: tuple(str(v) for v in range(2 if name == "rich" else 5)) for name in frame}
    columns = tuple(Column(name=name, kind="integer", dtype="int64", order=order) for name, order in named.items())
    source = open_source(frame, target="rich", schema=Schema(columns), held_out=0.25, budget=Budget(1.0, 1e-5, Key(bytes(32))))
    cfg = dptabular.Config(**SMALL | {"batch": 300, "d_steps": 10, "d_width": 16})
    rows = torch.cat(list(source.by_poisson().whole()))
    return lambda plan, clip=1.0: audit(
        replace(cfg, clip=clip), source.spec, rows, plan, 400, known=500, key=Key(bytes(32))
    ), dptabular.planned(cfg, source.spec)


def test_the_audit_stays_below_the_claim_of_a_sound_mechanism(attacked):
    attack, plan = attacked
    found = attack(plan)
    assert 0 <= found.bound <= 1.0
    assert "at least" in found.words() and Audit(**json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("broken", "clip"),
    [({"pairs": 0.0, "d": 0.0}, 1e9), ({"pairs": 0.0}, 1.0), ({"d": 0.0}, 1e9), ({"pairs": 0.2}, 1.0)],
    ids=["no noise, no clip", "pairs without noise", "D without noise or clip", "pairs with a twentieth of the noise"],
)
def test_the_audit_catches_a_broken_mechanism(attacked, broken, clip):
    attack, plan = attacked
    assert attack(replace(plan, **broken), clip).bound > 1.3
