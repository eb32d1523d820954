"""NIQE: its fits find what they should, and it orders photographs as eyes do."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import avg_pool2d

from zerosum.errors import UserError
from zerosum.metrics.niqe import Model, fit, load, niqe, normalised, patch_features


@pytest.fixture
def model(shared_data):
    path = shared_data("").parent / "weights" / "niqe_pris_params.npz"
    if not path.exists():
        pytest.skip("needs ../shared/weights")
    return load(path)


def generalised(shape, scale, n):
    """|x| = scale * Gamma(1 / shape) ** (1 / shape)."""
    gamma = torch.distributions.Gamma(torch.tensor(1 / shape, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
    return scale * gamma.sample((n,)) ** (1 / shape)


@pytest.mark.parametrize(("shape", "left", "right"), [(2.0, 1.0, 1.0), (1.0, 0.5, 0.5), (0.8, 1.0, 2.0), (3.0, 2.0, 0.7)])
def test_a_fit_recovers_an_asymmetric_generalised_gaussian(shape, left, right):
    """Density (eq. 5): each side has mass in proportion to its scale."""
    torch.manual_seed(0)
    n = 400_000
    x = torch.where(torch.rand(n) < left / (left + right), -generalised(shape, left, n), generalised(shape, right, n))
    found = [float(part) for part in fit(x[None])]
    assert found == pytest.approx([shape, left, right], rel=0.03)


def test_a_normal_sample_has_shape_2_and_scale_root_2():
    torch.manual_seed(0)
    shape, left, right = fit(torch.randn(2, 400_000, dtype=torch.float64))
    assert torch.allclose(shape, torch.full((2,), 2.0, dtype=torch.float64), atol=0.03)
    assert torch.allclose(left, right, rtol=0.02) and float(left[0]) == pytest.approx(2**0.5, rel=0.02)


def test_normalised_levels_do_not_see_brightness_and_hardly_contrast():
    torch.manual_seed(0)
    window = torch.full((7, 7), 1 / 49, dtype=torch.float64)
    grey = torch.rand(60, 60, dtype=torch.float64) * 100
    assert torch.allclose(normalised(grey, window), normalised(grey + 50, window), atol=1e-9)
    assert torch.allclose(normalised(grey, window), normalised(2 * grey, window), atol=0.1)
    assert normalised(torch.full((20, 20), 9.0, dtype=torch.float64), window).abs().max() < 1e-9


def test_features_are_of_each_patch_by_itself():
    torch.manual_seed(0)
    model = Model(torch.zeros(36).double(), torch.eye(36).double(), torch.full((7, 7), 1 / 49).double())
    grey = torch.rand(192, 288).double() * 255
    found = patch_features(grey, 96, model)
    assert found.shape == (6, 18)
    changed = grey.clone()
    changed[100:180, 200:280] = 0  # in the last patch, further than the window from the others
    assert torch.equal(patch_features(changed, 96, model)[:5], found[:5])
    assert not torch.equal(patch_features(changed, 96, model)[5], found[5])


def test_the_distance_is_mahalanobis_between_the_two_laws(model):
    """With a model whose mean is the image's own, it is 0; shifted by one eigenvector, as eq. 10 says."""
    torch.manual_seed(0)
    image = (torch.rand(1, 1, 192, 288) * 2 - 1).round(decimals=2)
    levels = ((image.double() + 1) * 127.5).round()
    half = torch.nn.functional.interpolate(levels, size=(96, 144), mode="bicubic", antialias=True)
    features = torch.cat([patch_features(levels[0, 0], 96, model), patch_features(half[0, 0], 48, model)], 1)
    own = Model(features.mean(0), 1e3 * torch.eye(36).double(), model.window)
    assert float(niqe(image, own)) == pytest.approx(0, abs=1e-6)
    away = torch.ones(36).double()
    both = (own.cov + torch.cov(features.T)) / 2
    wanted = float((away @ torch.linalg.inv(both) @ away).sqrt())
    assert float(niqe(image, Model(own.mean + away, own.cov, model.window))) == pytest.approx(wanted, rel=1e-6)


def test_sharp_photographs_come_before_blurred_and_noisy_ones(model, shared_data):
    torch.manual_seed(0)
    for name in ("100075", "100080"):
        with Image.open(shared_data(f"bsds500/images/{name}.jpg")) as file:
            x = torch.from_numpy(np.array(file.convert("RGB"))).permute(2, 0, 1)[None] / 127.5 - 1
        sharp, blurred, noisy = (float(niqe(y, model)) for y in (x, avg_pool2d(x, 3, 1, 1), x + 0.2 * torch.randn(x.shape)))
        assert 2 < sharp < blurred < noisy


def test_what_cannot_be_scored_ends_in_one_line(tmp_path, model):
    with pytest.raises(UserError, match="two patches of 96 x 96"):
        niqe(torch.zeros(1, 3, 100, 100), model)
    with pytest.raises(UserError, match="no NIQE parameters at"):
        load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(UserError, match="that can be read"):
        load(tmp_path / "other.npz")
