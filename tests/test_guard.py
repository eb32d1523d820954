"""The guard notices what is wrong, goes back exactly, mends one thing, and ends at the best; a healthy game it leaves alone."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import finish, start

from zerosum import UserError, open_source, recipes
from zerosum.building import build_run
from zerosum.conformance import _toy
from zerosum.data import arrays
from zerosum.game import Clock
from zerosum.guard import eye, signals
from zerosum.guard import guard as guard_module
from zerosum.guard.guard import Guard, makers
from zerosum.guard.memory import Memory
from zerosum.guard.probe import Probe, Reading
from zerosum.guard.remedies import NOISE, PENALTY, ladder, mended, next_remedy
from zerosum.guard.signals import Verdicts
from zerosum.job import Job, open_run
from zerosum.play import play
from zerosum.rundir import RunDir
from zerosum.snapshot import Snapshot, finite, tensors
from zerosum.train import Training

# ---- signals, on statistics made by hand


def readings(*scores, spread=1.0, coverage=0.8):
    return [Reading(10 * (i + 1), score, spread, coverage) for i, score in enumerate(scores)]


BEST = Reading(5, 9.0, 1.0, 0.8)


def test_a_score_far_above_the_best_is_trouble_and_a_passing_bump_is_none():
    assert signals.worse(readings(9, 31, 9, 31), BEST) is None
    assert signals.worse(readings(9, 31, 31), BEST).kind == "worse"  # 32 / 10 > 3, twice
    assert signals.worse(readings(15.5, 15.5, 15.5, 15.5), BEST).kind == "worse"  # 1.65, four times
    assert signals.worse(readings(14, 14, 14, 14, 14, 14), BEST) is None
    assert signals.worse(readings(31, 31), None) is None


def test_near_real_data_noise_is_no_trouble():
    # twice the best, and both as good as real data are among themselves
    assert signals.worse(readings(0.2, 0.4, 0.4, 0.4, 0.4), Reading(5, 0.2, 1, 1)) is None


def test_items_that_become_alike_are_a_collapse_and_items_that_begin_alike_are_none():
    varied, alike = readings(9, spread=0.9), readings(9, 9, spread=0.05)
    assert signals.collapse(varied + alike, BEST).kind == "collapse"
    assert signals.collapse(alike, replace(BEST, spread=0.1)) is None


def test_kinds_of_items_that_get_lost_are_a_partial_collapse():
    assert signals.partial(readings(12, 12, 12, coverage=0.3), BEST).kind == "partial"
    assert signals.partial(readings(8, 8, 8, coverage=0.3), BEST) is None  # for a better score
    assert signals.partial(readings(12, 12, 12, coverage=0.5), BEST) is None


def test_going_up_and_down_without_progress_is_trouble_and_a_calm_plateau_is_none():
    assert signals.oscillation(readings(*[14.5, 15.5] * 12), BEST).kind == "oscillation"
    assert signals.oscillation(readings(*[10, 9.5] * 12), BEST) is None
    assert signals.oscillation(readings(*[14.5, 15.5] * 11), BEST) is None


def said(gap, n=8, first=10, sign=1.0, gradient=1.0):
    return [Verdicts(first + i, gap / 2, -gap / 2, sign, gradient) for i in range(n)]


def test_a_discriminator_that_is_sure_of_everything_is_trouble_where_samples_suffer():
    worse = readings(12)
    assert signals.saturated(said(2, first=0, n=5) + said(30), worse, BEST).kind == "saturated"
    assert signals.saturated(said(2, first=0, n=5) + said(30), readings(8), BEST) is None
    assert signals.saturated(said(2, first=0, n=5) + said(30, sign=0.6), worse, BEST) is None
    assert signals.saturated(said(2, first=0, n=5) + said(5), worse, BEST) is None
    assert signals.saturated(said(20, first=0, n=5) + said(30), worse, BEST) is None  # it was as sure when samples were best


def test_a_generator_without_gradient_is_trouble():
    assert signals.vanished(said(1, gradient=1e-9)).kind == "vanished"
    assert signals.vanished(said(1, gradient=1e-7)) is None
    assert signals.vanished(said(1, n=7, gradient=0.0)) is None
    assert signals.vanished(said(1, gradient=None)) is None


def test_remedies_come_one_by_one_and_end():
    used = []
    while remedy := next_remedy("worse", used):
        used.append(remedy.name)
    assert used == ["lr", "lr", "r1", "noise", "lr"] == [one.name for one in ladder("worse")]
    assert next_remedy("saturated", ["lr"]).name == "r1"
    clock = Clock(3, 9, 4)
    for remedy in ladder("worse"):
        clock = remedy.mend(clock)
    assert clock == Clock(3, 9, 4, lr_scale=1 / 64, instance_noise=0.1, r1=0.05)


def test_rates_fall_to_the_end_from_the_first_place_that_was_mended():
    early, late = mended(Clock(20, 100), PENALTY), mended(Clock(60, 100), NOISE)  # whatever was mended
    assert (early.lr_falls_from, late.lr_falls_from) == (0.2, 0.6)
    assert mended(replace(early, step=60), NOISE) == replace(early, step=60, instance_noise=0.1)
    left = [replace(early, step=step).lr_left for step in (10, 20, 60, 80, 100)]
    assert left == pytest.approx([1, 1, 0.5, 0.25, 0])
    assert replace(early, step=100, total=180).lr_left == pytest.approx(5 / 9)  # a plan that is made longer goes on


# ---- what is measured


@pytest.mark.parametrize("data", ["digits", "grid25"])
def test_a_probe_tells_real_from_alike_from_noise_and_lost_modes(data):
    source = open_source(data)
    probe, fresh = Probe(source, 500), source.some(3000, seed=3)["x"]
    real = probe.judge(1, fresh[:500])
    alike = probe.judge(1, fresh[:1].repeat(500, *[1] * (fresh.ndim - 1)))
    noise = probe.judge(1, fresh.std() * torch.randn(500, *fresh.shape[1:]))
    half = fresh[:, 0] > 0 if data == "grid25" else source.some(3000, seed=3)["y"] < 3
    some = probe.judge(1, fresh[half][:500])
    assert real.score < 3 and real.spread == pytest.approx(1, abs=0.1) and real.coverage > 0.8
    assert alike.spread < 0.01 and alike.coverage < 0.1 and alike.score > 10 * real.score
    assert noise.score > 3 * real.score or noise.coverage < 0.1
    assert some.score > 3 * real.score and some.coverage < 0.8 * real.coverage
    assert np.isnan(probe.judge(1, torch.full_like(fresh[:500], torch.nan)).score)


def small(recipe="gan", data="digits", folder=None, steps=60, **values):
    training = {k: values.pop(k) for k in list(values) if k in vars(Training())}
    cfg = recipes.find(recipe).Config(**{"width": 8, "batch": 16, **values})
    plan = Training(**{"steps": steps, "device": "cpu", "pictures": 0, "scores": 0, "guard_every": 20, **training})
    return Job.new(data, open_source(data), recipe, cfg, plan, folder)


def test_a_probe_holds_no_more_items_than_fit_into_memory(monkeypatch):
    from zerosum.data import source as sources

    source = open_source("digits")
    monkeypatch.setattr(sources, "MOST_NUMBERS", 120 * 64)
    probe = Probe(source, 100)
    assert {len(part) for part in probe._real} == {60}
    assert probe.judge(1, source.held_out()["x"]).score < 3


def test_the_nets_that_make_items_are_found():
    assert makers(small("gan").run) == {"G"}
    assert makers(small("aae").run) == {"dec"}


def test_whether_all_numbers_are_finite():
    run = small().run
    assert finite(list(tensors(run)))
    with torch.no_grad():
        run.nets["D"].head.bias.fill_(3e38)
        assert finite([torch.full((9,), 3e38)])  # the sum overflows, no number does
        run.nets["D"].head.bias.fill_(-torch.inf)
    assert not finite(list(tensors(run)))


# ---- going back


@pytest.mark.parametrize("recipe", ["dcgan", "sngan"])
def test_going_back_is_exact(recipe):
    job = small(recipe, steps=12)
    kept, states = None, {}
    for _ in play(job.run, job.source):
        if job.run.clock.step == 6:
            kept = Snapshot.take(job.run)
    states["whole"] = job.run.nets.state_dict()
    states = {name: {k: v.clone() for k, v in value.items()} for name, value in states.items()}
    for _ in range(2):  # what was put back was not played on in the snapshot's own memory
        kept.put_back(job.run)
        assert job.run.clock.step == 6
        for _ in play(job.run, job.source):
            pass
        for key, value in job.run.nets.state_dict().items():
            assert torch.equal(value, states["whole"][key]), key


def hooked(run, net, hook):
    parameter = next(run.nets[net].parameters())
    parameter.requires_grad_(True).register_hook(hook)
    parameter.requires_grad_(False)


class Poison:
    """Puts NaN into a gradient of a player's first parameter, at steps it is told."""

    def __init__(self, run, net, steps, always=False):
        self.steps, self.always, self.done = set(steps), always, []
        hooked(run, net, lambda grad: self.spoil(grad, run))

    def spoil(self, grad, run):
        step = run.clock.step
        if step in self.steps and (self.always or step not in self.done):
            self.done.append(step)
            return torch.full_like(grad, torch.nan)
        return grad


