"""The explorer as an ASGI application: panels behind a shield, and the page's files."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from zerosum import __version__
from zerosum.explore import panels
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.web.shield import LOOPBACK, Shield
from zerosum.web.trouble import in_words

STATIC = Path(__file__).parent / "static"


def create(root: Path, hosts: tuple[str, ...] | None = LOOPBACK) -> ASGIApp:
    """The explorer of a run folder, or of a folder of them. Raises UserError where there is no such folder."""
    library = Library(root)
    app = FastAPI(title="zerosum explore", version=__version__, docs_url=None, redoc_url=None)
    in_words(app)
    for name in panels.names():
        app.include_router(panels.find(name).router(library))

    @app.get("/api/run/{name}/panels")
    def offered(name: str) -> list[dict[str, str]]:
        """The panels that this run has."""
        folder = library.folder(name)
        recipe = str(folder.config.get("recipe", ""))
        with library.sampler(name) as sampler:
            offer = Offer.of(sampler, recipe)
        chosen = [panel for panel in panels.names() if panels.find(panel).offers(offer)]
        return [{"name": panel, "title": panels.find(panel).TITLE} for panel in chosen]

    app.mount("/", StaticFiles(directory=STATIC, html=True))
    return Shield(app, hosts)
