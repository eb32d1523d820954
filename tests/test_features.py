"""Feature networks: what they give, and that a glance is cheap and sees what goes wrong while training."""

import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from zerosum import cache
from zerosum.data import images, open_source
from zerosum.errors import UserError
from zerosum.metrics.features import classifier, contrastive, default, find_features, judge, saved
from zerosum.metrics.features.base import Features, as_bytes, in_rgb
from zerosum.metrics.features.convolutions import Convolutions
from zerosum.metrics.features.glance import glance
from zerosum.metrics.features.inception import NAME
from zerosum.metrics.features.inception_net import KEYS, InceptionV3, enlarged
from zerosum.metrics.kernel import kid
from zerosum.nets.mobilenet import Trunk


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
        start = time.thread_time()  # of this thread alone, whatever else the machine does
        look(x)
        times.append(time.thread_time() - start)
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


# -- judges


@pytest.fixture
def few_steps(monkeypatch, tmp_path):
    """Judges that learn for a second, and a cache of their own."""
    for way in (classifier, contrastive):
        monkeypatch.setattr(way, "STEPS", 8)
        monkeypatch.setattr(way, "BATCH", 32)
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def two_kinds(n=400, side=16, labels=True):
    """Images with a bright half: the upper one, or the left one."""
    y = np.arange(n) % 2
    x = np.random.default_rng(0).integers(0, 120, (n, side, side), dtype=np.uint8)
    x[y == 0, : side // 2] += 120
    x[y == 1, :, : side // 2] += 120
    return images.from_array(x, y if labels else None, ("up", "left") if labels else (), "halves", 0.25)


@pytest.mark.parametrize("labels", [True, False])
def test_judges_are_reproducible_and_kept(few_steps, labels):
    source = two_kinds(labels=labels)
    first = find_features(default(source), source)
    again = judge.train_judge(source)
    assert first.hash == again.hash and len(first.hash) == 64
    (file,) = (few_steps / "judges").iterdir()
    kept, stamp = find_features("judge", source), file.stat().st_mtime_ns
    assert kept.hash == first.hash and kept.how == first.how and file.stat().st_mtime_ns == stamp
    x = source.held_out()["x"]
    assert torch.equal(kept(x), first(x)) and first(x).shape == (100, 128)
    assert judge.train_judge(source, seed=1).hash != first.hash


def test_a_damaged_judge_is_trained_again(few_steps):
    source = two_kinds()
    first = find_features("judge", source)
    (file,) = (few_steps / "judges").iterdir()
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-4] + b"abcd", b""):
        file.write_bytes(damaged)
        assert find_features("judge", source).hash == first.hash
        assert file.read_bytes() == whole


def test_other_data_have_another_judge(few_steps):
    a, b = two_kinds(), two_kinds(420)
    assert judge.place(a) != judge.place(b) != judge.place(a, seed=1)
    assert judge.place(a) == judge.place(two_kinds())
    assert judge.place(two_kinds(labels=False)) not in (judge.place(a), judge.place(b))


def test_a_classifier_knows_its_classes(few_steps, monkeypatch):
    monkeypatch.setattr(classifier, "STEPS", 60)
    source = two_kinds()
    look = judge.train_judge(source)
    held = source.held_out()
    _, chances = look.look(held["x"])
    assert chances.shape == (100, 2) and torch.allclose(chances.sum(1), torch.ones(100))
    assert (chances.argmax(1) == held["y"]).float().mean() > 0.95
    assert f"accuracy {judge.accuracy(look.net, source):.4f}" in look.how


def test_a_cache_that_cannot_be_written_is_no_reason_to_stop(few_steps, monkeypatch):
    few_steps.write_text("a file where a folder should be")
    assert find_features("judge", two_kinds()).dim == 128


def test_a_saved_judge_can_judge_other_runs(few_steps, tmp_path):
    source = two_kinds()
    look = judge.train_judge(source)
    saved.write(look, source.spec.shape, tmp_path / "mine.safetensors")
    assert find_features(str(tmp_path / "mine.safetensors"), source).hash == look.hash
    with pytest.raises(UserError, match="a judge of images of \\(1, 16, 16\\), and these are \\(1, 20, 20\\)"):
        find_features(str(tmp_path / "mine.safetensors"), two_kinds(side=20))


