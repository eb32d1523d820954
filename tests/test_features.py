"""Feature networks: what they give, and that a glance is cheap and sees what goes wrong while training."""

import time

import torch

from zerosum.data import open_source
from zerosum.metrics.features.glance import glance
from zerosum.metrics.kernel import kid


def pictures(n, seed=0, side=32, channels=3):
    """Smooth random images: 4 x 4 random pixels, enlarged."""
    small = torch.rand(n, channels, 4, 4, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(small, size=(side, side), mode="bilinear")


def test_a_glance_is_a_function_of_its_data_and_seed():
    real = pictures(300)
    one, again, other = glance(real), glance(real), glance(real, seed=1)
    assert one.hash == again.hash != other.hash and len(one.hash) == 64
    assert torch.equal(one(real), again(real))
    seen = one(real)
    assert seen.shape == (300, one.dim) and seen.dtype == torch.float32
    assert seen.mean().abs() < 1e-4 and abs(float(seen.square().mean()) - 1) < 0.02


def test_a_glance_takes_500_images_in_a_tenth_of_a_second():
    x = pictures(500)
    look = glance(x)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        look(x)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1


def test_a_glance_takes_any_size_and_vectors():
    for x in (pictures(40, side=5, channels=1), pictures(40, side=150, channels=4)[:, :, :97], torch.randn(40, 2)):
        look = glance(x)
        assert look(x).shape == (40, look.dim) and look(x).isfinite().all()
    assert glance(torch.full((20, 1, 8, 8), -1.0))(pictures(20, side=8, channels=1)).isfinite().all()


def test_a_glance_sees_collapse_on_digits():
    source = open_source("digits")
    real, held = source.some(1000), source.held_out()["x"]
    look = glance(real["x"])
    distance = lambda x: kid(look(x), look(held))
    whole, nine = distance(real["x"][:300]), distance(real["x"][real["y"] != 3][:300])
    half, one = distance(real["x"][real["y"] < 5][:300]), distance(real["x"][:1].repeat(300, 1, 1, 1))
    noise = distance(torch.rand(300, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1)
    assert abs(whole) < 0.05 and abs(whole) < nine < half < one
    assert noise > half


def test_what_is_seen_is_8_bits():
    x = pictures(50)
    look = glance(x)
    assert torch.equal(look(x), look(((x + 1) * 127.5).round() / 127.5 - 1))
    assert torch.equal(look(x + 3), look(torch.ones_like(x)))  # what lies beyond the range is cut off
    assert not torch.equal(look.unrounded(x), look(x))
