"""The run folder: the interface between training, the command line and whoever reads a run. Nothing executes on load.

config.json            what was asked: recipe, settings, training, data, spec, versions, machine
log.jsonl              a JSON object a line: losses ("step", "seconds", "D/adv" ...), scores ("step", "scores"), what the
                       guard did ("step", "note")
samples/step-N.png     pictures over time, always of the same inputs; of points in the plane also step-N.json (generated points,
                       what D says of the plane) and real.json
step-N/                a checkpoint: meta.json (clock, what the guard remembers), nets.safetensors, optim.pt (tensors
                       alone: weights_only)
table.json             of tables: how columns are distributed, real and generated, for the report's drawings
eye.jsonl              answers of people who were asked in the explorer which of two items is real
report.html            everything above in one file
secret.json            under differential privacy: the key of the noise; to be removed before the folder is passed on
tensorboard/           the same curves as TensorBoard events
"""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from PIL import Image
from safetensors import SafetensorError

from zerosum import __version__
from zerosum.errors import UserError
from zerosum.files import replace, sync_folder, write, writing
from zerosum.game import Clock
from zerosum.play import Run
from zerosum.provenance import Origin, mark
from zerosum.snapshot import Snapshot

FORMAT = 1
MOST_JSON = 2**26
"""Bytes of config.json or meta.json; larger ones are not read."""


