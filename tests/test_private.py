"""Private mechanisms: what noise costs, what one row can move, what is told of columns, and what is written down."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch.func import functional_call, grad

from zerosum.errors import UserError
from zerosum.nets.tables import Discriminator
from zerosum.private import accountant, columns, grid, values
from zerosum.private.accountant import renyi, single, spent
from zerosum.private.budget import Budget
from zerosum.private.gradient import clipped_sum, private_sum, rowwise
from zerosum.private.key import Key
from zerosum.private.ledger import Ledger, Read
from zerosum.private.moments import Pairs
from zerosum.private.plan import Plan
from zerosum.tables.plain import to_plain
from zerosum.tables.schema import Column, Schema

pd = pytest.importorskip("pandas")
KEY = Key(bytes(32))


# ---- what noise costs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "noise", "steps", "delta", "epsilon"),
    [
        (0.01, 4.0, 10_000, 1e-5, 1.03549),  # Opacus 1.6.0's RDP accountant at the same orders
        (256 / 60_000, 1.1, 14_040, 1e-5, 2.59482),
        (0.02, 1.0, 1000, 1e-6, 4.90009),
        (1.0, 5.0, 1, 1e-5, 0.794522),
        (0.1, 2.0, 50, 1e-5, 1.84922),
    ],
)
def test_the_accountant_gives_known_values(rate, noise, steps, delta, epsilon):
    assert spent(renyi(noise, rate, steps), delta)[0] == pytest.approx(epsilon, rel=1e-5)


def test_the_accountant_agrees_with_opacus_where_it_is_installed():
    opacus = pytest.importorskip("opacus.accountants.analysis.rdp")
    for rate, noise, steps in ((0.01, 4.0, 10_000), (0.004, 0.8, 500), (1.0, 3.0, 7), (0.3, 10.0, 100)):
        orders = [int(order) for order in accountant.ORDERS]
        theirs = opacus.compute_rdp(q=rate, noise_multiplier=noise, steps=steps, orders=orders)
        assert np.allclose(renyi(noise, rate, steps), theirs, rtol=1e-6)
        assert spent(renyi(noise, rate, steps), 1e-5)[0] == pytest.approx(
            opacus.get_privacy_spent(orders=orders, rdp=theirs, delta=1e-5)[0], rel=1e-6
        )


def test_the_sampled_cost_is_the_divergence_itself():
    """At order 2 by quadrature: E over N(0, s) of ((1 - q) + q N(1, s) / N(0, s))^2."""
    x = np.linspace(-25, 25, 400_001)
    for q, s in ((0.1, 1.0), (0.5, 2.0)):
        p0, p1 = norm.pdf(x, 0, s), norm.pdf(x, 1, s)
        by_hand = np.log(np.trapezoid(((1 - q) * p0 + q * p1) ** 2 / p0, x))
        assert renyi(s, q)[0] == pytest.approx(by_hand, rel=1e-6)


def test_a_claim_is_never_below_what_the_gaussian_mechanism_exactly_costs():
    """Balle & Wang 2018, "Improving the Gaussian Mechanism", theorem 8: delta of one Gaussian mechanism at epsilon."""
    for epsilon, delta in ((0.5, 1e-5), (1.0, 1e-5), (3.0, 1e-6)):
        s = single(epsilon, delta)
        exact = norm.cdf(1 / (2 * s) - epsilon * s) - np.exp(epsilon) * norm.cdf(-1 / (2 * s) - epsilon * s)
        assert exact <= delta
    assert spent(renyi(0.0), 1e-5)[0] == np.inf and spent(renyi(1.0, 1.0, 0), 1e-5)[0] == 0


def test_the_ledger_sums_to_what_is_claimed_and_survives_json():
    columns = Ledger(1.0, 1e-5).plus(Read("values", "Gaussian", 12.0, 2.0, 1, delta=1e-6))
    ledger = Plan.of(columns, 0.2, 300, 0.02).ledger(10.0, 1.0)
    assert sum(ledger.shares) == pytest.approx(ledger.spent)
    assert 0.999 <= ledger.spent <= 1.0
    assert all(share > 0 for share, read in zip(ledger.shares, ledger.reads, strict=True) if read.steps)
    assert Ledger.from_json(json.loads(json.dumps(ledger.to_json()))) == ledger
    assert ledger.plus(Read("more", "Gaussian", 5.0, 1.0, 1)).spent > 1.2


def test_a_budget_that_promises_nothing_is_refused():
    for epsilon, delta in ((0.0, 1e-5), (float("inf"), 1e-5), (1.0, 0.0), (1.0, 1.0)):
        with pytest.raises(UserError):
            Budget(epsilon, delta)
    with pytest.raises(UserError, match="one over the table's"):
        Budget(1.0, 1e-3).of(1000)


# ---- noise -----------------------------------------------------------------------------------------------------------


def test_noise_is_normal_a_function_of_key_and_use_and_of_nothing_else():
    x = KEY.normal((200_000,), "a", 1)
    assert abs(x.mean()) < 0.01 and abs(x.std() - 1) < 0.01 and abs((np.abs(x) > 3).mean() - 0.0027) < 0.0005
    assert np.array_equal(x[:7], Key(bytes(32)).normal((200_000,), "a", 1)[:7])
    others = KEY.normal((200_000,), "a", 2), Key(bytes([1]) * 32).normal((200_000,), "a", 1)
    assert all(abs(np.corrcoef(x, other)[0, 1]) < 0.01 for other in others)
    assert Key.fresh() != Key.fresh() and "secret" not in repr(KEY)
    with pytest.raises(UserError, match="64 hexadecimal"):
        Key.from_words("abc")


# ---- D's gradient ----------------------------------------------------------------------------------------------------


def judged(weight=0.0, scale=1.0):
    """A D, and the loss of one row: with R1 of some weight, and far out of bounds where scale is large."""
    torch.manual_seed(0)
    D = Discriminator(6, 8, 2)

    def loss(weights, row):
        judge = lambda x: functional_call(D, weights, (x[None],)).sum()
        slope = grad(judge)(row)
        return scale * torch.nn.functional.softplus(-judge(row)) + weight * slope.square().sum()

    return {name: p.detach() for name, p in D.named_parameters()}, loss


def length(gradient):
    return float(torch.stack([g.double().square().sum() for g in gradient.values()]).sum().sqrt())


@pytest.mark.parametrize(("weight", "scale"), [(0.0, 1.0), (100.0, 1.0), (0.0, 1e8), (10.0, 1e-3)])
def test_no_row_moves_the_sum_by_more_than_the_clip(weight, scale):
    weights, loss = judged(weight, scale)
    torch.manual_seed(1)
    rows = 5 * torch.randn(9, 6)
    rows[3, 0] = float("inf")
    whole = clipped_sum(loss, weights, rows, 0.5)
    for i in range(len(rows)):
        without = clipped_sum(loss, weights, torch.cat([rows[:i], rows[i + 1 :]]), 0.5)
        assert length({name: whole[name] - without[name] for name in whole}) <= 0.5 * (1 + 1e-4)
        assert length(clipped_sum(loss, weights, rows[i : i + 1], 0.5)) <= 0.5


def test_unclipped_the_sum_is_the_gradient_of_the_sum():
    weights, loss = judged(0.3)
    rows = torch.randn(300, 6)  # more than are in memory at once
    plain = grad(lambda w: torch.stack([loss(w, row) for row in rows]).sum())(weights)
    for name, g in clipped_sum(loss, weights, rows, 1e9).items():
        assert torch.allclose(g, plain[name], rtol=1e-3, atol=1e-4)
    assert length(clipped_sum(loss, weights, rows[:0], 1.0)) == 0


def test_noise_is_added_once_a_step_in_proportion_to_the_clip():
    weights, loss = judged()
    none = torch.zeros(0, 6)
    draws = [private_sum(loss, weights, none, 0.5, 4.0, KEY, step) for step in range(40)]
    flat = torch.stack([torch.cat([g.flatten() for g in draw.values()]) for draw in draws])
    assert float(flat.std()) == pytest.approx(2.0, rel=0.03)
    assert torch.equal(flat[3], torch.cat([g.flatten() for g in private_sum(loss, weights, none, 0.5, 4.0, KEY, 3).values()]))


def test_a_discriminator_that_mixes_rows_is_refused():
    for net, why in (
        (torch.nn.Sequential(torch.nn.Linear(6, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)), "normalise"),
        (Discriminator(6, 8, 2, pack=4), "pack"),
        (Discriminator(6, 8, 2, dropout=0.5), "dropout"),
    ):
        with pytest.raises(UserError, match=why):
            rowwise(net, 6)
    rowwise(Discriminator(6, 8, 2), 6)


# ---- pairs of values -------------------------------------------------------------------------------------------------


def rows_of(n, seed=0):
    """One-hot rows with stretches of 2, 3 and 4, the last mostly a copy of the first, which is the target."""
    r = np.random.default_rng(seed)
    a, b = r.integers(0, 2, n), r.integers(0, 3, n)
    c = np.where(r.random(n) < 0.8, a, r.integers(0, 4, n))
    return torch.tensor(np.concatenate([np.eye(2)[a], np.eye(3)[b], np.eye(4)[c]], 1), dtype=torch.float32)


def upper(table):
    return torch.triu(table).flatten()


@pytest.mark.parametrize("target", [None, (0, 2)])
def test_a_row_moves_the_pairs_by_the_sensitivity_and_no_more(target):
    pairs, rows = Pairs([(0, 2), (2, 5), (5, 9)], target), rows_of(50)
    moved = upper(pairs.sums(rows)) - upper(pairs.sums(rows[1:]))
    assert float(moved.norm()) == pytest.approx(pairs.sensitivity)
    wild = torch.cat([rows[:1] * 1e6, rows[1:]])  # whatever stands in a row
    assert float((upper(pairs.sums(wild)) - upper(pairs.sums(rows[1:]))).norm()) <= pairs.sensitivity * (1 + 1e-5)


def test_without_noise_the_pairs_are_the_tables_and_with_noise_they_are_shares():
    pairs, rows = Pairs([(0, 2), (2, 5), (5, 9)], (0, 2)), rows_of(400)
    pairs.measure([rows[:100], rows[100:]], 400, 0.0, KEY)
    by_hand = torch.einsum("nc,na,nb->cab", rows[:, :2], rows[:, 2:], rows[:, 2:]) / 400
    assert torch.allclose(pairs.table, by_hand, atol=1e-6)
    assert float(pairs.distance(rows_of(3000, 1))) == pytest.approx(-1, abs=0.05)
    assert float(pairs.distance(rows_of(3000, 1)[:, [1, 0, 2, 3, 4, 5, 6, 7, 8]])) > -0.7
    pairs.measure([rows], 400, 4.0, KEY)
    assert not torch.allclose(pairs.table, by_hand, atol=1e-3)
    blocks = pairs.table[:, :3, 3:].sum((1, 2)), pairs.table.diagonal(dim1=1, dim2=2)[:, :3].sum(1)
    assert torch.allclose(*blocks, atol=1e-5) and float(blocks[0].sum()) == pytest.approx(1, abs=1e-5)
    assert float(pairs.table.min()) >= 0 and torch.allclose(pairs.table, pairs.table.mT)


# ---- columns ---------------------------------------------------------------------------------------------------------


def test_a_value_that_one_row_has_is_hardly_ever_told():
    """At a delta of 0.2 the name of a lone row's value comes out in a fifth of the draws, and no more."""
    told = 0
    for seed in range(400):
        found, _ = values.tell({"a": np.array(["x"] * 500 + ["lone"], object)}, {}, 3.0, 0.2, Key(seed.to_bytes(32, "big")))
        told += "lone" in found["a"].counts
        assert "x" in found["a"].counts
    assert 0.13 * 400 < told < 0.27 * 400


