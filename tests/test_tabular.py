"""Recipes for tables: what CTGAN and `tabular` promise beyond what every recipe does."""

import numpy as np
import pytest
import torch

from zerosum import check_recipe, noise, sampling
from zerosum.data import open_source
from zerosum.layers.choices import Choices, grains
from zerosum.nets.tables import Discriminator, ToOrder
from zerosum.play import Pace, Run, play
from zerosum.recipes import ctgan

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


def test_what_is_asked_is_made():
    G = ToOrder(5, [(1, 3), (3, 5)], [(0, (3, 5))], 4, 8)
    cond = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    row = G(torch.randn(3, 4), cond)
    assert row[0, 3:].tolist() == [0, 1] and row[2, 3:].tolist() == [1, 0] and row[1, 3:].sum() == 1
    assert torch.equal(G.revealed(row, torch.ones(3, 1)), row[:, 3:])


def test_a_pack_is_judged_as_one():
    D = Discriminator(5, 8, 2, pack=4)
    assert D(torch.randn(12, 5)).shape == (3, 1)


def test_ctgan_keeps_every_recipes_promises(table):
    check_recipe("ctgan", table, batch=20, width=16, z_dim=8)


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
