"""Games of pairs: what each side minimises, worked out by hand, and what the recipes refuse."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from zerosum import UserError, check_recipe, noise, recipes
from zerosum.conformance import _toy
from zerosum.data import paired
from zerosum.game import Clock
from zerosum.layers.jitter import jittered
from zerosum.layers.windows import windows
from zerosum.nets import patch
from zerosum.play import Run, play
from zerosum.translation import PairSettings, pair_maps, translation


def pairs(*names, n=40, size=(16, 16)):
    """Inputs of one, two, three channels; outputs of three, the first input's negative in each."""
    draw = lambda c: np.random.default_rng(c).integers(0, 256, (n, c, *size), np.uint8)
    x = np.repeat(255 - draw(1), 3, 1)
    return paired.from_arrays({name: draw(1 + i) for i, name in enumerate(names or ("sketch",))}, x, "photo")


def toy(**settings):
    """(game, its nets, batch, cfg): G is a 1 x 1 convolution from one channel to three."""
    torch.manual_seed(0)
    cfg, spec = PairSettings(batch=8, width=2, **settings), pairs().spec
    G, D = nn.Conv2d(1, 3, 1), patch.Discriminator(4, 1, 2)
    for p in D.parameters():
        nn.init.normal_(p, 0, 0.5)
    game = translation(cfg, spec, pair_maps(spec), G, D)
    return game, nn.ModuleDict(game.nets), next(pairs().batches(4, 0)), cfg


def test_what_g_minimises_by_hand():
    game, nets, batch, _ = toy(adversarial=2.0, l1_weight=7.0, match_weight=3.0)
    made, real = nets["G"](batch["a"]), torch.cat([batch["a"], batch["x"]], 1)
    g = game.turns[0]
    terms = g.loss(nets, batch, Clock())
    fake = torch.cat([batch["a"], made], 1)
    assert torch.isclose(terms["l1"], 7 * (made - batch["x"]).abs().mean())
    assert torch.isclose(terms["adv"], 2 * softplus(-nets["D"](fake)).mean())
    apart = [(one - other).abs().mean() for one, other in zip(nets["D"].maps(fake)[0], nets["D"].maps(real)[0], strict=True)]
    assert len(apart) == 2 and torch.isclose(terms["match"], 3 * sum(apart))
    assert set(terms) == {"adv", "l1", "match"}


@pytest.mark.parametrize("adversarial", [0.0, 1.0])
def test_features_of_a_file_count_from_the_share_on_with_d_or_without(adversarial, trunk_file):
    module, source = recipes.find("compose"), pairs(size=(32, 32))
    cfg = module.Config(
        adversarial=adversarial,
        features=str(trunk_file),
        feature_weight=3.0,
        pixel_share=0.5,
        width=4,
        batch=4,
        match_weight=0.0,
    )
    game = module.build(cfg, source.spec)
    nets, batch = nn.ModuleDict(game.nets), next(source.batches(4, 0))
    g = game.turns[0].loss
    assert set(g(nets, batch, Clock(step=4, total=10))) == {"l1"}
    with noise.apart(1):
        terms = g(nets, batch, Clock(step=5, total=10))
    assert set(terms) == {"l1", "features"} | ({"adv"} if adversarial else set())
    with noise.apart(1):
        assert torch.isclose(terms["features"], 3 * nets["features"](nets["G"](batch["a"]), batch["x"]))
    terms["features"].backward()
    assert all(p.grad is not None for p in nets["G"].parameters())
    assert all(p.grad is None for name, net in nets.items() if name != "G" for p in net.parameters())


def test_a_missing_file_of_features_is_one_line_before_anything_is_learned():
    module, source = recipes.find("pix2pix"), pairs(size=(32, 32))
    game = module.build(module.Config(features="none.npz", pixel_share=0.5, width=4, batch=4), source.spec)
    with pytest.raises(UserError, match="no network at"):
        next(iter(play(Run(game, 4, 4), source)))


def test_what_d_minimises_by_hand():
    game, nets, batch, _ = toy(penalty="r1", penalty_weight=5.0)
    terms = game.turns[1].loss(nets, batch, Clock())
    x = batch["x"].clone().requires_grad_()
    real = nets["D"](torch.cat([batch["a"], x], 1))
    fake = nets["D"](torch.cat([batch["a"], nets["G"](batch["a"])], 1))
    assert torch.isclose(terms["adv"], softplus(-real).mean() + softplus(fake).mean())
    (gradient,) = torch.autograd.grad(real.mean((1, 2, 3)).sum(), x)  # of the mean over an item's patches, by its output alone
    assert torch.isclose(terms["r1"], 5 * gradient.square().sum((1, 2, 3)).mean() / 2)
    assert torch.isclose(terms["logit_real"], real.mean())


def test_d_judges_the_output_beside_its_input():
    game, nets, batch, _ = toy()
    other = batch | {"a": batch["a"].flip(0)}
    watched = [game.turns[1].loss(nets, one, Clock())["logit_real"] for one in (batch, other)]
    assert not torch.isclose(*watched)


