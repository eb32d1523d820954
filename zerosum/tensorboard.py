"""The log as TensorBoard events, beside it and while it grows."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any


class Events:
    """Appends rows of the log to an events file in a folder; TensorBoard forgets earlier events later than `step`.

    Written in the caller's thread, so that a full disk is an OSError here and now, and not a thread that died.
    """

    def __init__(self, folder: Path, step: int) -> None:
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("events.*")))
        self._writer = RecordWriter(str(folder / f"events.out.tfevents.{int(time.time())}.{number:03d}.zerosum"))
        self._flushed = time.monotonic()
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self._write(Event(wall_time=time.time(), step=step + 1, session_log=SessionLog(status=SessionLog.START)))

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())

    def row(self, row: dict[str, Any]) -> None:
        """Every number of a row, at its step: losses under their names, scores under score/NAME."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        numbers = {k: v for k, v in row.items() if isinstance(v, int | float) and k not in ("step", "seconds", "final")}
        numbers |= {"score/" + re.sub(r"\W+", "_", one["name"]): one["value"] for one in row.get("scores", [])}
        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        self._write(Event(wall_time=time.time(), step=row["step"], summary=Summary(value=values)))
        if time.monotonic() - self._flushed > 10:
            self._writer.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
