"""Tiles: a function of small images on images of any size, without a seam."""

from itertools import pairwise

import pytest
import torch
from torch.nn.functional import conv2d, interpolate

from zerosum.tiles import bands, starts, tiled, weights

SIZES = [(16, 16), (37, 50), (5, 90), (1, 1), (16, 17), (64, 3), (100, 33)]


def image(height, width, channels=3, seed=0):
    return torch.rand(1, channels, height, width, generator=torch.Generator().manual_seed(seed))


def smooth(height, width):
    """An image whose neighbours differ little."""
    rows, columns = torch.arange(height)[:, None] / 30, torch.arange(width) / 23
    return (torch.sin(rows) * torch.cos(columns) / 2 + torch.sin(columns + rows) / 2)[None, None]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("overlap", [0, 4, 11, 15])
def test_the_identity_gives_the_image_back(size, overlap):
    x = image(*size)
    assert torch.allclose(tiled(lambda part: part["a"], {"a": x}, (16, 16), overlap=overlap), x, atol=1e-6)


def test_a_constant_stays_constant_and_a_shift_is_a_shift():
    x = image(70, 41)
    shifted = tiled(lambda part: part["a"] + 3, {"a": x}, (16, 24), overlap=7)
    assert torch.allclose(shifted, x + 3, atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scale", [2, 3])
def test_enlarging_by_tiles_is_enlarging_the_whole(size, scale):
    x = image(*size)
    enlarge = lambda part: interpolate(part["a"], scale_factor=scale, mode="nearest")
    assert torch.allclose(tiled(enlarge, {"a": x}, (16, 16), scale=scale), enlarge({"a": x}), atol=1e-6)


@pytest.mark.parametrize("overlap", [0, 1, 5, 12, 15])
def test_weights_sum_to_one_and_leave_cut_edges_out(overlap):
    tile, length = 16, 75
    begins = starts(length, tile, overlap)
    total = torch.zeros(length)
    for i, (begin, weight) in enumerate(zip(begins, weights(begins, tile), strict=True)):
        assert (weight >= -1e-7).all()
        total[begin : begin + tile] += weight
        if overlap >= 4 and i > 0:
            assert not weight[: overlap // 4].any()
    assert begins[0] == 0 and begins[-1] == length - tile
    assert all(b - a <= tile - overlap for a, b in pairwise(begins))
    assert torch.allclose(total, torch.ones(length), atol=1e-6)


def test_a_network_that_pads_with_zeros_leaves_no_trace_of_its_tiles():
    kernel = torch.ones(1, 1, 5, 5) / 25
    x = smooth(200, 300) + 2
    network = lambda part: conv2d(conv2d(part["a"], kernel, padding=2), kernel, padding=2)  # 4 pixels see the edge
    whole = network({"a": x})
    made = tiled(network, {"a": x}, (64, 64), overlap=16)
    assert (made - whole)[..., 4:-4, 4:-4].abs().max() < 1e-5
    assert torch.equal(made[..., 0, 0], whole[..., 0, 0])  # what the image's own edges do is left as it is


def test_tile_boundaries_do_not_show_in_gradients_where_tiles_disagree():
    x = smooth(320, 320)
    steepest = lambda image, dim: float(image.diff(dim=dim).abs().mean(5 - dim).max())  # line of pixels across the whole image

    def moody(part):  # each tile has a brightness of its own, as a network that normalises over a tile may give it
        return part["a"] + 0.03 * (-1.0) ** torch.arange(len(part["a"]))[:, None, None, None]

    cut, blended = (tiled(moody, {"a": x}, (64, 64), overlap=overlap) for overlap in (0, 32))
    assert steepest(cut, 3) > 2 * steepest(x, 3)
    assert steepest(blended, 3) < 1.2 * steepest(x, 3)
    assert steepest(blended, 2) < 1.2 * steepest(x, 2)


def test_every_input_is_cut_alike_and_keeps_its_type():
    x, mask = (image(50, 40) * 255).byte(), torch.zeros(1, 1, 50, 40, dtype=torch.bool)
    mask[..., 20:, 10:] = True

    def function(part):
        assert part["a"].dtype == torch.uint8 and part["mask"].dtype == torch.bool
        assert part["a"].shape[2:] == part["mask"].shape[2:] == (16, 16)
        return part["a"].float() * part["mask"]

    assert torch.allclose(tiled(function, {"a": x, "mask": mask}, (10, 14), multiple=16), x.float() * mask, atol=1e-4)


def test_bands_come_one_after_another_with_progress_in_batches():
    x, seen, sizes = image(100, 70), [], []

    def function(part):
        sizes.append(len(part["a"]))
        return part["a"]

    found = list(bands(function, {"a": x}, (32, 32), overlap=8, batch=2, progress=lambda done, of: seen.append((done, of))))
    assert len(found) == 4 and max(band.shape[2] for band in found) <= 32
    assert torch.allclose(torch.cat(found, 2), x, atol=1e-6)
    assert max(sizes) == 2 and [done for done, _ in seen] == [2, 3, 5, 6, 8, 9, 11, 12] and {of for _, of in seen} == {12}


def test_an_overlap_of_a_whole_tile_is_refused():
    with pytest.raises(ValueError, match="overlap 16"):
        tiled(lambda part: part["a"], {"a": image(40, 40)}, (16, 32), overlap=16)
