"""report.html: a run in one self-contained file, for people."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from zerosum import charts, machine, recipes, table_charts
from zerosum.audit import Audit
from zerosum.guard.words import notes, readings, standing
from zerosum.metrics.tables.words import BEWARE, NAMES, Finding, findings, verdict
from zerosum.private.ledger import Ledger
from zerosum.rundir import RunDir

MOST_PICTURES = 24
MOST_BYTES = 12_000_000
"""Of pictures in one report; beyond, fewer are shown."""


def write_report(folder: RunDir) -> Path:
    """Write the report of a run folder anew, from what is in the folder alone; return its path.

    Everything in the folder is treated as untrusted text. Missing parts are left out.
    """
    environment = Environment(loader=PackageLoader("zerosum", ""), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    rows = list(folder.rows())
    said = facts(folder, rows) | _drawn(folder, rows)
    return folder.write_text("report.html", environment.get_template("report.html").render(**said))


def facts(folder: RunDir, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A run in words and numbers, all of it untrusted text: what it is, how long it took, its scores, what the guard did.

    `rows`: of its log.
    """
    config, losses, scored = folder.config, _losses(rows), with_scores(rows)
    last: dict[str, Any] = next((row for row in reversed(losses) if "items_per_s" in row), {})
    seconds = max([row["seconds"] for row in rows if _number(row.get("seconds"))], default=0.0)
    device = str(_object(config, "machine").get("device", "CPU"))
    threads, world = _count(_object(config, "machine").get("threads")), _count(config.get("world"))
    draw, source = machine.watts(device not in ("CPU", "MPS"), threads, world)
    recipe = str(config.get("recipe", ""))
    spec = _object(config, "spec")
    return {
        "recipe": recipe,
        "summary": recipes.summary(recipe) if recipe in recipes.names() else f"recipe file {recipe}",
        "data": spec.get("origin", ""),
        "items": _items(spec),
        "done": any(row.get("final") for row in scored),
        "step": max([row.get("step", 0) for row in rows], default=0),
        "seconds": seconds,
        "time": f"{int(seconds // 60)} min {seconds % 60:.0f} s" if seconds >= 60 else f"{seconds:.1f} s",
        "rate": last.get("items_per_s"),
        "energy": f"about {draw * seconds / 3600:.2g} Wh ({draw:.0f} W, {source})",
        "scores": [_bar(one) for one in latest(scored)],
        "privacy": claim(_object(config, "privacy")),
        "scored_at": scored[-1]["step"] if scored else None,
        "notes": [{"step": row["from"], "note": row["note"]} for row in notes(rows)],
        "tables": {
            title: _flat(config.get(title, {})) for title in ("settings", "training", "data", "spec", "machine", "parameters")
        },
        "version": config.get("zerosum", ""),
        "dtype": config.get("dtype", ""),
        "world": world,
    }


