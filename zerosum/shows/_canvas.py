"""Items as pictures: enlarged, set out in a table with words beside it, or with a line beneath."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from zerosum.data import modality
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.shows._wishes import Look

GAP, TEXT, LONGEST = 4, 13, 240


def pictures(made: Batch, spec: Spec, look: Look) -> list[Image.Image]:
    """One picture an item, enlarged. Of vectors, which make a picture only together, one of them all."""
    items = modality(spec).decode(made["x"], spec)
    if spec.kind != "images":
        return [modality(spec).picture(items, spec, 1)]
    flat = items[..., 0] if items.ndim == 4 and items.shape[3] not in (3, 4) else items
    return [enlarged(Image.fromarray(item), look) for item in flat]


def images_only(spec: Spec, kind: str) -> None:
    """Raise UserError where the data are no images."""
    if spec.kind != "images":
        raise UserError(f"{kind} is a show of images, and these are {spec.kind}: take `zerosum show RUN interpolation`")


def enlarged(picture: Image.Image, look: Look) -> Image.Image:
    """By the smallest whole factor that brings the height to `look.size`."""
    factor = -(-look.size // picture.height)
    way = Image.Resampling.BICUBIC if look.smooth else Image.Resampling.NEAREST
    return picture.resize((picture.width * factor, picture.height * factor), way) if factor > 1 else picture


def table(cells: Sequence[Sequence[Image.Image | None]], heads: Sequence[str] = (), sides: Sequence[str] = ()) -> Image.Image:
    """Pictures of one size in rows, on white; `heads` above the columns (upright where too wide), `sides` before the rows."""
    one = next(cell for row in cells for cell in row if cell is not None)
    width, height = one.size
    words = [_word(text, one.mode) for text in heads]
    if any(word.width > width for word in words):
        words = [word.rotate(90, expand=True, fillcolor="white") for word in words]
    margin = [_word(text, one.mode) for text in sides]
    left = GAP + max((word.width + GAP for word in margin), default=0)
    top = GAP + max((word.height + GAP for word in words), default=0)
    columns, rows = max(map(len, cells)), len(cells)
    wide = max(width, *(word.width for word in words)) if words else width
    size = (left + columns * (wide + GAP), top + rows * (height + GAP))
    sheet = Image.new(one.mode, size, "white")
    for i, word in enumerate(words):
        sheet.paste(word, (left + i * (wide + GAP) + (wide - word.width) // 2, top - GAP - word.height))
    for i, word in enumerate(margin):
        sheet.paste(word, (GAP, top + i * (height + GAP) + max(0, (height - word.height) // 2)))
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            if cell is not None:
                sheet.paste(cell, (left + j * (wide + GAP) + (wide - width) // 2, top + i * (height + GAP)))
    return sheet


def grid(cells: Sequence[Image.Image], columns: int = 0) -> Image.Image:
    """Pictures row by row; alone, one is shown as it is. `columns` 0: about a square."""
    if len(cells) == 1:
        return cells[0]
    columns = columns or next(c for c in range(1, len(cells) + 1) if c * c >= len(cells))
    return table([cells[start : start + columns] for start in range(0, len(cells), columns)])


def captioned(picture: Image.Image, text: str) -> Image.Image:
    """The picture with a line of words beneath, cut off where it is too long."""
    word = _word(text, picture.mode)
    sheet = Image.new(picture.mode, (picture.width, picture.height + word.height + 2 * GAP), "white")
    sheet.paste(picture, (0, 0))
    sheet.paste(word, (GAP, picture.height + GAP))
    return sheet


@cache
def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: unlike Pillow's own font it has Greek and Cyrillic."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", TEXT)


def _word(text: str, mode: str) -> Image.Image:
    """A line of words on white; the end of a very long one is left out."""
    while _font().getlength(text) > LONGEST:
        text = text.removesuffix("…")[:-1] + "…"
    word = Image.new(mode, (max(1, round(_font().getlength(text)) + 1), TEXT + 4), "white")
    ImageDraw.Draw(word).text((0, 0), text, "black", _font())
    return word
