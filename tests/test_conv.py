"""The house's convolutions compute what torch's compute, gradients included."""

import pytest
import torch

from zerosum.layers.conv import Conv2d, ConvTranspose2d, convolve, weight_gradient
from zerosum.penalties import exact


def gradients(layer, x):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    (y.float() * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
    return y.float(), x.grad, *(p.grad.clone() for p in layer.parameters())


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("ours", "theirs", "shape", "size"),
    [
        (Conv2d, torch.nn.Conv2d, (128, 96, 4, 2, 1), 8),
        (Conv2d, torch.nn.Conv2d, (128, 32, 3, 1, 1), 7),
        (Conv2d, torch.nn.Conv2d, (160, 32, 1, 1, 0), 5),
        (ConvTranspose2d, torch.nn.ConvTranspose2d, (96, 128, 4, 2, 1), 4),
    ],
)
def test_bf16_layers_agree_with_torch(ours, theirs, shape, size, bias):
    torch.manual_seed(0)
    mine, plain = ours(*shape, bias=bias), theirs(*shape, bias=bias)
    plain.load_state_dict(mine.state_dict())
    x = torch.randn(6, shape[0], size, size).contiguous(memory_format=torch.channels_last)
    for a, b in zip(gradients(mine, x), gradients(plain, x), strict=True):
        assert a.dtype == b.dtype
        assert (a - b).abs().max() <= 0.02 * b.abs().max()


def test_product_weight_gradient_is_exact_in_float64():
    torch.manual_seed(0)
    x, g = torch.randn(3, 5, 9, 7, dtype=torch.float64), torch.randn(3, 4, 5, 4, dtype=torch.float64)
    weight = torch.randn(4, 5, 3, 3, dtype=torch.float64, requires_grad=True)
    torch.nn.functional.conv2d(x, weight, None, 2, 1).backward(g)
    assert torch.allclose(weight_gradient(x, g, 3, 2, 1), weight.grad, atol=1e-12)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("groups", "stride", "padding", "size"), [(1, 1, 1, 5), (2, 1, 1, 4), (2, 2, 1, 6), (1, 2, 0, 6)])
def test_derivatives_of_first_and_second_order_are_exact(groups, stride, padding, size, transposed):
    torch.manual_seed(0)
    x = torch.randn(2, 4, size, size, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 4 // groups, 3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    slide = lambda x, w, b: convolve(x.sin(), w, b, stride, padding, groups, transposed)
    plain = torch.nn.functional.conv_transpose2d if transposed else torch.nn.functional.conv2d
    assert torch.equal(slide(x, weight, bias), plain(x.sin(), weight, bias, stride, padding, groups=groups))
    assert torch.autograd.gradcheck(slide, (x, weight, bias))
    assert torch.autograd.gradgradcheck(slide, (x, weight, bias))


def test_second_derivatives_work_inside_exact():
    layer = Conv2d(128, 16, 4, 2, 1)
    x = torch.randn(2, 128, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16), exact():
        (grad,) = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
        grad.square().sum().backward()
    assert torch.isfinite(layer.weight.grad).all() and layer.weight.grad.abs().sum() > 0


def test_spectral_norm_takes_one_power_iteration_a_pass(monkeypatch):
    from torch.nn.utils.parametrizations import _SpectralNorm

    counted = []
    plain = _SpectralNorm.forward
    monkeypatch.setattr(_SpectralNorm, "forward", lambda self, weight: counted.append(1) or plain(self, weight))
    for layer, size in ((Conv2d(128, 16, 3, 1, 1), 8), (Conv2d(8, 16, 3, 1, 1), 8), (Conv2d(128, 16, 3, 1, 1), 32)):
        torch.nn.utils.parametrizations.spectral_norm(layer)
        counted.clear()
        with torch.autocast("cpu", torch.bfloat16):
            layer(torch.randn(2, layer.in_channels, size, size))
        assert len(counted) == 1
