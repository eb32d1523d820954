"""Recipes for tables: what CTGAN and `tabular` promise beyond what every recipe does."""

from itertools import combinations, product

import numpy as np
import pytest
import torch

from zerosum import check_recipe, noise, sampling
from zerosum.agreement import agreement_distance
from zerosum.data import open_source
from zerosum.game import Clock
from zerosum.layers.choices import Choices, grains
from zerosum.nets.staged import Group, Staged
from zerosum.nets.tables import Discriminator
from zerosum.play import Pace, Run, play
from zerosum.recipes import ctgan, tabular

pd = pytest.importorskip("pandas")


@pytest.fixture(scope="module")
def table():
    """400 rows in which b is mostly a, c is rare, and x depends on a."""
    rng = np.random.default_rng(0)
    a = rng.choice(["u", "v", "w"], 400, p=[0.6, 0.3, 0.1])
    b = np.where(rng.random(400) < 0.9, a, "u")
    x = rng.normal(np.where(a == "u", 0.0, 5.0), 1.0)
    return open_source(pd.DataFrame({"a": a, "b": b, "x": x}))


def test_a_choice_is_one_hot_and_follows_the_law_of_its_logits():
    end = Choices(3, [(0, 3)], temperature=0.5).eval()
    raw = torch.tensor([0.2, 0.3, 0.5]).log().expand(20_000, 3)
    row = end(raw, torch.arange(20_000))
    assert torch.equal(row.sum(1), torch.ones(20_000))
    assert torch.allclose(row.mean(0), torch.tensor([0.2, 0.3, 0.5]), atol=0.015)


def test_the_gradient_of_a_choice_is_that_of_its_softmax():
    end = Choices(5, [(1, 3), (3, 5)], temperature=0.7)
    soft = Choices(5, [(1, 3), (3, 5)], temperature=0.7, soft=True)
    raw, weight = torch.randn(6, 5), torch.randn(6, 5)
    found = []
    for one in (end, soft):
        noise.seed_step(0, 0)
        x = raw.clone().requires_grad_(True)
        (one(x) * weight).sum().backward()
        found.append(x.grad)
    assert torch.allclose(*found, atol=1e-6)


def test_numbers_beside_choices_are_tanh():
    row = Choices(3, [(1, 3)], temperature=0.5)(torch.tensor([[0.5, 9.0, -9.0]]))
    assert torch.allclose(row, torch.tensor([[0.5, 0.0, 0.0]]).tanh() + torch.tensor([[0.0, 1.0, 0.0]]))


def test_grains_are_uniform_and_a_function_of_their_integers():
    u = grains(torch.arange(10_000), 3)
    assert torch.equal(u[7:8], grains(torch.tensor([7]), 3))
    assert abs(u.mean() - 0.5) < 0.01 and abs(u.var() - 1 / 12) < 0.002
    assert abs(torch.corrcoef(u.T)[0, 1]) < 0.03 and abs(torch.corrcoef(torch.stack([u[1:, 0], u[:-1, 0]]))[0, 1]) < 0.03


def staged(seed=0):
    torch.manual_seed(seed)
    return Staged([Group(0, 1, ()), Group(1, 3, ((1, 3),)), Group(3, 5, ((3, 5),))], [(0, (3, 5))], 4, 8, narrow=8)


def test_what_is_asked_is_made():
    cond = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    row = staged()(torch.randn(3, 4), cond)
    assert row[0, 3:].tolist() == [0, 1] and row[2, 3:].tolist() == [1, 0] and row[1, 3:].sum() == 1
    assert torch.equal(staged().revealed(row, torch.ones(3, 1)), row[:, 3:])


def agreeing():
    """A generator whose last choice is the one before it, whatever the noise vector."""
    G = staged().eval()
    with torch.no_grad():
        for layer in (G.own, G.straight):
            layer.weight.zero_(), layer.bias.zero_()
        for end in G.ends:
            end.weight.zero_()
        G.tells[1].weight.zero_()[:2] = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
        G.ends[2].weight[:, :2] = torch.tensor([[9.0, 0.0], [0.0, 9.0]])
    return G


def test_a_column_knows_those_before_it_and_none_after():
    """Two columns that agree, whatever the noise vector: made at once they cannot, one after the other they do."""
    G = agreeing()
    with torch.no_grad():
        row = G(torch.zeros(500, 4), torch.zeros(500, 2), torch.arange(500))
    assert 0.4 < row[:, 1].mean() < 0.6
    assert torch.equal(row[:, 1:3], row[:, 3:5])


