"""The head of a model card, as Hugging Face's hub reads it: YAML between two lines of three hyphens.

Fields: https://huggingface.co/docs/hub/model-cards and the specification it names (hub-docs, modelcard.md). The hub refuses a
card whose `license` it does not know, or whose `model-index` lacks a field; a `pipeline_tag` is one of its tasks.
"""

from __future__ import annotations

import json
from typing import Any

from zerosum.export.plain import clean, slug

LICENCES = (
    *("apache-2.0", "mit", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear"),
    *("openrail", "openrail++", "bigscience-openrail-m", "creativeml-openrail-m", "bigscience-bloom-rail-1.0"),
    *("bigcode-openrail-m", "c-uda", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
    *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"),
    *("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0", "cdla-permissive-1.0"),
    *("cdla-permissive-2.0", "wtfpl", "ecl-2.0", "epl-1.0", "epl-2.0", "etalab-2.0", "eupl-1.1", "agpl-3.0", "gfdl", "gpl"),
    *("gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "lppl-1.3c", "ms-pl", "mpl-2.0", "odc-by", "odbl"),
    *("osl-3.0", "postgresql", "ofl-1.1", "ncsa", "unlicense", "zlib", "pddl", "lgpl-lr", "unknown", "other"),
)
"""Identifiers of https://huggingface.co/docs/hub/repositories-licenses; any other is `other`, with a name."""
TASKS = {
    "generate": ("unconditional-image-generation", "Unconditional Image Generation"),
    "map": ("image-to-image", "Image-to-Image"),
    "tables": ("tabular-generation", "Synthetic tables"),
    "vectors": ("vector-generation", "Synthetic vectors"),
}
"""(type, name) of what a model is for. The hub has tasks for the first two only: the others have no `pipeline_tag`."""
OF_THE_HUB = ("generate", "map")


def header(
    licence: str, task: str, recipe: str, title: str, data: str, scores: list[dict[str, Any]], step: int | None = None
) -> str:
    """The YAML, with its two lines of hyphens. `task`: a key of `TASKS`; `data`: the data set's name, "" for one's own."""
    head: dict[str, Any] = licence_of(licence) | {"library_name": "zerosum"}
    kind, words = TASKS[task]
    if task in OF_THE_HUB:
        head["pipeline_tag"] = kind
    tags = ["zerosum", "gan", "generative-adversarial-network", slug(recipe), *(["tabular"] if task == "tables" else [])]
    head["tags"] = [
        *dict.fromkeys(tag for tag in [*tags, *(["synthetic-data"] if task in ("tables", "vectors") else [])] if tag)
    ]
    if scores:
        result = {
            "task": {"type": kind, "name": words},
            "dataset": {"type": data or "own-data", "name": data or "the author's own data, held out"},
            "metrics": [_metric(one, step) for one in scores],
        }
        head["model-index"] = [{"name": clean(title, 96), "results": [result]}]
    return "---\n" + "\n".join(_yaml(head)) + "\n---\n"


def licence_of(words: str) -> dict[str, str]:
    """The fields of a licence in its author's words."""
    asked = clean(words, 96)
    if not asked:
        return {"license": "unknown"}
    known = asked.lower().replace(" ", "-")
    if known in LICENCES and known != "other":
        return {"license": known}
    return {"license": "other", "license_name": slug(asked) or "own", "license_link": "LICENSE"}


def _metric(score: dict[str, Any], step: int | None) -> dict[str, Any]:
    args = {name: float(score[name]) for name in ("low", "high", "real", "trivial") if score.get(name) is not None}
    found: dict[str, Any] = {"type": slug(score["name"]) or "score", "name": clean(score["name"], 96)}
    found["value"] = float(score["value"])
    return found | ({"args": args | ({"step": step} if step is not None else {})} if args else {})


def _yaml(value: Any, deep: int = 0) -> list[str]:
    """Lines of block YAML: keys are ours and plain, every text is quoted as in JSON, which YAML 1.2 takes over whole."""
    pad, found = "  " * deep, []
    for key, one in value.items():
        if isinstance(one, dict):
            found += [f"{pad}{key}:", *_yaml(one, deep + 1)]
        elif isinstance(one, list):
            found.append(f"{pad}{key}:")
            for item in one:
                lines = _yaml(item, deep + 1) if isinstance(item, dict) else [f"{pad}  {_scalar(item)}"]
                found += [f"{pad}- {lines[0].lstrip()}", *lines[1:]]
        else:
            found.append(f"{pad}{key}: {_scalar(one)}")
    return found


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        text = f"{value:.6g}"
        return text.replace("e", ".0e") if "e" in text and "." not in text else text  # 1e-05 is a text in YAML 1.1
    return json.dumps(value, ensure_ascii=False)
