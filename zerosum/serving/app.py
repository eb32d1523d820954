"""The service as an ASGI application: what a run can do, behind a gate and a shield."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from zerosum import __version__
from zerosum.provenance.origin import recipe_name
from zerosum.sampling import Sampler
from zerosum.serving import sample as samples
from zerosum.serving import score, status, trouble
from zerosum.serving import translate as translations
from zerosum.serving.batcher import Batcher
from zerosum.serving.gate import Gate
from zerosum.serving.limits import Limits
from zerosum.serving.maker import Maker
from zerosum.serving.metrics import Metrics
from zerosum.serving.quick import Quick
from zerosum.web.shield import LOOPBACK, Shield
from zerosum.web.trouble import in_words

ABOUT = """What a trained generative adversarial network makes, over HTTP. Everything that is returned was made by a trained
model and says so: pictures and archives in themselves, everything in the header `x-zerosum-provenance`. Errors are
`{"error": "what, where, what to do"}`."""


def create(sampler: Sampler, limits: Limits, hosts: tuple[str, ...] | None = LOOPBACK) -> ASGIApp:
    """The service of one run. Only what its recipe can do has an address. Raises UserError where a limit is none."""
    limits.check()
    maker = Maker(sampler)
    paths = ["/health", "/metrics", "/openapi.json", "/v1"]
    paths += ["/v1/sample"] if sampler.maps is None else ["/v1/translate"]
    paths += ["/v1/score"] if sampler.run.game.judge is not None else []
    metrics = Metrics(paths)
    batcher = Batcher(maker, limits, metrics.passed)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        batcher.begin()
        yield
        batcher.end()

    name = recipe_name(maker.origin.recipe)
    app = FastAPI(
        title=f"zerosum: {name}",
        description=ABOUT,
        version=__version__,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    in_words(app)
    trouble.in_words(app)
    inner: ASGIApp = app
    if "/v1/sample" in paths:
        answers = samples.Samples(maker, batcher)
        app.include_router(samples.router(answers))
        inner = Quick(app, "/v1/sample", answers.asked_by_get)
    gate = Gate(Shield(inner, hosts, limits.most_mib * 2**20), limits, metrics)
    app.include_router(status.router(maker, batcher, metrics, gate, paths))
    if "/v1/translate" in paths:
        app.include_router(translations.router(maker, batcher))
    if "/v1/score" in paths:
        app.include_router(score.router(maker, batcher))
    return gate
