"""The command line: train, sample, score, list."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NoReturn

import tyro
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from zerosum import recipes
from zerosum.errors import UserError, suggest

console = Console()
errors = Console(stderr=True)

USAGE = """\
zerosum: generative adversarial networks on your own data

  zerosum train DATA [--recipe NAME] [--out RUN] [--steps N | --minutes M]    train; DATA is a folder, a file, or
                                                                              digits, ring8, grid25
  zerosum train --resume RUN                                                  go on where a run stopped, exactly
  zerosum sample RUN -n 64 [--label 3] [--seed 0] --out X                     X: a .png, an .npz, or a folder
  zerosum score RUN                                                           scores against held-out data
  zerosum report RUN                                                          write report.html anew
  zerosum list                                                                the recipes

`zerosum COMMAND --help` explains every option; `--debug` shows the whole traceback of an error.
"""


def main(argv: list[str] | None = None) -> None:
    """Run one command. Exits with 0, 2 (the user can mend it), 130 (stopped by Ctrl-C) or 1 (a fault of zerosum)."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    commands: dict[str, Callable[[list[str]], int]] = {
        "train": _train,
        "sample": partial(_parse, sample, name="sample"),
        "score": partial(_parse, score, name="score"),
        "report": partial(_parse, report, name="report"),
        "list": partial(_parse, list_recipes, name="list"),
    }
    if not words or words[0] in ("-h", "--help", "help"):
        console.print(USAGE, highlight=False)
        sys.exit(0 if words else 2)
    if words[0] == "--version":
        from zerosum import __version__

        console.print(f"zerosum {__version__}", highlight=False)
        sys.exit(0)
    try:
        if words[0] not in commands:
            raise UserError(f"no command {words[0]}: {suggest(words[0], list(commands))}")
        _end(commands[words[0]](words[1:]))
    except UserError as error:
        _fail(str(error), 2, debug)
    except KeyboardInterrupt:
        _fail("stopped", 130, debug)
    except Exception as error:
        _fail(f"{type(error).__name__}: {error}: a fault of zerosum; --debug shows where, please report it", 1, debug)


def _fail(message: str, code: int, debug: bool) -> NoReturn:
    """Say what is wrong in a line, under the whole traceback where that was asked for."""
    if debug:
        traceback.print_exc()
    errors.print(" ".join(f"zerosum: {message}".splitlines()), style="bold", highlight=False, soft_wrap=True, markup=False)
    _end(code)


def _end(code: int) -> NoReturn:
    """Exit. One process of several leaves at once: gloo's threads can abort the interpreter while it tidies up."""
    if "RANK" in os.environ:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _parse(function: Callable[..., Any], words: list[str], name: str) -> Any:
    first = os.environ.get("RANK", "0") == "0"
    return tyro.cli(function, args=words, prog=f"zerosum {name}", config=(tyro.conf.OmitArgPrefixes,), console_outputs=first)


def _option(words: list[str], name: str) -> str | None:
    """The value of --name among words that are not parsed yet."""
    for word, after in zip(words, [*words[1:], None], strict=False):
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
        if word == name:
            return after
    return None


def _train(words: list[str]) -> int:
    from zerosum import parallel

    parallel.start()
    try:
        again = _option(words, "--resume") is not None
        code = _play(parallel.together(lambda: _parse(_resume, words, "train") if again else _train_anew(words)))
        parallel.wait_for_all()
        return code
    except UserError:
        if parallel.rank() == 0:
            raise
        return 2  # rank 0 says why
    finally:
        parallel.stop()


def _train_anew(words: list[str]) -> Any:
    """Parse with the options of the recipe that was named, or that suits the data; the job that was asked for."""
    from zerosum.data import lasting, open_source
    from zerosum.job import Job, choose
    from zerosum.train import Training

    name, share = _option(words, "--recipe"), _share(_option(words, "--held-out"))
    helping = {"-h", "--help"} & set(words)
    if not helping and (not words or words[0].startswith("-")):
        raise UserError(
            "what to train on? Put it first, `zerosum train DATA ...`: a folder, an array file, digits, ring8 or grid25"
        )
    opened = None if helping or name else open_source(words[0], held_out=share)
    name = choose(opened.spec) if opened else name
    config = recipes.find(name or "dcgan").Config

    def train(
        data: tyro.conf.Positional[str],
        recipe: str | None = None,
        out: Path | None = None,
        training: Training = Training(),  # noqa: B008
        settings: config = config(),  # type: ignore[valid-type]  # noqa: B008
    ) -> Job:
        """Train a GAN. The settings below are those of the recipe named by --recipe (here: RECIPE).

        To go on with a run: zerosum train --resume RUN (and --help for its options).

        Args:
            data: a folder of images, an .npy, .npz or idx (.gz) file, or digits, ring8, grid25
            recipe: a name that `zerosum list` shows, or a .py file (default: what suits the data)
            out: the run folder to make (default: runs/DATA-RECIPE-N)
        """
        assert name is not None
        source = opened if opened and training.held_out == share else open_source(data, held_out=training.held_out)
        job = Job.new(lasting(data), source, name, settings, training, out or _fresh(data, name))
        if name != recipe:
            _say(f"recipe {name}: {recipes.summary(name)}")
        if source.spec.classes > 1 and not job.sampler.labelled:
            _say(f"note: the data have {source.spec.classes} classes, and recipe {name} ignores them; --recipe cgan uses them")
        return job

    train.__doc__ = (train.__doc__ or "").replace("RECIPE)", f"{name or 'dcgan'})")
    return _parse(train, words, "train")


