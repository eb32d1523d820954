"""Layers against their mathematics, and networks against the shapes and ranges they promise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.layers.attention import SelfAttention
from zerosum.layers.layout import joined
from zerosum.layers.spectral import spectral
from zerosum.nets import dcgan, mlp, resnet
from zerosum.nets.shapes import ceil_size, channels, levels

SIZES = [(1, 8, 8), (3, 28, 28), (1, 28, 23), (4, 32, 48), (3, 5, 5)]


def matrix(layer):
    """A layer's effective weight as [out, rest]."""
    weight = layer.weight.detach().double()
    return (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1)


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear(7, 5), torch.randn(2, 7)),
        (nn.Conv2d(3, 6, 3), torch.randn(2, 3, 5, 5)),
        (nn.Conv2d(4, 3, 1, bias=False), torch.randn(2, 4, 5, 5)),
        (nn.ConvTranspose2d(3, 5, 4, 2, 1), torch.randn(2, 3, 5, 5)),
        (nn.Embedding(9, 4), torch.tensor([1, 3])),
    ],
    ids=["linear", "conv3x3", "conv1x1", "transposed", "embedding"],
)
def test_spectral_norm_brings_the_largest_singular_value_to_one(layer, x):
    torch.manual_seed(0)
    nn.init.normal_(layer.weight, 0, 3.0)
    raw = matrix(layer)
    net = spectral(nn.Sequential(layer))
    for _ in range(200):
        net(x)
    values = torch.linalg.svdvals(matrix(layer))
    assert values[0].item() == pytest.approx(1, abs=1e-4)
    torch.testing.assert_close(matrix(layer), raw / torch.linalg.svdvals(raw)[0], rtol=1e-4, atol=1e-5)  # a scaling alone


def test_spectral_norm_follows_a_weight_that_learns_and_rests_in_eval_mode():
    torch.manual_seed(0)
    net = spectral(nn.Sequential(nn.Linear(6, 6)))
    x = torch.randn(3, 6)
    with torch.no_grad():
        net[0].parametrizations.weight.original.mul_(50).add_(torch.randn(6, 6) * 20)
    for _ in range(200):
        net(x)
    assert torch.linalg.svdvals(matrix(net[0]))[0].item() == pytest.approx(1, abs=1e-4)
    net.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net(x)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_spectral_critic_of_lipschitz_layers_is_one_lipschitz():
    torch.manual_seed(0)
    net = spectral(mlp.Discriminator((6,), width=16, depth=2))
    x, y = torch.randn(500, 6), torch.randn(500, 6)
    for _ in range(100):
        net(x)
    rise = (net(x) - net(y)).abs()[:, 0] / (x - y).norm(dim=1)
    assert rise.max() <= 1 + 1e-4


def test_spectral_norm_reaches_every_weight_of_a_network():
    net = spectral(resnet.Discriminator((1, 8, 8), width=4, attention=True))
    plain = [name for name, p in net.named_parameters() if p.ndim > 1 and not name.endswith("parametrizations.weight.original")]
    assert plain == []


