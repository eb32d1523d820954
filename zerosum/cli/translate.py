"""zerosum translate: pictures from pictures, with a trained run."""

from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli._common import console, errors, parse, say
from zerosum.errors import UserError, suggest

PLACE = 2.5
USAGE = """
zerosum translate RUN INPUT... -o OUT                                       pictures from pictures of any size: files, folders
"""
KINDS = ("png", "jpg", "webp", "tif", "npy")


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(translate, words, "translate")


def translate(
    run: tyro.conf.Positional[Path],
    inputs: tyro.conf.Positional[tuple[Path, ...]],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    with_: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(name="with")] = (),
    mask: Path | None = None,
    direction: str = "a2b",
    kind: str = "png",
    tile: str | None = None,
    overlap: int | None = None,
    step: int | None = None,
    device: str = "auto",
    recipe: str | None = None,
) -> int:
    """Make pictures from pictures with a trained run, at any size. Inputs are never written over.

    Args:
        run: the run folder
        inputs: pictures, and folders of them; for a run of several inputs one for each, in order, or one and --with
        out: a file (.png, .jpg, .webp, .tif, .npy), or a folder, in which names are kept
        with_: another input by its name, NAME=FILE for all pictures or NAME=FOLDER by equal names; may be given several times
        mask: for runs that fill holes: a picture, white where pixels are to be made, or a folder of them by equal names
            (default: what is transparent)
        direction: a2b, or b2a for the way back of a run that has one
        kind: of files in a folder: png, jpg, webp, tif or npy
        tile: what larger pictures are cut into: 256, or 256x192 (height x width) (default: the size of training,
            and at least 192 where the run mends or enlarges)
        overlap: pixels that neighbouring tiles share at least (default: a quarter of a tile)
        step: a checkpoint's step (default: the newest)
        device: auto, cpu, cuda, cuda:1, mps
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    from dataclasses import replace

    from zerosum.cli._counter import Counter
    from zerosum.cli._errands import errands, named, place
    from zerosum.job import open_run
    from zerosum.pictures import read, write
    from zerosum.translate import Translator, as_mask

    if kind not in KINDS:
        raise UserError(f"kind {kind}: {suggest(kind, [*KINDS])}")
    sampler = open_run(run, step, device, recipe)
    translator = Translator(sampler, direction, tile, overlap, str(run))
    way = direction if translator.maps.back is not None else None
    origin = replace(sampler.origin(), act="translate", direction=way, part=translator.mends)
    if mask is not None and not translator.mends:
        raise UserError(f"{run} fills no holes: leave --mask out, or train one with --recipe inpaint")
    if not inputs:
        raise UserError(f"translate what? `zerosum translate {run} INPUT... -o {out}`; INPUT is {', '.join(translator.names)}")
    beside = named(with_, translator.names)
    found = errands(inputs, translator.names, beside, None if mask is None else place(mask), out, f".{kind}")
    failed = []
    with Counter(console, len(found)) as counter:
        for one in found:
            counter.begin(one.name)
            try:
                hole = None if one.mask is None else as_mask(read(one.mask))
                write(translator({name: read(file) for name, file in one.files.items()}, hole, counter.tiles), one.out, origin)
            except UserError as error:
                told = str(error)
                failed.append(told if told.startswith(one.name) else f"{one.name}: {told}")
            counter.end()
    for told in failed:
        errors.print(told, style="bold", highlight=False, soft_wrap=True, markup=False)
    done = len(found) - len(failed)
    say(f"{done:,} picture{'' if done == 1 else 's'}: {out}{f'; {len(failed):,} could not be made' if failed else ''}")
    return 1 if failed else 0