def test_names_that_the_user_gave_are_told_whatever_the_rows_hold():
    found, read = values.tell({"a": np.array(["x"] * 9, object)}, {"a": ("x", "y")}, 3.0, 1e-6, KEY)
    assert set(found["a"].counts) == {"x", "y"} and read.sensitivity == 1


def test_bins_lie_where_the_numbers_are():
    r = np.random.default_rng(0)
    found, read = grid.lay(
        {"a": r.lognormal(3, 1, 20_000), "b": r.uniform(1990, 2020, 20_000)}, {"b": (1990.0, 2020.0)}, 10.0, KEY
    )
    a, b = found["a"], found["b"]
    assert read.sensitivity == 3**0.5  # a cell for each, a bucket for the one without bounds
    inside = (np.exp(3 - 2.5) < np.array(a.edges)) & (np.array(a.edges) < np.exp(3 + 3))
    assert inside.sum() >= len(a.edges) - 2 and len(a.counts) > 8
    assert b.edges[0] == 1990 and b.edges[-1] == 2020 and len(b.counts) > 10
    assert abs(sum(b.counts) - 20_000) < 1500


@pytest.fixture(scope="module")
def people():
    """6,000 rows: text, a rare name, numbers with a spike, few numbers, gaps, and keys."""
    r = np.random.default_rng(0)
    n = 6000
    town = r.choice(["Ulm", "Bonn"], n, p=[0.7, 0.3]).astype(object)
    town[0] = "Hapax"
    pay = np.where(r.random(n) < 0.4, 0, r.lognormal(8, 1, n)).round()
    age = r.integers(18, 80, n).astype(float)
    age[r.random(n) < 0.2] = np.nan
    rich = np.where(r.random(n) < 0.2 + 0.5 * (town == "Ulm"), "yes", "no")
    return pd.DataFrame(
        {
            "key": [f"K{i:06d}" for i in range(n)],
            "town": town,
            "pay": pay,
            "age": age,
            "kids": r.integers(0, 3, n),
            "rich": rich,
        }
    )


