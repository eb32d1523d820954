"""zerosum schema: what the columns of a table are, printed, and written as JSON to be edited."""

from pathlib import Path
from typing import Annotated

import tyro

from zerosum.cli._common import parse, say

PLACE = 8
USAGE = """
zerosum schema TABLE [-o schema.json]                                       a table's columns and constraints, to be edited
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(schema, words, "schema")


def schema(
    data: tyro.conf.Positional[str],
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None,
    target: str | None = None,
) -> int:
    """Say what the columns of a table are taken for and what holds between them, and write it down to be edited.

    `zerosum train DATA --schema FILE` then takes the file's word for it. No value of any row is in it but spikes.

    Args:
        data: a .csv, .tsv (.gz or not) or .parquet file
        out: a JSON file to write (default: print it)
        target: the column that is to be predicted
    """
    import json

    from zerosum.data import open_source
    from zerosum.data.rows import TableSource
    from zerosum.errors import UserError
    from zerosum.files import writing

    source = open_source(data, target=target)
    if not isinstance(source, TableSource):
        raise UserError(f"{data} is no table: a schema is for .csv, .tsv and .parquet files")
    text = json.dumps(source.codec.schema.to_json(), indent=2)
    if out is None:
        print(text)
        return 0
    with writing(out):
        out.write_text(text + "\n", "utf-8")
    for line in source.found.notes if source.found else ():
        say(line)
    say(f"schema    {out}: edit it, then train with --schema {out}")
    return 0
