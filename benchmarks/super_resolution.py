"""Photographs 4 times as large: bicubic, `srgan` after its phase of pixels and at its end; on Set5 and Set14, or on validation.

    python benchmarks/super_resolution.py PHOTOS [--test FOLDER ...] --features TRUNK.npz --niqe PARAMS.npz [--minutes 25]
                                          [--scale 4] [--seed 0] [--set NAME=VALUE ...] [--picture FILE.png] [--threads 0]

PHOTOS is a folder of photographs (BSDS500's). Every ninth of them, by name, is for validation and is never trained on; without
--test the scores are of these: settings were chosen so. Each FOLDER of --test (Set5, Set14) gets a table of its own. Images are
cut to a multiple of the scale and shrunk by Pillow's bicubic, in 8 bits. PSNR and SSIM in luma, a border of as many pixels
as the scale is cut off; means over images. NIQE of the images that have two patches of 96 x 96. Perceptual distance: features
of a MobileNetV2 at four depths (zerosum.nets.perceptual). One run: its moving average is kept where D comes in.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _asked import asked
from _translation import level, machine, picture, rounded
from PIL import Image
from torch import Tensor, nn

from zerosum.building import build_run
from zerosum.data import open_source
from zerosum.data.source import Source
from zerosum.metrics import niqe
from zerosum.metrics.psnr import luma, psnr
from zerosum.metrics.ssim import ssim
from zerosum.nets.mobilenet import Trunk, read
from zerosum.nets.perceptual import DEPTHS, distances
from zerosum.nets.rrdb import resized
from zerosum.play import play
from zerosum.recipes.srgan import pixels_alone
from zerosum.settings import settings
from zerosum.train import Training, planned

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp")
Enlarge = Callable[[Tensor], Tensor]


def files(folder: Path) -> list[Path]:
    """The images of a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def crops(paths: list[Path], size: str) -> Source:
    """A source of crops of these photographs. Two of them go to what watches the run."""
    folder = Path(tempfile.mkdtemp())
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return open_source(str(folder), held_out=1 / len(paths), size=size, need="crops")


