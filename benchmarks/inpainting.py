"""A quarter of every image masked and filled: mean, OpenCV's Telea, the net on pixels alone, `inpaint`.

    python benchmarks/inpainting.py DATA --features TRUNK.npz [--minutes 20] [--part test] [--seed 0] [--set NAME=VALUE ...]
                                    [--ways "pixels alone" inpaint] [--picture FILE.png] [--threads 0]

DATA is a folder of photographs (BSDS500's): trained on crops of 128 x 128, tested on tiles of the last 15 % of the photographs
in a fixed order. Or an .npz with `rgba` [characters, views, 64, 64, 4], laid over mid-grey: tested on the last 15 % of the
characters, two views of each. `--part validation` takes the same share of the rest instead: settings were chosen so. Masks are
fixed by a seed, half boxes, half strokes, a quarter of the pixels each. `pixels alone` is the same net for the same time,
without D and features. PSNR over the pixels of the hole, its mean over images. Kernel distance of whole images on the features
of a file; below 0 is possible, for made and real images share the known pixels. Telea needs opencv-python-headless.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from _asked import asked
from _translation import fitted, level, machine, on_colour, parts, picture, rounded, space
from PIL import Image
from torch import Tensor

from zerosum import noise
from zerosum.data import images, open_source
from zerosum.data.source import Source
from zerosum.holes import holes
from zerosum.metrics import find_features
from zerosum.metrics.kernel import kid
from zerosum.metrics.psnr import psnr
from zerosum.metrics.ssim import ssim
from zerosum.sampling import generate

SIDE = 128
RADIUS = 5


def photographs(folder: Path, validate: bool) -> tuple[Source, Tensor]:
    """(a source of crops, test tiles [n, 3, 128, 128]), of different photographs."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png"))
    train, test = parts(np.arange(len(paths)), validate)
    chosen = Path(tempfile.mkdtemp())
    for i in train:
        (chosen / paths[i].name).symlink_to(paths[i].resolve())
    tiles = []
    for i in test:
        with Image.open(paths[i]) as file:
            x = np.array(file.convert("RGB"))
        top, left = (side % SIDE // 2 for side in x.shape[:2])
        cut = x[top : top + x.shape[0] // SIDE * SIDE, left : left + x.shape[1] // SIDE * SIDE]
        grid = cut.reshape(cut.shape[0] // SIDE, SIDE, cut.shape[1] // SIDE, SIDE, 3).swapaxes(1, 2)
        tiles.append(grid.reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2))
    source = open_source(str(chosen), held_out=2 / len(train), size=str(SIDE), need="crops")
    return source, space(np.concatenate(tiles))


def characters(path: Path, validate: bool) -> tuple[Source, Tensor]:
    """(a source of characters from all sides, test characters [n, 3, 64, 64]), of different characters."""
    with np.load(path) as file:
        x = on_colour(file["rgba"])
    train, test = parts(np.arange(len(x)), validate)
    flat = x[train].reshape(-1, *x.shape[2:]).transpose(0, 2, 3, 1)
    source = images.from_array(flat, None, (), path.name, held_out=0.02)
    return source, space(x[test][:, :2].reshape(-1, *x.shape[2:]))


def mean_filled(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of the known pixels of each image, each channel by itself, in its hole."""
    known = 1 - mask
    mean = (x * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True)
    return torch.where(mask > 0.5, mean, x)


def telea(x: Tensor, mask: Tensor) -> Tensor | None:
    """OpenCV's fast marching fill (Telea 2004, "An Image Inpainting Technique Based on the Fast Marching Method")."""
    try:
        import cv2
    except ImportError:
        print("Telea is skipped: pip install opencv-python-headless")
        return None
    levels = level(x).byte().permute(0, 2, 3, 1).contiguous().numpy()
    where = mask[:, 0].byte().numpy()
    made = [cv2.inpaint(one, hole, RADIUS, cv2.INPAINT_TELEA) for one, hole in zip(levels, where, strict=True)]
    return torch.where(mask > 0.5, space(np.stack(made).transpose(0, 3, 1, 2)), x)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--features", required=True)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--part", choices=("validation", "test"), default="test")
    parser.add_argument("--most", type=int, default=400, help="test images, evenly spread over all there are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--ways", nargs="*", default=["pixels alone", "inpaint"])
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    own = asked(args.set)
    made = photographs if args.data.is_dir() else characters
    source, real = made(args.data, args.part == "validation")
    real = real[torch.linspace(0, len(real) - 1, min(args.most, len(real))).long()]
    with noise.apart(2026):
        mask = holes(len(real), real.shape[2], real.shape[3], share=(0.25, 0.25))
    net = find_features(args.features, source)
    seen = net(real)
    print(f"{machine()}; {source.spec.items:,} to train on, {len(real):,} {args.part} images; {own or 'defaults'}")
    ways: dict[str, Tensor] = {"mean of what is known": mean_filled(real, mask)}
    if (filled := telea(real, mask)) is not None:
        ways["OpenCV, Telea"] = filled
    settings = {
        "pixels alone": own | {"pixel_share": 1.0},
        "inpaint": {"features": args.features} | own,
    }
    for way in args.ways:
        job = fitted(source, "inpaint", settings[way], args.minutes, args.seed)
        ways[way] = generate(job.run, {"a": real * (1 - mask), "mask": mask})["x"]
    print(f"\n| | PSNR in the hole, dB | SSIM | kernel distance, {net.name} |\n|---|---|---|---|")
    for way, x in ways.items():
        x = rounded(x)
        near = psnr(level(x), level(real), where=mask).clamp(max=100).mean()
        like = ssim(level(x), level(real)).mean()
        print(f"| {way} | {near:.2f} | {like:.4f} | {kid(net(x), seen):.5f} |", flush=True)
    print(f"| the images themselves | | 1 | {kid(seen, seen):.5f} |")
    if args.picture:
        rows = torch.arange(0, len(real), max(1, len(real) // 8))[:8]
        picture([(real * (1 - mask))[rows], *(x[rows] for x in ways.values()), real[rows]], args.picture)


if __name__ == "__main__":
    main()