def test_the_likelihood_of_choices_in_closed_form():
    """With weights of 0 every choice is as likely as its fellows: log 2 for each of two choices, less what is named."""
    G = staged()
    with torch.no_grad():
        for layer in (G.straight, *G.ends):
            layer.weight.zero_()
        G.straight.bias.zero_()
    x = torch.tensor([[0.3, 1.0, 0.0, 0.0, 1.0]]).repeat(4, 1)
    z, nothing, named = torch.randn(4, 4), torch.zeros(4, 2), torch.tensor([[0.0, 1.0]]).repeat(4, 1)
    assert torch.allclose(G.unlikelihood(z, nothing, x), torch.tensor(2 * 2**0.5).log() + torch.tensor(2**0.5).log())
    assert torch.allclose(G.unlikelihood(z, named, x), torch.tensor(2.0).log())


def test_the_likelihood_of_a_choice_looks_at_those_before_it_in_the_row():
    G = agreeing()
    with torch.no_grad():
        same, other = (torch.tensor([[0.0, 1.0, 0.0, *last]]) for last in ([1.0, 0.0], [0.0, 1.0]))
        agreed, not_agreed = (G.unlikelihood(torch.zeros(1, 4), torch.zeros(1, 2), x) for x in (same, other))
    assert torch.allclose(agreed, torch.tensor(2.0).log(), atol=1e-3)  # of the first choice; the second is certain
    assert not_agreed > 20


def test_a_pack_is_judged_as_one():
    D = Discriminator(5, 8, 2, pack=4)
    assert D(torch.randn(12, 5)).shape == (3, 1)


def test_ctgan_keeps_every_recipes_promises(table):
    check_recipe("ctgan", table, batch=20, width=16, z_dim=8)


def test_ctgans_penalty_is_on_the_gradient_of_a_pack(table):
    """With D(pack) = sum of a pack's numbers its gradient is all ones, of norm sqrt(pack width): the term is known."""
    cfg = ctgan.Config(batch=20, pack=5, width=8, z_dim=4)
    game = ctgan.build(cfg, table.spec)

    class Sum(torch.nn.Module):
        def forward(self, x, cond=None):
            return x.reshape(4, -1).sum(1, keepdim=True)

    nets = torch.nn.ModuleDict({"G": game.nets["G"], "D": Sum()})
    batch = next(game.feed(table).batches(20, 0))
    noise.seed_step(0, 0)
    term = game.turns[0].loss(nets, batch, Clock())["gradient_penalty"]
    assert float(term) == pytest.approx(10 * ((5 * table.codec.width) ** 0.5 - 1) ** 2, rel=1e-5)


def test_ctgan_samples_by_the_natural_law(table):
    torch.manual_seed(0)
    game = ctgan.build(ctgan.Config(), table.spec)
    cond = sampling.draw(game, 20_000, 0)["cond"]
    span = next(span for span in table.codec.spans if span.column == "a")
    asked = cond[:, span.condition : span.condition + span.size]
    share = asked.sum(0) / asked.sum()
    assert torch.equal(cond.sum(1), torch.ones(20_000))
    assert torch.allclose(share, torch.tensor(span.counts) / sum(span.counts), atol=0.02)


def test_ctgans_generator_learns_to_make_what_is_asked(table):
    run = Run(ctgan.build(ctgan.Config(batch=100, width=32, z_dim=8, lr_g=2e-3), table.spec), 200, 100, seed=0, pace=Pace())
    for _ in play(run, table):
        pass
    inputs = sampling.draw(run.game, 500, 0)
    span = next(span for span in table.codec.spans if span.column == "a")
    inputs["cond"].zero_()[:, span.condition] = 1.0
    made = sampling.generate(run, inputs)["x"][:, span.start : span.stop]
    assert (made.argmax(1) == 0).float().mean() > 0.95


