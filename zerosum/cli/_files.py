"""The files that `zerosum export` writes, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerosum.cli._common import number, say
from zerosum.errors import UserError

if TYPE_CHECKING:  # `zerosum --help` does not wait for torch
    from zerosum.data.source import Source
    from zerosum.rundir import RunDir
    from zerosum.sampling import Sampler


def onnx(sampler: Sampler, to: Path, config: dict[str, Any]) -> None:
    """An ONNX file in floats."""
    from zerosum.export.onnx import export

    made = export(sampler, ending(to, ".onnx"), config)
    size = f"{made.size / 1e6:.1f} MB, inputs {', '.join(made.inputs)}"
    if sampler.maps is not None:
        height, width = sampler.maps.tile
        size += ", any height and width" if made.any_size else f", pictures of {height} x {width}"
    say(f"onnx      {to}: {size}; largest difference from torch {made.difference:.1g}")


def int8(sampler: Sampler, to: Path, config: dict[str, Any], run: Path, recipe: str | None) -> None:
    """An ONNX file in 8 bits, with what it has lost and won."""
    from zerosum.export.compare import speeds
    from zerosum.export.int8 import quantise
    from zerosum.export.played import Played

    made = quantise(sampler, ending(to, ".onnx"), data(run, recipe), config, say=say)
    share = f"{made.size / made.float_size:.0%} of the {made.float_size / 1e6:.1f} MB in floats"
    floats = f"; in floats stay {', '.join(made.floats)} of {made.layers} layers" if made.floats else ""
    say(f"int8      {to}: {made.size / 1e6:.1f} MB, {share}; ranges by {made.method}{floats}")
    if made.before is not None and made.after is not None and made.lost is not None:
        change = f"{number(made.after.value)} in 8 bits, {abs(made.lost):.1%} {'worse' if made.lost > 0 else 'better'}"
        say(f"          {made.before.name} {number(made.before.value)} in floats, {change}")
        say(f"          {made.after.protocol}")
    for n, times in speeds(sampler, {"int8": Played(sampler, to)}).items():
        faster = f"{1e3 * times['int8']:.1f} ms in 8 bits, {times['torch'] / times['int8']:.1f} times as fast"
        say(f"          batch {n}: {1e3 * times['torch']:.1f} ms in torch, {faster}")


def safetensors(sampler: Sampler, to: Path, config: dict[str, Any]) -> None:
    """Weights and JSON."""
    from zerosum.export.weights import write

    made = write(sampler, ending(to, ".safetensors"), config)
    say(f"weights   {to}: {made.size / 1e6:.1f} MB, {made.parameters:,} parameters; zerosum.load({str(to)!r}).sample(16)")


def card(folder: RunDir, to: Path, licence: str, title: str, step: int | None) -> None:
    """A model card."""
    from zerosum.export.card import write

    write(folder, ending(to, ".md"), licence, title, step)
    say(f"card      {to}: {'licence ' + licence if licence else 'no licence is stated: --licence cc-by-4.0 states one'}")


def data(run: Path, recipe: str | None) -> Source | None:
    """The run's data, to score on; None, said aloud, where they are gone."""
    from zerosum.job import open_data

    try:
        return open_data(run, recipe)
    except UserError as error:
        say(f"note: what is lost is not measured: {error}")
        return None


def ending(path: Path, suffix: str) -> Path:
    """The same path. Raises UserError where it does not end as it should."""
    if path.suffix != suffix:
        raise UserError(f"{path}: end it in {suffix}")
    return path
