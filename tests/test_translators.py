"""Networks that turn images into images, and the pool of past ones."""

import copy

import pytest
import torch
from torch.nn.functional import instance_norm

from zerosum import UserError, noise, recipes
from zerosum.data.source import Spec
from zerosum.layers.border import filled_up
from zerosum.layers.norm import InstanceNorm
from zerosum.layers.pool import ImagePool
from zerosum.nets import patch
from zerosum.nets.translator import Retoucher, Translator, blocks_for
from zerosum.nets.unet import UNet, most_downs


def trained_like(net):
    """Weights large enough that a pixel's influence is not lost in rounding."""
    for p in net.parameters():
        if p.ndim > 1:
            torch.nn.init.orthogonal_(p)
    return net


@pytest.mark.parametrize("size", [(64, 64), (37, 50), (16, 90), (5, 7), (1, 3)])
@pytest.mark.parametrize("kind", ["instance", "batch", "none"])
def test_a_unet_takes_any_size(size, kind):
    net = UNet(5, 3, downs=3, width=4, kind=kind, blocks=1, finish=4)
    out = net(torch.rand(2, 5, *size) * 2 - 1)
    assert out.shape == (2, 3, *size) and out.abs().max() <= 1


@pytest.mark.parametrize("size", [(64, 64), (30, 45), (5, 6)])
def test_a_translator_takes_any_size(size):
    out = Translator(1, 3, width=4, blocks=2)(torch.rand(2, 1, *size) * 2 - 1)
    assert out.shape == (2, 3, *size) and out.abs().max() <= 1


def test_an_untrained_retoucher_changes_next_to_nothing_and_stays_in_range():
    a = torch.rand(2, 3, 24, 20) * 2 - 1
    net = Retoucher(3, 3, width=8, blocks=2)
    assert (net(a) - a).abs().max() < 0.011
    with torch.no_grad():
        net.body[-1].bias.fill_(5.0)
    out = net(a.sign())
    assert out.abs().max() <= 1 and out.min() > 0.9  # even black can become white


def test_only_kinds_of_as_many_channels_can_be_painted_over():
    spec = Spec("images", (3, 16, 16), given={"a": [1, 16, 16]}, made="b")
    with pytest.raises(UserError, match="as many channels"):
        recipes.find("cyclegan").build(recipes.find("cyclegan").Config(width=4, paints="over"), spec)


def test_unets_of_the_paper_have_its_number_of_layers_and_weights():
    """Isola et al. 2017, appendix: at 256 pixels 8 halvings, 64 to 512 channels. Counted by hand: 4 x 4 x (in x out)."""
    assert [most_downs(side, side) for side in (256, 128, 64, 512)] == [8, 7, 6, 8]
    net = UNet(3, 3, downs=8, kind="batch")
    down = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 4 * 512 * 512)
    up = 16 * (512 * 512 + 3 * 1024 * 512 + 1024 * 256 + 512 * 128 + 256 * 64 + 128 * 3)
    assert sum(p.numel() for p in net.parameters() if p.ndim == 4) == down + up
    assert [blocks_for(256, 300), blocks_for(128, 128)] == [9, 6]


def test_what_is_filled_up_is_a_reflection_however_much_is_missing():
    x = torch.arange(3.0).expand(1, 1, 2, 3)
    assert filled_up(x, 8)[0, 0, 0].tolist() == [0, 1, 2, 1, 0, 1, 2, 1]
    assert filled_up(x, 1) is x
    large = torch.rand(1, 2, 7, 9)
    assert torch.equal(filled_up(large, 4), torch.nn.functional.pad(large, (0, 3, 0, 1), mode="reflect"))


def test_a_unet_of_a_size_that_fits_is_not_changed_by_the_filling():
    """Cutting off what a filled-up picture gave, and giving a picture filled up by hand, are the same."""
    torch.manual_seed(0)
    net, x = UNet(1, 1, downs=2, width=4).eval(), torch.rand(1, 1, 10, 12)
    assert torch.equal(net(x), net(filled_up(x, 4))[..., :10, :])


def test_dropout_is_off_when_shown_and_follows_the_shared_stream_in_training():
    torch.manual_seed(0)
    net, x = UNet(1, 1, downs=3, width=4, dropout=0.5), torch.rand(2, 1, 16, 16)

    def seeded(seed):
        noise.seed_step(0, seed)
        return net(x)

    assert torch.equal(seeded(0), seeded(0)) and not torch.equal(seeded(0), seeded(1))
    net.eval()
    assert torch.equal(seeded(0), seeded(1))