def attention_by_hand(layer, x):
    """y_i = x_i + gamma out(sum_j softmax_j(q_i . k_j) v_j) with keys and values max-pooled by 2, in float64 numpy."""
    q, k, v, o = (getattr(layer, n).weight.detach().double().numpy()[:, :, 0, 0] for n in ("query", "key", "value", "out"))
    x = x.double().numpy()
    n, _, height, width = x.shape
    pool = lambda t: t[:, :, : height // 2 * 2, : width // 2 * 2].reshape(n, -1, height // 2, 2, width // 2, 2).max((3, 5))
    queries = np.einsum("dc,nchw->ndhw", q, x)
    keys, values = (pool(np.einsum("dc,nchw->ndhw", m, x)) for m in (k, v))
    scores = np.exp(np.einsum("ndhw,ndij->nhwij", queries, keys))
    shares = scores / scores.sum((3, 4), keepdims=True)
    seen = np.einsum("nhwij,neij->nehw", shares, values)
    return x + layer.gamma.item() * np.einsum("ce,nehw->nchw", o, seen)


@pytest.mark.parametrize("shape", [(2, 16, 6, 6), (3, 8, 4, 10), (2, 4, 7, 5)])
def test_self_attention_equals_its_formula(shape):
    torch.manual_seed(0)
    layer, x = SelfAttention(shape[1]), torch.randn(*shape)
    assert torch.equal(layer(x), x)  # gamma starts at 0
    nn.init.constant_(layer.gamma, 0.7)
    y = layer(x).detach()
    np.testing.assert_allclose(y.double().numpy(), attention_by_hand(layer, x), rtol=1e-5, atol=1e-5)
    assert (y - x).abs().max() > 0.01


def test_self_attention_reaches_across_the_whole_map():
    torch.manual_seed(0)
    layer = SelfAttention(8)
    nn.init.constant_(layer.gamma, 1.0)
    x = torch.randn(1, 8, 8, 8, requires_grad=True)
    layer(x)[0, :, 0, 0].sum().backward()
    assert x.grad[0, :, 6:, 6:].abs().sum() > 0  # a convolution would not see that far


@pytest.mark.parametrize("short", range(1, 130))
def test_levels_keep_at_least_four_pixels_and_less_than_eight(short):
    times = levels(short, 2 * short)
    assert times == levels(2 * short, short)
    if short >= 4:
        assert 4 <= short >> times < 8
    height, width = ceil_size(short, 2 * short, times)
    step = 2**times
    assert 0 <= height * step - short < step and 0 <= width * step - 2 * short < step


def test_channels_double_up_to_eight_times():
    assert [channels(64, level) for level in range(6)] == [64, 64, 128, 256, 512, 512]


def pairs(shape, classes=0):
    made = {
        "dcgan": (dcgan.Generator(shape, 5, 8, classes), dcgan.Discriminator(shape, 8, classes)),
        "mlp": (mlp.Generator(shape, 5, 16, classes=classes), mlp.Discriminator(shape, 16, classes=classes)),
    }
    if not classes:
        for attention in (False, True)[: 2 if min(shape[1:]) >= 8 else 1]:
            nets = (resnet.Generator(shape, 5, 8, attention), resnet.Discriminator(shape, 8, attention))
            made[f"resnet{' with attention' * attention}"] = nets
    return made


@pytest.mark.parametrize("shape", SIZES)
def test_generators_and_discriminators_fit_images_of_any_size(shape):
    torch.manual_seed(0)
    for name, (G, D) in pairs(shape).items():
        z = 3 * torch.randn(6, 5)
        x = G(z)
        assert x.shape == (6, *shape), name
        assert x.abs().max() <= 1 and x.std() > 0, name
        logit = D(x)
        assert logit.shape == (6, 1), name
        logit.sum().backward()
        for net in (G, D):
            idle = [p for p, value in net.named_parameters() if value.grad is None]
            assert idle == [], name


@pytest.mark.parametrize("shape", SIZES)
def test_labels_steer_conditional_networks(shape):
    torch.manual_seed(0)
    y, other = torch.tensor([0, 1, 2]), torch.tensor([1, 2, 0])
    for name, (G, D) in pairs(shape, classes=3).items():
        z = torch.randn(3, 5)
        x = G(z, y)
        assert x.shape == (3, *shape) and D(x, y).shape == (3, 1), name
        assert (G.eval()(z, y) - G(z, other)).abs().max() > 1e-6, name
        assert ((D.eval()(x, y) - D(x, other)).abs() > 1e-9).all(), name


def test_the_projection_discriminator_adds_an_inner_product():
    """Miyato & Koyama 2018, eq. 3: what a label adds to the logit is its embedding's inner product with the features."""
    torch.manual_seed(0)
    D = mlp.Discriminator((4,), width=8, classes=3)
    x, y = torch.randn(5, 4), torch.tensor([0, 2, 1, 1, 0])
    added = D(x, y) - D(x)
    by_hand = np.einsum("nd,nd->n", D.label.weight.detach().numpy()[y], D.body(x).detach().numpy())
    np.testing.assert_allclose(added.detach().numpy()[:, 0], by_hand, rtol=1e-4, atol=1e-6)


def test_vectors_are_unbounded_and_any_width():
    torch.manual_seed(0)
    G, D = mlp.Generator((7,), 5, 16), mlp.Discriminator((7,), 16)
    x = G(1000 * torch.randn(50, 5))
    assert x.shape == (50, 7) and x.abs().max() > 1
    assert D(x).shape == (50, 1)


def test_an_encoder_has_as_many_columns_as_asked():
    assert dcgan.Discriminator((1, 28, 23), 8, out=6)(torch.randn(2, 1, 28, 23)).shape == (2, 6)
    assert mlp.Discriminator((7,), 8, out=6)(torch.randn(2, 7)).shape == (2, 6)


@pytest.mark.parametrize("classes", [0, 3])
def test_logits_are_float32_under_bf16(classes):
    y = (torch.tensor([0, 1]),) if classes else ()
    for name, (G, D) in pairs((1, 8, 8), classes).items():
        with torch.autocast("cpu", torch.bfloat16):
            x = G(torch.randn(2, 5), *y)
            assert x.dtype == torch.bfloat16, name  # autocast is at work
            assert D(x, *y).dtype == torch.float32, name


def test_dcgan_weights_start_as_the_paper_says():
    torch.manual_seed(0)
    G, D = dcgan.Generator((3, 32, 32), 100, 64), dcgan.Discriminator((3, 32, 32), 64)
    for net in (G, D):
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                few = 4 / layer.weight.numel() ** 0.5  # four standard errors, generously
                assert layer.weight.std().item() == pytest.approx(0.02, rel=few)
                assert layer.weight.mean().abs() < 0.02 * few
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in D.down[:2])  # none at D's input
    assert isinstance(G.up[-1], nn.ConvTranspose2d)  # nor at G's output


