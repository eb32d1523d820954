"""The nouns and the loop, on games small enough to be played by hand."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.optim import SGD

from zerosum import noise
from zerosum.game import Clock, Game, Player, Turn
from zerosum.play import Pace, Run, play, split


class Numbers:
    """Batch number b of a seed is a function of both; rows are dealt to ranks in order."""

    def __init__(self, width=3):
        self.width, self.drawn = width, []

    def batches(self, size, seed, start=0, rank=0, world=1):
        for cursor in range(start, 10**9):
            self.drawn.append(cursor)
            generator = torch.Generator().manual_seed(1000 * seed + cursor)
            x = torch.randn(size, self.width, generator=generator)
            yield {"x": x.chunk(world)[rank], "cursor": torch.full((size // world,), float(cursor))}


def game(turns, players=None, nets=None, **more):
    torch.manual_seed(0)
    nets = nets or {"G": nn.Linear(3, 3), "D": nn.Linear(3, 1)}
    players = players or {"G": Player(("G",), partial(SGD, lr=0.1)), "D": Player(("D",), partial(SGD, lr=0.1))}
    draw = lambda n: {"z": torch.randn(n, 3)}
    return Game(nets, players, tuple(turns), draw, generate=lambda nets, inputs: nets["G"](inputs["z"]), **more)


def both(nets, batch, clock):
    """A loss that reaches every net, with no .detach() anywhere."""
    return {"adv": nets["D"](nets["G"](batch["x"])).square().mean()}


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def played(run, source=None):
    """What each step logged, as numbers."""
    return [{name: value.item() for name, value in logs.items()} for logs in play(run, source or Numbers())]


# -- names and times


SGD1 = partial(SGD, lr=0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: game([Turn("X", both)]), "turn of player X not among G, D"),
        (lambda: game([Turn("D", both)], players={"D": Player(("D", "Q"), SGD1)}), "player D trains net Q not among G, D"),
        (lambda: game([Turn("D", both)], ema={"H": lambda clock: 0.9}), "average of net H not among G, D"),
        (lambda: game([Turn("D", both)], nets={name: nn.Linear(1, 1) for name in ("G", "D", "G_ema")}), "net G_ema"),
        (lambda: game([]), "at least one turn"),
        (lambda: game([Turn("D", both, repeat=0)]), "player D: repeat and every count from 1"),
        (lambda: game([Turn("G", both, every=0)]), "player G: repeat and every count from 1"),
    ],
)
def test_names_that_do_not_agree_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        change()


def test_when_a_turn_is_due():
    assert [s for s in range(10) if Turn("D", both).due(s)] == list(range(10))
    assert [s for s in range(10) if Turn("D", both, every=4).due(s)] == [0, 4, 8]
    assert [s for s in range(10) if Turn("D", both, span=(3, 6)).due(s)] == [3, 4, 5]
    assert [s for s in range(20) if Turn("D", both, every=4, span=(3, 13)).due(s)] == [4, 8, 12]
    assert Turn("D", both, span=(7, float("inf"))).due(10**9)


def test_progress_runs_from_zero_to_one_and_stays():
    assert [Clock(step, 4).progress for step in range(7)] == [0, 0.25, 0.5, 0.75, 1, 1, 1]
    assert Clock(0, 0).progress == 0


# -- who moves


@pytest.mark.parametrize(("player", "other"), [("G", "D"), ("D", "G")])
def test_a_turn_moves_only_its_players_nets(player, other):
    run = Run(game([Turn(player, both)]), total=2, batch=4)
    before = {name: state(run.nets[name]) for name in "GD"}
    played(run)
    assert same(state(run.nets[other]), before[other])
    assert not any(torch.equal(value, before[player][name]) for name, value in state(run.nets[player]).items())
    assert all(p.grad is None for p in run.nets[other].parameters())  # nor was its gradient even computed


def test_one_step_is_gradient_descent():
    made = game([Turn("D", lambda nets, batch, clock: {"mse": (nets["D"](batch["x"]) - 1).square().mean()})])
    w, b = (p.detach().double().clone() for p in made.nets["D"].parameters())
    played(Run(made, total=1, batch=8))
    x = next(Numbers().batches(8, 0))["x"].double()
    error = 2 * (x @ w.T + b - 1) / 8
    torch.testing.assert_close(made.nets["D"].weight.detach().double(), w - 0.1 * error.T @ x, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(made.nets["D"].bias.detach().double(), b - 0.1 * error.sum(0), rtol=1e-6, atol=1e-7)


def test_terms_are_summed_and_each_is_logged():
    def two(nets, batch, clock):
        return {"a": nets["D"].weight.sum(), "b": 2 * nets["D"].weight.sum()}

    run = Run(game([Turn("D", two)]), total=1, batch=4)
    before = run.nets["D"].weight.clone()
    (logs,) = played(run)
    assert logs == {"D/a": pytest.approx(before.sum().item()), "D/b": pytest.approx(2 * before.sum().item())}
    torch.testing.assert_close(run.nets["D"].weight, before - 0.1 * 3)


def test_players_that_share_a_net_both_move_it():
    players = {"a": Player(("G",), partial(SGD, lr=0.1)), "b": Player(("G", "D"), partial(SGD, lr=0.5))}
    up = lambda nets, batch, clock: {"up": -nets["G"].weight.sum()}
    run = Run(game([Turn("a", up), Turn("b", up)], players), total=1, batch=4)
    before = run.nets["G"].weight.clone()
    played(run)
    torch.testing.assert_close(run.nets["G"].weight, before + 0.6)


def test_frozen_parameters_stay_frozen():
    nets = {"G": nn.Linear(3, 3), "D": nn.Linear(3, 1)}
    nets["D"].bias.requires_grad_(False)
    run = Run(game([Turn("D", both)], nets=nets), total=3, batch=4)
    before = state(run.nets["D"])
    played(run)
    assert torch.equal(run.nets["D"].bias, before["bias"])
    assert not torch.equal(run.nets["D"].weight, before["weight"])


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_a_passed_turn_leaves_everything_untouched(momentum):
    players = {"D": Player(("D",), partial(SGD, lr=0.1, momentum=momentum, weight_decay=0.1))}

    def sometimes(nets, batch, clock):
        return both(nets, batch, clock) if clock.step == 0 else {}

    run = Run(game([Turn("D", sometimes, repeat=2)], players), total=4, batch=4)
    steps = play(run, Numbers())
    assert set(next(steps)) == {"D/adv"}
    before, optim = state(run.nets), copy.deepcopy(run.optims["D"].state_dict())
    assert next(steps) == {} and next(steps) == {}
    assert same(state(run.nets), before)
    after = run.optims["D"].state_dict()
    for old, new in zip(optim["state"].values(), after["state"].values(), strict=True):
        assert all(old[k] is new[k] or torch.equal(old[k], new[k]) for k in old)
    assert run.clock.step == 3
    assert run.clock.batches == 2 + 1 + 1  # who passes is not asked again in the same step


def test_a_detached_term_is_logged_and_moves_nothing():
    def watched(nets, batch, clock):
        return both(nets, batch, clock) | {"weight": 100 * nets["D"].weight.sum().detach()}

    runs = [Run(game([Turn("D", loss)]), total=3, batch=4) for loss in (both, watched)]
    plain, more = (played(run) for run in runs)
    assert same(state(runs[0].nets), state(runs[1].nets))
    assert [set(logs) for logs in more] == [{"D/adv", "D/weight"}] * 3
    assert [logs["D/adv"] for logs in plain] == [logs["D/adv"] for logs in more]


def test_a_turn_of_detached_terms_alone_is_logged_and_passed():
    players = {"D": Player(("D",), partial(SGD, lr=0.1, momentum=0.9))}
    watch = lambda nets, batch, clock: {"logit": nets["D"](batch["x"]).mean().detach()}
    run = Run(game([Turn("D", both, span=(0, 1)), Turn("D", watch)], players), total=3, batch=4)
    steps = play(run, Numbers())
    next(steps)
    before = state(run.nets)
    assert set(next(steps)) == {"D/logit"}
    assert same(state(run.nets), before)


# -- how they move


def test_parts_of_a_batch_give_the_whole_batchs_step():
    runs = [Run(game([Turn("D", both), Turn("G", both)]), total=5, batch=12, pace=Pace(accum=accum)) for accum in (1, 2, 3)]
    logs = [played(run) for run in runs]
    for run, log in zip(runs[1:], logs[1:], strict=True):
        for p, q in zip(runs[0].nets.parameters(), run.nets.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-6)
        for a, b in zip(logs[0], log, strict=True):
            assert a == pytest.approx(b, rel=1e-5)


def test_split_cuts_every_key_alike():
    batch = {"x": torch.arange(12).view(6, 2), "y": torch.arange(6)}
    parts = split(batch, 3)
    assert [part["y"].tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert torch.equal(torch.cat([part["x"] for part in parts]), batch["x"])
    assert split(batch, 1) == [batch]


@pytest.mark.parametrize("accum", [3, 5])
def test_a_batch_that_cannot_be_split_is_refused(accum):
    with pytest.raises(ValueError, match=f"batch 16 cannot be split over 1 ranks x {accum} parts"):
        Run(game([Turn("D", both)]), total=1, batch=16, pace=Pace(accum=accum))


def test_lr_scale_multiplies_the_learning_rate():
    players = {"D": Player(("D",), partial(SGD, lr=0.1), lr_scale=lambda clock: 1 - clock.progress)}
    up = lambda nets, batch, clock: {"up": -nets["D"].weight.sum()}
    run = Run(game([Turn("D", up)], players), total=4, batch=4)
    seen = [run.nets["D"].weight.clone()]
    seen += [run.nets["D"].weight.clone() for _ in play(run, Numbers())]
    rises = [(b - a).mean().item() for a, b in pairwise(seen)]
    assert rises == pytest.approx([0.1, 0.075, 0.05, 0.025], abs=1e-6)


def test_rates_that_were_mended_fall_to_the_end_and_never_above_the_games_own_schedule():
    up = lambda nets, batch, clock: {"up": -nets["D"].weight.sum()}

    def rises(lr_scale=None):
        run = Run(game([Turn("D", up)], {"D": Player(("D",), partial(SGD, lr=0.4), lr_scale=lr_scale)}), total=4, batch=4)
        run.clock = replace(run.clock, lr_scale=0.25, lr_falls_from=0.5)
        seen = [run.nets["D"].weight.clone()]
        seen += [run.nets["D"].weight.clone() for _ in play(run, Numbers())]
        return [(b - a).mean().item() for a, b in pairwise(seen)]

    assert rises() == pytest.approx([0.1, 0.1, 0.1, 0.05], abs=1e-6)
    assert rises(lambda clock: 1 - clock.progress) == pytest.approx([0.1, 0.075, 0.05, 0.025], abs=1e-6)


def test_lr_scale_multiplies_each_groups_own_rate():
    def two_rates(params):
        return SGD([{"params": params[:1], "lr": 1.0}, {"params": params[1:], "lr": 0.1}])

    players = {"D": Player(("D",), two_rates, lr_scale=lambda clock: 0.5)}
    up = lambda nets, batch, clock: {"up": -nets["D"].weight.sum() - nets["D"].bias.sum()}
    run = Run(game([Turn("D", up)], players), total=2, batch=4)
    weight, bias = (p.clone() for p in run.nets["D"].parameters())
    played(run)
    torch.testing.assert_close(run.nets["D"].weight, weight + 2 * 0.5)
    torch.testing.assert_close(run.nets["D"].bias, bias + 2 * 0.05)


@pytest.mark.parametrize(("size", "moved"), [(100.0, 0.5), (0.01, 0.01)])
def test_clip_bounds_the_norm_of_the_whole_gradient(size, moved):
    players = {"D": Player(("D",), partial(SGD, lr=1.0), clip=0.5)}

    def push(nets, batch, clock):
        parts = torch.cat([nets["D"].weight.flatten(), nets["D"].bias])
        return {"push": size * parts.sum() / 2}  # four parameters: a gradient of norm `size`

    run = Run(game([Turn("D", push)], players), total=1, batch=4)
    before = torch.cat([p.flatten() for p in run.nets["D"].parameters()]).clone()
    played(run)
    after = torch.cat([p.flatten() for p in run.nets["D"].parameters()])
    assert (after - before).norm().item() == pytest.approx(moved, rel=1e-4)


def test_moving_average_is_the_geometric_sum():
    nets = {"G": nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), "D": nn.Linear(3, 1)}

    def through(nets, batch, clock):
        return {"up": -nets["G"](batch["x"]).square().mean() - nets["G"][0].weight.sum()}

    decay = 0.8
    run = Run(game([Turn("G", through)], nets=nets, ema={"G": lambda clock: decay}), total=6, batch=4)
    seen = [run.nets["G"][0].weight.double().clone()]
    assert torch.equal(run.nets["G_ema"][0].weight, run.nets["G"][0].weight)
    for _ in play(run, Numbers()):
        seen.append(run.nets["G"][0].weight.double().clone())
    expected = decay**6 * seen[0] + sum((1 - decay) * decay ** (6 - k) * seen[k] for k in range(1, 7))
    torch.testing.assert_close(run.nets["G_ema"][0].weight.double(), expected, rtol=1e-5, atol=1e-6)
    for old, new in zip(run.nets["G_ema"].buffers(), run.nets["G"].buffers(), strict=True):
        assert torch.equal(old, new)  # running statistics are not averaged twice
    assert run.nets["G"][1].num_batches_tracked == 6
    with run.shown() as shown:
        assert shown["G"] is run.nets["G_ema"] and shown["D"] is run.nets["D"]
        assert not shown["G"].training and not torch.is_grad_enabled()


def test_showing_nets_puts_each_back_as_it_was():
    nets = {"G": nn.Sequential(nn.Linear(3, 3), nn.Dropout()), "D": nn.Linear(3, 1), "frozen": nn.BatchNorm1d(3).eval()}
    run = Run(game([Turn("D", both)], nets=nets, ema={"G": lambda clock: 0.5}), total=1, batch=4)
    with pytest.raises(KeyError), run.shown() as shown:
        assert not any(module.training for module in shown.modules())
        raise KeyError
    assert run.nets["G"].training and run.nets["G"][1].training and run.nets["D"].training
    assert not run.nets["frozen"].training


# -- data and time


def test_repeat_draws_fresh_batches_and_later_turns_share_the_last():
    seen = []

    def look(name):
        def loss(nets, batch, clock):
            seen.append((name, int(batch["cursor"][0]), clock.step))
            return {"up": nets[name].weight.sum()}

        return loss

    run = Run(game([Turn("D", look("D"), repeat=3), Turn("G", look("G"))]), total=2, batch=4)
    played(run)
    assert seen == [(p, c, step) for step in (0, 1) for p, c in zip("DDDG", (3 * step + i for i in (0, 1, 2, 2)), strict=True)]
    assert run.clock == Clock(step=2, total=2, batches=6)


def test_turns_are_taken_when_due_and_a_step_without_any_draws_nothing():
    seen = []

    def look(nets, batch, clock):
        seen.append((clock.step, int(batch["cursor"][0])))
        return {"up": nets["D"].weight.sum()}

    source = Numbers()
    run = Run(game([Turn("D", look, every=3, span=(2, 9))]), total=10, batch=4)
    logs = played(run, source)
    assert seen == [(3, 0), (6, 1)]
    assert [bool(log) for log in logs] == [step in (3, 6) for step in range(10)]
    assert source.drawn == [0, 1] and run.clock.batches == 2


def noisy_game():
    """Everything that a resumed run could get wrong: dropout, noise, batch norm, momentum, averages, repeats, schedules."""
    torch.manual_seed(0)
    nets = {
        "G": nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3)),
        "D": nn.Sequential(nn.Linear(3, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1)),
    }
    adam = partial(torch.optim.Adam, lr=0.01, betas=(0.5, 0.9))
    players = {"G": Player(("G",), adam, lr_scale=lambda c: 1 - c.progress), "D": Player(("D",), adam, clip=1.0)}

    def loss(sign):
        def turn(nets, batch, clock):
            fake = nets["G"](noise.normal(len(batch["x"]), 3))
            return {"adv": sign * (nets["D"](fake).mean() - nets["D"](batch["x"]).mean())}

        return turn

    squeeze = lambda nets, batch, clock: {"squeeze": both(nets, batch, clock)["adv"]}
    turns = [Turn("D", loss(1), repeat=2), Turn("D", squeeze, every=3), Turn("G", loss(-1), span=(1, 99))]
    return game(turns, players, nets, ema={"G": lambda clock: 0.9})


@pytest.mark.parametrize("at", [1, 4])
def test_breaking_off_and_going_on_is_bitwise_the_same(at):
    whole, parts = (Run(noisy_game(), total=8, batch=6, seed=5) for _ in range(2))
    logs = played(whole)
    steps = play(parts, Numbers())
    some = [{name: value.item() for name, value in next(steps).items()} for _ in range(at)]
    steps.close()
    torch.manual_seed(99)
    torch.randn(7)  # whatever happens in between
    assert some + played(parts) == logs
    assert same(state(parts.nets), state(whole.nets))
    assert parts.clock == whole.clock


@pytest.mark.parametrize("at", [1, 4])
def test_a_fresh_run_given_the_state_of_a_broken_off_one_goes_on_bitwise(at):
    whole, first, second = (Run(noisy_game(), total=8, batch=6, seed=5) for _ in range(3))
    logs = played(whole)
    for _, _ in zip(range(at), play(first, Numbers()), strict=False):
        pass
    with torch.no_grad():
        for p in second.nets.parameters():
            p.add_(1)
    second.nets.load_state_dict(first.nets.state_dict())
    for name, optim in second.optims.items():
        optim.load_state_dict(copy.deepcopy(first.optims[name].state_dict()))
    second.clock = first.clock
    assert played(second) == logs[at:]
    assert same(state(second.nets), state(whole.nets))


def test_runs_of_different_seeds_differ():
    one, two = (played(Run(noisy_game(), total=2, batch=6, seed=seed)) for seed in (1, 2))
    assert one[0]["D/adv"] != two[0]["D/adv"]


def test_a_longer_total_set_meanwhile_is_kept():
    run = Run(game([Turn("D", both)]), total=2, batch=4)
    for _ in play(run, Numbers()):
        run.clock = replace(run.clock, total=5)
    assert run.clock.step == 5


def test_bf16_autocast_computes_losses_in_bf16_and_keeps_float32_weights():
    kinds = []

    def loss(nets, batch, clock):
        logit = nets["D"](batch["x"])
        kinds.append(logit.dtype)
        return {"adv": logit.float().mean()}

    run = Run(game([Turn("D", loss)]), total=1, batch=4, pace=Pace(dtype=torch.bfloat16))
    played(run)
    assert kinds == [torch.bfloat16]
    assert {p.dtype for p in run.nets.parameters()} == {torch.float32}


def test_games_on_volumes_and_images_can_be_played():
    nets = {"G": nn.Conv2d(1, 2, 3), "D": nn.Conv3d(1, 2, 3)}

    def loss(nets, batch, clock):
        x = torch.ones(2, 1, 4, 4, 4)
        return {"adv": nets["D"](x).mean() + nets["G"](x[:, :, 0]).mean()}

    run = Run(game([Turn("D", loss), Turn("G", loss)], nets=nets), total=2, batch=4)
    before = state(run.nets)
    played(run)
    assert not any(torch.equal(before[name], value) for name, value in state(run.nets).items())
    assert run.nets["G"].weight.is_contiguous(memory_format=torch.channels_last)


class Counting(nn.Module):
    """A net that counts its uses in a buffer, putting a new tensor in its place each time."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self):
        self.seen = self.seen + 1
        return (self.weight - 1).square().sum()


def test_an_average_follows_a_buffer_that_is_put_in_anothers_place():
    turn = Turn("G", lambda nets, batch, clock: {"loss": nets["G"]()})
    players = {"G": Player(("G",), partial(SGD, lr=0.1))}
    run = Run(game([turn], players, {"G": Counting()}, ema={"G": lambda clock: 0.5}), total=3, batch=2)
    played(run)
    assert run.nets["G_ema"].seen == 3


def test_a_game_in_play_cannot_be_played_twice():
    once = game([Turn("G", both)])
    Run(once, total=1, batch=2)
    with pytest.raises(ValueError, match="Build it anew"):
        Run(once, total=1, batch=2)
