"""TensorBoard events: a copy of the log and the pictures in RUN/tensorboard/, for `tensorboard --logdir RUN`.

The copy is written anew whenever a run is begun or resumed, and then kept up line by line; so nothing can double.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

SUFFIX = ".zerosum"


class Events:
    """The events file of a run folder: what `rows` and `pictures` hold, in place of earlier files of ours."""

    def __init__(self, folder: Path, rows: Iterable[dict[str, Any]], pictures: Iterable[tuple[int, Path]]) -> None:
        self._began = (folder / "config.json").stat().st_mtime
        self._seconds = 0.0
        place = folder / "tensorboard"
        place.mkdir(exist_ok=True)
        self.path = place / f"events.out.tfevents.{int(time.time()):010d}{SUFFIX}"
        scratch = place / ".events"
        with scratch.open("wb") as file:
            file.write(self._record(file_version="brain.Event:2"))
            file.write(self._record(step=0, session_log={"status": 1}))  # START: a reader forgets what an earlier file said
            for step, item in sorted([*((row["step"], row) for row in rows), *pictures], key=lambda pair: pair[0]):
                file.write(self._picture(step, item) if isinstance(item, Path) else self._row(item))
        scratch.replace(self.path)
        for earlier in place.glob(f"events.out.tfevents.*{SUFFIX}"):
            if earlier != self.path:
                earlier.unlink()

    def row(self, row: dict[str, Any]) -> None:
        """Add a line of the log."""
        self._append(self._row(row))

    def picture(self, step: int, path: Path) -> None:
        """Add a picture."""
        self._append(self._picture(step, path))

    def _append(self, record: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(record)

    def _row(self, row: dict[str, Any]) -> bytes:
        self._seconds = number(row.get("seconds")) or self._seconds
        values = {name: number(value) for name, value in row.items() if name not in ("step", "seconds")}
        scores = row.get("scores")
        for one in scores if isinstance(scores, list) else ():
            if isinstance(one, dict):
                values[f"score/{one.get('name')}"] = number(one.get("value"))
        summary = [{"tag": _clean(name), "simple_value": value} for name, value in values.items() if value is not None]
        return self._record(step=row["step"], summary={"value": summary}) if summary else b""

    def _picture(self, step: int, path: Path) -> bytes:
        try:
            with Image.open(path) as image:
                width, height = image.size
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
            return b""
        image = {"encoded_image_string": path.read_bytes(), "width": width, "height": height, "colorspace": 3}
        return self._record(step=step, summary={"value": [{"tag": "samples", "image": image}]})

    def _record(self, **event: Any) -> bytes:
        """One event, framed as TFRecord: length, its checksum, the data, their checksum."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.record_writer import masked_crc32c

        data = Event(wall_time=self._began + self._seconds, **event).SerializeToString()
        length = struct.pack("<Q", len(data))
        return length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))


def number(value: Any) -> float | None:
    """The value where it is a number that fits a 32-bit float, NaN and infinity included; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return value
    return float(value) if abs(value) < 3.4e38 else None


def _clean(tag: str) -> str:
    return tag.encode("utf-8", "replace").decode()
