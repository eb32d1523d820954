"""A model card: README.md for a trained run, with the head that Hugging Face's hub reads. See docs/card.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zerosum import recipes
from zerosum.data.source import Spec
from zerosum.errors import UserError
from zerosum.export import hub
from zerosum.export.limits import limits
from zerosum.export.plain import clean, markdown, private, scrubbed
from zerosum.files import writing
from zerosum.provenance import Origin, of_checkpoint
from zerosum.report import facts, leaks, with_scores
from zerosum.rundir import RunDir

BUILT_IN = {"digits": "scikit-learn's handwritten digits", "ring8": "8 Gaussians on a ring", "grid25": "25 Gaussians on a grid"}
MOST = {"classes": 30, "columns": 60, "scores": 30}
SIGNED = "This card was written by `zerosum export --card`"
"""What a file must hold to be written over."""


def write(folder: RunDir, to: Path, licence: str = "", title: str = "", step: int | None = None) -> None:
    """Write the card. Raises UserError as `card` does, where `to` is another's file, or where it cannot be written."""
    text = card(folder, licence, title, step)
    with writing(to):
        if to.exists() and (not to.is_file() or SIGNED not in to.read_text("utf-8", "replace")):
            raise UserError(f"{to} is no card of zerosum's: choose another --card, or remove it")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text, "utf-8")