def _share(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise UserError(f"--held-out {text}: give a number between 0 and 1") from None


def _fresh(data: str, recipe: str) -> Path:
    stem = f"{Path(data).resolve().name.split('.')[0]}-{Path(recipe).stem}"
    return next(path for i in range(1, 10**6) if not (path := Path("runs") / f"{stem}-{i}").exists())


def _resume(
    resume: Path,
    steps: int | None = None,
    minutes: float | None = None,
    recipe: str | None = None,
    device: str | None = None,
) -> Any:
    """Go on where a run stopped, exactly.

    Args:
        resume: the run folder
        steps: a new number of steps in all
        minutes: a new number of minutes in all
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
        device: another device than before: auto, cpu, cuda, cuda:1, mps
    """
    from zerosum.job import Job

    job = Job.resume(resume, steps, minutes, recipe, device)
    _say(f"{resume}: going on from step {job.run.clock.step:,}")
    return job


def _play(job: Any) -> int:
    """Train, then score and report; or say how to go on."""
    from zerosum.parallel import rank
    from zerosum.progress import Display, display
    from zerosum.report import write_report

    finished = job.play(display(console) if rank() == 0 else Display())
    if rank() != 0:
        return 0
    path = job.folder.path
    if not finished:
        write_report(job.folder)
        _say(f"stopped at step {job.run.clock.step:,} and saved; go on with: zerosum train --resume {path}")
        return 130
    _say("training is done; scoring ...")
    _table(job.finish())
    _say(f"report: {write_report(job.folder)}\nsample: zerosum sample {path} -n 64 --out samples.png")
    return 0


def _say(text: str) -> None:
    from zerosum.parallel import rank

    if rank() == 0:
        console.print(text, highlight=False, soft_wrap=True, markup=False)


def _table(scores: list[Any]) -> None:
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for title in ("score", "this run", "real data", "trivial", "better"):
        table.add_column(title, justify="left" if title in ("score", "better") else "right")
    for one in scores:
        table.add_row(one.name, f"{one.value:.3f}", f"{one.real:.3f}", f"{one.trivial:.3f}", one.better)
    console.print(table)


def sample(
    run: tyro.conf.Positional[Path],
    out: Path,
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64,
    label: str | None = None,
    seed: int = 0,
    step: int | None = None,
    device: str = "auto",
    recipe: str | None = None,
) -> int:
    """Make new items with a trained run.

    Args:
        run: the run folder
        out: a .png for one picture, an .npz with x (and y), or a folder for files
        n: how many
        label: a class, by number or name; only where the generator takes labels
        seed: the same seed gives the same items
        step: a checkpoint's step (default: the newest)
        device: auto, cpu, cuda, cuda:1, mps
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    import numpy as np

    from zerosum.data import modality
    from zerosum.job import open_run
    from zerosum.rundir import writing

    if out.suffix not in (".png", ".npz", ""):
        raise UserError(f"--out {out}: end it in .png or .npz, or name a folder")
    sampler = open_run(run, step, device, recipe)
    spec = sampler.spec
    made = sampler.make(n, seed, label)
    items = modality(spec).decode(made["x"], spec)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".sampling-", dir=out.parent) as place:  # what is there stays until all is written
            whole = Path(place) / out.name
            if out.suffix == ".png":
                square = next(c for c in range(1, n + 1) if c * c >= n)
                modality(spec).picture(items, spec, square).save(whole)
            elif out.suffix == ".npz":
                arrays: dict[str, Any] = {"x": items} | ({"y": made["y"].numpy()} if "y" in made else {})
                np.savez_compressed(whole, **arrays)
            else:
                whole.mkdir()
                modality(spec).write(items, spec, whole)
                out.mkdir(exist_ok=True)
            for file in whole.iterdir() if whole.is_dir() else [whole]:
                file.replace(out / file.name if whole.is_dir() else out)
    _say(f"{n} samples: {out}")
    return 0


def score(run: tyro.conf.Positional[Path], seed: int = 1, recipe: str | None = None, device: str = "auto") -> int:
    """Score a trained run against the data held out of its training.

    Args:
        run: the run folder; its data must still be where they were
        seed: of the generated items
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
        device: auto, cpu, cuda, cuda:1, mps
    """
    from zerosum.job import Job

    scores = Job.resume(run, recipe=recipe, device=device, reading=True).score(seed=seed)
    _table(scores)
    for one in scores:
        _say(f"  {one.name}: {one.protocol}")
    return 0


def report(run: tyro.conf.Positional[Path]) -> int:
    """Write a run's report.html anew.

    Args:
        run: the run folder
    """
    from zerosum.report import write_report
    from zerosum.rundir import RunDir

    _say(f"report: {write_report(RunDir(run))}")
    return 0


def list_recipes() -> int:
    """Show every recipe in a line."""
    width = max(map(len, recipes.names()))
    for name in recipes.names():
        console.print(f"[bold]{name:{width}}[/bold]  {escape(recipes.summary(name))}", highlight=False, soft_wrap=True)
    return 0
