"""MNIST digits in the look of USPS, learned without pairs and without labels: a classifier of USPS reads them.

    python benchmarks/digits_look.py MNIST USPS [--minutes 10] [--crop 0] [--seed 0] [--set NAME=VALUE ...]

MNIST is a folder of the four idx .gz files, USPS one with usps_train.npz (16 x 16). MNIST is cut to each digit's box (the
smallest square around it, for USPS digits were brought to one size so: LeCun et al. 1989, "Backpropagation Applied to
Handwritten Zip Code Recognition", section 2.2), or with `--crop 20` to its middle 20 pixels, and resized to 16 x 16;
`cyclegan` learns from both training sets without labels. The classifier, a small convolutional network, learns from 85 % of
USPS with labels, and is then given the 10,000 MNIST test digits: resized, and translated. Floors: the plain resize of the whole
digit, of its middle 20 pixels, and of its box. A translator that changes nothing is read as its input is: the kernel distance,
on the classifier's features, says what of the look was learned. `--validate` reads 10,000 MNIST training digits, kept out of
training, instead.
"""

from __future__ import annotations

import argparse
import gzip
from pathlib import Path
from typing import Any

import _translation as our
import numpy as np
import torch
from _asked import asked
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from zerosum.data import images
from zerosum.data.unpaired import Domains
from zerosum.metrics.kernel import kid

SIDE = 16


def mnist(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(digits [n, 28, 28], labels [n]) of "train" or "t10k"."""
    read = lambda kind, skip: np.frombuffer(
        gzip.decompress((folder / f"{part}-{kind}-ubyte.gz").read_bytes()), np.uint8, offset=skip
    )
    return read("images-idx3", 16).reshape(-1, 28, 28), read("labels-idx1", 8).astype(np.int64)


def resized(x: np.ndarray, crop: int) -> Tensor:
    """Bytes [n, 28, 28] -> their middle `crop` pixels as [n, 1, 16, 16] in [-1, 1], bicubic."""
    edge = (28 - crop) // 2
    whole = our.space(x[:, None, edge : 28 - edge, edge : 28 - edge])
    return our.rounded(interpolate(whole, size=(SIDE, SIDE), mode="bicubic", antialias=True))


def boxed(x: np.ndarray) -> Tensor:
    """Bytes [n, 28, 28] -> the smallest square around each digit, its pixels brighter than 60, as `resized` gives it."""
    made = []
    for item in x:
        rows, columns = (np.flatnonzero(item.max(axis) > 60) for axis in (1, 0))
        high, wide = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        side = max(high, wide)
        square = np.zeros((side, side), np.uint8)
        top, left = (side - high) // 2, (side - wide) // 2
        square[top : top + high, left : left + wide] = item[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        made.append(interpolate(our.space(square[None, None]), size=(SIDE, SIDE), mode="bicubic", antialias=True))
    return our.rounded(torch.cat(made))


def as_bytes(x: Tensor) -> np.ndarray:
    """[n, 1, h, w] in [-1, 1] -> bytes [n, h, w]."""
    return our.level(x)[:, 0].round().byte().numpy()


def classifier(x: Tensor, y: Tensor, seed: int = 0) -> nn.Sequential:
    """A network of three convolutions that learned for eight epochs."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after, pool in ((1, 32, False), (32, 32, True), (32, 64, True)):
        layers += [
            nn.Conv2d(before, after, 3, padding=1),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            *([nn.MaxPool2d(2)] if pool else []),
        ]
    net = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, 10))
    optim = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(8):
        for rows in torch.randperm(len(x)).split(64):
            optim.zero_grad()
            cross_entropy(net(x[rows]), y[rows]).backward()
            optim.step()
    return net.eval().requires_grad_(False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path)
    parser.add_argument("usps", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--crop", type=int, default=0, help="0: each digit's box")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    wished: dict[str, Any] = {"batch": 32, "width": 16, "blocks": 3, "zoom": 1.0, "identity": 1.0}
    wished |= {"lr_g": 1e-3, "lr_d": 1e-3, "ema_halflife_kimg": 5.0}
    wished |= asked(args.set)

    digits, _ = mnist(args.mnist, "train")
    test, read = mnist(args.mnist, "t10k")
    if args.validate:
        test, read = digits[50000:], mnist(args.mnist, "train")[1][50000:]
        digits = digits[:50000]
    file = np.load(args.usps / "usps_train.npz")
    usps, y = our.space(file["images"].reshape(-1, 1, SIDE, SIDE)), torch.from_numpy(file["labels"].astype(np.int64))
    learn, check = (torch.from_numpy(rows) for rows in our.parts(np.arange(len(usps)), validate=False))
    net = classifier(usps[learn], y[learn])
    right = lambda x, y: float((torch.cat([net(part) for part in x.split(1000)]).argmax(1) == y).float().mean())

    cut = (lambda x: resized(x, args.crop)) if args.crop else boxed
    one, other = (images.from_array(as_bytes(x), None, (), name) for x, name in ((cut(digits), "mnist"), (usps[learn], "usps")))
    print(f"{our.machine()}; seed {args.seed}: learns from {len(digits):,} MNIST and {len(learn):,} USPS digits", flush=True)
    job = our.fitted(Domains(one, other, ("mnist", "usps")), "cyclegan", wished, args.minutes, args.seed)
    a, labels = cut(test), torch.from_numpy(read)
    translated = our.made(job, a)
    seen = lambda x: torch.cat([net[:-2](part) for part in x.split(1000)]).double()
    real = seen(usps[check])
    apart = lambda x: kid(seen(x[: len(real)]), real)
    print("\n| what the classifier reads | right | kernel distance of the look to unseen USPS digits |\n|---|---|---|")
    print(f"| USPS digits it has not seen | {right(usps[check], y[check]):.4f} | (seen ones) {apart(usps[learn]):.4f} |")
    for name, x in (
        ("MNIST test digits, resized", resized(test, 28)),
        ("their middle 20 pixels, resized", resized(test, 20)),
        ("their boxes, resized", boxed(test)),
        ("**translated**", translated),
    ):
        print(f"| {name} | {right(x, labels):.4f} | {apart(x):.4f} |", flush=True)
    if args.picture:
        our.picture([x[:16] for x in (a, translated, usps[check])], args.picture, scale=3)


if __name__ == "__main__":
    main()
