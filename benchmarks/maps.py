"""Aerial pictures and maps at 128 pixels: `pix2pix` on the pairs, beside the same U-Net without D; `cyclegan` without pairs.

    python benchmarks/maps.py MAPS --features MOBILENET.npz [--minutes 30] [--cycle-minutes 60] [--seed 0] [--out DIR]

MAPS is a folder of JPEG files of 256 x 128 pixels, the aerial picture left, the map right. A quarter is cut off before training
and looked at once, at the end; `--validate` holds out a quarter of the rest instead. pix2pix is trained both ways, the U-Net
without D from aerial to map; each has `--minutes`. cyclegan has the same pictures, taken apart, for `--cycle-minutes`. Kernel
distances are on the features of the network that is named. `--set NAME=VALUE` gives pix2pix (with and without D) a setting,
`--set-cycle` cyclegan.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import _translation as our
import numpy as np
import torch
from _asked import asked
from PIL import Image
from torch import Tensor

from zerosum.data import images, paired
from zerosum.data.unpaired import Domains
from zerosum.job import Job

SHARE = 0.25


def read(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """(aerial pictures, maps), bytes [n, 3, 128, 128]."""
    both = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.jpg"))])
    return tuple(np.moveaxis(half, 3, 1) for half in np.split(both, 2, axis=2))  # type: ignore[return-value]


def cycles(job: Job) -> None:
    """What comes back over time, in grey levels: the mean over each tenth of the training."""
    assert job.folder is not None
    rows = [row for row in job.folder.rows() if "G/cycle_A" in row]
    print("\n| tenth of the training | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 |\n|---|" + "---|" * 10)
    for name, kind in (("G/cycle_A", "aerial"), ("G/cycle_B", "map")):
        levels = np.array([row[name] for row in rows]) / job.cfg.cycle_weight * 127.5
        means = [part.mean() for part in np.array_split(levels, 10)]
        print(f"| cycle L1, {kind}, of 255 | " + " | ".join(f"{mean:.2f}" for mean in means) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--features", required=True, help="path of a feature network")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cycle-minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--which", default="gan,l1,back,cycle", help="what to train (for trials)")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--set-cycle", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--out", type=Path, default=Path("runs/maps"))
    args = parser.parse_args()
    wished = {"width": 32} | asked(args.set)
    cycle = {"width": 24} | asked(args.set_cycle)
    aerial, maps = read(args.data)
    train, test = our.parts(np.arange(len(maps)), args.validate, SHARE)
    a, x = our.space(aerial[test]), our.space(maps[test])
    print(f"{our.machine()}; seed {args.seed}: learns from {len(train)} pairs, tested on {len(test)}", flush=True)

    there = paired.from_arrays({"aerial": aerial[train]}, maps[train], "map", held_out=0.05)
    back = paired.from_arrays({"map": maps[train]}, aerial[train], "aerial", held_out=0.05)
    fit = lambda source, **more: our.fitted(source, "pix2pix", wished | more, args.minutes, args.seed)
    jobs: dict[str, Job] = {}
    if "gan" in args.which:
        jobs["pix2pix"] = fit(there)
    if "l1" in args.which:
        jobs["U-Net without D"] = fit(there, adversarial=0.0, features="")
    outputs: dict[str, Tensor] = {name: our.made(job, a) for name, job in jobs.items()}
    returned: dict[str, Tensor] = {}
    if "back" in args.which:
        returned["pix2pix"] = our.made(fit(back), x)
    if "cycle" in args.which:
        sides = (("aerial", aerial), ("map", maps))
        one, other = (images.from_array(part[train], None, (), name, held_out=0.05) for name, part in sides)
        job = our.fitted(Domains(one, other, ("aerial", "map")), "cyclegan", cycle, args.cycle_minutes, args.seed)
        outputs["cyclegan"] = our.made(job, a)
        assert job.run.game.maps is not None and job.run.game.maps.back is not None
        with job.run.shown() as nets, torch.no_grad():
            returned["cyclegan"] = torch.cat([job.run.game.maps.back(nets, {"a": part}) for part in x.split(16)])

    net, known = our.features(args.features, there), there.some(len(train))
    print("\nAerial to map:")
    table = our.Table(net, x)
    for name, made in {"copy": a, "mean map": known["x"].mean(0, keepdim=True).expand_as(x), **outputs}.items():
        table.row(name, made)
    print("\nMap to aerial:")
    table = our.Table(net, a)
    for name, made in {"copy": x, **returned}.items():
        table.row(name, made)
    if "cycle" in args.which:
        cycles(job)
    our.picture([part[:8] for part in (a, *outputs.values(), x)], args.out / "maps.png")
    if returned:
        our.picture([part[:8] for part in (x, *returned.values(), a)], args.out / "aerials.png")


if __name__ == "__main__":
    main()