class RunDir:
    """A run folder that exists. `create` makes one, `RunDir(path)` opens one; both raise UserError where they cannot."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / "config.json").is_file():
            beside = [run.parent.name for run in self.path.parent.glob("*/config.json")]
            near = [f"did you mean {self.path.with_name(name)}?" for name in get_close_matches(self.path.name, beside, n=1)]
            ways = near or [f"`zerosum train DATA --out {self.path}` makes one"]
            raise UserError(f"{self.path} is no run folder: it has no config.json; {ways[0]}")
        self.config: dict[str, Any] = _read_json(self.path / "config.json")
        self.watchers: list[Callable[[dict[str, Any]], None]] = []

    @staticmethod
    def create(path: str | Path, config: dict[str, Any]) -> RunDir:
        """Make the folder and its config.json. An existing run is never written over."""
        path = Path(path)
        if (path / "config.json").exists():
            raise UserError(f"{path} already holds a run: go on with `zerosum train --resume {path}`, or choose another --out")
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
            replace(path / "config.json", json.dumps({"format": FORMAT, "zerosum": __version__, **config}, indent=2).encode())
        return RunDir(path)

    def asked(self, **changes: Any) -> None:
        """Change entries of config.json: what is asked of this run from now on."""
        self.config |= changes
        with writing(self.path):
            replace(self.path / "config.json", json.dumps(self.config, indent=2).encode())

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def checkpoints(self) -> list[int]:
        """Steps at which there is a checkpoint, in order."""
        return sorted(step for step, path in _numbered(self.path.glob("step-*")) if path.is_dir())

    def latest(self) -> int:
        """The newest checkpoint's step. Raises UserError where there is none."""
        if not (steps := self.checkpoints()):
            raise UserError(f"{self.path} holds no checkpoint yet: go on with `zerosum train --resume {self.path}`")
        return steps[-1]

    def save(
        self, run: Run | Snapshot, seconds: float, keep: int = 2, guard: dict[str, Any] | None = None, best: int | None = None
    ) -> None:
        """Write a checkpoint of the run as it stands, or stood; all of it or nothing.

        `guard`: what the guard must remember. Checkpoints other than the last `keep` and the one at step `best` are
        removed.
        """
        now = Snapshot.view(run) if isinstance(run, Run) else run
        final = self.path / f"step-{now.clock.step}"
        self._sweep()
        meta = {"format": FORMAT, "zerosum": __version__, "clock": asdict(now.clock), "seconds": seconds}
        meta |= {"guard": guard} if guard is not None else {}
        if final.exists():
            self._remember(final / "meta.json", meta)
            return
        scratch = self.path / f".saving-{os.getpid()}"
        with writing(self.path, scratch):
            scratch.mkdir()
            optim = BytesIO()
            torch.save(now.optims, optim)
            write(scratch / "nets.safetensors", now.packed())
            write(scratch / "optim.pt", optim.getbuffer())
            write(scratch / "meta.json", json.dumps(meta, indent=2).encode())
            sync_folder(scratch)
            scratch.rename(final)  # the name appears when all is written, and not before
            sync_folder(self.path)
        with writing(self.path):
            for step in self.checkpoints()[:-keep]:
                if step != best:
                    self._remove(self.path / f"step-{step}")

    def _remember(self, path: Path, meta: dict[str, Any]) -> None:
        """Renew what the guard remembers and has mended in a checkpoint that is there; all else in it stands."""
        old = _read_json(path)
        new = old | {key: meta[key] for key in ("guard", "clock") if key in meta}
        if new != old:
            with writing(path):
                replace(path, json.dumps(new, indent=2).encode())

    def abandon_after(self, step: int) -> None:
        """Remove the checkpoints and pictures later than a step that training has gone back to."""
        with writing(self.path):
            for later in [at for at in self.checkpoints() if at > step]:
                self._remove(self.path / f"step-{later}")
            self._forget_pictures(step)

    def snapshot(self, step: int) -> Snapshot:
        """A checkpoint as it lies in the folder. Raises UserError where it cannot be read."""
        folder = self.path / f"step-{step}"
        with _damage(folder / "nets.safetensors", f"remove {folder}"):
            nets = safetensors.torch.load((folder / "nets.safetensors").read_bytes())
        with _damage(folder / "optim.pt", f"remove {folder}"):
            optims = torch.load(folder / "optim.pt", map_location="cpu", weights_only=True)
        with _damage(folder / "meta.json", f"remove {folder}"):
            return Snapshot(Clock(**_read_json(folder / "meta.json")["clock"]), nets, optims)

    def remember(self, guard: dict[str, Any]) -> None:
        """Renew what the guard remembers in the newest checkpoint."""
        self._remember(self.path / f"step-{self.latest()}" / "meta.json", {"guard": guard})

    def guarded(self, step: int) -> dict[str, Any]:
        """What the guard remembers in the checkpoint of a step; {} where there was no guard, or what is there is none."""
        try:
            found = _read_json(self.path / f"step-{step}" / "meta.json").get("guard")
        except UserError:  # whoever restores it says so
            return {}
        return found if isinstance(found, dict) else {}

    def shown(self) -> int:
        """The step of the checkpoint to sample and score: the newest, or an earlier one that the guard found better."""
        latest = self.latest()
        better = self.guarded(latest).get("shown")
        return better if type(better) is int and better in self.checkpoints() else latest

    def _remove(self, checkpoint: Path) -> None:
        gone = self.path / f".gone-{checkpoint.name}"
        checkpoint.rename(gone)
        shutil.rmtree(gone)

    def _sweep(self) -> None:
        """Remove what an interrupted save or removal left."""
        for left in (*self.path.glob(".saving-*"), *self.path.glob(".gone-*")):
            shutil.rmtree(left, ignore_errors=True)

    def restore(self, run: Run, step: int | None = None, optims: bool = True) -> float:
        """Put a checkpoint (the newest unless told) into a run; return the seconds of training behind it.

        Raises UserError where a file is missing, damaged, newer than this version, or holds code.
        """
        step, known = self.latest() if step is None else step, self.checkpoints()
        if step not in known:
            raise UserError(f"{self.path} has no checkpoint at step {step}: it has {', '.join(map(str, known)) or 'none'}")
        folder = self.path / f"step-{step}"
        older = [n for n in known if n < step]
        rescue = f"remove {folder} to go on from step {older[-1]}" if older else f"there is no older checkpoint in {self.path}"
        meta = _read_json(folder / "meta.json", rescue)
        with _damage(folder / "nets.safetensors", rescue):
            most = 2**20 + 3 * sum(value.nbytes for value in run.nets.state_dict().values())  # averages may be kept beside
            if (size := (folder / "nets.safetensors").stat().st_size) > most:
                raise ValueError(f"{size:,} bytes, for networks of {most // 3:,}")
            run.load(safetensors.torch.load((folder / "nets.safetensors").read_bytes()))
        if optims:
            with _damage(folder / "optim.pt", rescue), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's remarks on files of another kind, which are then refused
                states = torch.load(folder / "optim.pt", map_location=run.pace.device, weights_only=True)
                for name, optim in run.optims.items():
                    optim.load_state_dict(states[name])
        with _damage(folder / "meta.json", rescue):
            run.clock, seconds = Clock(**meta["clock"]), float(meta["seconds"])
        return seconds

    # ---- log and pictures --------------------------------------------------------------------------------------------

    def log(self, row: dict[str, Any]) -> None:
        """Append a line to the log, and show it to whoever watches."""
        with writing(self.path):
            with (self.path / "log.jsonl").open("a") as file:
                file.write(json.dumps(row) + "\n")
            for watch in self.watchers:
                watch(row)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The log's lines, without a last one that was cut short, and without whatever is no row with a step."""
        if (self.path / "log.jsonl").is_file():
            for line in (self.path / "log.jsonl").read_text("utf-8", "replace").splitlines():
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError):
                    continue
                if isinstance(row, dict) and type(row.get("step")) is int and 0 <= row["step"] < 2**63:
                    yield row

    def forget_after(self, step: int) -> None:
        """Drop log lines and pictures later than a step: what was played after the checkpoint is played again.

        The final scores go too, and which checkpoint they were of: they are taken again, or they are no longer final.
        """
        told = lambda row: "final" in row or _act(row) == "shown"
        kept = [row for row in self.rows() if row["step"] <= step and not told(row)]
        self.write_text("log.jsonl", "".join(json.dumps(row) + "\n" for row in kept))
        with writing(self.path):
            self._forget_pictures(step)

    def _forget_pictures(self, step: int) -> None:
        """Remove the pictures and frames later than a step."""
        for at, path in (*self.pictures(), *self.frames()):
            if at > step:
                path.unlink()

    def picture(self, step: int, image: Image.Image, origin: Origin) -> None:
        """Keep a picture of this step, and in it what made it."""
        buffer = BytesIO()
        image.save(buffer, "PNG")
        with writing(self.path):
            (self.path / "samples").mkdir(exist_ok=True)
            replace(self.path / "samples" / f"step-{step}.png", mark(buffer.getvalue(), origin))

    def pictures(self) -> list[tuple[int, Path]]:
        """(step, path) of every picture, in order."""
        return _numbered(self.path.glob("samples/step-*.png"))

    def frame(self, name: str, values: dict[str, Any]) -> None:
        """Keep points in the plane beside the pictures, as JSON."""
        with writing(self.path):
            (self.path / "samples").mkdir(exist_ok=True)
            replace(self.path / "samples" / f"{name}.json", json.dumps(values).encode())

    def frames(self) -> list[tuple[int, Path]]:
        """(step, path) of every frame of points in the plane, in order."""
        return _numbered(self.path.glob("samples/step-*.json"))

    def write_text(self, name: str, text: str) -> Path:
        """Write a whole file, or leave the old one."""
        with writing(self.path):
            replace(self.path / name, text.encode("utf-8", "replace"))
        return self.path / name