def test_d_looks_at_the_same_part_of_input_output_and_target_and_pixels_count_everywhere():
    game, nets, batch, _ = toy(judged=8)
    nn.init.constant_(nets["G"].weight, -1.0)
    nn.init.zeros_(nets["G"].bias)  # the output is right: three times the input's negative
    seen = []
    nets["D"].register_forward_pre_hook(lambda net, given: seen.append(given[0].detach()))
    terms = game.turns[0].loss(nets, batch, Clock()) | game.turns[1].loss(nets, batch, Clock())
    by_g, real, fake = seen
    for pair in (by_g, real, fake):
        assert pair.shape == (4, 4, 8, 8)
        assert torch.allclose(pair[:, 1:], -pair[:, :1].expand(-1, 3, -1, -1), atol=1e-5)
        for whole, part in zip(torch.cat([batch["a"], batch["x"]], 1), pair, strict=True):
            assert any(
                torch.allclose(one, part, atol=1e-5) for one in whole.unfold(1, 8, 1).unfold(2, 8, 1).flatten(1, 2).unbind(1)
            )
    assert terms["l1"] < 1e-4
    batch["x"] = batch["x"] + 1
    assert torch.isclose(game.turns[0].loss(nets, batch, Clock())["l1"], torch.tensor(100.0))


def test_parts_have_the_discriminator_of_images_of_their_size():
    module, spec = recipes.find("pix2pix"), pairs(size=(128, 128)).spec
    halved = lambda **settings: len(module.build(module.Config(width=2, **settings), spec).nets["D"].stages)
    assert (halved(), halved(judged=64), halved(judged=63), halved(judged=64, n_layers=3)) == (4, 3, 2, 4)


@pytest.mark.parametrize("side", [1, 5, 17])
def test_a_part_that_holds_no_patch_or_is_no_part_is_refused(side):
    with pytest.raises(UserError, match=f"judged {side}: take 0 for whole images, or pixels from 6 to the 16"):
        toy(judged=side)


@pytest.mark.parametrize("name", ["pix2pix", "compose"])
def test_without_an_adversary_there_is_no_d_and_the_output_nears_its_target(name):
    module, source = recipes.find(name), pairs()
    cfg = module.Config(adversarial=0.0, width=8, batch=8, lr_g=2e-3)
    game = module.build(cfg, source.spec)
    assert set(game.nets) == {"G"} and [turn.player for turn in game.turns] == ["G"]
    scored = [logs for logs in play(Run(game, 30, 8), source)]
    assert all(set(logs) == {"G/l1"} for logs in scored)
    assert scored[-1]["G/l1"] < 0.98 * scored[0]["G/l1"]


def test_a_game_of_nothing_is_refused():
    with pytest.raises(UserError, match="both 0"):
        toy(adversarial=0.0, l1_weight=0.0)


@pytest.mark.parametrize("way", ["diffaugment", "fixed"])
def test_an_output_that_is_right_matches_however_both_are_augmented(way):
    game, nets, batch, _ = toy(match_weight=1.0, augment=way, augment_p=1.0)
    nn.init.constant_(nets["G"].weight, -1.0)
    nn.init.zeros_(nets["G"].bias)
    noise.seed_step(0, 0)
    terms = game.turns[0].loss(nets, batch, Clock())
    assert terms["l1"] < 1e-4 and terms["match"] < 1e-4


def test_d_joins_when_its_share_of_the_training_begins():
    game, nets, batch, _ = toy(pixel_share=0.5, match_weight=1.0)
    early, late = Clock(4, 10), Clock(5, 10)
    g, d = (turn.loss for turn in game.turns)
    assert d(nets, batch, early) == {} and set(g(nets, batch, early)) == {"l1"}
    assert "adv" in d(nets, batch, late) and set(g(nets, batch, late)) > {"adv", "match"}
    with pytest.raises(UserError, match="pixel_share"):
        toy(pixel_share=0.5, l1_weight=0.0)


@pytest.mark.parametrize("name", ["pix2pix", "compose", "cyclegan", "srgan", "inpaint"])
def test_what_d_judges_is_made_once_a_step(name):
    """It is a third of what G costs. The second of D's two turns has a batch that nothing was made of."""
    module, source = recipes.find(name), _toy("pairs")
    shares = {"pixel_share": 0.0} if hasattr(module.Config, "pixel_share") else {}
    game = module.build(module.Config(width=4, batch=4, n_critic=2, **shares), source.spec)
    made: list[str] = []
    for net in (net for net in game.nets if net.startswith("G")):
        game.nets[net].register_forward_hook(lambda module, given, out, net=net: made.append(net))
    next(iter(play(Run(game, 1, 4), source)))
    own = 3 if name == "cyclegan" else 1  # an image there, another back, and one that is of the kind already
    assert {net: made.count(net) for net in made} == {net: own + 1 for net in made}


