"""Directions: where the answer is known in closed form they are it; the file of a run cannot be made to do harm."""

import json
import os
from dataclasses import replace
from math import cos, sin

import pytest
import torch
from conftest import finish, start
from torch import nn

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Game, Player, Turn
from zerosum.latent.directions import Direction, as_text, boundary, conditioned, ganspace, read, sefa
from zerosum.latent.readers import readers
from zerosum.latent.sefa import squared_jacobian
from zerosum.latent.space import Space
from zerosum.latent.tags import boundaries
from zerosum.play import Pace, Run
from zerosum.sampling import Sampler
from zerosum.train import Training

SPEC = Spec("images", (3, 16, 16), counts=(5, 5, 5), names=("a", "b", "c"), items=15)


def space_of(recipe, spec=SPEC, **settings):
    cfg = recipes.find(recipe).Config(batch=4, width=8, **settings)
    return Space(Sampler(build_run(recipe, cfg, spec, Training(device="cpu")), spec))


class Hidden(nn.Module):
    """x = A z without a layer that could be seen to read z."""

    def __init__(self, a):
        super().__init__()
        self.a = nn.Parameter(a)
        self.child = nn.Identity()

    def forward(self, z):
        return z @ self.a.t()


def game_of(G, z_dim=4, scales=None):
    scales = torch.ones(z_dim) if scales is None else scales
    sgd = lambda params: torch.optim.SGD(params, 0.1)
    game = Game(
        nets={"G": G},
        players={"G": Player(("G",), sgd)},
        turns=(Turn("G", lambda nets, batch, clock: {}),),
        draw=lambda n: {"z": torch.randn(n, z_dim) * scales},
        generate=lambda nets, inputs: nets["G"](inputs["z"]),
    )
    spec = Spec("vectors", (6,), items=10)
    return Space(Sampler(Run(game, 1, 4, 0, Pace("cpu", torch.float32, 1, False)), spec))


def known():
    """A [6, 4] with singular values 4, 3, 2, 1, and its right singular vectors as rows."""
    rng = torch.Generator().manual_seed(0)
    left = torch.linalg.qr(torch.randn(6, 4, generator=rng))[0]
    right = torch.linalg.qr(torch.randn(4, 4, generator=rng))[0]
    return left @ torch.diag(torch.tensor([4.0, 3.0, 2.0, 1.0])) @ right.t(), right.t()


def same_lines(found, wanted, atol):
    cosines = torch.stack([(one.vector @ line).abs() for one, line in zip(found, wanted, strict=True)])
    torch.testing.assert_close(cosines, torch.ones(len(cosines)), atol=atol, rtol=0)


def test_sefa_of_a_linear_generator_is_its_right_singular_vectors():
    a, right = known()
    layer = nn.Linear(4, 6)
    layer.weight = nn.Parameter(a)
    found = sefa(game_of(layer), 4)
    same_lines(found, right, 1e-5)
    assert [one.method for one in found] == ["sefa"] * 4


def test_without_a_layer_that_reads_the_noise_sefa_takes_the_jacobian():
    a, right = known()
    space = game_of(Hidden(a))
    assert readers(space) == []
    found = sefa(space, 4)
    same_lines(found, right, 1e-4)
    assert [one.method for one in found] == ["jacobian"] * 4
    torch.testing.assert_close(squared_jacobian(space, 0, 1).float(), a.t() @ a, atol=2e-2, rtol=1e-3)


def test_ganspace_finds_the_axes_of_a_known_covariance_and_a_step_is_a_standard_deviation():
    scales = torch.tensor([1.0, 5.0, 0.2, 3.0])
    found = ganspace(game_of(Hidden(torch.eye(4)), scales=scales), 3)
    same_lines(found, torch.eye(4)[[1, 3, 0]], 5e-3)
    assert [one.sigma for one in found] == pytest.approx([5, 3, 1], rel=0.06)


