"""The explorer as an ASGI application: panels behind a shield, and the page's files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from zerosum import __version__
from zerosum.explore import panels
from zerosum.explore.library import Library
from zerosum.explore.tidy import text
from zerosum.web.shield import LOOPBACK, Shield
from zerosum.web.trouble import Json, in_words

STATIC = Path(__file__).parent / "static"


def create(root: Path, hosts: tuple[str, ...] | None = LOOPBACK) -> ASGIApp:
    """The explorer of a run folder, or of a folder of them. Raises UserError where there is no such folder."""
    library = Library(root)
    app = FastAPI(
        title="zerosum explore",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        default_response_class=Json,
    )
    in_words(app)
    for name in panels.names():
        app.include_router(panels.find(name).router(library))

    @app.get("/api/folder")
    def folder() -> dict[str, Any]:
        """What is explored: the folder's name, and the run's where it is one."""
        return {"name": text(library.root.name) or "/", "run": library.single, "version": __version__}

    @app.get("/api/run/{name}/panels")
    def offered(name: str) -> dict[str, Any]:
        """The panels that this run has, and why it has not all that its recipe can."""
        offer, why = library.offer(name)
        chosen = [panel for panel in panels.names() if panels.find(panel).offers(offer)]
        return {"panels": [{"name": panel, "title": panels.find(panel).TITLE} for panel in chosen], "why": why}

    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Shield(app, hosts)