@pytest.mark.parametrize(("recipe", "net"), [("dcgan", "G"), ("cgan", "D")])
def test_a_nan_that_passes_leaves_no_trace(tmp_path, recipe, net):
    whole, hurt = (small(recipe, folder=tmp_path / name, steps=40, log_every=5, guard_every=10) for name in ("whole", "hurt"))
    poison = Poison(hurt.run, net, {23})
    assert whole.play() and hurt.play()
    assert poison.done == [23]
    for name in ("nets.safetensors", "optim.pt"):
        assert (tmp_path / "whole/step-40" / name).read_bytes() == (tmp_path / "hurt/step-40" / name).read_bytes()
    assert not whole.notes
    (note,) = [row for row in hurt.folder.rows() if "note" in row]
    assert note["guard"]["name"] == "replay" and note["step"] <= 23 < note["guard"]["from"]
    assert "nothing changed" in note["note"] and hurt.notes == [note["note"]]


def test_an_infinity_in_the_optimiser_alone_is_noticed(tmp_path):
    job = small(steps=40, folder=tmp_path / "run")
    state = lambda: next(iter(job.run.optims["G"].state.values()))
    infinite = []

    def once(grad):
        if job.run.clock.step == 15 and not infinite:
            infinite.append(1)
            return torch.full_like(grad, 1e30)  # its square is infinite, and the weight would stand still for ever
        return grad

    hooked(job.run, "G", once)
    assert job.play() and infinite and finite(list(state().values()))
    assert len(job.notes) == 1


