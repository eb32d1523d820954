"""A mark as JSON, ASCII alone, for containers of data."""

from __future__ import annotations

import json
from typing import Any

from zerosum.provenance.found import Found
from zerosum.provenance.origin import Origin


def write(origin: Origin) -> bytes:
    """{"digitalSourceType": ..., "creatorTool": ..., "zerosum": {the origin}}, in one line."""
    return json.dumps(values(origin), separators=(",", ":")).encode("ascii")


def values(origin: Origin) -> dict[str, Any]:
    """The same as plain values."""
    return {"digitalSourceType": origin.source_type, "creatorTool": origin.tool, "zerosum": origin.to_plain()}


def read(data: bytes) -> Found:
    """What such JSON says; Found() where it says something else. Raises ValueError where it is no JSON."""
    try:
        found = json.loads(data)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    return of(found)


def of(found: Any) -> Found:
    """What plain values say."""
    if not isinstance(found, dict):
        return Found()
    text = lambda name: str(found.get(name) or "")[:500]
    told = found.get("zerosum")
    return Found(text("digitalSourceType"), text("creatorTool"), Origin.from_plain(told) if isinstance(told, dict) else None)
