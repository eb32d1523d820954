"""The log as TensorBoard events, beside it and while it grows."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any


class Events:
    """Writes rows of the log to an events folder; `step` is where a resumed run begins: later events are purged."""

    def __init__(self, path: Path, step: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of protobuf, about its own versions
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(path), purge_step=step + 1 if step else None, flush_secs=10)

    def row(self, row: dict[str, Any]) -> None:
        """Every number of a row, at its step: losses under their names, scores under score/NAME."""
        for name, value in row.items():
            if isinstance(value, int | float) and name not in ("step", "final"):
                self._writer.add_scalar(name, value, row["step"])
        for one in row.get("scores", []):
            self._writer.add_scalar("score/" + re.sub(r"\W+", "_", one["name"]), one["value"], row["step"])

    def close(self) -> None:
        """Write what is still in memory."""
        self._writer.close()