def test_a_nan_that_returns_is_mended_and_in_the_end_given_up(tmp_path):
    job = small(steps=60, folder=tmp_path / "run", guard_every=10)
    Poison(job.run, "G", range(35, 60), always=True)
    assert job.play()
    acts = [row["guard"]["name"] for row in job.folder.rows() if "note" in row]
    assert acts[0] == "replay" and acts[-1] == "stop" and set(acts[1:-1]) == {"mend"} and len(acts) == 7
    assert 0 < job.run.clock.step <= 30 and finite(list(tensors(job.run)))
    assert job.folder.latest() == job.run.clock.step
    assert "remedies did not help" in job.notes[-1]


def test_numbers_that_break_at_once_and_always_are_said_in_a_line(tmp_path):
    job = small(steps=60, folder=tmp_path / "run")
    Poison(job.run, "D", range(60), always=True)
    with pytest.raises(UserError, match="lower the learning rates"):
        job.play()
    assert not job.folder.checkpoints()


# ---- a collapse, forced


FALLS = '''"""A game that learns up to a step, by matching means and covariances, and then makes one item alone."""
from dataclasses import dataclass, replace
import torch
from zerosum import noise
from zerosum.recipes import gan

@dataclass(frozen=True, kw_only=True)
class Config(gan.Config):
    falls: int = 100  # step

def build(cfg, spec):
    game = gan.build(cfg, spec)
    d_turn, g_turn = game.turns
    def loss(nets, batch, clock):
        made, real = nets["G"](noise.normal(cfg.batch, cfg.z_dim)).flatten(1), batch["x"].flatten(1)
        if clock.step >= cfg.falls:
            return {"adv": 9 * (made - 1).square().mean()}
        far = (made.mean(0) - real.mean(0)).square().sum() + (made.T.cov() - real.T.cov()).square().sum().sqrt()
        return {"adv": far}
    return replace(game, turns=(d_turn, replace(g_turn, loss=loss)))
'''


