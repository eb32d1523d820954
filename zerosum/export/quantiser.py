"""A float graph in 8 bits: which layers, and how the ranges of their inputs are found."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from math import prod
from pathlib import Path
from typing import Any

from zerosum.export.graph import need
from zerosum.export.played import Played
from zerosum.game import Batch
from zerosum.sampling import Sampler

METHODS = ("MinMax", "Percentile", "Entropy")
"""How an activation's range is found: all of it, all but its tails, or where least information is lost."""

MULTIPLIED = ("Conv", "Gemm", "MatMul")
"""What is multiplied in whole numbers."""

MOVED = ("Transpose", "Reshape", "Slice")
"""What moves numbers without changing them, and so can move bytes."""

FEW = 64
"""Numbers up to which weights stay floats: a fixed filter gains nothing in bytes, and would lose what it is exact for."""


class Quantiser:
    """Writes a float graph in 8 bits, this way and that."""

    def __init__(self, sampler: Sampler, source: Path, place: Path, looked_at: Batch, judged: Batch) -> None:
        """`source`: a graph by `zerosum.export.onnx`. `place`: an empty folder. `looked_at`, `judged`: inputs of the graph."""
        onnx, _ = need()
        from zerosum.export.rewrite import exactly

        self.sampler, self.place, self.looked_at, self.judged = sampler, place, looked_at, judged
        model = exactly(onnx.load(source))
        self.ready = place / "ready.onnx"
        onnx.save(model, self.ready)
        sizes = {one.name: prod(one.dims) for one in model.graph.initializer}
        layers = {node.name: sizes[node.input[1]] for node in model.graph.node if _is_layer(node, sizes)}
        self.layers = tuple(name for name, size in layers.items() if size > FEW)
        self._filters = [name for name in layers if name not in self.layers]
        self.metadata = [(one.key, one.value) for one in model.metadata_props]
        self.wanted = Played(sampler, source)(judged)  # so that a fault of the rewriting shows too

    def write(self, method: str, floats: Sequence[str] = ()) -> Path:
        """The graph in 8 bits, but for some layers."""
        onnx, _ = need()
        from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

        path = self.place / "try.onnx"
        with _quiet():
            quantize_static(
                self.ready,
                path,
                _Reader(self.looked_at),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=[*MULTIPLIED, *MOVED],
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=getattr(CalibrationMethod, method),
                nodes_to_exclude=[*floats, *self._filters],
                extra_options={"ActivationSymmetric": False, "WeightSymmetric": True},
            )
        model = onnx.load(path)
        for key, value in self.metadata:
            model.metadata_props.add(key=key, value=value)
        onnx.save(model, path)
        return path

    def away(self, method: str, floats: Sequence[str] = ()) -> float:
        """Root mean square difference from the float graph."""
        made = Played(self.sampler, self.write(method, floats))(self.judged)
        return float((made - self.wanted).square().mean().sqrt())

    def costly(self, method: str) -> list[str]:
        """Layers, the one that most is gained by leaving in floats first."""
        gained = {layer: self.away(method, [layer]) for layer in self.layers}
        return sorted(self.layers, key=lambda layer: gained[layer])


def _is_layer(node: Any, constants: Container[str]) -> bool:
    return node.op_type in MULTIPLIED and node.input[1] in constants


class _Reader:
    """Inputs in parts, as ONNX Runtime's calibration asks for them."""

    def __init__(self, inputs: Batch, chunk: int = 16) -> None:
        parts = zip(*(value.split(chunk) for value in inputs.values()), strict=True)
        self._parts = iter([{k: v.numpy() for k, v in zip(inputs, part, strict=True)} for part in parts])

    def get_next(self) -> Any:
        """The next part, or None."""
        return next(self._parts, None)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the tool's advice, which is followed already."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(before)