def _numbered(paths: Iterable[Path]) -> list[tuple[int, Path]]:
    """(N, path) of what is called step-N, in order."""
    named = ((re.fullmatch(r"step-([0-9]+)(\.png|\.json)?", path.name), path) for path in paths)
    return sorted((int(match[1]), path) for match, path in named if match)


def _act(row: dict[str, Any]) -> Any:
    """What the guard did, where this is a line about that."""
    guard = row.get("guard")
    return guard.get("name") if isinstance(guard, dict) else None


def _read_json(path: Path, rescue: str = "copy the run folder again, or train anew") -> dict[str, Any]:
    """A JSON object of this format. Raises UserError where it is missing, damaged or from a newer version."""
    try:
        if (size := path.stat().st_size) > MOST_JSON:
            raise ValueError(f"it has {size:,} bytes")
        values = json.loads(path.read_text())
        version = values["format"]
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: {rescue}") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(f"{path} is damaged ({type(error).__name__}: {error}): {rescue}") from error
    if not isinstance(version, int) or version > FORMAT:
        raise UserError(f"{path} was written by a newer zerosum (format {version}, this one reads {FORMAT}): update zerosum")
    return values


@contextmanager
def _damage(path: Path, rescue: str) -> Iterator[None]:
    """Turn whatever a damaged or foreign file raises into one line."""
    try:
        yield
    except FileNotFoundError as error:
        raise UserError(f"{path} is missing: {rescue}") from error
    except pickle.UnpicklingError as error:
        raise UserError(f"{path} is damaged or holds code, and code is never run from a run folder: {rescue}") from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, AttributeError, SafetensorError) as error:
        first = str(error).strip().split("\n")[0]
        raise UserError(f"{path} is damaged or of another run ({type(error).__name__}: {first}): {rescue}") from error
