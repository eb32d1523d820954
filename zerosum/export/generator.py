"""zerosum.load: a trained generator from a run folder or a file, to sample from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zerosum.data import modality
from zerosum.data.source import Spec
from zerosum.job import open_run
from zerosum.sampling import Sampler


class Generator:
    """A trained generator, to sample from. `zerosum.load` makes one."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    @property
    def spec(self) -> Spec:
        """What is known of the data: kind, shape, names of the classes."""
        return self._sampler.spec

    @property
    def sampler(self) -> Sampler:
        """The generator in model space, as `zerosum.latent.Space` and `zerosum.translate.Translator` take it."""
        return self._sampler

    def sample(self, n: int, label: int | str | None = None, seed: int = 0, truncation: float | None = None) -> Any:
        """n new items: uint8 images [n, h, w] or [n, h, w, c], float32 vectors [n, d], or a DataFrame; the same for a seed.

        `label`: a class's number or name, to have all items of that class. `truncation`: from 0 (the mean style) to 1 (off),
        for generators that have it. Raises UserError where there is no such class, or the generator takes none of these.
        """
        return modality(self.spec).decode(self._sampler.make(n, seed, label, truncation)["x"], self.spec)


def load(path: str | Path, device: str = "auto") -> Generator:
    """The generator of a run folder, or of a file that `zerosum export RUN --safetensors FILE` wrote.

    Of other packages it needs torch, NumPy, safetensors and Pillow, and pandas for tables. Nothing is executed that is in the
    file. `device`: auto, cpu, cuda, cuda:1, mps. Raises UserError where it cannot be read.
    """
    if Path(path).is_dir():
        return Generator(open_run(path, device=device))
    from zerosum.export.weights import read

    return Generator(read(path, device))
