"""How a training went: the run folder's sample pictures one after the other, each with its step; a sheet or a film."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from zerosum.errors import UserError
from zerosum.rundir import RunDir
from zerosum.shows._canvas import captioned, enlarged, grid
from zerosum.shows._wishes import Look, counted

SUBJECT = RunDir


@dataclass(frozen=True, kw_only=True)
class Config(Look):
    """The film's settings."""

    size: int = 1  # least height of a picture in pixels; smaller ones are enlarged by a whole factor
    fps: float = 4.0  # pictures a second
    hold: float = 2.0  # seconds for which the last picture stays
    columns: int = 4  # columns of a sheet

    def check(self) -> None:
        """Raise UserError where a wish is out of range."""
        super().check()
        counted("columns", self.columns, 1, 100)
        if not 0 <= self.hold <= 60:
            raise UserError(f"hold {self.hold}: must be between 0 and 60 seconds")


def still(folder: RunDir, cfg: Config) -> Image.Image:
    """All pictures on one sheet."""
    return grid(_pictures(folder, cfg), cfg.columns)


def film(folder: RunDir, cfg: Config) -> list[Image.Image]:
    """One picture after the other; the last one stays for a while."""
    frames = _pictures(folder, cfg)
    return frames + [frames[-1]] * max(0, round(cfg.hold * cfg.fps) - 1)


def _pictures(folder: RunDir, cfg: Config) -> list[Image.Image]:
    """The pictures with their steps beneath, all as large as the largest."""
    found = []
    for step, path in folder.pictures():
        try:
            with Image.open(path) as file:
                file.load()
                plain = file if file.mode in ("L", "RGBA") else file.convert("RGB")
        except (OSError, ValueError, SyntaxError) as error:
            raise UserError(f"{path} cannot be read as an image ({error}): remove it") from error
        found.append(captioned(enlarged(plain, cfg), f"step {step:,}"))
    if not found:
        raise UserError(f"{folder.path} holds no sample pictures: train with --pictures 16")
    size = max(one.width for one in found), max(one.height for one in found)
    return [one if one.size == size else one.crop((0, 0, *size)) for one in found]
