"""Runs: all runs of a folder, side by side."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

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
    def runs() -> list[dict[str, Any]]:
        return [{"name": name} for name in library.paths()]

    return routes