def test_the_distance_is_the_sum_over_all_sets_of_columns():
    """Two choices of 2 and one of 3, all 12 rows in two known proportions: by hand from the marginals, and by the kernel."""
    sizes, b = (2, 2, 3), 0.6
    cells = list(product(*map(range, sizes)))
    rows = torch.tensor([[float(v == k) for v, n in zip(cell, sizes, strict=True) for k in range(n)] for cell in cells])
    torch.manual_seed(0)
    p, q = torch.randint(1, 30, (2, 12)).double()
    p, q = p / p.sum(), q / q.sum()
    by_hand = 0.0
    for order in range(4):
        for chosen in combinations(range(3), order):
            table: dict = {}
            for cell, difference in zip(cells, (p - q).tolist(), strict=True):
                key = tuple(cell[j] for j in chosen)
                table[key] = table.get(key, 0.0) + difference
            by_hand += (np.exp(b) - 1) ** order * sum(value**2 for value in table.values())
    k = (b * (rows.double() @ rows.double().T)).exp()
    assert abs(float((p - q) @ k @ (p - q)) - by_hand) < 1e-9
    cross, fake = (float(left @ k @ right) for left, right in ((p, q), (q, q)))
    real, made = (rows[torch.multinomial(law, 3000, replacement=True)] for law in (p, q))
    assert abs(float(agreement_distance(real, made, b)) - 2 * (fake - 2 * cross) / (fake + cross)) < 0.02


def test_the_distance_pulls_towards_the_real_law():
    """Its gradient with respect to free proportions vanishes at the real ones only."""
    real = torch.nn.functional.one_hot(torch.tensor([0] * 600 + [1] * 300 + [2] * 100), 3).float()
    raw = torch.zeros(3, requires_grad=True)
    end, optim = Choices(3, [(0, 3)], 0.5), torch.optim.Adam([raw], 0.05)
    for step in range(300):
        noise.seed_step(0, step)
        optim.zero_grad()
        agreement_distance(real, end(raw.expand(1000, 3)), 0.7).backward()
        optim.step()
    assert torch.allclose(raw.softmax(0), torch.tensor([0.6, 0.3, 0.1]), atol=0.05)


@pytest.mark.parametrize("revealed", [0.0, 0.5])
def test_tabular_keeps_every_recipes_promises(table, revealed):
    check_recipe("tabular", table, batch=16, pack=4, width=16, z_dim=8, revealed=revealed)


def test_a_told_value_changes_the_columns_before_it_too(table):
    """b is told, a stands before it in the table: after some training a follows what was told."""
    cfg = tabular.Config(batch=100, width=32, narrow=32, z_dim=8, lr_g=2e-3, lr_d=2e-3, revealed=0.8)
    run = Run(tabular.build(cfg, table.spec), 300, 100, seed=0, pace=Pace())
    for _ in play(run, table):
        pass
    a, b = (next(span for span in table.codec.spans if span.column == name) for name in "ab")
    share = []
    for value in (0, 1):
        inputs = sampling.draw(run.game, 600, 0)
        inputs["cond"].zero_()[:, b.condition + value] = 1.0
        made = sampling.generate(run, inputs)["x"]
        assert (made[:, b.start : b.stop].argmax(1) == value).all()
        share.append(float((made[:, a.start : a.stop].argmax(1) == 1).float().mean()))
    assert share[0] < 0.3 and share[1] > 0.6  # in the table: 0.03 and 1


def test_tabular_takes_tables_without_choices():
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 3)), columns=list("abc"))
    check_recipe("tabular", open_source(frame), batch=16, pack=4, width=16, z_dim=8)


def test_a_condition_reveals_what_the_row_holds(table):
    """Every choice is told as often as any other, and rows that are not of the share are told nothing."""
    game = tabular.build(tabular.Config(width=8, revealed=0.5), table.spec)
    seen = []
    turn = tabular.revealing(lambda nets, batch, clock: seen.append(batch) or {}, 0.5)
    for step in range(20):
        noise.seed_step(0, step)
        turn(torch.nn.ModuleDict(game.nets), {"x": table.some(300)["x"]}, None)
    G = game.nets["G"]
    named = torch.stack([G.named(batch["cond"]) for batch in seen])
    assert torch.allclose(named.mean((0, 1)), torch.full((named.shape[2],), 0.25), atol=0.02)
    assert all(((batch["x"][:, G.place] - batch["cond"]) >= 0).all() for batch in seen)


@pytest.mark.parametrize("name", ["ctgan", "tabular"])
def test_recipes_for_tables_refuse_images_and_broken_packs(table, name):
    from zerosum import UserError, recipes

    module = recipes.find(name)
    with pytest.raises(UserError, match="is for tables"):
        module.build(module.Config(), open_source("digits").spec)
    with pytest.raises(UserError, match="multiple of pack"):
        module.build(module.Config(batch=33, pack=4), table.spec)
