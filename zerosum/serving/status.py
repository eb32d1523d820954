"""/health, /metrics, and /v1: how the service is, and what can be asked of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from starlette.responses import PlainTextResponse

from zerosum.serving import formats
from zerosum.serving.batcher import Batcher
from zerosum.serving.gate import Gate
from zerosum.serving.maker import Maker
from zerosum.serving.metrics import Metrics, memory


def router(maker: Maker, batcher: Batcher, metrics: Metrics, gate: Gate, paths: Sequence[str]) -> APIRouter:
    """Paths."""
    routes, began = APIRouter(), time.time()
    sampler, origin = maker.sampler, maker.origin

    @routes.get("/health", summary="Whether it can be asked")
    async def health() -> dict[str, Any]:
        """Status 200 as long as requests are taken and computed."""
        return {"status": "ok", "run": origin.run, "waiting": batcher.waiting}

    @routes.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
    async def counters() -> PlainTextResponse:
        """Requests, errors, latency, queue, passes and memory in Prometheus' text format."""
        text = metrics.text(
            zerosum_requests_open=gate.open,
            zerosum_queue_waiting=batcher.waiting,
            zerosum_queue_limit=batcher.limits.most_waiting,
            process_resident_memory_bytes=memory(),
            process_start_time_seconds=began,
        )
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    @routes.get("/v1", summary="What can be asked")
    async def about() -> dict[str, Any]:
        """The run, what its items are, what steers them, and the limits."""
        spec, maps = sampler.spec, sampler.maps
        told: dict[str, Any] = {
            "run": origin.run,
            "recipe": origin.recipe,
            "step": origin.step,
            "paths": list(paths),
            "kind": spec.kind,
            "shape": list(spec.shape),
            "limits": asdict(batcher.limits),
        }
        if maps is None:
            told |= {"formats": formats.of(spec), "classes": list(spec.names) if maker.labelled else []}
            told |= {"truncation": sampler.run.game.styles is not None}
        else:
            told |= {"takes": list(maps.names), "gives": maps.made, "mask": maps.mask, "scale": maps.scale}
            told |= {"directions": ["a2b", "b2a"] if maps.back is not None else ["a2b"]}
        return told

    return routes
