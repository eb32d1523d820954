"""Resampling keeps constants, positions and derivatives; each way is the other's transpose."""

import warnings

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from zerosum.layers.resample import blur, double, halve

TAPS = [(1, 1), (1, 3, 3, 1), (1, 5, 10, 10, 5, 1)]
SIZES = [(8, 8), (7, 12), (5, 9)]


def image(h, w, n=2, c=3, seed=0):
    return torch.randn(n, c, h, w, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("size", SIZES)
def test_a_constant_stays_what_it_is_away_from_the_border(taps, size):
    edge = len(taps) // 2
    ones = torch.ones(1, 1, 20, 20, dtype=torch.float64)
    for made in (halve(ones, taps), double(ones, (40, 39), taps), blur(ones, edge, edge - 1, taps=taps)):
        inner = made[..., edge:-edge, edge:-edge]
        assert torch.allclose(inner, torch.ones_like(inner), atol=1e-14)


def test_positions_are_kept():
    """Pixel centres: a ramp stays the same ramp over the same extent, each pixel at its centre."""
    at = lambda n: (torch.arange(n, dtype=torch.float64) + 0.5) / n
    ramp = at(16).expand(1, 1, 16, 16)
    assert torch.allclose(double(ramp, (32, 32))[0, 0, 8, 1:-1], at(32)[1:-1], atol=1e-14)
    assert torch.allclose(halve(ramp)[0, 0, 4, 1:-1], at(8)[1:-1], atol=1e-14)


def test_bilinear_taps_are_bilinear_interpolation():
    x = image(6, 5)
    theirs = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(double(x, (12, 10))[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1], atol=1e-14)


@pytest.mark.parametrize("taps", TAPS)
@pytest.mark.parametrize("size", SIZES)
def test_each_way_is_the_others_transpose_and_sizes_are_rounded_up(taps, size):
    large = image(*size)
    small = image(-(-size[0] // 2), -(-size[1] // 2), seed=1)
    assert halve(large, taps).shape == small.shape
    assert double(small, size, taps).shape == large.shape
    assert torch.allclose((double(small, size, taps) * large).sum(), 4 * (small * halve(large, taps)).sum(), atol=1e-10)


@pytest.mark.parametrize("function", [halve, lambda x: double(x, (13, 10)), lambda x: blur(x, 1, 2)])
def test_first_and_second_derivatives(function):
    x = image(7, 5, 1, 2).requires_grad_()
    curved = lambda x: function(x.sin())
    assert gradcheck(curved, x) and gradgradcheck(curved, x)


def test_layout_and_half_precision_are_kept():
    x = image(8, 8).float().contiguous(memory_format=torch.channels_last)
    for made in (halve(x), double(x, (16, 16)), blur(x, 2, 1)):
        assert made.is_contiguous(memory_format=torch.channels_last)
        assert made.dtype == torch.float32
    assert (double(x.bfloat16(), (16, 16)).float() - double(x, (16, 16))).abs().max() < 0.05


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch's own, while it compiles
def test_compiled_resampling_is_the_same_in_one_graph_and_without_a_warning():
    """Filters are kept between calls, which torch.compile looks through and warns of."""
    torch.compiler.reset()
    both = lambda x: halve(double(double(x, (12, 15)), (23, 30)))
    x = image(6, 8).float().requires_grad_()
    compiled = torch.compile(both, backend="aot_eager", fullgraph=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        made = compiled(x)
    assert torch.equal(made, both(x))
    slopes = [torch.autograd.grad(y.square().sum(), x)[0] for y in (made, both(x))]
    assert torch.equal(*slopes)
