"""The kernel distance: its definition, its expectation, and leaving groups out."""

import itertools

import pytest
import torch

from zerosum.metrics.kernel import Kernel, kid


def normal(n, d, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(a, b):
    """Binkowski et al. 2018, eq. 4, term by term."""
    k = lambda x, y: float((x @ y / len(x) + 1) ** 3)
    within = lambda s: sum(k(s[i], s[j]) for i, j in itertools.permutations(range(len(s)), 2)) / (len(s) * (len(s) - 1))
    return within(a) + within(b) - 2 * sum(k(x, y) for x in a for y in b) / (len(a) * len(b))


def test_it_is_the_definition():
    a, b = normal(11, 3, 0), normal(7, 3, 1) + 0.5
    assert kid(a, b) == pytest.approx(by_definition(a, b), rel=1e-12)


def test_it_is_unbiased_where_samples_are_small():
    values = torch.tensor([kid(normal(10, 4, 2 * i), normal(20, 4, 2 * i + 1)) for i in range(400)])
    assert (values < 0).any()
    assert abs(values.mean()) < 4 * values.std() / 20


def test_a_shift_has_the_value_of_theory():
    # with d = 1 and x ~ N(m, 1): E(xy + 1)^3 over independent x, y of means m, k; moments 1, m, m^2 + 1, m^3 + 3m
    moments = lambda m: torch.tensor([1.0, m, m**2 + 1, m**3 + 3 * m], dtype=torch.float64)
    binomial = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64)
    k = lambda m, n: float((binomial * moments(m) * moments(n)).sum())
    expected = k(0, 0) + k(1, 1) - 2 * k(0, 1)
    assert kid(normal(20_000, 1, 0), normal(20_000, 1, 1) + 1) == pytest.approx(expected, rel=0.05)


def test_leaving_groups_out_is_leaving_items_out():
    a, b = normal(23, 3, 0), normal(31, 3, 1) + 0.2
    sums = Kernel(a, b, groups=4)
    assert sums.value() == pytest.approx(kid(a, b), rel=1e-10)
    for side, values in enumerate(sums.without()):
        for left, value in enumerate(values):
            parts = [list(s.tensor_split(4)) for s in (a, b)]
            del parts[side][left]
            assert value == pytest.approx(kid(torch.cat(parts[0]), torch.cat(parts[1])), rel=1e-9)
