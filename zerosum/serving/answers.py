"""What answers have in common: the header of provenance, and how errors are documented."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from zerosum.provenance import Origin
from zerosum.serving.formats import KINDS

HEADER = "x-zerosum-provenance"
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "What is wrong, where, and what to do."}},
}
_WHEN = {
    400: "What is asked for cannot be had from this run.",
    403: "Asked by a page of another site, or under another name than loopback's.",
    408: "The body came too slowly.",
    413: "More than is taken or made at once.",
    415: "The body is not what it should be.",
    422: "A parameter of another type or out of range.",
    503: "Too much to do: come again after Retry-After seconds.",
    504: "Not done in time.",
}


def marked(body: bytes, kind: str, origin: Origin) -> Response:
    """A body with its media type, and what made it in a header."""
    return Response(body, media_type=KINDS[kind], headers={HEADER: told(origin)})


def told(origin: Origin) -> str:
    """JSON in ASCII, for a header."""
    return json.dumps({"digital_source_type": origin.source_type} | origin.to_plain())


def documented(kinds: Sequence[str], *errors: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of answers."""
    content: dict[str, Any] = {KINDS[kind].split(";")[0]: {} for kind in kinds}
    header = {HEADER: {"description": "JSON: what made it", "schema": {"type": "string"}}}
    fine: dict[int | str, dict[str, Any]] = {200: {"description": "What was made.", "content": content, "headers": header}}
    told_wrong: dict[str, Any] = {"application/json": {"schema": _ERROR}}
    return fine | {status: {"description": _WHEN[status], "content": told_wrong} for status in errors}
