"""The latent space: the two halves of a generator are the whole, and mixtures of classes are between them."""

import pytest
import torch

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.latent.space import Space
from zerosum.layers.classes import Classes
from zerosum.sampling import Sampler
from zerosum.train import Training

SPEC = Spec("images", (3, 16, 16), counts=(5, 5, 5), names=("a", "b", "c"), items=15)


def sampler(recipe, **settings):
    spec = SPEC
    return Sampler(
        build_run(recipe, recipes.find(recipe).Config(batch=4, width=8, **settings), spec, Training(device="cpu")), spec
    )


@pytest.mark.parametrize("recipe", ["stylegan2", "swift", "cgan", "r3gan", "acgan", "dcgan", "aae"])
def test_what_enters_the_space_and_leaves_it_is_what_the_generator_makes(recipe):
    made = sampler(recipe)
    space, inputs = Space(made), made.inputs(5, seed=3)
    points = space.enter(inputs)
    assert points.shape == (5, space.layers, space.dim)
    torch.testing.assert_close(space.leave(points, inputs, chunk=2), made.generate(inputs)["x"], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("recipe", ["stylegan2", "swift", "cgan", "r3gan", "acgan"])
def test_all_of_one_class_is_that_class_and_half_of_two_is_neither(recipe):
    made = sampler(recipe)
    inputs = made.inputs(1, seed=1)
    for y in range(3):
        whole = torch.eye(3)[y : y + 1]
        torch.testing.assert_close(
            made.generate(inputs | {"y": whole})["x"],
            made.generate(inputs | {"y": torch.tensor([y])})["x"],
            atol=1e-6,
            rtol=1e-5,
        )
    half = made.generate(inputs | {"y": torch.tensor([[0.5, 0.5, 0.0]])})["x"]
    assert all((half - made.generate(inputs | {"y": torch.tensor([y])})["x"]).abs().max() > 1e-4 for y in (0, 1))


def test_an_embedding_of_shares_is_the_sum_of_its_classes():
    layer = Classes(3, 4)
    shares = torch.tensor([[0.25, 0.75, 0.0]])
    torch.testing.assert_close(layer(shares)[0], 0.25 * layer.weight[0] + 0.75 * layer.weight[1])


@pytest.mark.parametrize(
    "recipe", ["gan", "dcgan", "cgan", "acgan", "lsgan", "wgan_gp", "sngan", "swift", "r3gan", "stylegan2"]
)
def test_a_discriminator_gives_one_opinion_an_item(recipe):
    made = sampler(recipe)
    batch = made.make(6, seed=0) | {"y": torch.arange(6) % 3}
    with made.run.shown() as nets:
        assert made.run.game.judge(nets, batch).shape == (6,)


def test_a_game_of_pairs_has_no_latent_space():
    spec = Spec("images", (3, 16, 16), given={"left": [3, 16, 16]}, made="right")
    made = Sampler(build_run("pix2pix", recipes.find("pix2pix").Config(batch=2, width=8), spec, Training(device="cpu")), spec)
    with pytest.raises(UserError, match="no latent space"):
        Space(made)
