"""PSNR, SSIM and L1: equal to scikit-image's, and read beside floors that need no learning."""

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from zerosum.data import paired
from zerosum.game import Maps
from zerosum.metrics import cycle
from zerosum.metrics import l1 as l1_metric
from zerosum.metrics import psnr as psnr_metric
from zerosum.metrics import ssim as ssim_metric
from zerosum.metrics.against import enlarged, fitted, floors, levels
from zerosum.metrics.case import Case
from zerosum.metrics.l1 import l1
from zerosum.metrics.psnr import luma, psnr
from zerosum.metrics.score import Score
from zerosum.metrics.ssim import ssim
from zerosum.report import _bar

LIKE = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}


def images(n=3, channels=3, height=40, width=53, seed=0):
    """Noise on a slope, in [0, 255] and rounded, and the same with other noise."""
    draw = torch.Generator().manual_seed(seed)
    slope = torch.linspace(20, 220, height)[:, None] * torch.linspace(0.3, 1, width)
    noisy = lambda scale: (slope + scale * torch.randn(n, channels, height, width, generator=draw)).clamp(0, 255).round()
    return noisy(5), noisy(15)


def last(x):
    return x.numpy().transpose(1, 2, 0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_as_scikit_image_has_them(channels):
    a, b = images(channels=channels)
    for i, (one, other) in enumerate(zip(a, b, strict=True)):
        one, other = last(one), last(other)
        assert float(psnr(a, b)[i]) == pytest.approx(peak_signal_noise_ratio(other, one, data_range=255), abs=1e-4)
        assert float(ssim(a, b)[i]) == pytest.approx(structural_similarity(one, other, channel_axis=2, **LIKE), abs=1e-4)
        assert float(l1(a, b)[i]) == pytest.approx(np.abs(one - other).mean() / 255, abs=1e-6)


def test_in_luma_without_the_border():
    a, b = images()
    y = [[rgb2ycbcr(last(image).astype(np.uint8))[4:-4, 4:-4, 0] for image in side] for side in (a, b)]
    psnrs = [peak_signal_noise_ratio(other, one, data_range=255) for one, other in zip(*y, strict=True)]
    ssims = [structural_similarity(one, other, **LIKE) for one, other in zip(*y, strict=True)]
    assert torch.allclose(psnr(luma(a), luma(b), shave=4), torch.tensor(psnrs, dtype=torch.float64), atol=1e-4)
    assert torch.allclose(ssim(luma(a), luma(b), shave=4), torch.tensor(ssims, dtype=torch.float64), atol=1e-4)
    white = luma(torch.full((1, 3, 1, 1), 255.0))
    assert float(white) == pytest.approx(235) and float(luma(torch.zeros(1, 3, 1, 1))) == pytest.approx(16)


def test_ends():
    a, b = images()
    assert torch.isinf(psnr(a, a)).all() and torch.equal(ssim(a, a), torch.ones(3, dtype=torch.float64)) and not l1(a, a).any()
    black, white = torch.zeros(1, 1, 20, 20), torch.full((1, 1, 20, 20), 255.0)
    assert float(psnr(black, white)) == 0 and float(l1(black, white)) == 1 and float(ssim(black, white)) < 1e-3
    with pytest.raises(ValueError, match="smaller than SSIM's window"):
        ssim(a[..., :10], b[..., :10])


def test_in_a_hole_only_the_hole_counts():
    a, b = images()
    hole = torch.zeros(3, 1, 40, 53)
    hole[..., 10:20, 5:30] = 1
    outside = torch.where(hole > 0, b, a)
    assert torch.isinf(psnr(b, outside, where=hole)).all()
    assert torch.allclose(psnr(a, b, where=hole), psnr(a[..., 10:20, 5:30], b[..., 10:20, 5:30]))


def test_enlarging_is_pillows_bicubic():
    a, _ = images(n=1)
    mine = levels(enlarged(a / 127.5 - 1, 3))[0]
    pillows = Image.fromarray(last(a[0]).astype(np.uint8)).resize((159, 120), Image.Resampling.BICUBIC)
    assert np.abs(last(mine) - np.asarray(pillows)).max() <= 1


def test_colours_and_alpha_are_fitted_to_the_output():
    grey, colour = torch.rand(2, 1, 4, 4), torch.rand(2, 3, 4, 4)
    assert torch.equal(fitted(grey, 3), grey.expand(-1, 3, -1, -1))
    assert torch.equal(fitted(colour, 4)[:, 3], torch.ones(2, 4, 4)) and torch.equal(fitted(colour, 4)[:, :3], colour)
    assert torch.allclose(fitted(grey.expand(-1, 3, -1, -1), 1), grey, atol=1e-6)
    assert fitted(torch.rand(2, 5, 4, 4), 3) is None


class Mapper:
    """A generator that maps by a function, of pairs in order."""

    labelled = False

    def __init__(self, source, function, maps, back=None):
        self.source, self.function, self.maps, self.back = source, function, maps, back

    def inputs(self, n, seed=0):
        return self.maps.ask({name: value[:n] for name, value in self.source.held_out().items()})

    def generate(self, inputs):
        return {"x": self.function(inputs["a"])}

    def make(self, n, seed=0):
        return self.generate(self.inputs(n, seed))


def pairs():
    x = np.random.default_rng(0).integers(0, 256, (150, 3, 12, 12)).astype(np.uint8)
    near = np.clip(x.astype(int) + np.random.default_rng(1).integers(-20, 21, x.shape), 0, 255).astype(np.uint8)
    return paired.from_arrays({"near": near, "far": 255 - x}, x, "photo")


MAPS = Maps(lambda batch: {"a": batch["a"]}, ("near", "far"), (3, 3), (12, 12), made="photo")


@pytest.mark.parametrize("metric", [psnr_metric, ssim_metric, l1_metric])
def test_scores_stand_between_the_best_floor_and_perfection(metric):
    source = pairs()
    scored = lambda function, maps=MAPS: metric.measure(Case(Mapper(source, function, maps), source, lambda: None))[0]
    perfect, copier = scored(lambda a: -a[:, 3:]), scored(lambda a: a[:, :3])
    assert set(copier.beside) == {"copy of near", "copy of far", "mean image"}
    assert copier.value == pytest.approx(copier.trivial) == copier.beside["copy of near"]
    assert copier.low < copier.value < copier.high
    better = (lambda a, b: a > b) if copier.better == "higher" else (lambda a, b: a < b)
    assert better(copier.beside["copy of near"], copier.beside["mean image"])
    assert better(perfect.value, copier.value)
    if perfect.real is None:
        assert perfect.value == psnr_metric.MOST
        assert _bar(copier.to_json())["place"] is None and not _bar(perfect.to_json())["below"]
    else:
        assert perfect.value == pytest.approx(perfect.real, abs=1e-6) and _bar(perfect.to_json())["place"] == pytest.approx(100)
    assert metric.applies(Case(Mapper(source, None, MAPS), source, lambda: None))


def test_floors_of_games_that_enlarge_or_mend():
    x = torch.rand(2, 3, 12, 12) * 2 - 1
    mean = torch.zeros(3, 12, 12)
    small = Maps(lambda batch: batch, ("photo",), (3,), (6, 6), scale=2)
    assert set(floors(small, {"a": x[..., ::2, ::2]}, x, mean)) == {"bicubic", "mean image"}
    mask = torch.zeros(2, 1, 12, 12)
    mask[..., 3:6, 3:9] = 1
    hole = Maps(lambda batch: batch, ("photo",), (3,), (12, 12), mask=True)
    found = floors(hole, {"a": x * (1 - mask), "mask": mask}, x, mean)
    known = (mask == 0).expand_as(x)
    assert all(torch.equal(fill[known], x[known]) for fill in found.values())
    inside = found["mean fill"][0, 1][mask[0, 0] > 0]
    assert torch.allclose(inside, x[0, 1][mask[0, 0] == 0].mean().expand_as(inside), atol=1e-6)


def test_there_and_back():
    source = pairs()
    ask = lambda batch: {"a": batch["a"][:, 3:]}
    both = Maps(ask, ("far",), (3,), (12, 12), paired=False, made="photo", back=lambda nets, inputs: inputs["a"])
    scores = cycle.measure(Case(Mapper(source, lambda a: -a, both, back=lambda x: -x), source, lambda: None))
    assert [one.name for one in scores] == ["cycle L1, far", "cycle L1, photo"]
    assert all(one.value == 0 == one.real < 0.1 < one.trivial for one in scores)
    lossy = cycle.measure(Case(Mapper(source, lambda a: -a / 2, both, back=lambda x: -x), source, lambda: None))
    assert all(0.1 < one.value < 0.2 for one in lossy) and isinstance(lossy[0], Score)
    assert not l1_metric.applies(Case(Mapper(source, None, both), source, lambda: None))
