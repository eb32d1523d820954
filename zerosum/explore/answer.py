"""Answers that are asked for again and again: sent once, and from then on only where they have changed."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from fastapi import Request
from starlette.responses import Response


def tagged(request: Request, value: Any) -> Response:
    """Plain values as JSON with an ETag; 304 and no body where the browser has them already."""
    return _tagged(request, json.dumps(value, allow_nan=False).encode(), "application/json")


def png(request: Request, data: bytes) -> Response:
    """A picture, with an ETag."""
    return _tagged(request, data, "image/png")


def _tagged(request: Request, data: bytes, kind: str) -> Response:
    headers = {"etag": f'"{sha256(data).hexdigest()[:32]}"', "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(data, headers=headers, media_type=kind)