def test_a_penalty_on_each_item_refuses_a_norm_over_the_batch():
    with pytest.raises(UserError, match="norm_d batch"):
        toy(norm_d="batch", penalty="r1")


def test_pix2pix_takes_one_input_and_compose_many():
    many = pairs("left", "back", "right", size=(20, 37))
    with pytest.raises(UserError, match="left, back, right: take --recipe compose"):
        recipes.find("pix2pix").build(recipes.find("pix2pix").Config(), many.spec)
    game = recipes.find("compose").build(recipes.find("compose").Config(width=8), many.spec)
    assert (game.maps.names, game.maps.channels, game.maps.tile) == (("left", "back", "right"), (1, 2, 3), (20, 37))
    assert game.maps.made == "photo" and game.draw(3) == {}


def test_compose_keeps_every_promise_with_three_inputs_of_odd_size():
    check_recipe("compose", pairs("left", "back", "right", size=(20, 37)), width=8)


@pytest.mark.parametrize(
    "part",
    [
        {"norm_g": "batch", "norm_d": "batch", "dropout": 0.5, "match_weight": 1.0},
        {"norm_g": "none", "norm_d": "none", "spectral_norm": True, "loss": "hinge", "zoom": 1.0},
        {"loss": "least_squares", "instance_noise": 0.1, "augment": "diffaugment"},
        {"judged": 8, "penalty": "r1", "match_weight": 1.0, "augment": "diffaugment"},
        {"downs": 2, "n_layers": 2, "finish": 4, "blocks": 1, "penalty": "gradient_penalty", "ema_halflife_kimg": 0.1},
    ],
    ids=lambda part: next(iter(part)),
)
def test_pix2pix_conforms_with_parts(part):
    check_recipe("pix2pix", width=4, steps=4, **part)


def test_images_too_small_for_a_patch_are_refused():
    with pytest.raises(UserError, match="6 x 6 pixels or more, and these images are 5 x 9"):
        recipes.find("pix2pix").build(recipes.find("pix2pix").Config(), pairs(size=(5, 9)).spec)


@pytest.mark.parametrize("name", ["pix2pix", "cyclegan"])
def test_more_halvings_than_leave_a_patch_are_refused(name):
    module, spec = recipes.find(name), pairs(size=(24, 40)).spec
    with pytest.raises(UserError, match="48 x 48 pixels or more with n_layers 4, and these images are 24 x 40: lower it"):
        module.build(module.Config(n_layers=4), spec)
    game = module.build(module.Config(n_layers=3, width=2), spec)
    judges = [(net, net.stages[0][0].in_channels) for net in game.nets.values() if isinstance(net, patch.Discriminator)]
    assert all(net(torch.zeros(1, channels, 24, 40)).numel() for net, channels in judges)


def test_all_dropped_is_refused():
    with pytest.raises(UserError, match="dropout 1"):
        toy(dropout=1.0)


def test_jitter_cuts_what_belongs_together_alike():
    x = torch.rand(6, 2, 8, 10)
    noise.seed_step(0, 0)
    one, other = jittered(x[:, :1], x[:, 1:], zoom=1.25)
    noise.seed_step(0, 0)
    (both,) = jittered(x, zoom=1.25)
    assert torch.equal(torch.cat([one, other], 1), both) and not torch.equal(both, x)
    assert jittered(x)[0] is x


def test_windows_cut_what_belongs_together_alike_and_each_row_elsewhere():
    x = torch.arange(6 * 9 * 11).reshape(6, 1, 9, 11).float()
    noise.seed_step(0, 0)
    one, other = windows(4, 5, x, -x)
    assert one.shape == (6, 1, 4, 5) and torch.equal(one, -other)
    corners = one[:, 0, 0, 0] - x[:, 0, 0, 0]
    assert len(corners.unique()) > 3 and ((one - one[:, :, :1, :1]) == x[:1, :, :4, :5] - x[0, 0, 0, 0]).all()
    noise.seed_step(0, 0)
    before = noise.uniform(1)
    noise.seed_step(0, 0)
    assert windows(9, 11, x)[0] is x and torch.equal(noise.uniform(1), before)


def test_windows_reach_every_place():
    ramp = torch.arange(6.0).expand(500, 1, 6, 6)
    assert set(windows(3, 3, ramp)[0][:, 0, 0, 0].tolist()) == {0, 1, 2, 3}


def test_jitter_enlarges_by_the_zoom_and_stays_inside():
    ramp = torch.linspace(-1 + 1 / 16, 1 - 1 / 16, 16).expand(50, 1, 16, 16)
    noise.seed_step(0, 0)
    (cut,) = jittered(ramp, zoom=1.25)
    steps = cut[:, 0, 8, 2:14].diff(dim=1)
    assert torch.allclose(steps, torch.full_like(steps, 2 / 16 / 1.25), atol=1e-5)
    middle = cut[:, 0, 8, 7:9].mean(1)
    assert middle.abs().max() <= 0.2 + 1e-5 and middle.std() > 0.08