def card(folder: RunDir, licence: str = "", title: str = "", step: int | None = None) -> str:
    """The card of the checkpoint at `step` (default: the one that is shown), Markdown with a YAML head.

    `licence`: the model's, in the hub's identifiers or one's own words; `title`: default, its recipe's name. Of the data it
    tells counts, shapes and the names of classes and columns: no item, no row, no path and no file's name. All that the folder
    says is treated as untrusted text. Raises UserError where config.json or the checkpoint cannot be read.
    """
    config, rows = folder.config, list(folder.rows())
    try:
        spec = Spec.from_json(config["spec"])
        origin = of_checkpoint(folder.path, config, folder.shown() if step is None else step)
        told = facts(folder, rows)
    except (OSError, KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        why = f"{type(error).__name__}: {clean(error, 120)}"
        raise UserError(f"{folder.path}: no card of it ({why}): check --step, or copy the run folder again") from error
    scored = with_scores(rows)
    scores, at = told["scores"][: MOST["scores"]], told["scored_at"]
    maps = bool(spec.given) or (origin.recipe in recipes.names() and recipes.needs(origin.recipe) != "items")
    task = "map" if maps else "generate" if spec.kind == "images" else spec.kind if spec.kind in hub.TASKS else "vectors"
    data = spec.origin if spec.origin in BUILT_IN else ""
    name = clean(title, 96) or (f"{origin.recipe} on {data}" if data else f"{origin.recipe}, {origin.run}")
    secrets = [] if data else private(config)
    found = leaks(scored) if spec.kind == "tables" and not spec.private else []
    sections = {
        "What it is": _what(origin, task),
        "Data": _data(spec, config, data),
        "Scores": _scores(scores, at, secrets),
        "Limits": _list(limits(spec, maps, scores, rows, found, secrets)),
        "Privacy": _privacy(told["privacy"]),
        "Energy": f"Trained for {told['time']} on {_machine(config)}: {told['energy']}. No meter was read.",
        "How to use it": _use(task, bool(spec.classes) and not maps),
        "Licence": _licence(licence),
        "Where it comes from": _made(origin, config),
    }
    head = hub.header(licence, task, origin.recipe, name, data, scores, at)
    return f"{head}\n# {markdown(name, 96)}\n" + "".join(f"\n## {one}\n\n{text}\n" for one, text in sections.items() if text)


def _list(said: Iterable[str]) -> str:
    return "\n".join(f"- {one}" for one in said)


def _number(value: Any) -> str:
    return "" if value is None else f"{value:.4g}"


def _what(origin: Origin, task: str) -> str:
    kind = {"map": "makes images from images", "generate": "makes images", "tables": "makes tables"}.get(task, "makes vectors")
    said = f"A generative adversarial network that {kind}, trained with zerosum by "
    if origin.recipe not in recipes.names():
        return f"{said}a recipe of its author's own, {markdown(origin.recipe, 80)}."
    return f"{said}the recipe `{origin.recipe}`.\n\n{recipes.summary(origin.recipe)} {recipes.source(origin.recipe)}"


def _data(spec: Spec, config: dict[str, Any], data: str) -> str:
    """Counts, shapes and names."""
    preflight = config["preflight"] if isinstance(config.get("preflight"), dict) else {}
    count = lambda name: preflight[name] if type(preflight.get(name)) is int and 0 <= preflight[name] < 2**63 else 0
    noun = {"images": "images", "tables": "rows"}.get(spec.kind, "vectors")
    said = [
        f"{BUILT_IN[data]} (`{data}`), built in." if data else "Its author's own. Neither they nor their place are told here."
    ]
    trained = f"{spec.items:,} {noun} to train on" if spec.items else f"{noun} drawn afresh for every batch"
    said.append(f"{trained}, {count('held_out'):,} held out." if count("held_out") else f"{trained}.")
    if spec.kind == "tables":
        said += _columns(spec)
    else:
        shape = " x ".join(map(str, spec.shape[:3]))
        said.append(f"Shape {shape}{' (channels, height, width)' if len(spec.shape) == 3 else ''}.")
    if spec.given:
        told = not {*spec.given, spec.made} & set(private(config))  # folders of unmatched images give them their names
        given = ", ".join(markdown(name, 60) for name in list(spec.given)[: MOST["classes"]]) if told else "one kind"
        made = markdown(spec.made, 60) if told else "another"
        said.append(f"From {given} to {made}, {'matched one by one' if spec.matched else 'not matched'}.")
    if spec.classes:
        pairs = zip(spec.names or map(str, range(spec.classes)), spec.counts, strict=False)
        shown = [f"{markdown(name, 60)} ({many:,})" for name, many in list(pairs)[: MOST["classes"]]]
        more = f" and {spec.classes - len(shown):,} more" if spec.classes > len(shown) else ""
        said.append(f"{spec.classes} classes: {', '.join(shown)}{more}.")
    said += [f"{words}: {count(name):,}." for name, words in TWINS.items() if count(name)]
    return _list(said)


TWINS = {
    "equal": "Exact duplicates among them",
    "nearly": "Near duplicates",
    "leaked": "Held-out ones with an exact twin in training, which scores cannot tell from copies",
    "skipped": "Files that could not be read and were left out",
}
"""Counts of preflight that are worth a line."""


def _columns(spec: Spec) -> list[str]:
    """Names and kinds of a table's columns. Their ranges are values of rows, and stay untold."""
    schema = spec.table.get("schema")
    columns = schema.get("columns") if isinstance(schema, dict) else None
    named = [one for one in columns if isinstance(one, dict)] if isinstance(columns, list) else []
    shown = [f"{markdown(one.get('name'), 60)} ({markdown(one.get('kind'), 20)})" for one in named[: MOST["columns"]]]
    more = f" and {len(named) - len(shown):,} more" if len(named) > len(shown) else ""
    return [f"{len(named)} columns: {', '.join(shown)}{more}."]


def _scores(scores: list[dict[str, Any]], at: int | None, secrets: list[str]) -> str:
    if not scores:
        return "None were taken."
    lines = ["| score | better | this model | 95 % interval | real data | trivial |", "|---|---|---:|---|---:|---:|"]
    for one in scores:
        between = "" if None in (one["low"], one["high"]) else f"{_number(one['low'])} to {_number(one['high'])}"
        better = one.get("better") if one.get("better") in ("lower", "higher") else ""
        ends = [_number(one[name]) for name in ("real", "trivial")]
        cells = [markdown(one["name"], 96), better, _number(one["value"]), between, *ends]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    told: dict[str, list[str]] = {}
    for one in scores:
        told.setdefault(markdown(scrubbed(one.get("protocol", ""), secrets), 900), []).append(markdown(one["name"], 96))
    how = [f"{', '.join(names)}: {protocol}" for protocol, names in told.items() if protocol]
    beside = "*Real data*: what real items reach, the best one can hope for. *Trivial*: what a generator without skill reaches."
    return "\n".join(lines) + f"\n\nTaken at step {at:,}. {beside}\n\nHow they were taken:\n\n{_list(how)}"


def _privacy(claim: dict[str, Any]) -> str:
    if not claim:
        return ""
    said = [f"Differential privacy: epsilon {claim['spent']:.4g} at delta {claim['delta']:g}, of one row, there or not."]
    said += [
        f"Epsilon {share:.3g}: {markdown(read.what, 120)} ({markdown(read.mechanism, 120)})" for share, read in claim["reads"]
    ]
    return _list([*said, *([f"Audit: {markdown(claim['audit'])}"] if claim["audit"] else [])])


def _machine(config: dict[str, Any]) -> str:
    machine = config["machine"] if isinstance(config.get("machine"), dict) else {}
    device = machine.get("device", "")
    return markdown(machine.get("processor") if device == "CPU" else device, 80) or "a machine that is not told"


def _use(task: str, labelled: bool) -> str:
    """Commands and Python, on the run folder."""
    if task == "map":
        command, code = "zerosum translate RUN input.png -o output.png", 'gan.translate("input.png")'
    else:
        out = {"generate": "made", "tables": "made.csv"}.get(task, "made.npz")
        command, code = f"zerosum sample RUN -n 16{' --label 0' if labelled else ''} -o {out}", "gan.sample(16)"
    python = f'from zerosum import GAN\n\ngan = GAN.load("RUN")\nmade = {code}'
    opening = "`RUN` is the run folder. It holds weights and JSON; nothing in it is executed."
    return f"{opening}\n\n```sh\n{command}\n```\n\n```python\n{python}\n```"


def _licence(licence: str) -> str:
    fields = hub.licence_of(licence)
    if "license_name" in fields:
        return f"{markdown(licence, 200)}: see LICENSE beside this file."
    if fields["license"] == "unknown":
        return "None was stated. Ask its author before you use it."
    return f"{fields['license']}. That the data may be used so is for its author to know."


def _made(origin: Origin, config: dict[str, Any]) -> str:
    step = "" if origin.step is None else f", step {origin.step:,}"
    by = f"Trained by zerosum {markdown(config.get('zerosum', ''), 40)}"
    return f"Run `{origin.run}`{step}. {by}. {SIGNED} (zerosum {origin.version})."
