"""What leaves the house is what torch computes."""

import json
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data import open_source
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.export.graph import session, to_onnx
from zerosum.export.onnx import export
from zerosum.export.view import example, view
from zerosum.private.budget import Budget
from zerosum.private.key import Key
from zerosum.provenance import Origin
from zerosum.sampling import Sampler
from zerosum.settings import settings as settled
from zerosum.train import Training


class Sum(nn.Module):
    """a times a weight plus b, and the sum of each row of a."""

    def __init__(self, scale=1.0):
        super().__init__()
        self.w = nn.Parameter(torch.full((4,), scale))

    def forward(self, a, b):
        return a * self.w + b, a.sum(1)


class TwoFaced(nn.Module):
    """Another function while it is traced than afterwards."""

    def forward(self, a):
        return a + (0.5 if torch.compiler.is_compiling() else 0.0)


def test_a_graph_has_the_names_it_was_given_and_takes_any_batch(tmp_path):
    inputs = {"a": torch.randn(11, 4), "b": torch.randn(11, 4)}
    away = to_onnx(Sum(2.0), inputs, tmp_path / "sum.onnx", ("x", "total"), metadata={"who": "me"})
    assert away <= 1e-6
    run = session(tmp_path / "sum.onnx")
    assert [one.name for one in run.get_inputs()] == ["a", "b"]
    assert [one.name for one in run.get_outputs()] == ["x", "total"]
    assert run.get_modelmeta().custom_metadata_map["who"] == "me"
    a, b = np.ones((7, 4), np.float32), np.zeros((7, 4), np.float32)
    x, total = run.run(None, {"a": a, "b": b})
    assert np.array_equal(x, np.full((7, 4), 2.0)) and np.array_equal(total, np.full(7, 4.0))


def test_a_graph_that_is_not_what_torch_computes_is_refused_and_not_written(tmp_path):
    with pytest.raises(UserError, match=r"differs from torch by 0\.5, more than 0\.0001"):
        to_onnx(TwoFaced(), {"a": torch.randn(4, 4)}, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("where", ["folder.onnx", "/proc/x.onnx"])
def test_where_nothing_can_be_written_is_told_in_one_line(where, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(UserError, match=re.escape(where)):
        to_onnx(nn.Linear(2, 2), {"z": torch.randn(11, 2)}, tmp_path / where)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.onnx"]


def test_a_graph_tells_nothing_of_where_it_was_made(tmp_path):
    to_onnx(Sum(), {"a": torch.randn(4, 4), "b": torch.randn(4, 4)}, tmp_path / "x.onnx")
    assert b".py" not in (tmp_path / "x.onnx").read_bytes()


SMALLER = {
    "srgan": {"scale": 2, "width_d": 8, "blocks": 1},
    "cyclegan": {"blocks": 1},
    "stylegan2": {"z_dim": 16, "mapping_depth": 2},
    "compose": {"downs": 2, "finish": 4},
    "restore": {"downs": 2, "finish": 4},
    "pix2pix": {"downs": 3},
    "tabular": {"z_dim": 8, "stages": 2},
    "ctgan": {"z_dim": 8},
}


def small(recipe):
    """Settings of a small game."""
    return {"batch": 20, "width": 8} | SMALLER.get(recipe, {})


def tiny(recipe, side=8, game=None, **settings):
    """A small generator of every recipe on data that it takes, as if it had been trained a little."""
    need = recipes.needs(recipe)
    side = side if need == "items" and recipe != "inpaint" else 16
    given = {"left": [3, side, side]} if need in ("pairs", "domains") else {}
    spec = Spec("images", (3, side, side), (5, 5, 5), ("a", "b", "c"), items=15, given=given, made="right" if given else "")
    sizes = small(recipe) | settings
    if recipe in ("ctgan", "tabular", "dptabular"):
        spec = table(recipe == "dptabular")
    run = build_run(recipe, settled(recipe, sizes), spec, Training(device="cpu", steps=1), change=game)
    torch.manual_seed(0)
    with torch.no_grad():
        for p in run.nets.parameters():
            p += 0.03 * torch.randn_like(p)  # some layers start at 0
    return Sampler(run, spec, origin=lambda: Origin("0123456789abcdef", recipe, 1))


def table(private):
    """The spec of a table with a number and two choices."""
    r, n = np.random.default_rng(0), 3000
    town, rich = r.choice(["Ulm", "Bonn"], n), r.choice(["yes", "no"], n)
    frame = pd.DataFrame({"town": town, "age": r.integers(18, 80, n), "pay": r.normal(3000, 900, n), "rich": rich})
    return open_source(frame, target="rich", budget=Budget(3.0, 1e-5, Key(bytes(32))) if private else None).spec


def as_arrays(inputs):
    return {name: value.numpy() for name, value in inputs.items()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(sampler, what was exported) of a recipe; each is exported once."""

    @cache
    def of(recipe):
        sampler = tiny(recipe)
        return sampler, export(sampler, tmp_path_factory.mktemp("onnx") / "g.onnx", {"recipe": recipe})

    return of


@pytest.mark.parametrize("recipe", recipes.names())
def test_onnx_is_what_torch_computes(recipe, exported):
    sampler, made = exported(recipe)
    assert made.difference <= 1e-4
    run = session(made.path)
    about = json.loads(run.get_modelmeta().custom_metadata_map["zerosum"])
    assert [one.name for one in run.get_inputs()] == list(about["inputs"])
    assert about["recipe"] == recipe and about["run"] == "0123456789abcdef" and about["spec"]["origin"] == ""
    inputs = example(sampler, 4, seed=5)
    (x,) = run.run(None, as_arrays(inputs))
    if sampler.maps is None:
        with sampler.run.shown() as nets:
            assert np.abs(x - view(sampler, nets)(*inputs.values()).numpy()).max() <= 1e-4
        assert np.abs(x[0] - x[1]).max() > 1e-3, "all items are alike: the comparison says nothing"
    else:
        assert made.any_size
        inputs = example(sampler, 2, seed=5, tile=(24, 40))
        (x,) = run.run(None, as_arrays(inputs))
        assert x.shape[2:] == (24 * sampler.maps.scale, 40 * sampler.maps.scale)
        assert np.abs(x - sampler.generate(inputs)["x"].numpy()).max() <= 1e-4


def test_the_numbers_of_a_seed_give_the_picture_of_that_seed(exported):
    sampler, made = exported("stylegan2")
    inputs = sampler.inputs(3, seed=9, label=1, truncation=0.7)
    given = {name: inputs[name].numpy() for name in ("z", "y", "truncation")}
    (x,) = session(made.path).run(None, given)
    assert np.abs(x - sampler.generate(inputs)["x"].numpy()).max() <= 1e-4


def test_a_hole_larger_than_the_tile_of_training_is_filled_as_torch_fills_it(exported):
    sampler, made = exported("inpaint")
    mask = torch.ones(1, 1, 96, 96)
    mask[:, :, :3] = 0
    inputs = {"a": example(sampler, 1, tile=(96, 96))["a"] * (1 - mask), "mask": mask}
    (x,) = session(made.path).run(None, as_arrays(inputs))
    assert np.abs(x - sampler.generate(inputs)["x"].numpy()).max() <= 1e-4
    assert x[:, :, 50:].std() > 0.01
