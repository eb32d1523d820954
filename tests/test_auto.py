"""What is chosen where the user says nothing: it builds, it says why, and it follows the data."""

from dataclasses import replace

import pytest

from zerosum import recipes
from zerosum.auto import choose
from zerosum.data.source import Spec
from zerosum.settings import settings


def images(height, width, channels=3, classes=0, items=50_000):
    return Spec("images", (channels, height, width), counts=(items // max(1, classes),) * classes, items=items)


SPECS = {
    "digits": images(8, 8, 1, classes=10),
    "tiny": images(8, 8, 1),
    "28": images(28, 28, 1, classes=10),
    "odd": images(37, 50, 4),
    "64": images(64, 64, 4),
    "few": images(32, 32, items=100),
    "few large": images(128, 256, items=300),
    "ring": Spec("vectors", (2,), offset=(0.0, 0.0), scale=(1.0, 1.0)),
    "labelled vectors": Spec("vectors", (5,), counts=(10, 10), offset=(0.0,) * 5, scale=(1.0,) * 5, items=20),
}


def pairs(side, inputs=1, matched=True):
    given = {f"view {i}": [3, side, side] for i in range(inputs)}
    return replace(images(side, side), given=given, made="front", matched=matched)


SPECS |= {"pairs": pairs(128), "small pairs": pairs(32), "views": pairs(64, 3), "domains": pairs(64, matched=False)}


@pytest.mark.parametrize("name", SPECS)
def test_every_choice_builds_and_says_why(name):
    choice = choose(SPECS[name], "cpu")
    game = recipes.find(choice.recipe).build(settings(choice.recipe, choice.settings), SPECS[name])
    assert any(name[0] == "G" for name in game.nets)
    assert choice.why
    assert all(reason == reason.strip() and reason for reason in choice.why)


def test_few_images_are_augmented_and_many_are_not():
    assert choose(SPECS["few"], "cpu").settings["augment"] == "ada"
    assert "augment" not in choose(SPECS["64"], "cpu").settings
    assert any("100 images are few" in reason for reason in choose(SPECS["few"], "cpu").why)


def test_images_made_from_images_get_a_recipe_for_what_is_given():
    assert [choose(spec, "cpu").recipe for spec in (pairs(128), pairs(32), pairs(128, 2))] == ["pix2pix", "compose", "compose"]
    assert choose(pairs(128, matched=False), "cpu").recipe == "cyclegan"
    assert "width" in choose(pairs(128), "cpu").settings


def test_images_of_many_pixels_get_the_game_that_keeps_them_varied():
    small, large = (choose(images(side, side), "cpu").settings for side in (32, 64))
    assert "loss" not in small and "finish" not in small
    assert (large["loss"], large["penalty"]) == ("relativistic", "r1_r2") and large["finish"] > 0
    assert choose(images(32, 128), "cpu").settings == large  # as many pixels


def test_the_choice_for_vectors_drops_no_mode():
    """The plain pair drops modes of the ring within these steps."""
    from zerosum import GAN
    from zerosum.metrics.modes import modes

    gan = GAN(steps=600, pictures=0, scores=0, threads=1).fit("ring8")
    made = gan.sample(2000)
    assert modes(made, "ring8")[0] == 8
