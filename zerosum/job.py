"""A job: recipe, settings, data and plan put together, started or resumed, with or without a run folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from zerosum import parallel, plane, recipes, rows, secrecy
from zerosum.audit import Audit, audit
from zerosum.bounds import Bounded
from zerosum.building import build_run
from zerosum.data import modality, open_source
from zerosum.data.mirror import Mirrored
from zerosum.data.preflight import Preflight, inspect
from zerosum.data.rows import TableSource
from zerosum.data.source import Source, Spec
from zerosum.errors import UserError
from zerosum.files import writing
from zerosum.game import Game
from zerosum.guard.memory import Memory
from zerosum.machine import describe
from zerosum.metrics import ITEMS, find_features, score
from zerosum.metrics.case import Case
from zerosum.metrics.score import Score
from zerosum.play import Run
from zerosum.private.budget import Budget
from zerosum.private.ledger import Ledger
from zerosum.progress import Display
from zerosum.provenance import Origin, of_checkpoint, run_hash
from zerosum.provenance.origin import recipe_name
from zerosum.recipes import dptabular
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.settings import typed, worded
from zerosum.snapshot import Snapshot
from zerosum.tensorboard import Events
from zerosum.train import Training, train

VIEWED = 5000
"""Rows of a table that the report's drawings are of."""

ROOM = 2**28
"""Bytes that building networks may take beside eight times those of their weights: what is drawn and thrown away."""


