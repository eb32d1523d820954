"""Every recipe keeps its promises, on images and, where it takes them, on vectors."""

import pytest

from zerosum import UserError, check_recipe, open_source, recipes

SMALL = {"width": 8}
TABLES = ("ctgan", "dptabular", "tabular")  # they have files of tests of their own


@pytest.mark.parametrize("name", [name for name in recipes.names() if name not in TABLES])
def test_recipe_conforms_on_images(name):
    check_recipe(name, **SMALL)


@pytest.mark.parametrize("name", ["gan", "wgan", "wgan_gp", "aae"])
def test_recipe_conforms_on_vectors(name):
    check_recipe(name, open_source("ring8"), **SMALL)


@pytest.mark.parametrize(
    "part",
    [
        {"noise": "uniform", "z_dim": 7},
        {"real_label": 0.9},
        {"instance_noise": 0.2},
        {"lr_g": 1e-4, "lr_d": 4e-4},
        {"n_critic": 3},
        {"lr_schedule": "linear", "lr_decay_from": 0.0},
        {"ema_halflife_kimg": 0.5},
        {"clip_norm": 1.0},
        {"spectral_norm": True},
        {"penalty": "r1", "penalty_every": 2},
        {"penalty": "r1_r2"},
        {"penalty": "dragan"},
        {"loss": "relativistic"},
        {"loss": "hinge"},
        {"optim": "rmsprop", "weight_clip": 0.1},
    ],
    ids=lambda part: next(iter(part)),
)
@pytest.mark.parametrize("name", ["dcgan", "aae"])
def test_any_recipe_takes_any_part(name, part):
    check_recipe(name, **SMALL, **part)


@pytest.mark.parametrize("name", ["dcgan", "lsgan", "sngan", "sagan"])
def test_image_recipes_refuse_vectors(name):
    with pytest.raises(UserError, match="is for images"):
        recipes.find(name).build(recipes.find(name).Config(), open_source("ring8").spec)


def test_conditional_recipe_refuses_data_without_labels():
    with pytest.raises(UserError, match="needs labels"):
        recipes.find("cgan").build(recipes.find("cgan").Config(), open_source("ring8").spec)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"lr_d": -1.0}, "lr_d"),
        ({"beta1": 1.5}, "beta1"),
        ({"real_label": 0.9, "loss": "hinge"}, "real_label"),
        ({"batch": 0}, "batch"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(setting, message):
    dcgan = recipes.find("dcgan")
    with pytest.raises(UserError, match=message):
        dcgan.build(dcgan.Config(**setting), open_source("digits").spec)