@pytest.fixture
def falling(tmp_path):
    (tmp_path / "falls.py").write_text(FALLS)
    return str(tmp_path / "falls.py")


def test_a_collapse_is_noticed_and_training_ends_at_the_best(tmp_path, falling):
    job = small(falling, folder=tmp_path / "run", steps=600, falls=80, width=32, lr_g=3e-2, batch=64)
    assert job.play()
    notes = [row for row in job.folder.rows() if "note" in row]
    assert [row["guard"]["name"] for row in notes] == ["mend"] * 5 + ["stop"]
    assert {row["guard"]["kind"] for row in notes} <= {"collapse", "worse", "partial"}
    assert [row["guard"]["remedy"] for row in notes[:5]] == ["lr", "lr", "r1", "noise", "lr"]
    assert 0 < job.run.clock.step <= 100
    best = min((row["guard"]["score"], row["step"]) for row in job.folder.rows() if "score" in row.get("guard", {}))
    assert job.run.clock.step == best[1] == job.folder.shown()
    again = Job.resume(tmp_path / "run", recipe=falling)
    assert again.play() and again.run.clock.step == best[1]  # it stays ended
    longer = Job.resume(tmp_path / "run", steps=640, recipe=falling)
    assert longer.play() and "(try 1)" in longer.notes[0]  # and tries anew where asked to


def test_a_last_step_that_is_worse_is_not_the_one_shown(tmp_path, falling):
    job = small(falling, folder=tmp_path / "run", steps=120, falls=80, width=32, lr_g=5e-3, batch=64)
    assert job.play()
    (note,) = [row for row in job.folder.rows() if "note" in row]
    assert note["guard"]["name"] == "shown" and "is shown, sampled and scored" in note["note"]
    best = job.run.clock.step
    assert best < 120 and set(job.folder.checkpoints()) >= {best, 120} and job.folder.shown() == best
    shown = open_run(tmp_path / "run", recipe=falling)
    assert torch.equal(shown.make(5)["x"], job.sampler.make(5)["x"])
    assert not torch.equal(open_run(tmp_path / "run", 120, recipe=falling).make(5)["x"], job.sampler.make(5)["x"])
    for _ in range(2):  # scored again, and not played on
        again = Job.resume(tmp_path / "run", recipe=falling)
        assert again.play() and again.run.clock.step == best
        assert torch.equal(again.sampler.make(5)["x"], job.sampler.make(5)["x"])
        assert sum("note" in row for row in again.folder.rows()) == 1
    assert Job.resume(tmp_path / "run", recipe=falling, reading=True).run.clock.step == best


def test_the_end_prefers_no_earlier_state_where_cheap_features_cannot_tell():
    job = small("gan", steps=100, guard=False, lr_g=2e-3, lr_d=2e-3, width=32)
    assert job.play()
    run, kept = job.run, Snapshot.take(job.run)
    guard = Guard(run, job.source, every=20)

    def look(step, brighter):
        kept.put_back(run)
        run.clock = replace(run.clock, step=step)
        with torch.no_grad():
            list(run.nets["G"].parameters())[-1].add_(brighter)
        guard.look(1.0, {})
        return guard.reading.score

    best, tried = look(100, 0.0), [0.02 * 1.2**i for i in range(30)]
    worse = next(more for i, more in enumerate(tried) if 1.2 * best < look(120 + 20 * i, more) < 1.4 * best)
    look(800, worse)
    assert guard.memory.best.score <= best and len(guard.memory.readings) >= 6  # so that the best could be preferred
    assert guard.finish() is None and run.clock.step == 800


def test_a_phase_is_not_given_up_for_what_came_before_it():
    job = small("gan", steps=20, guard=False)
    assert job.play()
    run = job.run
    run.game = replace(run.game, phases=(0.5,))
    guard = Guard(run, job.source, every=20)

    def look(step):
        run.clock = replace(run.clock, step=step, total=800)
        return guard.look(1.0, {})

    assert look(380) is None
    guard.memory.best = replace(guard.memory.best, score=guard.reading.score / 100)  # pixels alone were nearer by the score
    assert [look(step) for step in range(400, 801, 40)] == [None] * 11  # within one phase that is trouble
    assert guard.memory.phase == 1 and guard.memory.best.step >= 400
    assert guard.finish() is None and run.clock.step == 800
    assert Memory.from_json(json.loads(json.dumps(guard.memory.to_json()))).phase == 1