def test_ganspace_looks_behind_the_first_nonlinearity():
    a, _ = known()
    first, last = nn.Linear(4, 6), nn.Linear(6, 6)
    first.weight, first.bias = nn.Parameter(torch.cat([100 * a[:1], a[1:]])), nn.Parameter(torch.zeros(6))
    space = game_of(nn.Sequential(first, nn.ReLU(), last))
    same_lines(ganspace(space, 1), [a[0] / a[0].norm()], 1e-2)


@pytest.mark.parametrize("recipe", ["swift", "dcgan", "cgan", "r3gan", "sngan", "aae"])
def test_every_image_recipe_is_read_by_its_weights_and_has_directions(recipe):
    space = space_of(recipe)
    assert {reader.layer for reader in readers(space)} == {0}
    for found in (sefa(space, 3), ganspace(space, 3)):
        assert len(found) == 3 and all(one.vector.norm() == pytest.approx(1, abs=1e-5) for one in found)
        assert [one.sigma for one in found] == pytest.approx([1, 1, 1], rel=0.1)  # the noise's own


def test_swifts_self_modulation_reads_the_noise_too():
    assert len(readers(space_of("swift"))) > 3


def test_a_range_of_stylegan2s_layers_is_read_by_their_own_affines_and_moves_nothing_else():
    space = space_of("stylegan2", z_dim=16)
    assert {reader.layer for reader in readers(space)} == set(range(space.layers))
    (one,) = sefa(space, 1, 2, 4)
    weight = torch.cat([reader.weight for reader in readers(space) if reader.layer in (2, 3)])
    best = torch.linalg.svd(weight)[2][0].float()
    assert (one.vector @ best).abs().item() == pytest.approx(1, abs=1e-4)
    points = space.enter(space.sampler.inputs(2, 0))
    moved = (one.move(points, 2.0) - points).norm(dim=2)
    torch.testing.assert_close(moved, torch.tensor([[0, 0, 1, 1, 0, 0]] * 2).float() * 2 * one.sigma, atol=1e-4, rtol=1e-4)
    with pytest.raises(UserError, match="layers 0 to 6"):
        sefa(space, 1, 4, 9)


@pytest.mark.parametrize(("tagged", "cosine"), [(2000, 0.98), (40, 0.9)])
def test_a_boundary_finds_a_known_hyperplane(tagged, cosine):
    space = game_of(nn.Linear(4, 6))
    points = torch.randn(tagged, 1, 4, generator=torch.Generator().manual_seed(1))
    normal = torch.tensor([-0.8, 0.0, 0.6, 0.0])
    found = boundary(space, points, points[:, 0] @ normal > 0.3)
    assert (found.vector @ normal).item() > cosine  # and towards the tag


def test_a_conditioned_direction_does_not_move_along_the_other():
    space = game_of(nn.Linear(4, 6))
    other = Direction("b", "boundary", torch.tensor([1.0, 0, 0, 0]), 1.0)
    both = Direction("a", "boundary", torch.tensor([cos(1), sin(1), 0, 0]), 1.0)
    torch.testing.assert_close(conditioned(both, [other], space).vector, torch.tensor([0.0, 1, 0, 0]))
    with pytest.raises(UserError, match="independent"):
        conditioned(other, [other], space)


def test_others_that_are_one_boundary_from_both_sides_take_away_that_boundary_alone():
    space = game_of(nn.Linear(4, 6))
    other = Direction("b", "boundary", torch.tensor([1.0, 2, 3, 4]) / 30**0.5, 1.0)
    both = Direction("a", "boundary", torch.tensor([0.0, 0, 0, 1]), 1.0)
    mirrored = [other, replace(other, name="not b", vector=-other.vector)]
    torch.testing.assert_close(conditioned(both, mirrored, space).vector, conditioned(both, [other], space).vector)


