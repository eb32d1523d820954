"""Latent spaces of runs, kept with the generators they belong to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from zerosum.explore.library import MOST_LOADED, Library
from zerosum.latent.space import Space


class Spaces:
    """A library's latent spaces by the runs' names."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._spaces: OrderedDict[str, Space] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, name: str) -> Iterator[Space]:
        """A run's space, for one thread at a time; another `Space` once the run's generator has changed.

        Raises Unknown where there is no such run, UserError where it has no latent space.
        """
        with self._library.sampler(name) as sampler:
            with self._lock:
                space = self._spaces.get(name)
            if space is None or space.sampler is not sampler:
                space = Space(sampler)
            with self._lock:
                self._spaces[name] = space
                self._spaces.move_to_end(name)
                while len(self._spaces) > MOST_LOADED:
                    self._spaces.popitem(last=False)
            yield space