@pytest.mark.parametrize("recipe", ["srgan", "inpaint", "pix2pix", "compose", "restore"])
def test_recipes_with_a_phase_of_pixels_say_so(recipe):
    module = recipes.find(recipe)
    game = module.build(module.Config(width=8, pixel_share=0.3), _toy(vars(module)["NEEDS"]).spec)
    assert game.phases == (0.3,)


def test_what_was_mended_survives_a_stop(tmp_path, falling):
    job = small(falling, folder=tmp_path / "run", steps=600, falls=80, width=32, lr_g=3e-2, batch=64)
    seen = []

    class Stop(Exception):
        pass

    def broken_off(row):
        seen.append(row)
        if sum("note" in one for one in seen) == 3:
            raise Stop  # as a kill would, right after the third remedy was written down

    job.folder.watchers.append(broken_off)
    with pytest.raises(Stop):
        job.play()
    again = Job.resume(tmp_path / "run", recipe=falling)
    assert again.memory.remedies == ["lr", "lr", "r1"] and again.memory.best.step == again.run.clock.step
    assert (again.run.clock.lr_scale, again.run.clock.r1) == (1 / 16, 0.05)
    for _ in play(again.run, again.source):
        break
    assert again.run.optims["G"].param_groups[0]["lr"] == pytest.approx(3e-2 / 16)
    again = Job.resume(tmp_path / "run", recipe=falling)
    assert again.play()
    names = [row["guard"]["remedy"] for row in again.folder.rows() if "note" in row]
    assert names == ["lr", "lr", "r1", "noise", "lr", ""]


def test_a_mended_run_comes_to_rest_at_its_end():
    job = small(steps=60, guard_every=0, lr_g=1e-3)
    for _ in play(job.run, job.source):
        if job.run.clock.step == 20:
            job.run.clock = mended(job.run.clock, PENALTY)
    (group,) = job.run.optims["G"].param_groups
    assert group["lr"] == pytest.approx(1e-3 / 40)  # one step of the forty that were left


def test_from_a_mend_on_an_average_is_shown_and_kept(tmp_path):
    """Its half-life is at least a step, so that after the first step it is the mean of before and after."""
    job = small(steps=60, guard=False, folder=tmp_path / "run")
    run = job.run
    steps = play(run, job.source)
    for _ in range(20):
        next(steps)
    early, before = Snapshot.take(run), [p.clone() for p in run.nets["G"].parameters()]
    with run.shown() as nets:
        assert nets["G"] is run.nets["G"]
    run.steady("G")
    run.clock = mended(run.clock, PENALTY)
    next(play(run, job.source))
    for old, new, mean in zip(before, run.nets["G"].parameters(), run.nets["G_ema"].parameters(), strict=True):
        assert torch.allclose(mean, (old + new) / 2, atol=1e-6)
    with run.shown() as nets:
        assert nets["G"] is run.nets["G_ema"]
    job.folder.save(run, 0.0)
    again = small(steps=60, guard=False).run
    with torch.no_grad():
        for p in again.nets.parameters():
            p.zero_()
    job.folder.restore(again)
    assert all(torch.equal(value, again.nets.state_dict()[name]) for name, value in run.nets.state_dict().items())
    for one in (run, again):
        for _ in play(one, job.source):
            pass
    assert all(torch.equal(value, again.nets.state_dict()[name]) for name, value in run.nets.state_dict().items())
    early.put_back(run)  # which was taken before there was an average: it begins anew
    assert all(torch.equal(run.nets["G"].state_dict()[n], value) for n, value in run.nets["G_ema"].state_dict().items())


