"""GAN(recipe, **settings).fit(data).sample(n)."""

from __future__ import annotations

import json
import signal
import threading

import numpy as np
import pytest
import torch

from zerosum import GAN, UserError
from zerosum.metrics.score import Score
from zerosum.rundir import RunDir
from zerosum.settings import settings

TINY = {"steps": 3, "batch": 8, "width": 8}
rng = np.random.default_rng(0)
GREY = rng.integers(0, 256, (40, 8, 8), np.uint8)
COLOUR = rng.integers(0, 256, (40, 8, 8, 3), np.uint8)
VECTORS = rng.normal(5, 2, (60, 3))
WORDS = np.array(["cat", "dog"])[np.arange(40) % 2]


@pytest.mark.parametrize(
    ("recipe", "x", "shape", "dtype"),
    [
        ("dcgan", GREY, (8, 8), np.uint8),
        ("dcgan", GREY / 255, (8, 8), np.uint8),
        ("dcgan", COLOUR, (8, 8, 3), np.uint8),
        ("dcgan", torch.from_numpy(COLOUR).permute(0, 3, 1, 2), (8, 8, 3), np.uint8),
        ("auto", GREY, (8, 8), np.uint8),
        ("gan", VECTORS, (3,), np.float32),
        ("auto", "ring8", (2,), np.float32),
    ],
    ids=["grey", "floats", "colour", "tensor", "images by themselves", "vectors", "a name"],
)
def test_samples_look_like_the_data(recipe, x, shape, dtype):
    gan = GAN(recipe, **TINY)
    assert gan.fit(x) is gan
    made = gan.sample(5)
    assert made.shape == (5, *shape) and made.dtype == dtype
    assert (made == gan.sample(5, seed=0)).all() and (made != gan.sample(5, seed=1)).any()
    assert made.dtype == np.uint8 or np.isfinite(made).all()


def test_the_same_seed_trains_the_same_gan():
    one, same, other = (GAN("gan", **TINY, seed=seed).fit(VECTORS).sample(4) for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


def test_labels_of_words():
    gan = GAN(**TINY).fit(GREY, WORDS)  # labels, so the conditional recipe
    x, y = gan.sample_labelled(7)
    assert x.shape == (7, 8, 8) and y.shape == (7,) and set(y) <= {0, 1}
    assert (gan.sample(3, label="dog") == gan.sample(3, label=1)).all()
    assert (gan.sample(3, label="dog") != gan.sample(3, label="cat")).any()
    with pytest.raises(UserError, match="no class dgo: did you mean dog"):
        gan.sample(3, label="dgo")
    with pytest.raises(UserError, match="label 2: the classes are 0 to 1"):
        gan.sample(3, label=2)


def test_a_recipe_without_labels():
    gan = GAN("gan", **TINY).fit(GREY)
    for refused in (lambda: gan.sample_labelled(3), lambda: gan.sample(3, label=1), lambda: gan.sample(3, label="dog")):
        with pytest.raises(UserError, match="takes no labels"):
            refused()
    with pytest.raises(UserError, match="0 samples: ask for at least 1"):
        gan.sample(0)
    with pytest.raises(UserError, match="seed -1"):
        gan.sample(1, seed=-1)


# -- refusals


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 1e-3}, "recipe dcgan has no setting lr: did you mean lr_"),
        ({"step": 5}, "recipe dcgan has no setting step: did you mean steps"),
        ({"loss": "hing"}, "loss hing: did you mean hinge"),
        ({"noise": "gaussian"}, "noise gaussian: choose from normal, uniform"),
        ({"precision": "fp16"}, "precision fp16: did you mean"),
        ({"steps": 3, "minutes": 1}, "steps and minutes both given"),
        ({"accum": 0}, "accum 0"),
        ({"lr_g": -1}, "lr_g -1"),
    ],
    ids=str,
)
def test_settings_are_refused_by_name_in_fit(settings, message):
    gan = GAN("dcgan", **settings)  # the constructor only stores
    assert gan.settings == settings and gan.recipe == "dcgan"
    with pytest.raises(UserError, match=message):
        gan.fit(GREY)


