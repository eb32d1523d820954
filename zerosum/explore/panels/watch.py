"""Watch: a run over its training: losses, D's opinions, variety, what the guard did, samples; in the plane, D's surface."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerosum.explore.answer import png, tagged
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.explore.record import MOST_META
from zerosum.explore.tidy import number, parsed
from zerosum.web.trouble import Unfit, Unknown

TITLE, PLACE = "Watch", 1
MOST_POINTS = 2000
MOST_SIDE = 128
"""Points of the plane, and of D's surface along a side, that are sent."""


def offers(offer: Offer) -> bool:
    """Every run."""
    return True


def router(library: Library) -> APIRouter:
    """Paths."""
    routes = APIRouter()

    @routes.get("/api/run/{name}/watch")
    def story(name: str, request: Request) -> Response:
        """Curves, pictures and what the guard did."""
        return tagged(request, library.record(name).story())

    @routes.get("/api/run/{name}/watch/picture/{step}")
    def picture(name: str, step: int, request: Request) -> Response:
        """A sample picture, a PNG."""
        return png(request, library.record(name).picture(step))

    @routes.get("/api/run/{name}/watch/frame/{step}")
    def frame(name: str, step: int, request: Request) -> Response:
        """Points in the plane at a step, and what D said of it."""
        path = dict(library.record(name).frames()).get(step)
        if path is None:
            raise Unknown(f"no frame of step {step} in {name}")
        return tagged(request, _frame(parsed(path, MOST_META), str(path)))

    @routes.get("/api/run/{name}/watch/real")
    def real(name: str, request: Request) -> Response:
        """Real points in the plane."""
        found = parsed(library.record(name).path / "samples" / "real.json", MOST_META)
        return tagged(request, {"points": _points(found.get("points") if isinstance(found, dict) else None)})

    return routes


def _points(found: Any) -> list[list[float]]:
    """Pairs of numbers; what is none is left out."""
    if not isinstance(found, list):
        return []
    pair = lambda one: isinstance(one, list) and len(one) == 2 and all(number(value) for value in one)
    return [one for one in found[:MOST_POINTS] if pair(one)]


def _frame(found: Any, where: str) -> dict[str, Any]:
    """A frame whose points and surface are what they should be. Raises Unfit where nothing in it is."""
    if not isinstance(found, dict):
        raise Unfit(f"{where} is damaged or too large: it is not shown")
    extent, rows = found.get("extent"), found.get("surface")
    if not (isinstance(extent, list) and len(extent) == 4 and all(number(value) for value in extent)):
        raise Unfit(f"{where} does not say what part of the plane it shows")
    if not (extent[0] < extent[1] and extent[2] < extent[3]):
        raise Unfit(f"{where} shows an empty part of the plane")
    return {"fake": _points(found.get("fake")), "extent": extent, "surface": rows if _square(rows) else None}


def _square(rows: Any) -> bool:
    """Whether these are as many rows as columns of numbers."""
    if not isinstance(rows, list) or not 1 < len(rows) <= MOST_SIDE:
        return False
    return all(isinstance(row, list) and len(row) == len(rows) and all(number(value) for value in row) for row in rows)
