"""CycleGAN: its terms worked out by hand on linear nets, its way back, what it refuses."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum import UserError, check_recipe, recipes
from zerosum.data import paired
from zerosum.game import Clock
from zerosum.nets import patch
from zerosum.play import Run, play
from zerosum.recipes.cyclegan import Config, cycle
from zerosum.translation import pair_maps


def kinds(before=3, after=3, n=40, size=(16, 16)):
    """Unmatched images of two kinds, each independent noise."""
    draw = lambda seed, c: np.random.default_rng(seed).integers(0, 256, (n, c, *size), np.uint8)
    return paired.from_arrays({"horse": draw(0, before)}, draw(1, after), "zebra")


def toy(before=3, after=3, **settings):
    """(game, nets, batch): translators are 1 x 1 convolutions; the pool is empty and nothing is enlarged."""
    torch.manual_seed(0)
    source = kinds(before, after)
    cfg = Config(**{"width": 2, "pool": 0, "zoom": 1.0, **settings})
    judges = [patch.Discriminator(channels, 1, 2) for channels in (before, after)]
    game = cycle(cfg, source.spec, pair_maps(source.spec), nn.Conv2d(before, after, 1), nn.Conv2d(after, before, 1), *judges)
    return game, nn.ModuleDict(game.nets), next(source.batches(4, 0))


def test_what_the_translators_minimise_by_hand():
    game, nets, batch = toy(cycle_weight=8.0, identity=0.25)
    a, b = batch["a"], batch["x"]
    terms = game.turns[0].loss(nets, batch, Clock())
    there, back = nets["G_AB"](a), nets["G_BA"](b)
    apart = lambda x, y: (x - y).abs().mean()
    by_hand = {
        "adv_B": (nets["D_B"](there) - 1).square().mean() / 2,
        "adv_A": (nets["D_A"](back) - 1).square().mean() / 2,
        "cycle_A": 8 * apart(nets["G_BA"](there), a),
        "cycle_B": 8 * apart(nets["G_AB"](back), b),
        "same_A": 2 * apart(nets["G_BA"](a), a),
        "same_B": 2 * apart(nets["G_AB"](b), b),
    }
    assert set(terms) == set(by_hand)
    for name, value in by_hand.items():
        assert torch.isclose(terms[name], value), name


def test_cycle_and_identity_vanish_for_translators_that_do_nothing():
    game, nets, batch = toy()
    for name in ("G_AB", "G_BA"):
        nn.init.zeros_(nets[name].bias)
        with torch.no_grad():
            nets[name].weight.copy_(torch.eye(3)[:, :, None, None])
    terms = game.turns[0].loss(nets, batch, Clock())
    assert all(terms[name].abs() < 1e-5 for name in terms if not name.startswith("adv"))


def test_what_the_discriminators_minimise_by_hand():
    game, nets, batch = toy()
    terms = game.turns[1].loss(nets, batch, Clock())
    with torch.no_grad():
        real, fake = nets["D_B"](batch["x"]), nets["D_B"](nets["G_AB"](batch["a"]))
        other, made = nets["D_A"](batch["a"]), nets["D_A"](nets["G_BA"](batch["x"]))
    assert torch.isclose(terms["adv_B"], ((real - 1).square().mean() + fake.square().mean()) / 2)
    assert torch.isclose(terms["adv_A"], ((other - 1).square().mean() + made.square().mean()) / 2)
    assert torch.isclose(terms["logit_real"], (real.mean() + other.mean()) / 2)
    assert torch.isclose(terms["logit_fake"], (fake.mean() + made.mean()) / 2)


def test_adaptive_augmentation_counts_pictures_and_not_patches():
    game, nets, batch = toy(augment="ada")
    game.turns[1].loss(nets, batch, Clock())
    assert nets["augment"].seen == 4


def test_a_penalty_on_each_item_refuses_a_norm_over_the_batch():
    with pytest.raises(UserError, match="norm batch mixes the items"):
        toy(norm="batch", penalty="r1")


def test_kinds_with_other_channels_have_no_identity():
    game, nets, batch = toy(before=1, after=3)
    assert not [name for name in game.turns[0].loss(nets, batch, Clock()) if name.startswith("same")]


def test_both_translators_play_before_both_discriminators():
    game, _, _ = toy()
    assert [turn.player for turn in game.turns] == ["G", "D"]
    assert game.players["G"].trains == ("G_AB", "G_BA") and game.players["D"].trains == ("D_A", "D_B")


def test_the_pools_fill_with_the_outputs_of_each_kind():
    source = kinds(1, 3)
    module = recipes.find("cyclegan")
    run = Run(module.build(module.Config(width=4, batch=4, pool=6, blocks=1), source.spec), 3, 4)
    for _ in play(run, source):
        pass
    assert run.nets["pool_A"].images.shape == (6, 1, 16, 16) and run.nets["pool_B"].images.shape == (6, 3, 16, 16)
    assert int(run.nets["pool_A"].count) == int(run.nets["pool_B"].count) == 6


def test_it_says_how_to_come_back_and_that_nothing_is_paired():
    game, nets, batch = toy(before=1, after=3)
    assert not game.maps.paired and (game.maps.names, game.maps.made) == (("horse",), "zebra")
    assert torch.equal(game.maps.back(nets, {"a": batch["x"]}), nets["G_BA"](batch["x"]))
    assert torch.equal(game.generate(nets, game.maps.ask(batch)), nets["G_AB"](batch["a"]))


@pytest.mark.parametrize("part", [{}, {"loss": "relativistic", "penalty": "r1", "identity": 0.0, "augment": "diffaugment"}])
def test_cyclegan_conforms_on_kinds_of_odd_size_and_other_channels(part):
    check_recipe("cyclegan", kinds(1, 3, size=(18, 23)), width=4, blocks=1, steps=4, **part)


def test_several_inputs_and_two_sizes_are_refused():
    module, x = recipes.find("cyclegan"), np.zeros((20, 1, 8, 8), np.uint8)
    with pytest.raises(UserError, match="was given 2 kinds"):
        module.build(module.Config(), paired.from_arrays({"a": x, "b": x}, x).spec)
    with pytest.raises(UserError, match=r"a of 12 x 12 pixels, output of 8 x 8: .* give --size"):
        module.build(module.Config(), paired.from_arrays({"a": np.zeros((20, 1, 12, 12), np.uint8)}, x).spec)
