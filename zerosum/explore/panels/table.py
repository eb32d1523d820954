"""Table: real against generated columns and pairs, rows that are what is asked, and what the table gives away."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from zerosum import table_charts
from zerosum.conditions import sample_where
from zerosum.data.tables import codec
from zerosum.errors import UserError
from zerosum.explore import form
from zerosum.explore.library import Library
from zerosum.explore.offer import Offer
from zerosum.explore.only import only
from zerosum.metrics.tables.words import BEWARE, verdict
from zerosum.provenance import Origin, mark
from zerosum.report import claim, latest, leaks, views, with_scores
from zerosum.rundir import RunDir

TITLE, PLACE = "Table", 55
SHOWN = 100
"""Rows that the page shows."""
MOST, MOST_ASKED = 100_000, 10_000
"""Rows in a file, without and with conditions; for rows that come rarely many more are drawn."""


class Wish(BaseModel):
    """What is asked of a sample."""

    n: Annotated[int, Field(ge=1, le=MOST)] = 20
    seed: Annotated[int, Field(ge=0, lt=2**53)] = 0
    where: Annotated[dict[str, form.Asked], Field(max_length=1000)] = {}
    packed: bool = False  # whether the file is a .csv.gz, which has room for what made it


def offers(offer: Offer) -> bool:
    """Runs on tables."""
    return offer.spec.kind == "tables" and offer.trained


def router(library: Library) -> APIRouter:
    """Paths."""
    routes = APIRouter(prefix="/api/run/{name}/table", dependencies=[only(library, TITLE, offers)])

    @routes.get("")
    def about(name: str) -> dict[str, Any]:
        folder = library.folder(name)
        with library.sampler(name) as sampler:
            _tabular(name, sampler.spec.kind)
            known = codec(sampler.spec)
            # of a private run the number of rows is no secret: it is in config.json, beside the claim
            shape = {"rows": sampler.spec.items, "target": known.schema.target, "fields": form.fields(known)}
        return shape | _seen(folder) | {"most": MOST, "most_asked": MOST_ASKED}

    @routes.post("/sample")
    def sample(name: str, wish: Wish) -> dict[str, Any]:
        lines, told, _ = _drawn(library, name, wish.model_copy(update={"n": min(wish.n, SHOWN)}))
        head, *rows = csv.reader(StringIO(lines))
        return {"columns": head, "rows": rows} | told

    @routes.post("/csv")
    def file(name: str, wish: Wish) -> Response:
        lines, _, origin = _drawn(library, name, wish)
        data, kind, ending = lines.encode(), "text/csv; charset=utf-8", "csv"
        if wish.packed:
            data, kind, ending = mark(gzip.compress(data, mtime=0), origin), "application/gzip", "csv.gz"
        kept = {"content-disposition": f'attachment; filename="rows-{wish.seed}.{ending}"'}
        return Response(data, media_type=kind, headers=kept)

    return routes


def _tabular(name: str, kind: str) -> None:
    if kind != "tables":
        raise UserError(f"{name} is of {kind}, not of a table")


def _drawn(library: Library, name: str, wish: Wish) -> tuple[str, dict[str, Any], Origin]:
    """Rows as CSV, what it took, and what made them."""
    if wish.where and wish.n > MOST_ASKED:
        raise UserError(f"{wish.n:,} rows under conditions: at most {MOST_ASKED:,} at once; take `zerosum sample` for more")
    asked = form.where(wish.where)
    with library.sampler(name) as sampler:
        _tabular(name, sampler.spec.kind)
        found = sample_where(sampler, wish.n, asked, wish.seed)
        origin = replace(sampler.origin(), seed=wish.seed, count=wish.n, where=json.dumps(asked) if asked else None)
    told = {"drawn": found.drawn, "kept": found.kept, "hits": found.hits, "direct": found.direct, "words": found.words()}
    return found.frame.to_csv(index=False), told, origin


def _seen(folder: RunDir) -> dict[str, Any]:
    """What the folder holds of real and generated rows, and says of them; nothing of it is computed here."""
    seen, config = views(folder), folder.config
    pairs, scored = table_charts.matrices(seen), with_scores(folder.rows())
    found = leaks(scored)
    promised = config.get("privacy")
    private = claim(promised) if isinstance(promised, dict) and promised else {}
    reads = [{"what": one.what, "mechanism": one.mechanism, "epsilon": share} for share, one in private.get("reads", [])]
    return {
        "columns": [
            one | {"words": [*map(str, one["words"])]} if "words" in one else one for one in table_charts.columns(seen)
        ],
        "pairs": None if pairs is None else {"names": pairs[0], "real": pairs[1].tolist(), "made": pairs[2].tolist()},
        "claim": private | {"reads": reads} if private else None,
        "findings": [{"leak": one.leak, "words": one.words} for one in found],
        "verdict": f"{verdict(found)} {BEWARE}" if found else "",
        "scores": [
            {name: one.get(name) for name in ("name", "better", "value", "low", "high", "real", "trivial", "protocol")}
            for one in (latest(scored) if scored else [])
        ],
        "scored_at": scored[-1].get("step") if scored else None,
    }
