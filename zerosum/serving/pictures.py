"""Pictures that come in: as the body itself, or several in base64 in a JSON object; few at one time."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import Request

from zerosum.errors import UserError
from zerosum.pictures import Picture
from zerosum.serving.limits import Limits
from zerosum.serving.trouble import Full
from zerosum.web import uploads
from zerosum.web.trouble import Unfit


class Room:
    """For so many requests with pictures; whoever comes when it is full is sent away."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self._taken = limits, 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in it. Raises Full where there is none."""
        if self._taken >= self.limits.most_pictures:
            raise Full(f"{self._taken} pictures are worked on already: come again in a moment")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def received(self, request: Request, alone: str, others: tuple[str, ...] = ()) -> dict[str, Picture]:
        """The pictures of a request by their names: one called `alone` where the body is a picture itself.

        Raises UserError of the kind that fits where the body is something else, too large or damaged.
        """
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        files = {alone: await uploads.body(request)} if kind != "application/json" else _named(await request.body())
        if strangers := sorted(set(files) - {alone, *others}):
            raise UserError(f"no picture called {strangers[0][:80]}: send {', '.join((alone, *others))}")
        return await asyncio.to_thread(self._decoded, files)

    def _decoded(self, files: Mapping[str, bytes]) -> dict[str, Picture]:
        return {name: uploads.picture(data, name, self.limits.most_pixels) for name, data in files.items()}


def _named(body: bytes) -> dict[str, bytes]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unfit("the body is no JSON: send one picture as image/png, or {NAME: BASE64, ...}") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()) or not found:
        raise Unfit("the JSON is no object of pictures: send {NAME: BASE64, ...}")
    try:
        return {name: base64.b64decode(value, validate=True) for name, value in found.items()}
    except (binascii.Error, ValueError) as error:
        raise Unfit("a picture in the JSON is no base64: encode the file's bytes") from error
