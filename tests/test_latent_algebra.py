"""The browser's algebra of points does what Python's does."""

import json

import pytest
import torch

from zerosum.shows._walk import lerp, slerp


@pytest.fixture
def algebra(explore, open_page, tiny_run):
    """`algebra(name, *arguments)` in a browser: lists of numbers go in as Float32Array, and come back as a tensor."""
    page = open_page(explore(tiny_run).address)

    def call(name, *arguments):
        script = """async ([name, values]) => {
            const module = await import("/latent/algebra.js");
            const typed = (value) => !Array.isArray(value) ? value
                : Array.isArray(value[0]) ? value.map(typed) : Float32Array.from(value);
            const given = values.map(typed);
            const before = JSON.stringify(given);
            const made = module[name](...given);
            if (JSON.stringify(given) !== before) throw new Error("it changed what it was given");
            return [...made];
        }"""
        plain = [value.tolist() if isinstance(value, torch.Tensor) else value for value in arguments]
        return torch.tensor(page.evaluate(script, [name, json.loads(json.dumps(plain))]), dtype=torch.float32)

    return call


def test_ways_are_those_of_python_and_end_where_they_should(algebra):
    a, b = torch.randn(2, 24, generator=torch.Generator().manual_seed(0))
    for t in (0.0, 0.25, 0.5, 0.9, 1.0):
        torch.testing.assert_close(algebra("slerp", a, b, t), slerp(a[None], b[None], t)[0], atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(algebra("lerp", a, b, t), lerp(a, b, t), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(algebra("slerp", a, -a, 0.5), torch.zeros(24))  # no one great circle: straight
    torch.testing.assert_close(algebra("slerp", a, a, 0.3), a)
    unit_a, unit_b = a / a.norm(), b / b.norm()
    assert abs(algebra("slerp", unit_a, unit_b, 0.37).norm() - 1) < 1e-6
    for straight in (False, True):
        assert torch.equal(algebra("between", a, b, 0, straight), a) and torch.equal(algebra("between", a, b, 1, straight), b)


def test_a_way_through_three_passes_the_second_and_a_square_has_its_corners(algebra):
    points = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    a, b, c, d = points
    assert torch.equal(algebra("along", points[:3], 0.5, False), b)
    torch.testing.assert_close(algebra("along", points[:3], 0.75, False), slerp(b[None], c[None], 0.5)[0])
    assert torch.equal(algebra("along", points[:1], 0.75, False), a)
    for (u, v), corner in (((0, 0), a), ((1, 0), b), ((0, 1), c), ((1, 1), d)):
        assert torch.equal(algebra("square", points, u, v, False), corner)
    torch.testing.assert_close(algebra("square", points, 0.5, 0.5, True), points.mean(0), atol=1e-6, rtol=1e-6)


def test_a_direction_moves_its_layers_alone_and_comes_back(algebra):
    w, vector = torch.randn(3, 4, generator=torch.Generator().manual_seed(2)), torch.tensor([1.0, 0.0, -2.0, 0.5])
    moved = algebra("add", w.flatten(), vector, 1.5, 1, 3).view(3, 4)
    assert torch.equal(moved[0], w[0])
    torch.testing.assert_close(moved[1:], w[1:] + 1.5 * vector)
    torch.testing.assert_close(algebra("add", moved.flatten(), vector, -1.5, 1, 3).view(3, 4), w)


def test_truncation_mixing_and_classes_are_what_the_paper_says(algebra):
    w, v = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(3))
    mean = torch.tensor([1.0, 2.0, 3.0, 4.0])
    flat = w.flatten()
    assert torch.equal(algebra("truncate", flat, mean, 1), flat)
    torch.testing.assert_close(algebra("truncate", flat, mean, 0).view(3, 4), mean.expand(3, 4))
    torch.testing.assert_close(algebra("truncate", flat, mean, 0.7).view(3, 4), mean + 0.7 * (w - mean))
    for layer in range(4):
        mixed = algebra("mix", flat, v.flatten(), layer, 4).view(3, 4)
        assert torch.equal(mixed, torch.cat([w[:layer], v[layer:]]))
    assert algebra("shares", 3, 1).tolist() == [0, 1, 0]
    torch.testing.assert_close(algebra("shares", 3, 0, 2, 0.25), torch.tensor([0.75, 0.0, 0.25]))


def test_variations_keep_the_spread_of_the_space_and_the_bounds_of_uniform_noise(algebra):
    x, y = torch.randn(2, 4096, generator=torch.Generator().manual_seed(4))
    mean = torch.tensor([5.0])
    varied = algebra("vary", x + 5, y + 5, 0.6, mean, False)
    assert abs(varied.mean() - 5) < 0.1 and abs(varied.std() - 1) < 0.05
    cosine = torch.nn.functional.cosine_similarity(varied - 5, x, 0)
    assert abs(cosine - torch.tensor(0.6).cos()) < 0.05
    bounded = algebra("vary", x.sign(), y.sign(), 0.6, mean, True)
    assert bounded.abs().max() <= 1