@pytest.mark.parametrize(("n_layers", "pixels"), [(1, 16), (2, 34), (3, 70)])
def test_a_logit_sees_a_patch_of_the_size_that_is_said(n_layers, pixels):
    """By the gradient: 70 pixels for three halvings, as the paper says (section 4.4)."""
    assert patch.receptive_field(n_layers) == pixels
    net = trained_like(patch.Discriminator(1, n_layers, width=2, kind="none"))
    x = torch.rand(1, 1, 160, 160).requires_grad_()
    logits = net(x)
    at = logits.shape[2] // 2
    (gradient,) = torch.autograd.grad(logits[0, 0, at, at], x)
    rows, columns = gradient[0, 0].nonzero().unbind(1)
    assert rows.max() - rows.min() + 1 == columns.max() - columns.min() + 1 == pixels


@pytest.mark.parametrize("size", [(6, 6), (8, 30), (16, 16), (33, 47), (64, 64), (128, 70)])
def test_patches_are_left_at_any_size(size):
    logits = patch.Discriminator(4, patch.layers_for(*size), width=2)(torch.rand(2, 4, *size))
    assert logits.shape[:2] == (2, 1) and logits.numel() >= 2
    assert [patch.layers_for(side, side) for side in (256, 128, 64, 32)] == [3, 3, 2, 1]


def test_the_paper_s_discriminator_has_its_number_of_weights():
    net = patch.Discriminator(6, 3)
    assert sum(p.numel() for p in net.parameters() if p.ndim == 4) == 16 * (6 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)


@pytest.mark.parametrize("affine", [False, True])
@pytest.mark.parametrize("large", [0, 1000])
def test_instance_norm_is_torchs_with_its_derivatives(affine, large, monkeypatch):
    monkeypatch.setattr("zerosum.layers.norm.LARGE", large)  # both ways
    x = torch.randn(3, 2, 4, 5, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    net = InstanceNorm(2, affine).double()
    if affine:
        torch.nn.init.normal_(net.weight), torch.nn.init.normal_(net.bias)
    assert torch.allclose(net(x), instance_norm(x, None, None, net.weight, net.bias, True, 0.0, 1e-5), atol=1e-12)
    with torch.no_grad():
        assert torch.allclose(net(x), net(x.detach()), atol=1e-12)
    assert net(x).is_contiguous(memory_format=torch.channels_last)
    assert torch.autograd.gradcheck(net, x) and torch.autograd.gradgradcheck(net, x)
    assert InstanceNorm(2)(torch.rand(1, 2, 1, 1)).tolist() == [[[[0.0]], [[0.0]]]]


def pooled(pool, steps, batch=4, first=0):
    """What the pool gives for images that are the numbers 0, 1, 2 ..., `batch` a step."""
    out = []
    for step in range(first, first + steps):
        noise.seed_step(7, step)
        out.append(pool(torch.arange(step * batch, (step + 1) * batch).float()[:, None]))
    return torch.cat(out).flatten()


def test_the_pool_fills_then_gives_half_of_the_time_an_older_image():
    out = pooled(ImagePool((1,), 50), 1000)
    assert torch.equal(out[:50], torch.arange(50.0))  # while it fills, each comes back
    new = out == torch.arange(4000.0)
    assert abs(new[50:].double().mean() - 0.5) < 0.03
    old = (torch.arange(4000.0) - out)[50:][~new[50:]]
    assert (old > 0).all() and (out[~new].unique(return_counts=True)[1] == 1).all()  # each comes out once
    # An image is taken out with probability 1/2 / 50 for each new one: it stays 100 on average.
    assert 85 < old[500:].mean() < 115


def test_a_pool_of_no_images_gives_the_newest():
    assert torch.equal(pooled(ImagePool((1,), 0), 3), torch.arange(12.0))


def test_the_pool_goes_on_exactly_from_its_state():
    whole, broken = ImagePool((1,), 10), ImagePool((1,), 10)
    first = pooled(broken, 20)
    state = copy.deepcopy(broken.state_dict())
    again = ImagePool((1,), 10)
    again.load_state_dict(state)
    assert torch.equal(torch.cat([first, pooled(again, 20, first=20)]), pooled(whole, 40))
    assert torch.equal(whole.images, again.images)