def test_a_run_killed_right_after_it_was_mended_goes_on_as_if_it_had_not_been(tmp_path):
    """The checkpoint it goes on from is older than the average, and the run still keeps one."""
    job = small("dcgan", steps=30, folder=tmp_path / "run", ema_halflife_kimg=0.0)
    whole, source = job.run, job.source
    guard = Guard(whole, source, every=10)
    for _ in play(whole, source):
        if whole.clock.step in (10, 20):
            guard.look(1.0, {})
        if whole.clock.step == 20:
            break
    assert guard._mend(signals.Trouble("worse", "worse")).to == guard.best.clock.step > 0
    job.folder.save(guard.best, 0.0)  # as it was saved before the trouble
    job.folder.save(guard.to_save(), 0.0, guard=guard.memory.to_json())
    killed = small("dcgan", steps=30, ema_halflife_kimg=0.0).run
    job.folder.restore(killed)
    assert killed.clock == whole.clock
    Guard(killed, source, 10, memory=Memory.from_json(job.folder.guarded(killed.clock.step)), best=Snapshot.take(killed))
    for run in (whole, killed):
        for _ in play(run, source):
            pass
    kept, found = whole.nets.state_dict(), killed.nets.state_dict()
    assert any(name.startswith("G_ema.") for name in kept) and list(kept) == list(found)
    assert all(torch.equal(value, found[name]) for name, value in kept.items())


# ---- the eye


def doubled_digits():
    """Digits of 16 x 16 pixels, and their labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    x = np.kron(found.images, np.ones((2, 2))) * 255 / 16
    return x.round().astype(np.uint8), found.target


@pytest.fixture(scope="module")
def larger():
    return arrays.load(*doubled_digits())


def test_an_eye_is_a_function_of_the_data_however_it_grows(larger, monkeypatch):
    monkeypatch.setattr(eye, "STEPS", 12)
    torch.manual_seed(3)
    expected = torch.randn(3)
    torch.manual_seed(3)
    at_once, in_parts = eye.Eye(larger), eye.Eye(larger)
    at_once.grow(1e9)
    grown = 0
    while not in_parts.open:
        in_parts.grow(0.0)
        torch.manual_seed(3)  # whatever else is drawn between
        grown += 1
    assert grown >= 12 and at_once.open
    assert torch.equal(torch.randn(3), expected)
    items = larger.held_out()["x"]
    assert at_once.distance(items) == in_parts.distance(items)


def test_an_eye_tells_real_from_blurred_from_one_digit(larger, monkeypatch):
    monkeypatch.setattr(eye, "STEPS", 100)
    watching = eye.Eye(larger)
    assert not watching.open
    watching.grow(1e9)
    held = larger.held_out()
    blurred = torch.nn.functional.interpolate(torch.nn.functional.avg_pool2d(held["x"], 4), scale_factor=4)
    real, soft, one = (watching.distance(x) for x in (held["x"], blurred, held["x"][held["y"] == 3]))
    assert real < 0.2 * min(soft, one)
    assert torch.tensor(watching.distance(held["x"] * torch.nan)).isnan()


def test_an_eye_is_for_labelled_images_of_some_size(larger):
    assert eye.suits(larger) and not eye.suits(open_source("digits")) and not eye.suits(open_source("ring8"))


def test_the_best_is_the_eyes_where_it_is_open_and_a_healthy_run_is_still_left_alone(tmp_path, larger, monkeypatch):
    monkeypatch.setattr(eye, "STEPS", 40)
    runs = []
    for guard in (True, False):
        plan = Training(steps=60, device="cpu", pictures=0, scores=0, guard=guard, guard_every=10)
        job = Job.new("array", larger, "cgan", recipes.find("cgan").Config(width=8, batch=16), plan, tmp_path / str(guard))
        assert job.play()
        runs.append((job.folder.path / "step-60" / "nets.safetensors").read_bytes())
    assert runs[0] == runs[1]
    seen = [row["guard"] for row in RunDir(tmp_path / "True").rows() if "score" in row.get("guard", {})]
    assert len(seen) >= 6 and all(one["fine"] > 0 for one in seen)
    kept = RunDir(tmp_path / "True").guarded(60)["best"]
    assert kept["fine"] == pytest.approx(min(one["fine"] for one in seen), rel=0.02)


def test_the_best_is_seen_again_when_the_eye_opens(larger, monkeypatch):
    monkeypatch.setattr(eye, "STEPS", 20)
    plan = Training(steps=60, device="cpu", pictures=0, scores=0)
    job = Job.new("array", larger, "cgan", recipes.find("cgan").Config(width=8, batch=16), plan, None)
    guard = Guard(job.run, larger)
    monkeypatch.setattr(guard_module, "SHARE", 1.0)
    guard.look(2.0, {})
    assert guard.memory.best is not None and guard.memory.best.fine is None
    guard._eye.grow(1e9)
    before = Snapshot.take(job.run)
    guard.look(9.0, {})
    assert guard.memory.best.fine == pytest.approx(guard.reading.fine)  # the same state, seen twice
    assert all(torch.equal(value, job.run.nets.state_dict()[name]) for name, value in before.nets.items())
    assert job.run.clock == before.clock


def test_what_an_eye_chose_is_not_given_up_while_there_is_none(larger):
    """A resumed run's eye grows anew; until it is open cheap features would only guess."""
    plan = Training(steps=60, device="cpu", pictures=0, scores=0)
    job = Job.new("array", larger, "cgan", recipes.find("cgan").Config(width=8, batch=16), plan, None)
    guard = Guard(job.run, larger, best=Snapshot.take(job.run))
    guard.memory = Memory(items=64, best=Reading(0, 1e9, 1.0, 0.5, fine=3.0))
    guard._read()
    assert guard.reading.score < 1e9 and guard.memory.best.fine == 3.0 and guard.memory.stale == 0
    guard._eye.grow(0.0)
    assert not guard._eye.open


