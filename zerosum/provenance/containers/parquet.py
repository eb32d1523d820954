"""Parquet: the entry "zerosum" of the file's key-value metadata, beside pandas' own."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from zerosum.provenance.containers._bytes import MOST
from zerosum.provenance.notes import plain

NAME = "Parquet"
NOTE = plain
KEY = b"zerosum"


def accepts(head: bytes) -> bool:
    """Whether it begins as a Parquet file does."""
    return head.startswith(b"PAR1")


def put(data: bytes, text: bytes) -> bytes:
    """The table written again, with the entry."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(BytesIO(data))
    buffer = BytesIO()
    parquet.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: text}), buffer)
    return buffer.getvalue()


def get(file: BinaryIO) -> bytes | None:
    """The entry, where there is one; only the file's end is read."""
    try:
        import pyarrow
        import pyarrow.parquet as parquet
    except ImportError:
        raise ValueError("reading Parquet needs pip install 'zerosum[parquet]'") from None
    file.seek(0)
    try:
        found = (parquet.read_metadata(file).metadata or {}).get(KEY)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"damaged: {' '.join(str(error).split())}") from error
    if found is not None and len(found) > MOST:
        raise ValueError(f"its mark has {len(found):,} bytes, more than {MOST:,}: not read")
    return found