def test_the_codec_knows_what_was_told_and_nothing_else(people):
    codec, ledger = columns.fit(people, columns.public_schema(people, "rich"), Budget(2.0, 1e-5, KEY))
    assert ledger.spent < 2.0 and len(ledger.reads) == 2
    written = json.dumps(codec.to_json())
    assert "Hapax" not in written and "K000000" not in written and str(int(people.pay.max())) not in written
    assert codec.schema["key"].kind == "id" and codec.schema["kids"].kind == "integer"
    assert set(codec.coders["town"].values) == {"Ulm", "Bonn"} and codec.coders["kids"].values == (0.0, 1.0, 2.0)
    assert 0.0 in codec.coders["pay"].special and codec.coders["age"].null
    spans = {span.column: span for span in codec.spans if span.kind == "choice"}
    exact = codec.compact(people).codes
    for place, span in enumerate(s for s in codec.spans if s.kind == "choice"):
        counts = np.bincount(exact[:, place].numpy(), minlength=span.size)
        assert span.counts != tuple(counts) and np.abs(np.array(span.counts) - counts).max() < 400
    back = codec.decode(codec.encode(people))
    assert list(back.columns) == list(people.columns) and (back.dtypes == people.dtypes).all()
    assert (back.rich == people.rich).all() and (back.kids == people.kids).all() and spans["rich"].size == 2
    assert (back.age.isna() == people.age.isna()).all()
    pay = codec.coders["pay"]
    within = (people.pay == 0) | people.pay.between(pay.centres[0] - pay.scales[0], pay.high)
    assert within.mean() > 0.9 and np.allclose(back.pay[within], people.pay[within], atol=1)


