"""zerosum export: a trained generator for other people's programs."""

from pathlib import Path

import tyro

from zerosum.cli._common import parse, say
from zerosum.errors import UserError

PLACE = 4.6
USAGE = """
zerosum export RUN --onnx G.onnx                                            the generator as an ONNX file, checked against torch
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(export, words, "export")


def export(
    run: tyro.conf.Positional[Path],
    onnx: Path | None = None,
    step: int | None = None,
    recipe: str | None = None,
) -> int:
    """Write a trained generator as a file that needs no zerosum, and check it against torch.

    Args:
        run: the run folder
        onnx: an .onnx file with inputs by name, for a batch of any size; it says of itself what to put in
        step: a checkpoint's step (default: the one that is shown)
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    from zerosum.export.onnx import export as write
    from zerosum.job import open_run
    from zerosum.rundir import RunDir

    if onnx is None:
        raise UserError("say what to export: --onnx G.onnx")
    sampler = open_run(run, step, "cpu", recipe)
    made = write(sampler, ending(onnx, ".onnx"), RunDir(run).config)
    size = f"{made.size / 1e6:.1f} MB, inputs {', '.join(made.inputs)}"
    if sampler.maps is not None:
        height, width = sampler.maps.tile
        size += ", any height and width" if made.any_size else f", pictures of {height} x {width}"
    say(f"onnx      {made.path}: {size}; largest difference from torch {made.difference:.1g}")
    return 0


def ending(path: Path, suffix: str) -> Path:
    """The same path. Raises UserError where it does not end as it should."""
    if path.suffix != suffix:
        raise UserError(f"{path}: end it in {suffix}")
    return path
