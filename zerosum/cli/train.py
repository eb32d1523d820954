"""zerosum train: train a GAN, or go on with a run."""

from pathlib import Path
from typing import Any

import tyro

from zerosum import recipes
from zerosum.cli._common import console, parse, say, say_of_classes, table
from zerosum.errors import UserError

PLACE = 1
USAGE = """
zerosum train DATA [--recipe NAME] [--out RUN] [--steps N | --minutes M]    train; DATA is a folder, a file, a table,
                                                                            or digits, ring8, grid25
zerosum train --resume RUN                                                  go on where a run stopped, exactly
"""


def main(words: list[str]) -> int:
    """Train on rank 0 and its fellows; returns the exit code."""
    from zerosum import parallel

    parallel.start()
    try:
        again = _option(words, "--resume") is not None
        code = _play(parallel.together(lambda: parse(_resume, words, "train") if again else _train_anew(words)))
        parallel.wait_for_all()
        return code
    except UserError:
        if parallel.rank() == 0:
            raise
        return 2  # rank 0 says why
    finally:
        parallel.stop()


def _option(words: list[str], name: str) -> str | None:
    """The value of --name among words that are not parsed yet."""
    for word, after in zip(words, [*words[1:], None], strict=False):
        if word.startswith(f"{name}="):
            return word.split("=", 1)[1]
        if word == name:
            return after
    return None


def _train_anew(words: list[str]) -> Any:
    """Parse with the options of the recipe that was named, or that suits the data; the job that was asked for."""
    from zerosum.auto import Choice, choose
    from zerosum.data import lasting, open_source
    from zerosum.data.preflight import inspect, lines
    from zerosum.job import Job
    from zerosum.parallel import rank
    from zerosum.train import Training

    name, share = _option(words, "--recipe"), _share(_option(words, "--held-out"))
    wishes = {wish: _option(words, f"--{wish}") for wish in ("size", "target", "schema", "inputs")}
    asked = _budget(_option(words, "--dp-epsilon"), _option(words, "--dp-delta"))
    helping = {"-h", "--help"} & set(words)
    if not helping and (not words or words[0].startswith("-")):
        raise UserError(
            "what to train on? Put it first, `zerosum train DATA ...`: a folder, an array, a table, digits, ring8 or grid25"
        )
    named = None if name == "auto" else name
    opened = None if helping or named else open_source(words[0], held_out=share, budget=asked, **wishes)
    chosen = choose(opened.spec, _option(words, "--device") or "auto") if opened else Choice(named or "dcgan")
    config = recipes.find(chosen.recipe).Config

    def train(
        data: tyro.conf.Positional[str],
        recipe: str = "auto",
        out: Path | None = None,
        training: Training = Training(),  # noqa: B008
        settings: config = config(**chosen.settings),  # type: ignore[valid-type]  # noqa: B008
    ) -> Job:
        """Train a GAN. The settings below are those of the recipe named by --recipe (here: RECIPE).

        To go on with a run: zerosum train --resume RUN (and --help for its options).

        Args:
            data: a folder of images or of pairs of them, a .zip, .tar or .parquet, an .npy, .npz or idx (.gz) file, a table
                (.csv, .tsv, .parquet), two sets of images (ONE,OTHER), or a built-in set
            recipe: a name that `zerosum list` shows, or a .py file ; auto: what suits the data
            out: the run folder to make (default: runs/DATA-RECIPE-N)
        """
        wished = {wish: getattr(training, wish) for wish in wishes}
        same = opened and training.held_out == share and wished == wishes
        source = (
            opened
            if opened and same
            else open_source(data, held_out=training.held_out, budget=asked, need=recipes.needs(recipe), **wished)
        )
        report = inspect(source) if rank() == 0 else None
        for line in lines(report) if report else []:
            say(line)
        job = Job.new(lasting(data), source, chosen.recipe, settings, training, out or _fresh(data, chosen.recipe), report)
        if opened:
            say(f"recipe    {chosen.recipe}: {recipes.summary(chosen.recipe)}")
            for reason in chosen.why:
                say(f"          {reason}")
        say_of_classes(source.spec, chosen.recipe, job.sampler.labelled)
        return job

    train.__doc__ = (train.__doc__ or "").replace("RECIPE)", f"{chosen.recipe})")
    return parse(train, words, "train")


def _budget(epsilon: str | None, delta: str | None) -> Any:
    """What may be spent on private rows; None where they are not private."""
    from zerosum.private.budget import DELTA, Budget

    if epsilon is None:
        return None
    try:
        return Budget(float(epsilon), DELTA if delta is None else float(delta))
    except ValueError:
        raise UserError(f"--dp-epsilon {epsilon}, --dp-delta {delta}: give numbers, such as 1 and 1e-5") from None


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
    say(f"{resume}: going on from step {job.run.clock.step:,}")
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
        say(f"stopped at step {job.run.clock.step:,} and saved; go on with: zerosum train --resume {path}")
        return 130
    private = job.run.game.ledger is not None
    say("training is done" if private else "training is done; scoring ...")
    scores = job.finish()
    if private:
        from zerosum.secrecy import WARNING

        if job.training.dp_audit:
            say("auditing: attacking the mechanisms with canaries among made rows ...")
        found = job.audit() if job.training.dp_audit else None
        audited = [f"audit     {found.words()}"] if found else []
        for line in (*job.run.game.ledger.words(), *audited, f"secret    {WARNING}"):
            say(line)
    else:
        table(scores)
    say(f"report: {write_report(job.folder)}\n{_next(job, path)}")
    return 0


def _next(job: Any, path: Path) -> str:
    """What a finished run is good for."""
    if (maps := job.sampler.maps) is not None:
        files = " ".join(name.upper().replace(" ", "-") for name in maps.names)
        return f"use:    zerosum translate {path} {files}{' --mask MASK' if maps.mask else ''} -o OUT"
    wanted = "-n 1000 -o samples.csv" if job.sampler.spec.kind == "tables" else "-n 64 --out samples.png"
    return f"sample: zerosum sample {path} {wanted}"