def test_contrastive_learning_pulls_the_views_of_an_image_together():
    a = torch.eye(6)
    assert contrastive.same_image(a, a) < contrastive.same_image(a, a.roll(1, 0))
    # equal embeddings leave 2n - 1 candidates that are all alike: the loss is log(2n - 1)
    assert float(contrastive.same_image(torch.ones(4, 3), torch.ones(4, 3))) == pytest.approx(np.log(7), rel=1e-5)


@pytest.mark.parametrize("square", [True, False])
def test_turned_images_are_turned_as_told(square):
    torch.manual_seed(0)
    x = torch.arange(40 * 2 * 4 * 4.0).view(40, 2, 4, 4)
    turned, ways = contrastive.rotated(x, square)
    assert set(ways.tolist()) == ({0, 1, 2, 3} if square else {0, 2})
    for one, was, way in zip(turned, x, ways.tolist(), strict=True):
        assert torch.equal(one, torch.rot90(was, way, (1, 2))) or torch.equal(one, torch.rot90(was, -way, (1, 2)))
    for way in (1, 3):
        assert not square or not torch.equal(turned[ways == way], x[ways == way])


def test_large_images_are_averaged_down_for_judges():
    net = Convolutions((3, 130, 260), 0).eval()
    x = pictures(2, side=260)[:, :, :130]
    assert net(x)[0].shape == (2, 128) and net.shrink == 2
    assert torch.allclose(net(x)[0], net.trunk(avg_pool2d(x, 2)))


# -- networks from files


def test_a_trunk_gives_bfloat16_what_it_gives_float32(trunk_file):
    torch.manual_seed(0)
    net = Trunk(dict(np.load(trunk_file)), deepest=4)
    x = torch.rand(2, 3, 40, 40) * 2 - 1
    found = {}
    for fast in (False, True):
        given = x.clone().requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            maps = net(given)
        (gradient,) = torch.autograd.grad(sum(one.float().square().sum() for one in maps), given)
        found[fast] = [*(one.float() for one in maps), gradient]
        assert all(one.dtype == (torch.bfloat16 if fast else torch.float32) for one in maps)
    assert any(one.abs().max() > 0 for one in found[False])
    for one, other in zip(found[False], found[True], strict=True):
        assert torch.cosine_similarity(one.flatten(), other.flatten(), 0) > 0.98 and 0.9 < one.norm() / other.norm() < 1.1


def test_the_trunk_file_gives_the_features_of_its_description(shared_data):
    file = shared_data("").parent / "weights" / "mobilenet_v2_imagenet_trunk_int8.npz"
    if not file.exists():
        pytest.skip("needs ../shared/weights")
    z = np.load(file)

    def conv(name, x, s=1, act=True):  # the forward pass as the file's description words it
        w = torch.from_numpy(z[f"{name}.weight_int8"].astype(np.float32) * z[f"{name}.scale"][:, None, None, None])
        groups = w.shape[0] if w.shape[-1] == 3 and w.shape[1] == 1 else 1
        if w.shape[-1] == 3:
            x = pad(x, (0, 1, 0, 1) if s == 2 else (1, 1, 1, 1))
        x = conv2d(x, w, torch.from_numpy(z[f"{name}.bias"]), stride=s, groups=groups)
        return x.clamp(0, 6) if act else x

    def described(x):
        x = conv("expanded_conv_project", conv("expanded_conv_depthwise", conv("Conv1", x, 2)), act=False)
        for i in range(1, 17):
            s = 2 if i in (1, 3, 6, 13) else 1
            y = conv(f"block_{i}_project", conv(f"block_{i}_depthwise", conv(f"block_{i}_expand", x), s), act=False)
            x = x + y if s == 1 and x.shape[1] == y.shape[1] else y
        return conv("Conv_1", x).mean((2, 3))

    source = images.from_array(np.zeros((20, 32, 32, 3), np.uint8), None, (), "black")
    look, x = find_features(str(file), source), as_bytes(pictures(5))
    resized = interpolate(x, size=(96, 96), mode="bilinear", antialias=True)
    assert torch.allclose(look(x), described(resized), atol=1e-5)
    assert look.name == file.stem and "96 x 96" in look.how and not look.official
    assert torch.allclose(Trunk(dict(z)).pooled(resized), described(resized), atol=1e-5)
    grey = images.from_array(np.zeros((20, 32, 32), np.uint8), None, (), "black")
    assert torch.allclose(find_features(str(file), grey)(x[:, :1]), look(x[:, :1].expand(-1, 3, -1, -1)), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("net.npz", None, "no network at"),
        ("net.npz", b"junk", "cannot be read"),
        ("net.safetensors", None, "no judge at"),
        ("net.safetensors", b"junk", "holds no judge"),
        ("net.pth", None, "no Inception weights at"),
        ("net.pth", b"junk", "not the official Inception weights"),
        ("net.tflite", b"junk", "take judge, pixels, inception"),
    ],
)
def test_files_that_are_no_networks_end_in_one_line(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=words) as error:
        find_features(str(tmp_path / name), two_kinds())
    assert "\n" not in str(error.value)


