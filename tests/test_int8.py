"""8 bits: what is rewritten on the way is exactly the same function, and what is rounded is near it and smaller."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from zerosum.cli import main
from zerosum.errors import UserError
from zerosum.export import int8
from zerosum.export.compare import lost
from zerosum.export.graph import session, to_onnx
from zerosum.export.int8 import quantise
from zerosum.export.onnx import export
from zerosum.export.played import Played
from zerosum.export.quantiser import Quantiser
from zerosum.export.rewrite import exactly
from zerosum.export.view import example
from zerosum.job import open_data, open_run
from zerosum.metrics.score import Score


def kinds(path):
    return [node.op_type for node in onnx.load(path).graph.node]


@pytest.mark.parametrize(
    ("kernel", "pad", "bias"),
    [(4, 1, True), (4, 1, False), (2, 0, True), (3, 0, True), (3, 1, True), (5, 2, False), (6, 2, True)],
)
def test_a_transposed_convolution_is_a_plain_one_with_its_pixels_moved(kernel, pad, bias, tmp_path):
    torch.manual_seed(0)
    net, x = nn.ConvTranspose2d(3, 5, kernel, 2, pad, bias=bias), torch.randn(11, 3, 6, 7)
    to_onnx(net, {"a": x}, tmp_path / "x.onnx")
    assert "ConvTranspose" in kinds(tmp_path / "x.onnx")
    model = exactly(onnx.load(tmp_path / "x.onnx"))
    onnx.checker.check_model(model)
    assert "ConvTranspose" not in [node.op_type for node in model.graph.node]
    (made,) = session(model.SerializeToString()).run(None, {"a": x.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(made, net(x).numpy(), atol=1e-5)


def test_what_is_not_a_doubling_is_left_alone(tmp_path):
    net = nn.ConvTranspose2d(4, 4, 3, 3, 1)
    to_onnx(net, {"a": torch.randn(11, 4, 6, 6)}, tmp_path / "x.onnx")
    assert "ConvTranspose" in [node.op_type for node in exactly(onnx.load(tmp_path / "x.onnx")).graph.node]


class Heads(nn.Module):
    """Three matrices of one vector, and one of another."""

    def __init__(self):
        super().__init__()
        self.heads, self.last = nn.ModuleList(nn.Linear(4, n) for n in (3, 5, 2)), nn.Linear(3, 2)

    def forward(self, a):
        one, two, three = (head(a) for head in self.heads)
        return self.last(one) * three + two.sum(1, keepdim=True)


def test_matrices_of_one_vector_become_one(tmp_path):
    torch.manual_seed(0)
    net, x = Heads(), torch.randn(11, 4)
    to_onnx(net, {"a": x}, tmp_path / "x.onnx")
    model = exactly(onnx.load(tmp_path / "x.onnx"))
    onnx.checker.check_model(model)
    assert [node.op_type for node in model.graph.node].count("Gemm") == 2
    (made,) = session(model.SerializeToString()).run(None, {"a": x.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(made, net(x).numpy(), atol=1e-5)


@pytest.fixture(scope="module")
def wide_run(tmp_path_factory):
    """A cgan on digits of a width at which weights are most of a file."""
    run = tmp_path_factory.mktemp("wide") / "run"
    words = ("--recipe", "cgan", "--steps", "60", "--width", "64", "--pictures", "2", "--scores", "0", "--threads", "1")
    with pytest.raises(SystemExit):
        main(["train", "digits", *words, "--out", str(run)])
    return run


def test_eight_bits_are_a_third_of_the_size_and_within_five_per_cent_of_the_score(wide_run, tmp_path):
    sampler = open_run(wide_run, device="cpu")
    made = quantise(sampler, tmp_path / "g.onnx", open_data(wide_run), items=300)
    assert made.size <= made.float_size / 3
    assert made.lost is not None and made.lost <= 0.05
    assert made.tried[made.method] == min(made.tried.values()) <= 0.05
    inputs = sampler.inputs(100, seed=4)
    (x,) = session(made.path).run(None, {"z": inputs["z"].numpy(), "y": inputs["y"].numpy()})
    away = np.abs(x - sampler.generate(inputs)["x"].numpy())
    assert 0 < away.mean() <= 0.05  # rounded, and near
    assert [one.name for one in tmp_path.iterdir()] == ["g.onnx"]
    assert onnx.load(made.path).graph.node and "DequantizeLinear" in kinds(made.path)


def test_layers_go_back_to_floats_while_the_score_suffers_and_others_judge_than_chose(wide_run, tmp_path, monkeypatch):
    monkeypatch.setattr(int8, "LOSS", -1.0)  # no loss is small enough
    made = quantise(open_run(wide_run, device="cpu"), tmp_path / "g.onnx", open_data(wide_run), items=100)
    assert len(made.floats) == made.layers and made.size > made.float_size / 2
    assert made.lost == pytest.approx(0, abs=0.01)
    assert f"seed {int8.JUDGED}" in made.before.protocol and f"seed {int8.JUDGED}" in made.after.protocol


def test_without_data_it_is_written_and_nothing_is_said_of_its_score(wide_run, tmp_path):
    made = quantise(open_run(wide_run, device="cpu"), tmp_path / "g.onnx")
    assert made.size and made.lost is None


@pytest.mark.parametrize(
    ("better", "before", "after", "share"), [("lower", 10.0, 11.0, 0.1), ("higher", 0.8, 0.4, 0.5), ("lower", 10.0, 9.0, -0.1)]
)
def test_what_is_lost_is_a_share_of_what_was_there(better, before, after, share):
    one, other = (Score("s", value, better, None, None, "") for value in (before, after))
    assert lost(one, other) == pytest.approx(share)


def test_what_rewriting_changes_counts_as_a_difference_from_the_float_graph(wide_run, tmp_path):
    sampler = open_run(wide_run, device="cpu")
    whole, inputs = export(sampler, tmp_path / "float.onnx").path, example(sampler, 32)
    one = Quantiser(sampler, whole, tmp_path, inputs, inputs)
    assert torch.equal(one.wanted, Played(sampler, whole)(inputs))
    assert not torch.equal(one.wanted, Played(sampler, one.ready)(inputs))  # sums in another order


def test_without_onnx_it_says_what_to_install(tiny_run, tmp_path):
    hide = """
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in ("onnx", "onnxruntime", "onnxscript") else super().find_spec(name, path, target)
sys.meta_path[:] = [Without if one is PathFinder else one for one in sys.meta_path]
from zerosum.cli import main
main(sys.argv[1:])
"""
    words = [sys.executable, "-c", hide, "export", str(tiny_run), "--int8", str(tmp_path / "g.onnx")]
    said = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert said.returncode == 2 and "pip install 'zerosum[onnx]'" in said.stderr, said.stderr


def test_a_folder_that_is_not_there_is_named(wide_run, tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        quantise(open_run(wide_run, device="cpu"), tmp_path / "no" / "g.onnx")