def test_another_key_tells_other_counts_and_one_key_the_same(people):
    fit = lambda key: columns.fit(people, columns.public_schema(people, "rich"), Budget(2.0, 1e-5, key))[0].to_json()
    assert fit(KEY) == fit(KEY) != fit(Key.fresh())


def test_what_the_user_says_costs_nothing_and_what_would_be_read_is_refused(people):
    known = Schema(
        (
            Column(name="town", kind="categorical", dtype="object", order=("Bonn", "Ulm", "Rare")),
            Column(name="pay", kind="integer", dtype="float64", low=0.0, high=50_000.0),
            Column(name="rich", kind="categorical", dtype="object", order=("no", "yes")),
        ),
        target="rich",
    )
    codec, _ = columns.fit(people[["town", "pay", "rich"]], known, Budget(1.0, 1e-5, KEY))
    assert codec.coders["town"].values == ("Bonn", "Ulm", "Rare")
    assert (codec.coders["pay"].low, codec.coders["pay"].high) == (0, 50_000)
    never = Schema(known.columns, ({"kind": "never", "columns": ["town", "rich"]},), "rich")
    with pytest.raises(UserError, match="without noise"):
        columns.fit(people[["town", "pay", "rich"]], never, Budget(1.0, 1e-5, KEY))
    with pytest.raises(UserError, match="raise epsilon"):
        columns.fit(people[:100], columns.public_schema(people, "rich"), Budget(1.0, 1e-5, KEY))


def test_kinds_follow_from_types_alone(people):
    schema = columns.public_schema(people, None)
    changed = people.copy()
    changed.loc[0] = ["odd", "odd", -1.5, 1e9, -7, "odd"]
    assert columns.public_schema(changed, None) == schema
    for column in schema.columns:
        to_plain(changed[column.name], column)
