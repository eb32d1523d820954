"""What each way out of the house costs and loses: torch in fp32, ONNX, ONNX in 8 bits, and a distilled generator in all three.

    python benchmarks/export.py RUN [--distilled RUN] [--characters FILE] [--threads 1] [--items 2000] [--rounds 30]

For every size of batch all contestants are called in turn in one process, on as many threads; medians, and the fastest call
in brackets. The score is the run's own (`zerosum.export.compare.own_score`) on its held-out data, of the same seed for all.
`--characters`: the data of a run that benchmarks/sprites.py made, with its labels where the run has classes.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from _alternating import alternating
from sprites import characters

from zerosum.data.source import Source
from zerosum.export.compare import BATCHES, lost, own_score
from zerosum.export.int8 import quantise
from zerosum.export.onnx import export
from zerosum.export.played import Played
from zerosum.export.view import example, view
from zerosum.job import open_data, open_run
from zerosum.machine import describe
from zerosum.metrics.score import Maker
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler


def opened(run: Path, source: Source) -> Sampler:
    sampler = open_run(run, device="cpu")
    return Sampler(sampler.run, sampler.spec, source, sampler.origin)


def torch_size(sampler: Sampler) -> int:
    """Bytes of the generator's weights in float32."""
    with sampler.run.shown() as nets:
        return sum(value.nbytes for value in view(sampler, nets).nets.state_dict().values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--distilled", type=Path)
    parser.add_argument("--characters", help="the data of a run of benchmarks/sprites.py")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    labels = bool(RunDir(args.run).config["spec"]["counts"])
    source = characters(args.characters, labels, False) if args.characters else open_data(args.run)
    samplers = {"": opened(args.run, source)} | ({"distilled, ": opened(args.distilled, source)} if args.distilled else {})
    machine = describe("cpu")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{args.threads} threads, {machine['processor']}, torch {machine['torch']}; load of the machine before: {load}")
    with TemporaryDirectory() as place:
        files: dict[str, Played] = {}
        makers: dict[str, Maker] = {}
        sizes: dict[str, int] = {}
        for who, sampler in samplers.items():
            makers[f"{who}torch"], sizes[f"{who}torch"] = sampler, torch_size(sampler)
            for kind in ("onnx", "int8"):
                path = Path(place) / f"{len(files)}.onnx"
                if kind == "onnx":
                    print(f"{who}onnx: largest difference from torch {export(sampler, path).difference:.1g}", flush=True)
                else:
                    made = quantise(sampler, path, source, items=args.items)
                    tried = ", ".join(f"{method} {away:.4f}" for method, away in made.tried.items())
                    left = f"{len(made.floats)} of {made.layers} layers in floats"
                    print(f"{who}int8: root mean square difference from floats by {tried}; {left}", flush=True)
                files[f"{who}{kind}"] = Played(sampler, path, args.threads)
                makers[f"{who}{kind}"], sizes[f"{who}{kind}"] = files[f"{who}{kind}"], path.stat().st_size
        times = {n: timed(samplers, files, n, args.rounds * (4 if n == 1 else 1)) for n in BATCHES}
        report(makers, sizes, times, source, args.items)


def timed(samplers: dict[str, Sampler], files: dict[str, Played], n: int, rounds: int) -> dict[str, list[float]]:
    """Seconds of every call with batches of n, by contestant."""
    first = next(iter(samplers.values()))
    inputs = example(first, n)
    calls: dict[str, Callable[[], object]] = {}
    with first.run.shown(), torch.no_grad():
        for who, sampler in samplers.items():
            with sampler.run.shown() as nets:
                seen = view(sampler, nets)
            calls[f"{who}torch"] = partial(seen.eval(), *inputs.values())
        calls |= {name: partial(file, inputs) for name, file in files.items()}
        return alternating(calls, rounds)


def report(
    makers: dict[str, Maker], sizes: dict[str, int], times: dict[int, dict[str, list[float]]], source: Source, items: int
) -> None:
    print("\n| | batch 1, ms | | batch 64, ms | | MB | | score | worse by |\n|---|---|---|---|---|---|---|---|---|")
    before = None
    for name, maker in makers.items():
        score = own_score(maker, source, items)
        assert score is not None
        before = before or score
        cells = [name]
        for found in times.values():
            mine, theirs = found[name], found["torch"]
            cells += [f"{1e3 * median(mine):.2f} ({1e3 * min(mine):.2f})", f"{median(theirs) / median(mine):.1f}x"]
        cells += [f"{sizes[name] / 1e6:.2f}", f"{sizes[name] / sizes['torch']:.0%}", f"{score.value:.3f}"]
        print(f"| {' | '.join(cells)} | {lost(before, score):+.1%} |", flush=True)
    print(f"\n{before.name if before else ''}: {before.protocol if before else ''}")


if __name__ == "__main__":
    main()
