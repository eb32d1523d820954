"""A file is written beside its place and moved there when it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from zerosum.errors import UserError
from zerosum.files import writing


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A file of the same name, in a new folder next to `path`; what is there in the end goes to `path`, the rest is removed.

    Raises UserError where nothing can be written there.
    """
    if not path.parent.is_dir():
        raise UserError(f"{path}: there is no folder {path.parent}: make it first")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give the name of a file")
    with writing(path):
        folder = TemporaryDirectory(prefix=".exporting-", dir=path.parent)
    with folder as place:
        yield Path(place) / path.name
        with writing(path):
            (Path(place) / path.name).replace(path)
