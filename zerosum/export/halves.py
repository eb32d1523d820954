"""A generator in two ONNX graphs for a page: what enters its latent space, and what paints a point of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.errors import UserError
from zerosum.export.graph import need, session, to_onnx
from zerosum.export.view import LEFT_OUT
from zerosum.game import Batch
from zerosum.latent.space import Space

ENTER, PAINT = "enter.onnx", "paint.onnx"
TRIED = 64
"""Items whose pictures are compared."""
HALF = 1 / 255
"""Half of one of 256 levels, in model space: what weights that are kept short may change at most."""
SMALLEST = 1024
"""Numbers of a weight that is worth keeping short."""


class Enter(nn.Module):
    """Noise [n, ...] (and labels, int [n]) -> styles [n, layers, dim], without truncation."""

    def __init__(self, space: Space, nets: nn.ModuleDict) -> None:
        super().__init__()
        assert space.game.styles is not None
        self.enter, self.nets = space.game.styles.enter, nets
        inputs = space.sampler.inputs(1, 0).items()
        self.rest = {name: value for name, value in inputs if name not in ("z", "y", *LEFT_OUT)}

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        rest = {name: value.expand(len(z), *value.shape[1:]) for name, value in self.rest.items()}
        return self.enter(self.nets, {"z": z} | rest | ({} if y is None else {"y": y})).float()


class Paint(nn.Module):
    """Points [n, layers, dim] (and shares of classes [n, classes]) -> items in model space."""

    def __init__(self, space: Space, nets: nn.ModuleDict) -> None:
        super().__init__()
        self.space, self.nets = space, nets

    def forward(self, points: Tensor, shares: Tensor | None = None) -> Tensor:
        return self.space.paint(self.nets, points, {} if shares is None else {"y": shares}).float()


def write(space: Space, to: Path, short: bool = True) -> float:
    """Write the graphs of a space into a folder that exists; the largest difference of their pictures from torch's.

    Only a generator with styles gets `ENTER`: the noise of others is their point. With `short` weights are kept in float16, and
    computed with in float32, unless that changes a picture by more than half a level. Raises UserError as `to_onnx` does.
    """
    inputs = space.sampler.inputs(TRIED, 0)
    points, shares = space.enter(inputs), shares_of(space, inputs)
    with space.sampler.run.shown() as nets:
        if space.styled:
            to_onnx(Enter(space, nets), {name: inputs[name] for name in ("z", "y") if name in inputs}, to / ENTER, ("points",))
        to_onnx(Paint(space, nets), {"points": points} | ({} if shares is None else {"shares": shares}), to / PAINT)
    wanted = space.leave(points, {} if shares is None else {"y": shares})
    if short:
        whole = {path: path.read_bytes() for path in _graphs(to)}
        for path in whole:
            shorten(path)
        if (away := _away(to, inputs, points, shares, wanted)) <= HALF:
            return away
        for path, content in whole.items():
            path.write_bytes(content)
    away = _away(to, inputs, points, shares, wanted)
    if not away <= HALF:
        raise UserError(
            f"pictures of the two graphs differ from torch's by {away:.2g}; please report this recipe with its settings"
        )
    return away


def shares_of(space: Space, inputs: Batch) -> Tensor | None:
    """Labels that steer beside the point, as shares [n, classes]; None where there are none."""
    if space.styled or "y" not in inputs:
        return None
    return nn.functional.one_hot(inputs["y"], space.sampler.spec.classes).float()


def shorten(path: Path) -> None:
    """Keep the large weights of a graph in float16, each cast to float32 where it is used."""
    onnx, _ = need()
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) < SMALLEST:
            continue
        numbers = onnx.numpy_helper.to_array(tensor)
        if np.abs(numbers).max() > np.finfo(np.float16).max:
            continue
        name = f"{tensor.name}.short"
        casts.append(onnx.helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
        tensor.CopyFrom(onnx.numpy_helper.from_array(numbers.astype(np.float16), name))
    nodes: Sequence[object] = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _graphs(folder: Path) -> list[Path]:
    return [path for path in (folder / ENTER, folder / PAINT) if path.exists()]


def _away(folder: Path, inputs: Batch, points: Tensor, shares: Tensor | None, wanted: Tensor) -> float:
    """The largest difference of the graphs' pictures, from noise to pixels."""
    if (folder / ENTER).exists():
        given = {name: inputs[name].numpy() for name in ("z", "y") if name in inputs}
        points = torch.from_numpy(session(folder / ENTER).run(None, given)[0])
    feeds = {"points": points.numpy()} | ({} if shares is None else {"shares": shares.numpy()})
    x = session(folder / PAINT).run(None, feeds)[0]
    return float(np.abs(x - wanted.numpy()).max())
