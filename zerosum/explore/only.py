"""A panel's paths answer for the runs that have the panel, whatever a request asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends

from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.web.trouble import Unknown


def only(library: Library, title: str, offers: Callable[[Offer], bool]) -> Any:
    """What a router depends on whose paths have a run's `name`: Unknown is raised for a run that the panel is not for."""

    def check(name: str) -> None:
        offer, why = library.offer(name)
        if not offers(offer):
            raise Unknown(f"{name} has no panel {title}: {why or 'its recipe and data are of another kind'}")

    return Depends(check)