def pairs(paths: list[Path], scale: int) -> list[tuple[Tensor, Tensor]]:
    """(small, large) of every image, each [1, 3, h, w] in [-1, 1]."""
    found = []
    for path in paths:
        with Image.open(path) as file:
            whole = file.convert("RGB")
        whole = whole.crop((0, 0, whole.width // scale * scale, whole.height // scale * scale))
        small = whole.resize((whole.width // scale, whole.height // scale), Image.Resampling.BICUBIC)
        planes = [torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 127.5 - 1 for image in (small, whole)]
        found.append((planes[0], planes[1]))
    return found


def train(source: Source, values: dict[str, object], plan: Training) -> tuple[nn.ModuleDict, nn.ModuleDict]:
    """(the nets as D came in, the nets at the end), moving averages under their own names."""
    cfg = settings("srgan", values)
    run = build_run("srgan", cfg, source.spec, plan)
    budget, begun, early = 60 * (plan.minutes or 1), time.perf_counter(), None
    last = begun
    for logs in play(run, source):
        now = time.perf_counter()
        run.clock = replace(run.clock, total=planned(run.clock.step, now - begun, budget))
        if early is None and not pixels_alone(cfg, run.clock):
            with run.shown() as nets:
                early = copy.deepcopy(nets)
            print(f"D comes in at step {run.clock.step:,}, after {now - begun:.0f} s", flush=True)
        if now - last > 30:
            print(f"step {run.clock.step:,}", *(f"{name} {float(value):.4f}" for name, value in logs.items()), flush=True)
            last = now
    weights = sum(p.numel() for p in run.nets["G"].parameters())
    print(
        f"{run.clock.step:,} steps of {cfg.batch} in {time.perf_counter() - begun:.0f} s; G {weights:,} weights\n", flush=True
    )
    with run.shown() as nets:
        return early or copy.deepcopy(nets), copy.deepcopy(nets)


def by(nets: nn.ModuleDict) -> Enlarge:
    """What these nets make of an image."""
    return torch.no_grad()(lambda small: nets["G"](small))


def scores(made: list[Tensor], real: list[Tensor], scale: int, trunk: Trunk, model: niqe.Model) -> tuple[float, ...]:
    """Means over images of PSNR, SSIM, NIQE and perceptual distance."""
    rows = []
    for x, y in zip(made, real, strict=True):
        x = rounded(x)
        a, b = luma(level(x)), luma(level(y))
        big = x.shape[2] // niqe.PATCH * (x.shape[3] // niqe.PATCH) >= 2
        natural = float(niqe.niqe(x, model)) if big else float("nan")
        with torch.no_grad():
            rows.append((float(psnr(a, b, scale)), float(ssim(a, b, scale)), natural, float(distances(trunk, x, y))))
    return tuple(np.nanmean(np.array(rows), 0).tolist())


def table(name: str, images: list[tuple[Tensor, Tensor]], ways: dict[str, Enlarge], trunk: Trunk, model: niqe.Model) -> None:
    """One row a way of enlarging, and one for the photographs themselves."""
    scale, real = images[0][1].shape[2] // images[0][0].shape[2], [large for _, large in images]
    print(f"| {name} ({len(images)}) | PSNR, dB | SSIM | NIQE | perceptual distance |\n|---|---|---|---|---|")
    for way, enlarge in ways.items():
        found = scores([enlarge(small) for small, _ in images], real, scale, trunk, model)
        print(f"| {way} | {found[0]:.2f} | {found[1]:.4f} | {found[2]:.2f} | {found[3]:.3f} |", flush=True)
    print(f"| the photographs | | | {scores(real, real, scale, trunk, model)[2]:.2f} | 0 |\n", flush=True)


def show(images: list[tuple[Tensor, Tensor]], ways: dict[str, Enlarge], path: Path, side: int = 160) -> None:
    """The middle of some images: a row each, a column each way, and the photograph."""
    middle = lambda x: x[:, :, (x.shape[2] - side) // 2 :, (x.shape[3] - side) // 2 :][:, :, :side, :side]
    fits = [pair for pair in images if min(pair[1].shape[2:]) >= side]
    rows = fits[:: max(1, len(fits) // 5)][:5]
    columns = [torch.cat([middle(enlarge(small)) for small, _ in rows]) for enlarge in ways.values()]
    picture([*columns, torch.cat([middle(large) for _, large in rows])], path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--test", type=Path, nargs="*", default=[])
    parser.add_argument("--features", required=True)
    parser.add_argument("--niqe", required=True)
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--scale", type=int, default=4)
    parser.add_argument("--size", default="128")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    own = asked(args.set)
    trunk, model = Trunk(read(Path(args.features)), deepest=DEPTHS[-1]), niqe.load(args.niqe)
    every = files(args.photos)
    kept = every[4::9]
    if not kept:
        parser.error(f"{args.photos} holds {len(every)} photographs: name the folder that they lie in")
    source = crops([path for path in every if path not in kept], args.size)
    plan = Training(minutes=args.minutes, seed=args.seed, device="cpu", threads=args.threads)
    values: dict[str, object] = {"scale": args.scale, "features": args.features} | own
    early, late = train(source, values, plan)
    print(f"{machine()}; trained on crops of {args.size} from {len(every) - len(kept)} photographs; {own or 'defaults'}\n")
    bicubic = lambda small: resized(small, small.shape[2] * args.scale, small.shape[3] * args.scale)
    ways = {"bicubic": bicubic, "after the phase of pixels": by(early), "at the end": by(late)}
    for name, paths in {folder.name: files(folder) for folder in args.test}.items() or {"validation": kept}.items():
        images = pairs(paths, args.scale)
        table(name, images, ways, trunk, model)
    if args.picture:
        show(images, ways, args.picture)


if __name__ == "__main__":
    main()
