"""Translator: a game that maps, on pictures of any size, kind and number of channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum import noise
from zerosum.data import target
from zerosum.errors import UserError, suggest
from zerosum.game import Batch
from zerosum.pictures import Picture, as_channels
from zerosum.sampling import Sampler
from zerosum.tiles import bands

DIRECTIONS = ("a2b", "b2a")
ROOMY = 192
"""Pixels a side of tiles, at least, of games that mend or enlarge: trained on small crops, they see more in large ones."""

Progress = Callable[[int, int], None]
"""Told after each part of a picture: (tiles done, tiles in all)."""


class Translator:
    """Makes a picture from one, or from several with names.

    `direction`: a2b, or b2a for the way back of games that have one. `tile`: "256" or "256x192" (height x width), what large
    pictures are cut into (default: the size of training, and at least 192 where the game mends or enlarges). `overlap`: pixels
    that neighbouring tiles share at least (default: a quarter of a tile). Raises UserError where the game does not map, or not
    that way, or the sizes do not fit.
    """

    def __init__(
        self, sampler: Sampler, direction: str = "a2b", tile: str | None = None, overlap: int | None = None, name: str = "RUN"
    ) -> None:
        maps = sampler.maps
        if maps is None:
            raise UserError(f"{name} makes new items from noise and takes no images: use `zerosum sample {name} -n 64 -o OUT`")
        if direction not in DIRECTIONS:
            raise UserError(f"direction {direction}: {suggest(direction, [*DIRECTIONS])}")
        if direction == "b2a" and maps.back is None:
            raise UserError(f"{name} knows one way, from {' and '.join(maps.names)} to {maps.made}: leave --direction out")
        self.run, self.maps, self.returning = sampler.run, maps, direction == "b2a"
        self.names = (maps.made,) if self.returning else maps.names
        self.channels = (sampler.spec.shape[0],) if self.returning else maps.channels
        self.scale = 1 if self.returning else maps.scale
        height, width = maps.tile
        size = (height * maps.scale, width * maps.scale) if self.returning else (height, width)
        self._least = size
        usual = (max(size[0], ROOMY), max(size[1], ROOMY)) if self.mends or self.scale > 1 else size
        self.tile = self._rounded(usual if tile is None else target.parse(tile))
        self.overlap = overlap
        if overlap is not None and not 0 <= overlap < min(self.tile):
            raise UserError(f"overlap {overlap}: must be at least 0 and below the tile's shorter side, {min(self.tile)}")

    @property
    def mends(self) -> bool:
        """Whether it fills holes, so that it needs a mask."""
        return self.maps.mask and not self.returning

    def __call__(
        self, pictures: Mapping[str, Picture], mask: np.ndarray | None = None, progress: Progress | None = None
    ) -> Picture:
        """The picture that comes of those named, one for each of `names`, of one size.

        `mask`: bool [h, w], True where pixels are to be made; without it those that are transparent. Known pixels are returned
        as they were. Alpha that the game was not shown goes over to the output. Where pictures are enlarged or mended, a grey
        one stays grey, and a game that knows grey alone is played on each colour. Raises UserError where sizes, channels or
        mask do not fit.
        """
        shown = [pictures[name] for name in self.names]
        for name, one in pictures.items():
            if one.size != shown[0].size:
                both = f"{name} is {_size(one)} pixels and {self.names[0]} {_size(shown[0])}"
                raise UserError(f"{both}: bring them to one size")
        hole = self._hole(shown[0], mask)
        same = self.mends or self.scale > 1  # the output is the input itself, mended or enlarged
        if same and self.channels == (1,) and shown[0].pixels.shape[2] == 3:
            planes = [self._made([replace(shown[0], pixels=shown[0].pixels[..., i : i + 1])], hole, progress) for i in range(3)]
            pixels = np.concatenate(planes, 2)
        else:
            pixels = self._made(shown, hole, progress)
        alpha = None
        if pixels.shape[2] == 4:
            pixels, alpha = pixels[..., :3], pixels[..., 3]
        elif len(shown) == 1 and self.channels[0] != 4:
            alpha = self._alpha(shown[0], hole, mask is not None)
        if same and shown[0].pixels.shape[2] == 1 and pixels.shape[2] == 3:
            pixels = as_channels(pixels, 1, self.maps.made)
        if hole is not None:
            known = shown[0].pixels if pixels.shape[2] == shown[0].pixels.shape[2] else pixels
            pixels = np.where(hole[..., None], pixels, known)
            if alpha is not None and shown[0].alpha is not None and self.channels[0] == 4:
                alpha = np.where(hole, alpha, shown[0].alpha)
        profile = shown[0].profile if pixels.shape[2] == shown[0].pixels.shape[2] else None
        return Picture(pixels, alpha, profile)

    def _hole(self, shown: Picture, mask: np.ndarray | None) -> np.ndarray | None:
        if not self.mends:
            if mask is not None:
                raise UserError("this run fills no holes: leave the mask out, or train one with --recipe inpaint")
            return None
        if mask is None and shown.alpha is not None and self.channels[0] != 4:
            mask = shown.alpha < 128
        if mask is None:
            raise UserError("no hole to fill: give a mask (--mask FILE, white where pixels are made), or make some transparent")
        if mask.shape != shown.size:
            raise UserError(f"a mask of {mask.shape[0]} x {mask.shape[1]} pixels, a picture of {_size(shown)}: make them alike")
        return mask

    def _alpha(self, shown: Picture, hole: np.ndarray | None, asked: bool) -> np.ndarray | None:
        """The picture's own alpha, enlarged as its pixels are; what was in a hole is there now."""
        alpha = shown.alpha
        if alpha is None or (hole is not None and not asked):
            return None
        if self.scale > 1:
            size = (alpha.shape[1] * self.scale, alpha.shape[0] * self.scale)
            alpha = np.asarray(Image.fromarray(np.ascontiguousarray(alpha)).resize(size, Image.Resampling.BICUBIC))
        return alpha if hole is None else np.where(hole, np.uint8(255), alpha)

    def _made(self, shown: list[Picture], hole: np.ndarray | None, progress: Progress | None) -> np.ndarray:
        """uint8 [height, width, channels] of the output, from bytes to bytes."""
        parts = [self._channels(*each) for each in zip(shown, self.names, self.channels, strict=True)]
        pixels = np.ascontiguousarray(np.concatenate(parts, 2).transpose(2, 0, 1))
        inputs = {"a": torch.from_numpy(pixels)[None]}
        if hole is not None:
            inputs["mask"] = torch.from_numpy(np.ascontiguousarray(hole))[None, None]
        height, width = shown[0].size
        whole = self._rounded((max(height, self._least[0]), max(width, self._least[1])))
        tile = min(self.tile[0], whole[0]), min(self.tile[1], whole[1])  # no larger than the picture and training's images
        overlap = None if self.overlap is None else min(self.overlap, min(tile) - 1)
        out: np.ndarray | None = None
        at = 0
        with noise.apart(0):  # and no longer: others draw while a large picture is made
            drawn = {} if self.returning else self.run.game.draw(1)
        with self.run.shown() as nets:
            function = lambda part: self._tiles(nets, part, drawn)
            for band in bands(function, inputs, tile, 1, self.scale, overlap, progress=progress):
                rows = ((band[0].clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
                if out is None:
                    out = np.empty((height * self.scale, width * self.scale, rows.shape[2]), np.uint8)
                out[at : at + len(rows)] = rows
                at += len(rows)
        assert out is not None
        return out

    def _rounded(self, size: tuple[int, int]) -> tuple[int, int]:
        """Up to what the game's sides must be divisible by."""
        high, wide = (-(-side // self.maps.multiple) * self.maps.multiple for side in size)
        return high, wide

    def _channels(self, shown: Picture, name: str, channels: int) -> np.ndarray:
        if channels != 4:
            return as_channels(shown.pixels, channels, name)
        alpha = np.full(shown.size, 255, np.uint8) if shown.alpha is None else shown.alpha
        return np.dstack([as_channels(shown.pixels, 3, name), alpha])

    def _tiles(self, nets: Any, part: Batch, drawn: Batch) -> Tensor:
        """What the game makes of tiles of bytes [n, c, h, w], in [-1, 1]. Where nothing is to be made it is not asked."""
        device = self.run.pace.device
        a = part["a"].to(device).float() / 127.5 - 1
        if self.returning:
            assert self.maps.back is not None
            return self.maps.back(nets, {"a": a})
        more = {name: value.to(device).expand(len(a), *value.shape[1:]) for name, value in drawn.items()}
        if "mask" not in part:
            return self.run.game.generate(nets, {**more, "a": a})
        mask = part["mask"].to(device).float()
        a = a * (1 - mask)
        open_ones = mask.flatten(1).any(1)
        if open_ones.any():
            inputs = {name: value[open_ones] for name, value in {**more, "a": a, "mask": mask}.items()}
            a[open_ones] = self.run.game.generate(nets, inputs).float()
        return a


def as_mask(what: Picture) -> np.ndarray:
    """bool [h, w]: True where a picture is white, or lighter than half; of one with alpha, its colours count."""
    level = as_channels(what.pixels, 1, "mask")[..., 0] if what.pixels.shape[2] == 3 else what.pixels[..., 0]
    return level > (127 if level.max() > 1 else 0)


def _size(shown: Picture) -> str:
    return f"{shown.size[0]} x {shown.size[1]}"
