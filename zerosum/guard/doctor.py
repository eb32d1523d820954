"""A run's history in plain words, from its folder alone, and what to try next."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import mean
from typing import Any

from zerosum.guard.words import Row, judged, notes, readings, standing
from zerosum.rundir import RunDir

BARS = "▁▂▃▄▅▆▇█"
WIDE = 40

ADVICE = {
    "broken": "Numbers that overflow mostly mean steps that are too large: train anew with half of --lr-d and --lr-g, or with "
    "--clip-norm 1. If it happens with small ones too, look for extreme values in the data.",
    "collapse": "The generator found one item that fools the discriminator and made nothing else. Lower --lr-g and --lr-d, or "
    "take a steadier game: --penalty r1, or --recipe r3gan.",
    "partial": "The generator gave up some kinds of items. A larger --batch and a penalty (--penalty r1) keep more of them.",
    "worse": "Training went well and then fell apart, which plain games often do. Lower --lr-d and --lr-g, let them fall "
    "towards the end (--lr-schedule linear), keep an average (--ema-halflife-kimg 10), or add --penalty r1.",
    "saturated": "The discriminator told real from generated items without a mistake, and then its answers teach the generator "
    "nothing. Slow it down (half of --lr-d), smooth it (--penalty r1), or, with few data, use --augment.",
    "vanished": "No signal reached the generator. A loss without a flat side helps (--loss nonsaturating or relativistic), and "
    "so does a penalty (--penalty r1).",
    "oscillation": "The two sides chase each other in circles. Smaller steps (half of --lr-d and --lr-g) and an average of the "
    "generator (--ema-halflife-kimg 10) calm them.",
}


def diagnosis(folder: RunDir) -> list[str]:
    """Lines of text: how the run stands, how its samples developed, what the guard did, what to try.

    Everything in the folder is treated as untrusted text; what is missing or odd is left out.
    """
    rows = list(folder.rows())
    kept, acts = standing(rows), notes(rows)
    seen, lines = readings(kept), [f"{folder.path}: {_state(folder, rows)}", ""]
    if seen:
        lines += [*_samples(seen), ""]
    lines += [*_discriminator(kept), ""] if _discriminator(kept) else []
    lines += [*_acts(acts), ""]
    return [*lines, "What to try:", *[f"  - {advice}" for advice in _advice(folder, rows, seen, acts)]]


def _state(folder: RunDir, rows: list[Row]) -> str:
    step = max([row["step"] for row in rows], default=0)
    if not folder.checkpoints():
        return f"begun, nothing saved yet (step {step:,})"
    shown, last = folder.shown(), folder.latest()
    stopped = folder.guarded(last).get("stopped")
    if isinstance(stopped, str) and stopped:
        return f"ended early at step {last:,}, the best: the guard stopped it"
    done = "finished" if any(row.get("final") for row in rows) else "not finished"
    better = f"; step {shown:,} is better and is the one shown" if shown != last else ""
    return f"{done} at step {last:,}{better}"


def _samples(seen: list[Row]) -> list[str]:
    """How far the samples were from real items, how varied, how complete."""
    first, last = seen[0]["guard"], seen[-1]["guard"]
    _, best = min(judged(seen), key=lambda one: one[0])
    line = lambda name: spark([row["guard"][name] for row in seen])
    return [
        "Samples, from the first look to the last:",
        f"  distance to real items   {line('score')}  {first['score']:.3g} -> {last['score']:.3g}; "
        f"best {best['guard']['score']:.3g} at step {best['step']:,} (1 is as near as real items are to each other)",
        f"  variety                  {line('spread')}  {last['spread']:.2f} (1: as varied as real items; 0: all the same)",
        f"  kinds of items covered   {line('coverage')}  {100 * last['coverage']:.0f} % of real items have a sample like them",
    ]


def _discriminator(rows: list[Row]) -> list[str]:
    """How sure D was."""
    gaps = []
    for row in rows:
        found = [[v for k, v in row.items() if k.endswith(end) and _number(v)] for end in ("/logit_real", "/logit_fake")]
        if found[0] and found[1]:
            gaps.append(found[0][0] - found[1][0])
    if len(gaps) < 4:
        return []
    tail = mean(gaps[-max(1, len(gaps) // 10) :])
    words = (
        "hardly tells real from generated items" if tail < 0.5 else "tells them apart" if tail < 8 else "is nearly always right"
    )
    return [f"The discriminator (which judges) {words}: its lead {spark(gaps)} {tail:.1f} at the end."]


def _acts(acts: list[Row]) -> list[str]:
    if not acts:
        return ["The guard found nothing wrong."]
    return ["What the guard saw and did:", *[f"  - {' '.join(row['note'].split())}" for row in acts]]


def _advice(folder: RunDir, rows: list[Row], seen: list[Row], acts: list[Row]) -> list[str]:
    kinds = list(dict.fromkeys(str(row["guard"].get("kind")) for row in acts))
    replayed = [row for row in acts if row["guard"].get("name") == "replay"]
    found = [ADVICE[kind] for kind in kinds if kind in ADVICE and not (kind == "broken" and len(replayed) == len(acts))]
    if replayed and len(replayed) == len(acts):
        found.append("Numbers broke once and did not when the steps were played again: a passing fault; nothing need be done.")
    if any(row["guard"].get("name") == "shown" for row in acts):
        found.append(
            "The last samples were not the best: train for a shorter time, or let learning rates fall (--lr-schedule)."
        )
    if found:
        return found
    config = folder.config.get("training")
    unwatched = isinstance(config, dict) and config.get("guard") is False
    if unwatched:
        return ["The guard was off (--no-guard), so nobody looked: train with it to know more."]
    if len(seen) < 6:
        return ["Too short a run to say how samples develop: train longer."]
    distances = [distance for distance, _ in judged(seen)]
    third = max(2, len(distances) // 3)
    late, before = distances[-third:], distances[:-third]
    if min(late) < 0.97 * min(before):
        return [f"Samples were still getting better: train longer (zerosum train --resume {folder.path} --minutes ...)."]
    return ["Samples have stopped getting better: a larger --width, another recipe or more data, rather than more time."]


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e100  # which NaN is not


def spark(values: list[float]) -> str:
    """A line of up to 40 bars, each the mean of its share of the values; on a logarithmic scale where they span much."""
    good = [float(value) for value in values if _number(value)]
    if not good:
        return ""
    cuts = [round(i * len(good) / min(WIDE, len(good))) for i in range(min(WIDE, len(good)) + 1)]
    means = [mean(good[a:b]) for a, b in pairwise(cuts)]
    if min(means) > 0 and max(means) > 10 * min(means):
        means = [math.log(value) for value in means]
    low, high = min(means), max(means)
    return "".join(BARS[round((len(BARS) - 1) * (value - low) / (high - low or 1))] for value in means)
