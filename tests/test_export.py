"""What leaves the house is what torch computes."""

import numpy as np
import pytest
import torch
from torch import nn

from zerosum.errors import UserError
from zerosum.export.graph import session, to_onnx


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


def test_a_graph_tells_nothing_of_where_it_was_made(tmp_path):
    to_onnx(Sum(), {"a": torch.randn(4, 4), "b": torch.randn(4, 4)}, tmp_path / "x.onnx")
    assert b".py" not in (tmp_path / "x.onnx").read_bytes()