class Job:
    """One training, from its plan to its scores."""

    def __init__(self, source: Source, training: Training, run: Run, folder: RunDir | None, before: float = 0.0) -> None:
        self.training, self.run, self.folder, self.before = training, run, folder, before
        self.memory: Memory | None = None  # the guard's, of an earlier part of this run
        self.best: Snapshot | None = None
        self.notes: list[str] = []  # what the guard did
        self.source = (Mirrored(source) if training.mirror else source).to(run.pace.device)
        self.sampler = Sampler(run, source.spec, source, self._origin)
        self.recipe = ""  # this and the next are set by `new` and `resume`
        self.cfg: Any = None
        self._data = source  # as it is, not mirrored: what scores compare with

    @staticmethod
    def new(
        what: Any,
        source: Source,
        recipe: str,
        cfg: Any,
        training: Training,
        out: Path | None,
        preflight: Preflight | None = None,
        change: Callable[[Game], Game] | None = None,
    ) -> Job:
        """A job from its beginning. `what` names the data in config.json; `out` None keeps everything in memory; `change` is as
        `build_run` has it.

        `preflight` is kept in config.json; where there is none and a folder is made, the data are looked over for it.
        """
        if training.steps is None and training.minutes is None:
            training = replace(training, minutes=5.0)
        private = isinstance(source, TableSource) and source.key is not None
        training = secrecy.settled(training) if private else training
        run = build_run(recipe, cfg, source.spec, training, change=change)
        if private:
            secrecy.accounted(recipe, cfg, run.game)
        folder = None
        if out is not None and parallel.rank() == 0:
            folder = RunDir.create(
                out,
                {
                    "recipe": recipe,
                    "settings": asdict(cfg),
                    "training": asdict(training),
                    "data": {"what": what, "fingerprint": "" if private else source.fingerprint()},
                    "preflight": (preflight or inspect(source)).to_json(),
                    "spec": source.spec.to_json(),
                    "privacy": run.game.ledger.to_json() if private else {},
                    "dtype": str(run.pace.dtype).removeprefix("torch."),
                    "world": parallel.world(),
                    "machine": describe(run.pace.device),
                    "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in run.game.nets.items()},
                },
            )
            if isinstance(source, TableSource) and source.key is not None:
                secrecy.hide(folder, source, source.key)
        job = Job(source, training, run, folder)
        job.recipe, job.cfg = recipe, cfg
        return job

    @staticmethod
    def resume(
        path: Path,
        steps: int | None = None,
        minutes: float | None = None,
        recipe: str | None = None,
        device: str | None = None,
        reading: bool = False,
    ) -> Job:
        """A job that goes on from its newest checkpoint, exactly, or from its beginning where it has none yet.

        `steps` or `minutes` move its end; `device` moves it to another device. With `reading` the folder is left as it
        is, and the job can be scored but should not be played.

        Raises UserError where the data are gone or have changed, or the checkpoint cannot be read.
        """
        folder = RunDir(path)
        name, cfg, spec, training = _asked(folder, recipe)
        moved = steps is not None or minutes is not None
        if moved:
            training = replace(training, steps=steps, minutes=minutes)
        if device is not None:
            training = replace(training, device=device)
        dtype, source = folder.config["dtype"], _source(folder, name, spec, training)
        run = _rebuilt(folder, name, cfg, spec, training, dtype)
        before = folder.restore(run, folder.shown() if reading else None) if reading or folder.checkpoints() else 0.0
        total = run.clock.total if training.steps is None else training.steps
        if total < run.clock.step:
            raise UserError(f"{path} has come to step {run.clock.step:,} already: give more --steps than that")
        if minutes is not None and 60 * minutes > before:
            total = max(total, run.clock.step + 1)  # planned anew at the first look-up
        run.clock = replace(run.clock, total=total)
        job = Job(source, training, run, folder if reading or parallel.rank() == 0 else None, before)
        job.recipe, job.cfg = name, cfg
        if reading:
            return job
        job._recall(folder, moved)
        if parallel.rank() == 0:
            if moved or device is not None:
                folder.asked(training=asdict(training))
            folder.forget_after(run.clock.step)
        return job

    def _recall(self, folder: RunDir, moved: bool) -> None:
        """What the guard remembers of the run so far. Where the end is moved, it may try everything again."""
        if not folder.checkpoints():
            return
        memory = Memory.from_json(folder.guarded(folder.latest()))
        if memory.best is not None and memory.best.step in folder.checkpoints():
            self.best = folder.snapshot(memory.best.step)
        self.memory = replace(memory, stopped="", shown=None, remedies=[], stale=0) if moved else memory

    def play(self, display: Display | None = None) -> bool:
        """Train to the end of the plan; False where it was asked to stop before."""
        step = self.run.clock.step
        if not parallel.unanimous(parallel.from_first(step) == step):
            raise UserError("the ranks do not start from one checkpoint: let every rank see the same run folder")
        with self._events(step):
            finished, self.before = train(
                self.run,
                self.source,
                self.training,
                self.folder,
                display,
                self.score,
                self.picture,
                self.before,
                self.memory,
                self.best,
                self.notes,
            )
        return finished

    def finish(self) -> list[Score]:
        """The quick scores of the end, written into the log where there is one; `zerosum score` takes all. None of a private
        run: they compare with rows."""
        if self.run.game.ledger is not None:
            return []
        scores = self.score(quick=True)
        self.keep(scores)
        self.compare()
        return scores

    def audit(self) -> Audit | None:
        """What an attacker makes of the private mechanisms; kept beside the claim in the folder. It reads no private row.

        None where there is no claim, or the recipe is not of the house.
        """
        if self.run.game.ledger is None or self.recipe != "dptabular":
            return None
        spec = self.sampler.spec
        found = audit(self.cfg, spec, self.sampler.make(spec.items)["x"], dptabular.planned(self.cfg, spec))
        if self.folder is not None:
            self.folder.asked(privacy=self.run.game.ledger.to_json() | {"audit": found.to_json()})
        return found

    def keep(self, scores: list[Score]) -> None:
        """Write scores of the game as it stands into the log, where there is one."""
        if self.folder is not None:
            step, rows = self.run.clock.step, [one.to_json() for one in scores]
            shown = self.folder.guarded(self.folder.latest()).get("shown")  # the guard ended training, or went back to it
            final = {"final": True} if step >= self.run.clock.total or step == shown else {}
            with self._events(step):
                self.folder.log({"step": step, "seconds": round(self.before, 3), "scores": rows, **final})

    @contextmanager
    def _events(self, step: int) -> Iterator[None]:
        """While this lasts, what goes into the log goes to TensorBoard too."""
        if self.folder is None:
            yield
            return
        with writing(self.folder.path):
            events = Events(self.folder.path / "tensorboard", step)
        self.folder.watchers.append(events.row)
        try:
            yield
        finally:
            self.folder.watchers.remove(events.row)
            with writing(self.folder.path):
                events.close()

    def score(
        self,
        quick: bool = False,
        seed: int = 1,
        items: int = ITEMS,
        features: str | None = None,
        download: bool = False,
    ) -> list[Score]:
        """The scores of the game as it stands; see `zerosum.metrics.score`."""
        device = self.run.pace.device
        return score(self.sampler, self._data, seed, quick, items, features, device, download)

    def compare(self) -> None:
        """Put what the report draws of a table, real beside generated, into the run folder; nothing for other data."""
        if self.folder is not None and self.sampler.spec.kind == "tables":
            from zerosum.metrics.tables.views import views

            case = Case(self.sampler, self._data, lambda: find_features("pixels", self._data), seed=1, items=VIEWED)
            self.folder.write_text("table.json", json.dumps(views(case.tables)))

    def _origin(self) -> Origin:
        """What makes items as the run stands: what a checkpoint of this step would say."""
        config = {"recipe": self.recipe, "settings": asdict(self.cfg), "spec": self.source.spec.to_json()}
        step = self.run.clock.step
        return Origin(run_hash(config, step, Snapshot.view(self.run).packed()), recipe_name(self.recipe), step)

    def picture(self, folder: RunDir) -> None:
        """Put a sample picture, always of the same inputs, into the run folder; rows of input, output, target of a game that
        maps; beside it, where items are points in the plane, those points and what D says of the plane."""
        mapping = self.sampler.maps is not None
        origin = replace(self._origin(), act="train", seed=self.training.seed, part=mapping)
        if mapping:
            folder.picture(self.run.clock.step, rows.sheet(self.sampler, self.training.seed), origin)
            return
        spec = self.sampler.spec
        items = modality(spec).decode(self.sampler.preview(self.training.seed)["x"], spec)
        folder.picture(self.run.clock.step, modality(spec).picture(items, spec, self.sampler.columns(len(items))), origin)
        if plane.flat(spec):
            folder.frame(f"step-{self.run.clock.step}", plane.frame(self.sampler, self.training.seed))
            if not (folder.path / "samples" / "real.json").exists():
                folder.frame("real", plane.real(self._data))


