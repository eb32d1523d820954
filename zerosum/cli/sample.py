"""zerosum sample: new items from a trained run."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import tyro

from zerosum.cli._common import parse, say
from zerosum.errors import UserError

PLACE = 2
USAGE = """
zerosum sample RUN -n 64 [--label 3] [--seed 0] --out X                     X: a .png, an .npz, or a folder
zerosum sample RUN -n 1000 [--where age=30:40] --out X.csv                  rows of a table; .csv(.gz), .tsv, .parquet
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(sample, words, "sample")


def sample(
    run: tyro.conf.Positional[Path],
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64,
    label: str | None = None,
    seed: int = 0,
    truncation: float | None = None,
    where: tyro.conf.UseAppendAction[tuple[str, ...]] = (),
    step: int | None = None,
    device: str = "auto",
    recipe: str | None = None,
) -> int:
    """Make new items with a trained run.

    Args:
        run: the run folder
        out: a .png for one picture, an .npz with x (and y), or a folder for files; of tables .csv, .tsv (.gz) or .parquet
        n: how many
        label: a class, by number or name; only where the generator takes labels
        seed: the same seed gives the same items
        truncation: from 0 (the mean style) to 1 (off); only where the generator has it
        where: of tables: what rows should be, COLUMN=VALUE, COLUMN=30:40, COLUMN=A,B; may be given several times
        step: a checkpoint's step (default: the newest)
        device: auto, cpu, cuda, cuda:1, mps
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    from dataclasses import replace

    import numpy as np

    from zerosum.conditions import sample_where
    from zerosum.data import modality, tables
    from zerosum.files import writing
    from zerosum.job import open_run
    from zerosum.provenance import mark_file
    from zerosum.tables.where import from_words

    sampler = open_run(run, step, device, recipe)
    spec = sampler.spec
    table = spec.kind == "tables"
    if table and out.suffix != ".png" and not out.name.lower().endswith(tables.ENDINGS):
        raise UserError(f"--out {out}: end it in {', '.join(tables.ENDINGS)} or .png")
    if not table and out.suffix not in (".png", ".npz", ""):
        raise UserError(f"--out {out}: end it in .png or .npz, or name a folder")
    if where:
        asked = sample_where(sampler, n, from_words(where, tables.codec(spec)) if table else dict.fromkeys(where), seed)
        made, items = {}, asked.frame
        say(f"where     {asked.words()}")
    else:
        made = sampler.make(n, seed, label, truncation)
        items = modality(spec).decode(made["x"], spec)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".sampling-", dir=out.parent) as place:  # what is there stays until all is written
            whole = Path(place) / out.name
            if out.suffix == ".png":
                square = next(c for c in range(1, n + 1) if c * c >= n)
                modality(spec).picture(items, spec, square).save(whole)
            elif table:
                tables.save(items, whole)
            elif out.suffix == ".npz":
                arrays: dict[str, Any] = {"x": items} | ({"y": made["y"].numpy()} if "y" in made else {})
                np.savez_compressed(whole, **arrays)
            else:
                whole.mkdir()
                modality(spec).write(items, spec, whole)
                out.mkdir(exist_ok=True)
            files = sorted(whole.iterdir()) if whole.is_dir() else [whole]
            origin = replace(sampler.origin(), seed=seed, count=n, label=label, truncation=truncation)
            origin = replace(origin, where=", ".join(where) or None)
            for index, file in enumerate(files):
                mark_file(file, replace(origin, index=index) if len(files) == n else origin)
            for file in (whole if whole.is_dir() else Path(place)).iterdir():
                file.replace((out if whole.is_dir() else out.parent) / file.name)
    say(f"{n:,} {'rows' if table else 'samples'}: {out}")
    return 0
