"""Parquet files with a column of encoded images, as Hugging Face writes them. Needs pyarrow: pip install 'zerosum[parquet]'."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zerosum.data.decoder import Load, mark
from zerosum.data.shelf import Shelf
from zerosum.errors import UserError

LABELS = ("label", "labels", "class", "target", "category", "fine_label", "y")


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files that a path means: itself, or those anywhere in a folder."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else []
    return sorted(p for p in path.rglob("*.parquet") if not p.name.startswith(".")) if path.is_dir() else []


class Parquet(Shelf):
    """The rows of one or more Parquet files, in order.

    The image column holds bytes or {bytes, path}; the label column is the one named so, else the only one of few values.
    """

    kind, anywhere = "Parquet", False

    def __init__(self, path: Path, column: str | None = None) -> None:
        """`column`: the one to read, where there are several of images."""
        try:
            import pyarrow.parquet
        except ImportError:
            raise UserError(f"{path}: reading Parquet needs pyarrow: pip install 'zerosum[parquet]'") from None
        self.origin, self._files, self.tables = str(path), parquet_files(path), []
        self.names, self._marks, self._rows = [], [], []
        try:
            self._schema = pyarrow.parquet.read_schema(self._files[0])
            self.columns = self._image_columns()
            self._column = column or self._usual()
            self.kind = f"column {column} of Parquet" if column else self.kind
            for file in self._files:
                count = pyarrow.parquet.read_metadata(file).num_rows
                self.names += [f"{file.name}:{row}" for row in range(count)]
                self._marks += [mark(file.stat())] * count
                self._rows.append(count)
        except UserError:
            raise
        except Exception as error:
            why = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{path}: cannot be read as Parquet ({why}): it is damaged; get it anew") from error

    @property
    def marks(self) -> list[str]:
        return self._marks

    def _image_columns(self) -> list[str]:
        """Names of the columns of encoded images."""
        import pyarrow as pa

        def holds(kind: Any) -> bool:
            if pa.types.is_struct(kind):
                return any(field.name == "bytes" and holds(field.type) for field in kind)
            return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

        found = [field.name for field in self._schema if holds(field.type)]
        if not found:
            columns = ", ".join(self._schema.names)
            raise UserError(f"{self.origin}: no column of encoded images among {columns}: store bytes or {{bytes, path}}")
        return found

    def _usual(self) -> str:
        named = [name for name in self.columns if name in ("image", "img", "images", "picture", "jpg", "png")]
        return (named or self.columns)[0]

    def loads(self, slots: list[int]) -> Iterator[tuple[int, Load]]:
        import pyarrow.parquet

        asked, at = set(slots), 0
        for file, count in zip(self._files, self._rows, strict=True):
            if any(slot in asked for slot in range(at, at + count)):
                slot = at
                for batch in pyarrow.parquet.ParquetFile(file).iter_batches(256, columns=[self._column]):
                    for cell in batch.column(0):
                        if slot in asked:
                            yield slot, self._bytes(cell.as_py(), file)
                        slot += 1
            at += count

    def _bytes(self, cell: Any, file: Path) -> Load:
        if isinstance(cell, dict):
            if cell.get("bytes") is None and cell.get("path"):  # beside the Parquet file, and nowhere else
                beside = (file.parent / str(cell["path"])).resolve()
                return str(beside) if beside.is_relative_to(file.parent.resolve()) else b""
            cell = cell.get("bytes")
        return cell if isinstance(cell, bytes) else b""

    def table(self, name: str) -> bytes:
        raise UserError(f"{self.origin}: no table {name} within")

    def labels(self) -> tuple[list[str] | None, str]:
        import pyarrow as pa
        import pyarrow.parquet

        plain = [f.name for f in self._schema if pa.types.is_integer(f.type) or pa.types.is_string(f.type)]
        named = [name for name in LABELS if name in plain] or (plain if len(plain) == 1 else [])
        if not named:
            return None, ""
        try:
            tables = [pyarrow.parquet.read_table(file, columns=named[:1]) for file in self._files]
        except Exception as error:  # a damaged file ends in anything
            why = " ".join(str(error).split()) or type(error).__name__
            raise UserError(f"{self.origin}: column {named[0]} cannot be read ({why}): it is damaged; get it anew") from error
        values = [value for table in tables for value in table[0].to_pylist()]
        most = len(values) // (2 if named[0] in LABELS else 10)
        if len(set(values)) > max(2, most) or None in values:
            return None, ""
        names = self._names(named[0])
        words = [names[v] if isinstance(v, int) and 0 <= v < len(names) else str(v) for v in values]
        return words, f"column {named[0]}"

    def _names(self, column: str) -> list[str]:
        """The words behind a column's numbers, where the file's own description has them."""
        try:
            said = json.loads((self._schema.metadata or {})[b"huggingface"])
            return [str(name) for name in said["info"]["features"][column]["names"]]
        except (KeyError, TypeError, ValueError):
            return []

    def __repr__(self) -> str:
        return f"Parquet({os.fspath(self.origin)})"
