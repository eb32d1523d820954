"""The guard itself: looks when training looks up, keeps the best, decides what is done. All ranks decide together."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch

from zerosum import parallel
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.game import Batch
from zerosum.guard.eye import Eye, suits
from zerosum.guard.memory import Memory
from zerosum.guard.probe import REAL, Probe, Reading
from zerosum.guard.remedies import mended, next_remedy
from zerosum.guard.signals import ALIKE, Kind, Trouble, Verdicts, learned, trouble
from zerosum.play import Run
from zerosum.sampling import draw, examples, generate
from zerosum.snapshot import Snapshot, finite, tensors

SHARE = 0.02
"""Of the time: what probes, checks and snapshots may take together."""
FIRST = 0.1
"""Seconds that a probe is expected to take before one was taken."""
REPLAYS = 8
"""Passing faults that are forgiven in one training."""
FEW = 6
"""Readings from which on the best of them means something."""
CLEARLY = 2.0
"""The last generator's score over the best's, above which the best one is shown. Below, cheap features are too often wrong."""


def finely(items: int) -> float:
    """The same where the eye is open: a few items say less than many. 1.03 of a thousand, 1.125 of 64."""
    return 1 + items**-0.5


@dataclass(frozen=True)
class Act:
    """What the guard did. The run has gone back to step `to` already."""

    name: Literal["replay", "mend", "stop", "shown"]
    kind: Kind | Literal["end"]
    said: str  # in a sentence or two, for people
    step: int  # where it was noticed
    to: int  # where training stands now
    remedy: str = ""

    @property
    def ends(self) -> bool:
        """Whether training ends here."""
        return self.name in ("stop", "shown")

    def to_json(self) -> dict[str, Any]:
        """The row of the log, but for the time."""
        row = asdict(self)
        said, to = row.pop("said"), row.pop("to")
        return {"step": to, "note": said, "guard": {"from": row.pop("step"), **row}}


class Guard:
    """Watches one run. `look` at each look-up, `finish` at the end of the plan."""

    def __init__(
        self,
        run: Run,
        source: Source,
        every: int = 0,
        patience: int = 0,
        memory: Memory | None = None,
        best: Snapshot | None = None,
    ) -> None:
        """`every`: steps between probes, or 0 to let their cost decide. `patience`: readings without a better score after
        which training ends at the best; 0: never. `memory`, `best`: where a run is resumed.

        Raises UserError where the run is broken already.
        """
        self.run, self.source, self.every, self.patience = run, source, every, patience
        self.memory = memory or Memory()
        if best is None:  # what was the best is gone: whatever comes is compared with what comes
            self.memory.first, self.memory.best, self.memory.readings = None, None, []
        self.best = best
        if not parallel.unanimous(finite(list(tensors(run)))):
            raise UserError(
                f"a weight is no longer a finite number at step {run.clock.step}: go on from an older checkpoint, or train anew"
            )
        self.recent = Snapshot.take(run)
        self._asked = examples(run.game, source, REAL)
        self.reading: Reading | None = None  # of the last look, where it took one
        self._probe: Probe | None = None
        self._eye = Eye(source) if suits(source) else None
        self._said: list[Verdicts] = []
        self._spent, self._cost = 0.0, FIRST
        self._checked, self._check_cost, self._probed_at = 0.0, 0.0, run.clock.step
        self._probed = 0.0
        used = makers(run, self._asked)
        self._makers = [name for name, player in run.game.players.items() if set(player.trains) & used]
        trained = {net for player in run.game.players.values() for net in player.trains}
        self._shown = sorted(used & trained)
        if run.clock.steady_from >= 0:  # a run killed right after a mend goes on from a state older than its average
            run.steady(*self._shown)

    # ---- looking -----------------------------------------------------------------------------------------------------

    def due(self, step: int) -> bool:
        """Whether a probe is to be taken after this very step."""
        return self.every > 0 and step % self.every == 0

    def look(self, here: float, losses: dict[str, float], saving: bool = False) -> Act | None:
        """Look at the run after a step; `here`: seconds since training was (re)started, the same on every rank.

        Where it returns an Act, the run is another: play() must be started anew, or training ends. With `saving` every
        number of the run is looked at, so that nothing broken is saved.
        """
        start = time.perf_counter()
        self.reading = None
        try:
            return self._look(here, losses, saving)
        finally:
            self._spent += parallel.from_first(time.perf_counter() - start)

    def _look(self, here: float, losses: dict[str, float], saving: bool) -> Act | None:
        step, phase = self.run.clock.step, self._phase()
        if phase > self.memory.phase:  # what is minimised now may well be another distance than the score
            self.memory.begin(phase)
            self.best, self._said = None, []
        probing = self._probe_due(here)
        wrong = [name for name, value in losses.items() if not math.isfinite(value)]
        thorough = probing or saving or here - self._checked >= max(2.0, self._check_cost / 0.003)
        begun, gradient = time.perf_counter(), None
        if not wrong and thorough:
            gradient = self._gradient()
            wrong = [] if self._whole() else ["a weight, a gradient or an optimiser's memory"]
        if not parallel.unanimous(not wrong):
            return self._broken(wrong[0] if wrong else "a number of another process")
        self._said = [*self._said, verdicts(step, losses, gradient)][-256:]
        if probing:
            start = time.perf_counter()
            self._read()
            self._cost = parallel.from_first(time.perf_counter() - start)
            self._probed, self._probed_at = here, step
        if thorough and not probing:
            self.recent = Snapshot.take(self.run)
            self._checked, self._check_cost = here, parallel.from_first(time.perf_counter() - begun)
        if self._eye is not None and not self._eye.open and parallel.rank() == 0 and self._spent + self._cost < SHARE * here:
            self._eye.grow(0.5 * (SHARE * here - self._spent - self._cost))
        found = trouble(self._said, self.memory.readings, self.memory.first, self.memory.best)
        if found:
            return self._mend(found)
        if self.patience and self.memory.stale >= self.patience:
            return self._stop(Trouble("worse", f"samples got no better in {self.memory.stale} readings"), tried=False)
        return None

    def _phase(self) -> int:
        """How many phases of training are over."""
        return sum(0 < share < 1 and share <= self.run.clock.progress for share in self.run.game.phases)

    def _whole(self) -> bool:
        grads = [p.grad for params in self.run.params.values() for p in params if p.grad is not None]
        return finite([*tensors(self.run), *grads])

    def _gradient(self) -> float | None:
        """Root mean square of what was the last gradient of those who make items."""
        grads = [p.grad for name in self._makers for p in self.run.params[name] if p.grad is not None]
        if not grads:
            return None
        norms = torch.stack([norm.float() for norm in torch._foreach_norm(grads)])
        return float(norms.square().sum() / sum(grad.numel() for grad in grads)) ** 0.5

    def _probe_due(self, here: float) -> bool:
        if self.every:
            return self.run.clock.step - self._probed_at >= self.every or self.due(self.run.clock.step)
        wait = max(1.0, here / 500)  # hundreds of readings are enough
        return here - self._probed >= wait and self._spent + self._cost <= SHARE * here

    def _read(self, seed: int = 0, keep: bool = True) -> Reading:
        """A reading, the same on every rank; with `keep` it counts, and the best is kept."""
        if self._probe is None:
            self.memory.items = self.memory.items or self._affordable()
            self._probe = Probe(self.source, self.memory.items, self._asked, self._eye)
            if self.every and self._eye is not None and parallel.rank() == 0:  # looks were asked for, whatever they cost
                self._eye.grow(math.inf)
        mine = self._probe.look(self.run, seed) if parallel.rank() == 0 else Reading(0, 0.0, 0.0, 0.0)
        seen = (mine.score, mine.spread, mine.coverage, -1.0 if mine.fine is None else mine.fine)
        score, spread, coverage, fine = (parallel.from_first(value) for value in seen)
        reading = Reading(self.run.clock.step, score, spread, coverage, None if fine == -1 else fine)
        if not keep:
            return reading
        if reading.fine is not None and self.memory.best is not None and self.memory.best.fine is None:
            self._look_again()
        self.reading, memory = reading, self.memory
        memory.note(reading)
        varied = memory.best is None or reading.spread >= min(ALIKE, memory.best.spread / 3)
        known = memory.best is None or memory.best.fine is None or reading.fine is not None  # a resumed run's eye grows anew
        better = memory.best is None or (known and reading.over(memory.best) < 1 and varied)
        memory.stale = 0 if memory.best is None or (known and reading.over(memory.best) < 0.99) else memory.stale + known
        if better and math.isfinite(reading.score + (reading.fine or 0.0)):
            memory.best = reading
            self.best = self.recent = Snapshot.take(self.run)
        else:
            self.recent = Snapshot.take(self.run)
        return reading

    def _look_again(self) -> None:
        """The best so far, seen by the eye, which was not open then."""
        assert self.memory.best is not None
        if self.best is None:
            return
        now, clock = Snapshot.take(self.run), self.run.clock
        self.best.put_back(self.run)
        fine = self._read(keep=False).fine
        now.put_back(self.run)
        self.run.clock = clock
        self.memory.best = replace(self.memory.best, fine=fine)

    def _affordable(self) -> int:
        """How many items a reading can make in 0.3 s, which is 2 % of 15 s: 64 to 1,000."""
        if self.every:
            return 1000
        inputs = draw(self.run.game, 64, 0, real=self._asked)
        generate(self.run, inputs)
        start = time.perf_counter()
        generate(self.run, inputs)
        each = parallel.from_first(time.perf_counter() - start) / 64
        return next((n for n in (1000, 512, 256, 128) if n * each <= 0.3), 64)

    # ---- acting ------------------------------------------------------------------------------------------------------

    def _back(self, to: Snapshot) -> None:
        to.put_back(self.run)
        self.recent, self.memory.readings, self._said = to, [], []
        self._probed_at = to.clock.step

    def _broken(self, what: str) -> Act:
        """A passing fault is played again unchanged; one that returns is mended."""
        step, since = self.run.clock.step, self.recent.clock.step
        memory = self.memory
        if len(memory.replayed) < REPLAYS and not any(at > since for at in memory.replayed):
            memory.replayed.append(step)
            self._back(self.recent)
            said = f"{what} was no finite number at step {step:,}: went back to step {since:,} and played on, nothing changed"
            return Act("replay", "broken", said, step, since)
        return self._mend(Trouble("broken", f"{what} is no longer a finite number"))

    def _mend(self, found: Trouble) -> Act:
        remedy, step = next_remedy(found.kind, self.memory.remedies), self.run.clock.step
        if remedy is None:
            return self._stop(found)
        to = self.best or self.recent
        self._back(to)
        self.memory.remedies.append(remedy.name)
        self.memory.stale = 0
        self.run.steady(*self._shown)
        self.run.clock = mended(self.run.clock, remedy)
        attempt = f"learning rates falling to the end, an average shown (try {len(self.memory.remedies)})"
        said = f"{found.said}, at step {step:,}: went back to step {to.clock.step:,}, {remedy.said}, {attempt}"
        return Act("mend", found.kind, said, step, to.clock.step, remedy.name)

    def _stop(self, found: Trouble, tried: bool = True) -> Act:
        """Training ends at the best. Raises UserError where nothing was learned that could be kept."""
        step, to = self.run.clock.step, self.best or self.recent
        if to.clock.step == 0 and found.kind == "broken":
            raise UserError(
                f"{found.said} at step {step}, whatever was mended, and nothing was saved yet: "
                "lower the learning rates (--lr-d, --lr-g)"
            )
        self._back(to)
        why = f"{found.said}, at step {step:,}"
        helped = f"; {len(self.memory.remedies)} remedies did not help" if tried else ""
        self.memory.stopped = f"{why}{helped}: training ended with step {to.clock.step:,}, the best"
        self.memory.shown = to.clock.step
        return Act("stop", found.kind, self.memory.stopped, step, to.clock.step)

    def finish(self) -> Act | None:
        """At the end of the plan: go back to the best generator where the last is clearly worse, and say so."""
        memory, step = self.memory, self.run.clock.step
        if memory.best is None or self.best is None or memory.best.step == step:
            return None
        if len(memory.readings) < FEW and not learned(memory.first, memory.best):
            return None  # the first readings of a training leap about
        if memory.shown != self.best.clock.step:
            last = self._read(keep=memory.readings[-1:] == [] or memory.readings[-1].step != step)
            clearly = CLEARLY if last.fine is None or memory.best.fine is None else finely(memory.items)
            if memory.best.step == step or not last.over(memory.best) > clearly:
                return None
            # the best of many readings was also lucky: others inputs decide
            now, fresh = Snapshot.take(self.run), self._read(1, keep=False)
            self.best.put_back(self.run)
            if not fresh.over(self._read(1, keep=False)) > clearly:
                now.put_back(self.run)
                return None
        self.best.put_back(self.run)
        memory.shown = self.best.clock.step
        said = (
            f"samples of the last step, {step:,}, are clearly worse than those of step {memory.shown:,}: "
            f"that one is shown, sampled and scored"
        )
        return Act("shown", "end", said, step, memory.shown)

    def to_save(self) -> Snapshot | None:
        """The best, as a checkpoint should have it: with what was mended since."""
        if self.best is None:
            return None
        return replace(self.best, clock=self.best.clock.mended_as(self.run.clock))


def verdicts(step: int, losses: dict[str, float], gradient: float | None) -> Verdicts:
    """What D said, from the terms that recipes log: mean logits, and the mean sign where there is one."""
    mean = lambda end: [value for name, value in losses.items() if name.endswith(end)]
    sign = mean("/sign_real")
    return Verdicts(step, sum(mean("/logit_real")), sum(mean("/logit_fake")), min(sign) if sign else None, gradient)


def makers(run: Run, asked: Batch | None = None) -> set[str]:
    """The nets that generating uses."""
    used: set[str] = set()
    with run.shown() as nets:
        handles = [
            module.register_forward_pre_hook(lambda *_, name=name: used.add(name))
            for name, net in nets.items()
            for module in net.modules()
        ]
    try:
        with torch.compiler.set_stance("force_eager"):
            generate(run, draw(run.game, 2, 0, real=asked))
    finally:
        for handle in handles:
            handle.remove()
    return used