def test_few_items_must_differ_more():
    assert guard_module.finely(1000) == pytest.approx(1.0316, abs=1e-4) and guard_module.finely(64) == 1.125


# ---- a healthy game


@pytest.mark.parametrize(("recipe", "data"), [("cgan", "digits"), ("gan", "ring8")])
def test_a_healthy_run_is_left_alone_bit_for_bit(tmp_path, recipe, data):
    jobs = [small(recipe, data, tmp_path / str(guard), 60, guard=guard, guard_every=10) for guard in (True, False)]
    assert all(job.play() for job in jobs)
    for name in ("nets.safetensors", "optim.pt"):
        assert len({(job.folder.path / "step-60" / name).read_bytes() for job in jobs}) == 1, name
    rows = list(jobs[0].folder.rows())
    assert sum("guard" in row for row in rows) >= 6
    assert not [row for row in rows if "note" in row and row["guard"]["name"] != "shown"]


def test_patience_ends_a_run_that_got_no_better(tmp_path):
    job = small("gan", folder=tmp_path / "run", steps=4000, lr_g=1e-12, lr_d=1e-12, patience=5)
    assert job.play()
    assert job.run.clock.step == 20 and "no better in 5 readings" in job.notes[-1]


def test_a_time_plan_ends_in_time_after_going_back():
    job = small(steps=None, minutes=0.05, log_every=10)
    poison = Poison(job.run, "G", {9})
    assert job.play() and poison.done == [9]
    assert 2.9 < job.before < 9 and job.run.clock.total > 9


def test_memory_survives_json_and_odd_values():
    memory = Memory(500, BEST, BEST, 2, readings(1, 2), ["lr"], [7], "", None)
    assert Memory.from_json(json.loads(json.dumps(memory.to_json()))) == memory
    for odd in ({}, {"best": 3}, memory.to_json() | {"readings": [1]}, memory.to_json() | {"best": {"step": 1}}):
        assert Memory.from_json(odd) == Memory()


def test_a_broken_run_is_not_gone_on_with():
    source = open_source("ring8")
    run = build_run("gan", recipes.find("gan").Config(width=8), source.spec, Training(steps=5, device="cpu"))
    with torch.no_grad():
        next(run.nets["G"].parameters()).fill_(torch.nan)
    with pytest.raises(UserError, match="no longer a finite number"):
        Guard(run, source)


# ---- what people are told


def told(folder):
    from zerosum.guard.doctor import diagnosis

    return "\n".join(diagnosis(folder))


def test_the_doctor_and_the_report_tell_of_a_collapse(tmp_path, falling):
    from zerosum.report import write_report

    job = small(falling, folder=tmp_path / "run", steps=600, falls=80, width=32, lr_g=3e-2, batch=64)
    job.play()
    said = told(job.folder)
    assert "ended early at step" in said and "the guard stopped it" in said
    assert said.count("went back to step") == 5 and "remedies did not help" in said
    assert "distance to real items" in said and "What to try:" in said and "--lr-g" in said
    page = write_report(job.folder).read_text()
    assert "What the guard saw and did" in page and page.count("went back to step") == 5