def test_a_generator_of_one_item_alone_has_no_principal_components():
    layer = nn.Linear(4, 6, bias=False)
    nn.init.zeros_(layer.weight)
    with pytest.raises(UserError, match="one item alone"):
        ganspace(game_of(layer), 2)


def test_one_sided_tags_teach_nothing():
    space = game_of(nn.Linear(4, 6))
    with pytest.raises(UserError, match="2 items have it"):
        boundary(space, torch.randn(20, 1, 4), torch.arange(20) < 2)


def test_directions_come_back_from_their_file_and_those_of_another_checkpoint_do_not(tmp_path):
    space, path = game_of(nn.Linear(4, 6)), tmp_path / "directions.json"
    assert read(path, space, 7) == []
    found = sefa(space, 2)
    path.write_text(as_text(found, 7))
    for one, back in zip(found, read(path, space, 7), strict=True):
        torch.testing.assert_close(one.vector, back.vector)
        assert (one.name, one.method, one.sigma, one.first, one.last) == pytest.approx(
            (back.name, back.method, back.sigma, back.first, back.last)
        )
    assert read(path, space, 8) == []


def hostile():
    row = {"name": "a", "method": "sefa", "vector": [1, 0, 0, 0], "sigma": 1.0, "first": 0, "last": 1}
    whole = lambda **changes: json.dumps({"format": 1, "step": 7, "directions": [row | changes]})
    yield "nested", "[" * 100_000
    yield "endless", json.dumps({"format": 1, "step": 7, "directions": [row] * 300})
    yield "text", "no json"
    yield "list", "[]"
    yield "newer", json.dumps({"format": 2, "step": 7, "directions": []})
    yield "short", whole(vector=[1, 2])
    yield "words", whole(vector=["1", 0, 0, 0])
    yield "nan", whole(vector=[float("nan"), 0, 0, 0])
    yield "huge", whole(vector=[10**400, 0, 0, 0])
    yield "nothing", whole(vector=[0, 0, 0, 0])
    yield "spread", whole(sigma=float("inf"))
    yield "true", whole(sigma=True)
    yield "layers", whole(last=10**9)
    yield "name", whole(name="a" * 1000)
    yield "bell", whole(name="a\u0007\u202e")
    yield "object", whole(name={"__class__": "x"})
    yield "large", " " * (17 * 2**20)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile()])
def test_a_file_made_by_an_attacker_is_refused_in_one_line(text, tmp_path):
    path = tmp_path / "directions.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"damaged or of another run") as told:
        read(path, game_of(nn.Linear(4, 6)), 7)
    assert len(str(told.value)) < 400 and "\n" not in str(told.value)


def test_a_pipe_in_place_of_the_file_keeps_nobody_waiting(tmp_path):
    os.mkfifo(tmp_path / "directions.json")
    assert read(tmp_path / "directions.json", game_of(nn.Linear(4, 6)), 7) == []


def test_the_command_prints_what_it_found_and_writes_it(tiny_run, tmp_path):
    import shutil

    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    tags = tmp_path / "tags.csv"
    tags.write_text("seed,label,bold,mood\n" + "".join(f"{i},{i % 10},{i % 2},{'abc'[i % 3]}\n" for i in range(24)))
    code, out, err = finish(start("directions", run, "--count", "2", "--labels", tags, "--apart"))
    assert code == 0, err
    assert "sefa 1" in out and "ganspace 2" in out and "bold" in out and "mood a" in out
    rows = json.loads((run / "directions.json").read_text())["directions"]
    assert len(rows) == 2 + 2 + 1 + 3


@pytest.mark.parametrize(
    ("text", "why"),
    [("seed,bold\nten,1\n", "line 2: seed ten"), ("bold\n1\n", "a header with seed"), ("seed,mood\n1,a\n2,b\n", "no word of")],
)
def test_tags_that_are_none_are_told_of(text, why, tmp_path):
    path = tmp_path / "tags.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=why):
        boundaries(space_of("cgan"), path)