def _losses(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the training that stands which tell losses."""
    return [row for row in standing(rows) if "scores" not in row and "note" not in row]


def _drawn(folder: RunDir, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A run in pictures and drawings."""
    acts, scored = notes(rows), with_scores(rows)
    drawings = (*_guard_charts(readings(standing(rows)), acts), *_loss_charts(_losses(rows), acts), *_score_charts(scored))
    return {
        "table": _table(folder, scored),
        "pictures": _pictures(folder),
        "charts": [Markup(svg) for svg in drawings],
    }


def _object(values: dict[str, Any], name: str) -> dict[str, Any]:
    """An entry that should be an object; an empty one where it is not."""
    return found if isinstance(found := values.get(name), dict) else {}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < charts.HUGE  # which NaN is not


def _scores(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The row's scores that can be shown: those with a name and a value; the rest may be missing."""
    found = row.get("scores")
    perhaps = lambda one: all(one.get(name) is None or _number(one[name]) for name in ("real", "trivial", "low", "high"))
    known = lambda one: isinstance(one.get("name"), str) and _number(one.get("value"))
    whole = lambda one: isinstance(one, dict) and known(one) and perhaps(one)
    return [one for one in found if whole(one)] if isinstance(found, list) else []


def with_scores(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The log's rows that have scores which can be shown."""
    return [row | {"scores": found} for row in rows if (found := _scores(row))]


def latest(scored: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every score of the last scored step: a later measurement of one name takes an earlier one's place."""
    at = scored[-1]["step"] if scored else None
    return list({one["name"]: one for row in scored if row["step"] == at for one in row["scores"]}.values())


def _count(value: Any) -> int:
    """A number of things, 1 where the folder does not say."""
    return value if type(value) is int and 0 < value < 2**20 else 1


def _items(spec: dict[str, Any]) -> str:
    shape = spec.get("shape", [])
    if len(shape) == 3:
        what = f"{shape[1]} x {shape[2]} pixels, {shape[0]} channel{'s' if shape[0] != 1 else ''}"
    else:
        what = f"vectors of {shape[0]} numbers" if shape else ""
    if isinstance(given := spec.get("given"), dict) and given:
        what = f"{', '.join(map(str, given))} into {spec.get('made', '')}: {what}"
    columns = _object(_object(spec, "table"), "schema").get("columns")
    if isinstance(columns, list):
        what = f"a table of {len(columns)} columns, {_count(spec.get('items')):,} training rows"
    counts = spec.get("counts") or []
    return what + (f", {sum(counts):,} training items in {len(counts)} classes" if counts else "")


def _bar(score: dict[str, Any]) -> dict[str, Any]:
    """The score with its place, and its interval's, in percent of the way from a trivial generator to real data.

    Without a real value, or a trivial one that is worse, there is no place; without an interval no `from` and `to`.
    """
    trivial, low, high = (score.get(name) for name in ("trivial", "low", "high"))
    named = score.get("beside")
    beside = {str(name): value for name, value in named.items() if _number(value)} if isinstance(named, dict) else {}
    bar = {
        "real": None,
        "trivial": None,
        "low": None,
        "high": None,
        **score,
        "beside": beside,
        "place": None,
        "from": None,
        "to": None,
        "below": False,
    }
    if trivial is None or score["name"] in NAMES:  # what columns drawn one by one give away is little, and no end of a way
        return bar
    if bar["real"] is None:
        return bar | {"below": score["value"] < trivial if score.get("better") == "higher" else score["value"] > trivial}
    if trivial == score["real"] or (trivial > score["real"]) != (score.get("better") == "lower"):
        return bar
    span = score["real"] - trivial
    share = lambda value: (value - trivial) / span if span else 0.0
    place = lambda value: 100 * min(1.0, max(0.0, share(value)))
    bar |= {"place": place(score["value"]), "below": share(score["value"]) < 0}
    if low is not None and high is not None:
        bar |= {"from": min(place(low), place(high)), "to": max(place(low), place(high))}
    return bar


def _guard_charts(rows: list[dict[str, Any]], acts: list[dict[str, Any]]) -> list[str]:
    """What the guard looked at: how far samples were from real items, and how varied."""
    if len(rows) < 2:
        return []
    line = lambda name: [(row["step"], row["guard"][name]) for row in rows]
    marks = [row["step"] for row in acts]
    return [
        charts.curves({"distance": line("score")}, "The guard: samples' distance to real items (1: as real)", marks=marks),
        charts.curves({"variety": line("spread"), "coverage": line("coverage")}, "The guard: variety of samples", marks=marks),
    ]


def _loss_charts(rows: list[dict[str, Any]], acts: list[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row if "/" in name))
    line = lambda name: [(row["step"], row[name]) for row in rows if isinstance(row.get(name), int | float)]
    found, marks = [], [row["step"] for row in acts]
    logits = [name for name in names if "logit" in name]
    if logits:
        labels = {name: "D(real)" if name.endswith("real") else "D(generated)" for name in logits}
        found.append(charts.curves({labels[name]: line(name) for name in logits}, "What D says (mean logit)", marks=marks))
    for player in dict.fromkeys(name.split("/")[0] for name in names):
        mine = [name for name in names if name.startswith(f"{player}/") and name not in logits]
        if mine:
            found.append(
                charts.curves({name.split("/", 1)[1]: line(name) for name in mine}, f"What {player} minimises", marks=marks)
            )
    return found


def _score_charts(scored: list[dict[str, Any]]) -> list[str]:
    if len(scored) < 2:
        return []
    lines: dict[str, dict[int, dict[str, Any]]] = {}
    for row in scored:
        for one in row["scores"]:
            lines.setdefault(one["name"], {})[row["step"]] = one
    found = []
    for name, points in lines.items():
        if len(points) > 1:
            band = [
                (at, one["low"], one["high"]) for at, one in points.items() if None not in (one.get("low"), one.get("high"))
            ]
            found.append(charts.curves({name: [(at, one["value"]) for at, one in points.items()]}, name, band))
    return found


def views(folder: RunDir) -> dict[str, Any]:
    """What the folder keeps of a table's columns, real and generated; {} where it keeps nothing that can be read."""
    try:
        seen = json.loads((folder.path / "table.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return seen if isinstance(seen, dict) else {}


def leaks(scored: list[dict[str, Any]]) -> list[Finding]:
    """What the privacy scores of the last scored step say."""
    return findings([one for one in latest(scored) if one.get("real") is not None])


def _table(folder: RunDir, scored: list[dict[str, Any]]) -> dict[str, Any]:
    """Of a table: what the drawings show, what the attacks found."""
    seen, found = views(folder), leaks(scored)
    return {
        "columns": [Markup(svg) for svg in table_charts.distributions(seen)],
        "pairs": Markup(table_charts.pairs(seen)),
        "findings": found,
        "verdict": f"{verdict(found)} {BEWARE}" if found else "",
    }


def claim(values: dict[str, Any]) -> dict[str, Any]:
    """Of a private run: the claim, every read of rows and the audit, as far as config.json tells them."""
    try:
        ledger, found = Ledger.from_json(values), values.get("audit")
        audit = Audit(**found).words() if isinstance(found, dict) else ""
        reads = list(zip(ledger.shares, ledger.reads, strict=True))
        return {"spent": float(ledger.spent), "delta": float(ledger.delta), "reads": reads, "audit": audit}
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
        return {}


def _pictures(folder: RunDir) -> list[dict[str, Any]]:
    """(step, data URI) of up to 24 pictures, the first and the last among them, evenly chosen between."""
    # a link could carry any file of this machine into a report that is passed on
    found = [(step, path) for step, path in folder.pictures() if path.is_file() and not path.is_symlink() and _png(path)]
    room = MOST_BYTES // max([path.stat().st_size for _, path in found], default=1)
    count = max(1, min(len(found), MOST_PICTURES, room))
    chosen = sorted({round(i * (len(found) - 1) / max(1, count - 1)) for i in range(count)} | {len(found) - 1}) if found else []
    encode = lambda path: "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
    return [{"step": found[i][0], "uri": encode(found[i][1])} for i in chosen]


def _png(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == b"\x89PNG\r\n\x1a\n"


def _flat(values: Any) -> dict[str, str]:
    if not isinstance(values, dict):
        return {}
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