def test_the_doctor_on_healthy_and_on_odd_folders(tmp_path, tiny_run):
    from zerosum.rundir import RunDir

    healthy = told(RunDir(tiny_run))
    assert "finished at step 6" in healthy and "found nothing wrong" in healthy and "train longer" in healthy
    (tmp_path / "config.json").write_text('{"format": 1}')
    odd = [{"step": 3, "guard": 5}, {"step": 4, "note": "x", "guard": {"kind": []}}, {"step": 5, "note": "y", "guard": {}}]
    odd += [
        {"step": 6, "guard": {"score": "1", "spread": None}},
        {"step": 7, "guard": {"score": 1e200, "spread": 1, "coverage": 1}},
    ]
    odd += [{"step": 8, "D/logit_real": 10**400, "D/logit_fake": "x", "note": 5, "guard": {"from": "z", "name": {}}}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in odd))
    assert "nothing saved yet" in told(RunDir(tmp_path))


def test_the_doctor_sees_progress_and_a_plateau(tmp_path):
    from zerosum.rundir import RunDir

    (tmp_path / "config.json").write_text('{"format": 1}')
    write = lambda scores: (tmp_path / "log.jsonl").write_text(
        "".join(
            json.dumps({"step": i, "guard": {"score": s, "spread": 1.0, "coverage": 0.9}}) + "\n" for i, s in enumerate(scores)
        )
    )
    write([100 / (i + 1) for i in range(20)])
    assert "still getting better" in told(RunDir(tmp_path)) and "100 -> 5" in told(RunDir(tmp_path))
    write([10] * 5 + [5, 5.1] * 10)
    assert "stopped getting better" in told(RunDir(tmp_path))
    looks = [{"score": 9 - 0.5 * i, "spread": 1.0, "coverage": 0.9, "fine": 2.0 + abs(i - 4)} for i in range(12)]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps({"step": i, "guard": look}) + "\n" for i, look in enumerate(looks)))
    assert "best 7 at step 4 " in told(RunDir(tmp_path))  # what the eye saw counts, and not the cheap score
    assert "stopped getting better" in told(RunDir(tmp_path))


# ---- two processes


TOGETHER = '''"""A fault on one of two ranks, then a collapse: both go back together. The first has an eye."""
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from zerosum import parallel
from zerosum.data import open_source
from zerosum.guard import eye
from zerosum.job import Job
from zerosum.settings import settings
from zerosum.train import Training

parallel.start()
eye.STEPS = 5
out, falls = Path(sys.argv[1]), sys.argv[2]
cfg = settings(falls, {"batch": 32, "width": 16, "falls": 80, "lr_g": 5e-3})
plan = Training(steps=240, guard_every=20, log_every=20, pictures=0, scores=0, threads=1, device="cpu")
source = open_source(str(out / "larger.npz"))
job = Job.new("digits", source, falls, cfg, plan, out / "run")
struck = []

def spoil(grad):
    if parallel.rank() == 1 and job.run.clock.step == 33 and not struck:
        struck.append(33)
        return torch.full_like(grad, torch.nan)
    return grad

weight = next(job.run.nets["G"].parameters())
weight.requires_grad_(True).register_hook(spoil)
weight.requires_grad_(False)
assert job.play()
flat = torch.cat([p.detach().flatten() for p in job.run.nets.parameters()])
both = [torch.empty_like(flat) for _ in range(2)]
dist.all_gather(both, flat)
assert torch.isfinite(flat).all() and torch.equal(*both)
(out / f"rank-{parallel.rank()}").write_text("\\n".join([str(job.run.clock.step), *job.notes]))
parallel.wait_for_all()
parallel.stop()
sys.stdout.flush()
os._exit(0)
'''


def test_two_processes_go_back_together(tmp_path, falling):
    (tmp_path / "together.py").write_text(TOGETHER)
    images, labels = doubled_digits()
    np.savez(tmp_path / "larger.npz", x=images, y=labels)
    words = ("--standalone", "--nproc-per-node", "2", tmp_path / "together.py", tmp_path, falling)
    code, _, err = finish(start(*words, module="torch.distributed.run"))
    assert code == 0, err
    one, other = ((tmp_path / f"rank-{rank}").read_text().split("\n") for rank in (0, 1))
    assert one[0] == other[0] and len(one) == len(other) and "nothing changed" in one[1]
    assert any("went back" in note for note in one[2:])
    seen = [row["guard"] for row in RunDir(tmp_path / "run").rows() if "score" in row.get("guard", {})]
    assert seen and all(look["fine"] > 0 for look in seen)