def _asked(folder: RunDir, recipe: str | None = None) -> tuple[str, Any, Spec, Training]:
    """What config.json asks for. A recipe that is not of the house is loaded only where the user names its file again."""
    config = folder.config
    try:
        if config["dtype"] not in ("float32", "bfloat16") or not {"what", "fingerprint"} <= set(config["data"]):
            raise KeyError("dtype or data")
        name = config["recipe"]
        if name not in recipes.names():
            if recipe is None:
                raise UserError(f"{folder.path} uses the recipe file {name}: add --recipe {name} to allow running it")
            name = recipe
        elif recipe not in (None, name):
            raise UserError(f"{folder.path} was trained with recipe {name}: leave --recipe out, or train anew")
        cfg, training = typed(recipes.find(name).Config(**config["settings"])), typed(Training(**config["training"]))
        return name, worded(cfg), Spec.from_json(config["spec"]), training
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder.path / 'config.json'} is damaged ({error}): copy the run folder again, or train anew"
        ) from error


def _source(folder: RunDir, name: str, spec: Spec, training: Training) -> Source:
    """The data that a run was begun on. Raises UserError where they are gone or have changed."""
    path, what, fingerprint = folder.path, folder.config["data"]["what"], folder.config["data"]["fingerprint"]
    if what == "array":
        raise UserError(f"{path} was trained on an array in memory, which is not kept: fit again from Python")
    budget = None
    if spec.private:
        key, fingerprint = secrecy.hidden(folder)
        budget = Budget(spec.private["epsilon"], spec.private["delta"], key, Ledger.from_json(spec.private))
    pairs = {"need": recipes.needs(name), "inputs": training.inputs} | ({"target": training.target} if spec.given else {})
    source = open_source(what, held_out=training.held_out, size=training.size, codec=spec.table, budget=budget, **pairs)
    if source.fingerprint() != fingerprint:
        raise UserError(f"{what} has changed since {path} was begun, so going on would not be exact: train anew with --out")
    return source


def _room(folder: RunDir) -> int | None:
    """Bytes that networks may take while they are built, by the weights that are there for them; None without any."""
    sizes = [path.stat().st_size for path in folder.path.glob("step-*/nets.safetensors")]
    return ROOM + 8 * max(sizes) if sizes else None


def _rebuilt(folder: RunDir, *what: Any) -> Run:
    """The run that config.json describes. Raises UserError where it describes none that can be built here."""
    try:
        with Bounded(_room(folder)):
            return build_run(*what)
    except (RuntimeError, TypeError, ValueError, MemoryError, OverflowError) as error:
        first = str(error).split("\n")[0]
        raise UserError(f"{folder.path / 'config.json'} describes no game that can be built here: {first}") from error


def open_data(path: str | Path, recipe: str | None = None) -> Source:
    """The data of a run, without the run. Raises UserError where they are gone or have changed."""
    folder = RunDir(path)
    name, _, spec, training = _asked(folder, recipe)
    return _source(folder, name, spec, training)


def open_run(path: str | Path, step: int | None = None, device: str = "auto", recipe: str | None = None) -> Sampler:
    """The trained game of a run folder, without its data. Raises UserError where it cannot be read."""
    folder = RunDir(path)
    name, cfg, spec, training = _asked(folder, recipe)
    modality(spec)
    run = _rebuilt(folder, name, cfg, spec, replace(training, device=device, threads=0, accum=1, compile=False), "float32")
    step = folder.shown() if step is None else step
    folder.restore(run, step, optims=False)
    origin = of_checkpoint(folder.path, folder.config, step)
    return Sampler(run, spec, origin=lambda: origin)
