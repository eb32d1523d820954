"""What a model's user must know that its scores do not say, in sentences; all that is untrusted in them is escaped."""

from __future__ import annotations

from typing import Any

from zerosum.data.preflight import FEW
from zerosum.data.source import Spec
from zerosum.export.plain import markdown, scrubbed
from zerosum.guard.words import notes
from zerosum.metrics.tables.words import BEWARE, Finding, verdict

MOST_NOTES = 8


def limits(
    spec: Spec, maps: bool, scores: list[dict[str, Any]], rows: list[dict[str, Any]], found: list[Finding], secrets: list[str]
) -> list[str]:
    """Sentences, the gravest of the run's own first."""
    said = [_below(scores), _few(spec), _unbalanced(spec), *_guard(rows, secrets), _memory(spec, maps, scores)]
    if spec.kind == "tables":
        said.append(_leaks(spec, found))
    said += [
        "It knows what it was trained on and nothing else: what is rare, wrong or unfair in those data is so in what it makes, "
        "or missing.",
        "Detail that it adds was not in the input. It is invented: no evidence, no measurement, no proof of who somebody is."
        if maps
        else "What it makes is invented, however real it looks: label it so where people may take it for real.",
    ]
    return [one for one in said if one]


def _below(scores: list[dict[str, Any]]) -> str:
    if not scores:
        return "It has not been scored: nothing is known of its quality. `zerosum score` measures it."
    worse = [markdown(one["name"], 80) for one in scores if one.get("below")]
    return f"**Worse than a trivial generator** by {', '.join(worse[:8])}: do not rely on it." if worse else ""


def _few(spec: Spec) -> str:
    few = 0 < spec.items < FEW
    return f"{spec.items:,} training items are few: a GAN may have learned some of them by heart." if few else ""


def _unbalanced(spec: Spec) -> str:
    counts = [count for count in spec.counts if count]
    if len(counts) < 2 or min(counts) * 10 >= max(counts):
        return ""
    return f"Its classes are unbalanced ({min(counts):,} to {max(counts):,} training items): expect less of the rare ones."


def _guard(rows: list[dict[str, Any]], secrets: list[str]) -> list[str]:
    """What the guard saw and did, the last of it."""
    acts = notes(rows)
    said = [f"While it was trained (from step {row['from']:,}): {markdown(scrubbed(row['note'], secrets))}" for row in acts]
    opening = [f"The guard stepped in {len(acts):,} times; the last {MOST_NOTES} follow."] if len(acts) > MOST_NOTES else []
    return opening + said[-MOST_NOTES:]


def _memory(spec: Spec, maps: bool, scores: list[dict[str, Any]]) -> str:
    if spec.kind != "images" or maps:
        return ""
    one = next((one for one in scores if one["name"].startswith("memorisation")), None)
    if one is None:
        return "Whether it repeats training images has not been measured (`zerosum score --features` does)."
    share = f"{one['value']:.1%} of its images lie nearer to a training image than 95 % of held-out images do"
    return f"Memorisation: {share}; 5 % is what luck gives, and 100 % copies."


def _leaks(spec: Spec, found: list[Finding]) -> str:
    if spec.private:
        return "Its privacy claim is of one row. What many rows share, it may well tell."
    said = f"{verdict(found)} {BEWARE}" if found else "Whether it gives its training rows away has not been measured."
    return f"It was trained without differential privacy. {said}"