def test_a_setting_of_the_training_is_not_suggested_for_itself():
    with pytest.raises(UserError, match=r"recipe dcgan has no setting mirror: it is one of Training's$"):
        settings("dcgan", {"mirror": True})


def test_an_unknown_recipe_is_refused_in_fit():
    with pytest.raises(UserError, match="no recipe dcgna: did you mean dcgan"):
        GAN("dcgna").fit(GREY)


@pytest.mark.parametrize("x", [None, 3, VECTORS.tolist(), {"x": VECTORS}], ids=lambda x: type(x).__name__)
def test_data_of_other_types_are_refused_in_fit(x):
    with pytest.raises(UserError, match=f"^cannot read data of type {type(x).__name__}: give a NumPy array"):
        GAN("gan", **TINY).fit(x)


def test_before_fit():
    gan = GAN("aae")
    for early in (lambda: gan.sample(1), lambda: gan.sample_labelled(1), lambda: gan.encode(GREY), lambda: gan.decode([[0.0]])):
        with pytest.raises(UserError, match=r"not trained yet: call fit, or GAN\.load"):
            early()
    with pytest.raises(UserError):
        gan.score()


# -- run folders


def test_a_loaded_gan_gives_the_same_samples(tmp_path):
    gan = GAN("cgan", **TINY).fit(GREY, WORDS, out=tmp_path / "run")
    loaded = GAN.load(tmp_path / "run")
    assert (gan.sample(6) == loaded.sample(6)).all()
    assert (gan.sample(6, label="dog") == loaded.sample(6, label="dog")).all()
    with pytest.raises(UserError, match="a loaded GAN has no data"):
        loaded.score()
    with pytest.raises(UserError, match="already holds a run"):
        GAN("cgan", **TINY).fit(GREY, WORDS, out=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "config.json").read_text())["data"]["what"] == "array"


def test_a_path_with_labels_beside_it_is_kept_in_memory_as_arrays_are(tmp_path):
    from zerosum.job import Job

    np.save(tmp_path / "x.npy", GREY)
    GAN("cgan", **TINY).fit(tmp_path / "x.npy", WORDS, out=tmp_path / "run")
    with pytest.raises(UserError, match="array in memory, which is not kept"):
        Job.resume(tmp_path / "run")
    GAN("dcgan", **TINY).fit(tmp_path / "x.npy", out=tmp_path / "other")
    assert Job.resume(tmp_path / "other").score()


def test_scores_lie_beside_real_and_trivial_ones():
    scores = GAN("cgan", **TINY).fit("digits").score()
    names = {one.name for one in scores}
    assert {"accuracy, trained on generated", "Fréchet distance, pixels", "coverage, pixels", "memorisation, pixels"} <= names
    assert not any("judge" in name or "FID" in name for name in names)
    for one in scores:
        assert isinstance(one, Score) and one.protocol
        if one.trivial is not None and not one.name.startswith("precision"):  # digits of independent pixels pass for digits
            assert one.real > one.trivial if one.better == "higher" else one.real < one.trivial


# -- codes


def test_encode_decode_and_interpolate():
    gan = GAN("aae", **TINY, z_dim=5).fit(GREY)
    codes = gan.encode(GREY[:6])
    assert codes.shape == (6, 5) and codes.dtype == np.float32
    back = gan.decode(codes)
    assert back.shape == (6, 8, 8) and back.dtype == np.uint8
    way = gan.interpolate(GREY[0], GREY[1], n=4)
    assert way.shape == (4, 8, 8)
    assert (way[0] == back[0]).all() and (way[-1] == back[1]).all()
    middle = gan.decode(codes[:2].mean(0, keepdims=True))
    assert (gan.interpolate(GREY[0], GREY[1], n=3)[1] == middle[0]).all()
    with pytest.raises(UserError, match="this run knows images of"):
        gan.encode(COLOUR)


