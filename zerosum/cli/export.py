"""zerosum export: a trained generator for other people's programs."""

from pathlib import Path
from typing import Literal

import tyro

from zerosum.cli import _files, _small
from zerosum.cli._common import parse
from zerosum.cli._page import page
from zerosum.errors import UserError

PLACE = 4.6
USAGE = """
zerosum export RUN --onnx G.onnx                                            the generator as an ONNX file, checked against torch
zerosum export RUN --int8 G8.onnx                                           a quarter of the size, faster, its loss measured
zerosum export RUN --safetensors G.safetensors                              weights alone, for zerosum.load(FILE).sample(n)
zerosum export RUN --distill 16 [--minutes 10] [--out DIR]                  a smaller generator, taught by this one
zerosum export RUN --card README.md [--title T] [--licence L]               a model card as Hugging Face's hub reads it
zerosum export RUN --web DIR [--title T] [--licence L]                      a page that runs it in its visitors' browsers
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(export, words, "export")


def export(
    run: tyro.conf.Positional[Path],
    onnx: Path | None = None,
    int8: Path | None = None,
    safetensors: Path | None = None,
    distill: int | None = None,
    minutes: float | None = None,
    out: Path | None = None,
    card: Path | None = None,
    web: Path | None = None,
    title: str = "",
    licence: str = "",
    runtime: Path | None = None,
    webgpu: Literal["auto", "yes", "no"] = "auto",
    step: int | None = None,
    recipe: str | None = None,
) -> int:
    """Write a trained generator as a file that needs no zerosum, and check it against torch.

    Args:
        run: the run folder
        onnx: an .onnx file with inputs by name, for a batch of any size; it says of itself what to put in
        int8: an .onnx file in whole numbers of 8 bits: a quarter of the size, faster on processors; what it loses is measured
        safetensors: a file of weights and JSON for `zerosum.load(FILE).sample(n)`, the generator alone
        distill: channels (--width) of a smaller generator that learns from this one, into a run folder of its own
        minutes: of that (default: 10)
        out: where it goes (default: beside the run, with the width in its name)
        card: a README.md for people and for Hugging Face's hub: data in numbers, scores, limits, energy, licence
        web: a folder for a page with the explorer's latent panel, which any file server can give out
        title: the page's or the card's; default: the run folder's name on a page, the recipe's on a card
        licence: the model's, as page and card state it
        runtime: onnxruntime-web at hand, its npm package or folder; default: it is fetched from npm once
        webgpu: whether the page uses visitors' graphics processors (twice the download); auto: for large pictures
        step: a checkpoint's step (default: the one that is shown)
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    from zerosum.job import open_run
    from zerosum.rundir import RunDir

    minutes = _small.wanted(distill, minutes, out)
    if (onnx, int8, safetensors, distill, card, web) == (None,) * 6:
        ways = "--onnx G.onnx, --int8 G8.onnx, --safetensors G.safetensors, --distill WIDTH, --card README.md or --web DIR"
        raise UserError(f"say what to export: {ways}")
    if card is not None:
        _files.ending(card, ".md")  # before anything is written
    kept = RunDir(run)
    if card is not None and (onnx, int8, safetensors, distill, web) == (None,) * 5:
        _files.card(kept, card, licence, title, step)
        return 0
    sampler = open_run(run, step, "cpu", recipe)
    if web is not None:  # first: it writes the folder anew, where other files may go
        page(run, sampler, web, title, licence, runtime, webgpu)
    if card is not None:
        _files.card(kept, card, licence, title, step)
    config = kept.config
    if onnx is not None:
        _files.onnx(sampler, onnx, config)
    if int8 is not None:
        _files.int8(sampler, int8, config, run, recipe)
    if safetensors is not None:
        _files.safetensors(sampler, safetensors, config)
    return 0 if distill is None else _small.distill(sampler, config, run, distill, out, minutes, recipe)