def test_without_batch_norm_each_logit_depends_on_its_own_item_alone():
    torch.manual_seed(0)
    x = torch.randn(4, 1, 8, 8, requires_grad=True)
    shape = (1, 8, 8)
    plain = dcgan.Discriminator(shape, 8, batch_norm=False)
    for D in (plain, resnet.Discriminator(shape, 8, attention=True), mlp.Discriminator(shape)):
        (gradient,) = torch.autograd.grad(D(x)[0, 0], x)
        assert gradient[0].abs().sum() > 0 and gradient[1:].abs().sum() == 0


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64)])
def test_feature_maps_stay_channels_last_from_end_to_end(shape):
    seen = []

    def look(module, inputs, output):
        if output.ndim == 4 and output.shape[1] > 1:
            seen.append(output.is_contiguous(memory_format=torch.channels_last))

    make, judge = (
        net.to(memory_format=torch.channels_last) for net in (dcgan.Generator(shape, 8, 16), dcgan.Discriminator(shape, 16))
    )
    for layer in (*make.modules(), *judge.modules()):
        layer.register_forward_hook(look)
    judge(make(torch.randn(4, 8)))
    judge(torch.randn(4, *shape))
    assert len(seen) > 12 and all(seen)


def test_joined_maps_are_a_concatenation_whose_gradients_are_tensors_of_their_own():
    one, other = (torch.randn(2, c, 4, 5, dtype=torch.float64, requires_grad=True) for c in (3, 2))
    whole = joined(one, other)
    assert torch.equal(whole, torch.cat([one, other], 1))
    assert torch.autograd.gradcheck(joined, (one, other)) and torch.autograd.gradgradcheck(joined, (one, other))
    seen = []
    for x in (one, other):
        x.register_hook(lambda g: seen.append(g.is_contiguous(memory_format=torch.channels_last)))
    (whole * torch.randn_like(whole).contiguous(memory_format=torch.channels_last)).sum().backward()
    assert seen == [True, True]
    with torch.no_grad():
        assert torch.equal(joined(one, other), whole)