def test_encode_on_vectors_and_on_recipes_without():
    gan = GAN("aae", **TINY).fit(VECTORS)
    assert gan.decode(gan.encode(VECTORS[:4])).shape == (4, 3)
    assert gan.interpolate(VECTORS[0], VECTORS[1]).shape == (8, 3)
    with pytest.raises(UserError, match="cannot encode: take aae"):
        GAN("gan", **TINY).fit(VECTORS).encode(VECTORS)


# -- what fit leaves behind


def test_fit_leaves_the_process_as_it_was(tmp_path):
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    threads, dtype, grads = torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    torch.manual_seed(7)
    before = torch.get_rng_state()
    np.random.seed(7)
    numbers = np.random.get_state()[1].copy()
    gan = GAN("dcgan", **TINY).fit(GREY, out=tmp_path / "run")
    gan.sample(3), gan.score()
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numbers).all()
    assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert (threads, dtype, grads) == (torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled())
    weight = torch.ones(1, requires_grad=True)
    (weight * 2).backward()
    assert weight.grad == 2


def test_handlers_are_put_back_after_a_failure():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(UserError, match="no longer a finite number"):
        GAN("gan", **TINY | {"steps": 50}, log_every=1, loss="wasserstein", lr_g=1e30, lr_d=1e30).fit(VECTORS)
    assert signal.getsignal(signal.SIGINT) is before


def test_fit_works_in_another_thread():
    made = []
    thread = threading.Thread(target=lambda: made.append(GAN("gan", **TINY).fit(VECTORS).sample(2)))
    thread.start()
    thread.join(60)
    assert (made[0] == GAN("gan", **TINY).fit(VECTORS).sample(2)).all()


def test_fit_again_starts_anew():
    gan = GAN("gan", **TINY)
    first = gan.fit(VECTORS).sample(3)
    gan.fit(GREY)
    assert gan.sample(3).shape == (3, 8, 8)
    assert (gan.fit(VECTORS).sample(3) == first).all()


def test_ctrl_c_ends_fit_and_keeps_what_was_learned(tmp_path):
    from zerosum.progress import Display

    class Impatient(Display):
        def update(self, clock, rate, seconds, losses, scores):
            if clock.step == 4:
                signal.raise_signal(signal.SIGINT)

    gan = GAN("gan", **TINY | {"steps": 10**6}, log_every=2)
    with pytest.raises(KeyboardInterrupt):
        gan.fit(VECTORS, out=tmp_path / "run", display=Impatient())
    assert gan.sample(3).shape == (3, 3)
    assert (GAN.load(tmp_path / "run").sample(3) == gan.sample(3)).all()
    assert RunDir(tmp_path / "run").latest() in (5, 6)  # the next look-up: soon, and at steps that are logged


def test_whole_numbers_are_taken_where_the_setting_is_a_float():
    gan = GAN("gan", steps=2, batch=np.int64(8), width=8, beta1=0, lr_g=np.float32(1e-3), minutes=None).fit(VECTORS)
    assert gan.sample(3).shape == (3, 3)
    cfg = settings("dcgan", {"beta1": 0, "batch": np.int64(8)})
    assert type(cfg.beta1) is float and type(cfg.batch) is int


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("batch", "64", "batch '64': give a whole number"),
        ("lr_g", "fast", "lr_g 'fast': give a number"),
        ("steps", 2.5, "steps 2.5: give a whole number"),
        ("held_out", "0.1", "held_out '0.1': give a number"),
        ("mirror", "yes", "mirror 'yes': give True or False"),
    ],
)
def test_a_setting_of_another_kind_is_one_line(name, value, said):
    with pytest.raises(UserError, match=f"^{said}$"):
        GAN("gan", **{name: value}).fit(VECTORS)


def test_labels_that_a_recipe_ignores_are_not_ignored_in_silence():
    x, y = np.zeros((40, 8, 8), np.uint8), np.arange(40) % 2
    with pytest.warns(UserWarning, match="recipe dcgan ignores the 2 classes of y"):
        GAN("dcgan", steps=1, batch=8, width=8).fit(x, y)
    GAN("cgan", steps=1, batch=8, width=8).fit(x, y)
    GAN("dcgan", steps=1, batch=8, width=8).fit(x)
