"""R3GAN as its paper states it: initial weights, sizes, schedules."""

from dataclasses import replace
from math import sqrt

import pytest
import torch

from zerosum import UserError, open_source, recipes
from zerosum.game import Clock
from zerosum.nets.r3gan import Block, Discriminator, Generator
from zerosum.nets.shapes import pyramid, tapered
from zerosum.parts import penalty_weight, smoothness

r3gan = recipes.find("r3gan")


def test_initial_weights_have_the_papers_spread_and_blocks_begin_as_the_identity():
    torch.manual_seed(0)
    block = Block(96, depth=8)
    first, second, last = (block.layers[i].weight for i in (0, 2, 4))
    gain = sqrt(2 / 1.04) * 8 ** (-1 / 4)
    assert first.std().item() == pytest.approx(gain / sqrt(96), rel=0.03)
    assert second.shape == (192, 16, 3, 3)
    assert second.std().item() == pytest.approx(gain / sqrt(16 * 9), rel=0.03)
    assert not last.any()
    x = torch.randn(2, 96, 5, 5)
    assert torch.equal(block(x), x)


def test_signals_keep_their_size_through_both_nets_at_the_start():
    torch.manual_seed(0)
    G, D = Generator((3, 32, 32), 64, 96, 2, 32), Discriminator((3, 32, 32), 96, 2, 32)
    z = torch.randn(256, 64)
    with torch.no_grad():
        assert G.start(z).std().item() == pytest.approx(1, rel=0.1)
        assert 0.1 < G(z).std() < 1.5
        assert 0.1 < D(torch.randn(256, 3, 1, 1).expand(256, 3, 32, 32)).std() < 1.5


def test_the_papers_networks_have_its_stages():
    assert pyramid(32, 32) == [(4, 4), (8, 8), (16, 16), (32, 32)]
    assert [tapered(768, size, 32) for size in pyramid(256, 256)] == [768, 768, 768, 768, 384, 192, 96]
    assert [tapered(128, size, 8) for size in pyramid(28, 28)] == [128, 64, 32]


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 17, 40), (4, 28, 23), (7, 33, 64)])
@pytest.mark.parametrize("classes", [0, 3])
def test_any_size_and_any_channels(shape, classes):
    G, D = Generator(shape, 8, 16, 1, 8, classes), Discriminator(shape, 16, 1, 8, classes)
    y = torch.arange(3) if classes else None
    x = G.eval()(torch.randn(3, 8), y)
    assert x.shape == (3, *shape) and D(x, y).shape == (3, 1)


@pytest.mark.parametrize(("kimg", "last"), [(0.0, 100), (0.8, 50)])
def test_schedules_start_and_end_where_the_paper_says(kimg, last):
    cfg = r3gan.Config(batch=16, width=8, ema_rampup=0.0, ema_halflife_kimg=500.0, schedule_kimg=kimg)
    game = r3gan.build(cfg, open_source("digits").spec)
    start, middle, end = Clock(0, 100), Clock(last // 2, 100), Clock(last, 100)
    D, G = game.players["D"], game.players["G"]
    for player in (D, G):
        assert player.lr_scale(start) == 1
        assert cfg.lr_g * player.lr_scale(end) == pytest.approx(5e-5)
        assert player.beta2(start) == pytest.approx(0.9)
        assert player.beta2(middle) == pytest.approx(0.945)
        assert player.beta2(end) == pytest.approx(0.99)
    assert game.ema["G"](start) == 0
    assert game.ema["G"](end) == pytest.approx(0.5 ** (16 / 500_000))
    assert game.ema["G"](Clock(last + 10, 100)) == game.ema["G"](end)


def test_the_penalty_falls_to_a_tenth():
    cfg = r3gan.Config()
    assert penalty_weight(cfg, Clock(0, 10)) == pytest.approx(0.05)
    assert penalty_weight(cfg, Clock(10, 10)) == pytest.approx(0.005)


def test_adam_is_given_its_scheduled_second_decay():
    from zerosum.play import Run, play

    source = open_source("digits")
    run = Run(r3gan.build(r3gan.Config(batch=8, width=8), source.spec), 3, 8)
    for _ in play(run, source):
        pass
    for optim in run.optims.values():
        assert optim.param_groups[0]["betas"] == (0.0, pytest.approx(0.9 + 0.09 * 0.75))


def test_penalties_in_bfloat16_pull_as_those_in_float32():
    torch.manual_seed(0)
    source = open_source("digits")
    cfg = r3gan.Config(batch=16, width=32)
    pulls, values = [], []
    game = r3gan.build(cfg, source.spec)
    D, batch = game.nets["D"], source.some(16)
    for block in D.stages.modules():  # not at the start, where blocks are the identity
        if isinstance(block, Block):
            torch.nn.init.normal_(block.layers[4].weight, 0.0, 0.1)
    for exact in (True, False):
        with torch.autocast("cpu", torch.bfloat16):
            critic = lambda x: D(x, batch["y"])
            term = smoothness(replace(cfg, penalty_exact=exact), critic, batch["x"], batch["x"], Clock())["r1_r2"]
        D.zero_grad()
        term.backward()
        values.append(term.item())
        pulls.append(torch.cat([p.grad.flatten() for p in D.parameters() if p.grad is not None]))
    assert values[0] != values[1] and values[1] == pytest.approx(values[0], rel=0.02)
    assert (pulls[0] - pulls[1]).norm() < 0.02 * pulls[0].norm()


def test_labels_are_taken_unless_turned_off():
    spec = open_source("digits").spec
    assert "y" in r3gan.build(r3gan.Config(width=8), spec).draw(2)
    assert "y" not in r3gan.build(r3gan.Config(width=8, conditional=False), spec).draw(2)


@pytest.mark.parametrize("wrong", [{"width": 12}, {"blocks": 0}, {"full": 0}])
def test_impossible_networks_are_refused_by_name(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        r3gan.build(r3gan.Config(**{"width": 8, **wrong}), open_source("digits").spec)


def test_spectral_norm_is_refused():
    """Blocks begin with weights of 0, whose largest singular value is nothing to divide by."""
    with pytest.raises(UserError, match="spectral_norm"):
        r3gan.build(r3gan.Config(width=8, spectral_norm=True), open_source("digits").spec)
