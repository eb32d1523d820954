"""Runs: all runs of a folder, side by side."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from zerosum.explore.answer import tagged
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer

TITLE, PLACE = "Runs", 0


def offers(offer: Offer) -> bool:
    """Every run."""
    return True


def router(library: Library) -> APIRouter:
    """Paths."""
    routes = APIRouter()

    @routes.get("/api/runs")
    def runs(request: Request) -> Response:
        """Every run in short, those that were written to last first."""
        records, left = library.records()
        return tagged(request, {"runs": [record.summary() for record in records], "left": left})

    return routes
