"""A module as an ONNX graph with a batch of any size, checked against torch before anyone sees it."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zerosum.errors import UserError
from zerosum.export.beside import beside

OPSET = 18
"""The operators' version: the exporter's own, of 2022, which every ONNX Runtime since 1.14 and onnxruntime-web know."""

TOLERANCE = 1e-4
"""Largest difference from torch, in model space, that a graph may have: a hundredth of one of 256 levels."""

BATCHES = (1, 2, 5)
"""Sizes of batch that are compared; all differ from the one the graph was traced with."""

TRACED = 3

Axes = Mapping[str, Mapping[int, Any]]
"""Of inputs by name: axes beside the first that may have any length, each with a `torch.export.Dim` or Dim.DYNAMIC."""


def to_onnx(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    path: str | Path,
    outputs: tuple[str, ...] = ("x",),
    axes: Axes | None = None,
    tolerance: float = TOLERANCE,
    metadata: Mapping[str, str] | None = None,
    traced: Mapping[str, Tensor] | None = None,
) -> float:
    """Write `module(*inputs)` as an ONNX file; the largest difference from torch, over batches of 1, 2 and 5 items.

    `inputs`: tensors [n, ...] by the names that the graph's inputs get, in the order of the module's arguments. The first
    three rows are traced, or `traced`, and the rows after them compared; of 11 rows or more none is compared twice. `outputs`:
    names of what the module returns, a tensor or a tuple. `metadata`: words kept in the file, by name.

    Raises UserError where ONNX or ONNX Runtime is missing, or the graph is not what torch computes; nothing is written then.
    """
    onnx, _ = need()
    path = Path(path)
    rows = {name: torch.cat([value] * -(-(TRACED + sum(BATCHES)) // len(value))) for name, value in inputs.items()}
    any_size = tuple({0: torch.export.Dim.DYNAMIC, **(axes or {}).get(name, {})} for name in rows)
    seen = tuple((traced or rows)[name][:TRACED] for name in rows)
    with beside(path) as scratch:
        with torch.no_grad(), _quiet(), _in_words(path):
            torch.onnx.export(
                _Called(module).eval(),
                seen,
                scratch,
                dynamo=True,
                verbose=False,
                input_names=[*rows],
                output_names=[*outputs],
                dynamic_shapes=(any_size,),
                opset_version=OPSET,
                external_data=False,
            )
        model = onnx.load(scratch)
        _tidy(model)
        for name, words in (metadata or {}).items():
            model.metadata_props.add(key=name, value=words)
        onnx.checker.check_model(model)
        onnx.save(model, scratch)
        away = difference(module, scratch, _batches(rows))
        if not away <= tolerance:
            raise UserError(
                f"{path} was not written: the ONNX graph differs from torch by {away:.2g}, more than {tolerance:g}; "
                "please report this recipe with its settings"
            )
    return away


class _Called(nn.Module):
    """A module called with as many tensors as come: the exporter looks at how `forward` is written."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Any:
        return self.module(*inputs)


def difference(module: nn.Module, path: str | Path, batches: list[dict[str, Tensor]]) -> float:
    """The largest absolute difference between a module and a graph's first output, over some batches."""
    run = session(path)
    known = {one.name for one in run.get_inputs()}
    largest = 0.0
    for batch in batches:
        with torch.no_grad():
            wanted = module(*(value.clone() for value in batch.values()))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        try:
            got = run.run(None, {name: value.numpy() for name, value in batch.items() if name in known})
        except Exception:  # ONNX Runtime's kinds of error have no parent of their own
            return float("inf")
        for mine, theirs in zip(got, wanted, strict=True):
            away = float(np.abs(mine - theirs.float().cpu().numpy()).max()) if mine.shape == tuple(theirs.shape) else np.inf
            largest = max(largest, away) if away == away else np.inf
    return largest


def session(path: str | Path | bytes, threads: int = 0) -> Any:
    """An ONNX Runtime session on the processor. `threads`: within an operator; 0: as many as torch uses."""
    _, ort = need()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what it has to say is raised too
    source = path if isinstance(path, bytes) else os.fspath(path)
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def need() -> tuple[Any, Any]:
    """The modules onnx and onnxruntime. Raises UserError where one is missing, or the exporter's onnxscript."""
    if missing := [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]:
        raise UserError(f"this needs ONNX, and {missing[0]} is not installed: pip install 'zerosum[onnx]'")
    import onnx
    import onnxruntime

    return onnx, onnxruntime


def _batches(rows: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    """Rows that were not traced, in batches of every size that is compared."""
    ends = np.cumsum([TRACED, *BATCHES])
    return [{name: value[a:b] for name, value in rows.items()} for a, b in pairwise(ends)]


def _tidy(model: Any) -> None:
    """Leave out where in the source each operator came from: nobody who gets the file needs the maker's paths."""
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.metadata_props[:]


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """The exporter's refusal as one line."""
    try:
        yield
    except torch.onnx.errors.OnnxExporterError as error:
        lines = [line for line in str(error.__cause__ or error).splitlines() if line.strip()] or [type(error).__name__]
        raise UserError(f"{path} was not written: torch cannot put this generator into an ONNX graph ({lines[0]})") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on torchvision, which is not used here, and on its own deprecated calls."""
    loud = logging.getLogger("torch.onnx")
    before = loud.level
    loud.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        loud.setLevel(before)