def test_a_file_of_other_arrays_or_with_code_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "code.npz", a=np.array([{"a": 1}], dtype=object))
    safetensors.torch.save_file({"a": torch.zeros(3)}, tmp_path / "other.safetensors")
    for name in ("other.npz", "code.npz", "other.safetensors"):
        with pytest.raises(UserError):
            find_features(str(tmp_path / name), two_kinds())


# -- the official network


def test_nothing_is_fetched_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path))
    with pytest.raises(UserError, match="add --download to fetch https://"):
        find_features("inception", two_kinds())
    (tmp_path / NAME).write_bytes(b"95 MB of something else")
    with pytest.raises(UserError, match="not the official Inception weights"):
        find_features("inception", two_kinds())


def test_the_official_network_has_the_official_form():
    torch.manual_seed(0)
    net = InceptionV3().eval()
    assert len(net.state_dict()) == KEYS
    for key, shape in {
        "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
        "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
        "Mixed_6b.branch7x7dbl_5.conv.weight": (192, 128, 1, 7),
        "Mixed_7a.branch7x7x3_4.bn.running_var": (192,),
        "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
        "fc.weight": (1008, 2048),
    }.items():
        assert tuple(net.state_dict()[key].shape) == shape
    with torch.no_grad():
        features, logits = net(pictures(1))
    assert features.shape == (1, 2048) and logits.shape == (1, 1008)
    assert torch.allclose(logits, features @ net.fc.weight.T)


def test_the_official_resize_has_no_half_pixel_centres():
    ramp = torch.arange(4.0).view(1, 1, 1, 4).expand(1, 1, 4, 4)
    assert enlarged(ramp, 8)[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]
    assert enlarged(ramp, 4).equal(ramp)
    assert enlarged(ramp, 2)[0, 0, 0].tolist() == [0, 2]


def test_where_the_cache_is(monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", "/a/b")
    assert cache.cache_folder() == Path("/a/b")
    monkeypatch.delenv("ZEROSUM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")
    assert cache.cache_folder() == Path("/c/zerosum")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.cache_folder() == Path.home() / ".cache" / "zerosum"


def test_features_are_taken_in_whole_float32():
    """On a GPU, TensorFloat-32 would move an FID in its third figure, and drown a path length in rounding."""

    class Told(torch.nn.Module):
        def forward(self, x):
            assert not torch.backends.cudnn.allow_tf32
            return x.flatten(1), None

    before = torch.backends.cudnn.allow_tf32
    net = Told()
    net.register_buffer("scale", torch.ones(()))
    look = Features("told", "", "", 12, net)
    look(torch.zeros(4, 3, 2, 2)), look.unrounded(torch.zeros(4, 3, 2, 2))
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_judge_that_cannot_be_kept_costs_time_and_no_more(tmp_path):
    features = Features("judge", "by hand", "0", 128, Convolutions((1, 16, 16), 0))
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space"):  # which the cache takes for what it is
        saved.write(features, (1, 16, 16), tmp_path / "full")


@pytest.mark.parametrize(("channels", "said"), [(1, "grey as RGB"), (4, "alpha laid over mid-grey")])
def test_protocols_say_how_images_become_rgb(channels, said):
    assert said in in_rgb(channels) and not in_rgb(3)
