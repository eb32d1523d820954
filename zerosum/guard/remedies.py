"""Remedies: one thing is mended at a time. All of them are fields of the clock, so checkpoints keep them by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from zerosum.game import Clock
from zerosum.guard.signals import Kind


@dataclass(frozen=True)
class Remedy:
    """One change to how the game is played from now on."""

    name: str
    said: str
    mend: Callable[[Clock], Clock]


def _slower(clock: Clock) -> Clock:
    return replace(clock, lr_scale=clock.lr_scale / 4)


def _smoother(clock: Clock) -> Clock:
    return replace(clock, r1=max(0.05, 2 * clock.r1))


def _noisier(clock: Clock) -> Clock:
    return replace(clock, instance_noise=clock.instance_noise + 0.1)


LEARNING_RATES = Remedy("lr", "every learning rate quartered", _slower)
PENALTY = Remedy("r1", "a penalty on D's gradient added (R1, weight 0.05)", _smoother)
NOISE = Remedy("noise", "noise of 0.1 put on what D sees", _noisier)


def mended(clock: Clock, remedy: Remedy) -> Clock:
    """The clock with one thing mended, and from here, or from an earlier mend, learning rates that fall to 0 at the end and an
    average that is shown.

    In a game that broke once, large steps scatter the states: without both the last would be no better than chance.
    """
    steady = clock.step if clock.steady_from < 0 else min(clock.step, clock.steady_from)
    return replace(remedy.mend(clock), lr_falls_from=min(clock.lr_falls_from, clock.progress), steady_from=steady)


def ladder(kind: Kind) -> tuple[Remedy, ...]:
    """What is tried in turn, each once a try, against a kind of trouble; then training ends at the best."""
    if kind in ("saturated", "vanished"):
        return PENALTY, LEARNING_RATES, NOISE, LEARNING_RATES, LEARNING_RATES
    return LEARNING_RATES, LEARNING_RATES, PENALTY, NOISE, LEARNING_RATES


def next_remedy(kind: Kind, used: list[str]) -> Remedy | None:
    """The first on the ladder that is not used up; None after the last."""
    left = list(used)
    for remedy in ladder(kind):
        if remedy.name not in left:
            return remedy
        left.remove(remedy.name)
    return None
