"""zerosum inspect: what files say of what made them."""

from pathlib import Path

import tyro

from zerosum.cli._common import console, errors, parse, say
from zerosum.errors import UserError

PLACE = 6.5
USAGE = """
zerosum inspect FILE... [--json]                                            what a file says of what made it
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(inspect, words, "inspect")


def inspect(files: tyro.conf.Positional[tuple[Path, ...]], json: bool = False) -> int:
    """Say what files tell of what made them: run, recipe, seed. They are looked at, and never decoded or run.

    A mark proves nothing, and neither does its absence: anyone can write one, and most programs drop it on saving.

    Args:
        files: pictures (PNG, JPEG, WebP, TIFF, GIF), films (MP4), sound (WAV), arrays (.npz, .npy) or tables (.csv, .tsv,
            .parquet), of zerosum or of others
        json: print a JSON list in place of words
    """
    import json as plain

    from zerosum.provenance import read
    from zerosum.provenance.found import clean

    if not files:
        raise UserError("inspect what? `zerosum inspect FILE...`")
    told, failed = [], 0
    for file in files:
        try:
            found = read(file)
        except UserError as error:
            failed += 1
            told.append({"file": str(file), "error": str(error)})
            errors.print(clean(str(error)), style="bold", highlight=False, soft_wrap=True, markup=False)
            continue
        told.append({"file": str(file)} | found.to_plain())
        if not json:
            say(f"{clean(str(file))}: {found.words()}")
    if json:
        console.print(plain.dumps(told, indent=2), highlight=False, soft_wrap=True, markup=False)
    return 1 if failed else 0
