"""The directions that a run is steered by: those of its file, or SeFa's where there is none."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from zerosum.explore.library import Library
from zerosum.latent import directions as ways
from zerosum.latent.space import Space


class Steering:
    """Directions of a library's runs; SeFa's are found once for each generator."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._found: WeakKeyDictionary[Space, list[ways.Direction]] = WeakKeyDictionary()

    def __call__(self, name: str, space: Space) -> list[ways.Direction]:
        """A run's. Raises UserError where its file is damaged."""
        folder = self._library.folder(name)
        if kept := ways.read(folder.path / ways.FILE, space, folder.shown()):
            return kept
        if space not in self._found:
            self._found[space] = ways.sefa(space)
        return self._found[space]
