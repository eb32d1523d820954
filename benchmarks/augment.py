"""What each augmentation does to pictures, and what it costs: a picture of rows, and a table of milliseconds.

    python benchmarks/augment.py DATA --picture docs/augment.png [--items 12] [--seed 0]

DATA is anything that `zerosum train` takes, or an .npz whose array `rgba` holds images [n, views, h, w, 4], of which the
first view is shown. Images with transparency are laid on grey. Milliseconds are processor time of one thread, the
least of seven runs, of a batch of 64 forwards and of its gradient with respect to the images.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum import noise
from zerosum.augment.diffaugment import DiffAugment
from zerosum.augment.pipe import R3GAN, Shares, pipe
from zerosum.data import open_source
from zerosum.game import Clock
from zerosum.machine import describe

ROWS: dict[str, Callable[[Tensor], Tensor]] = {
    "as they are": lambda x: x,
    "diffaugment": lambda x: DiffAugment().augment(x, Clock()),
    "ada, p = 0.2": lambda x: pipe(x, 0.2),
    "ada, p = 0.6": lambda x: pipe(x, 0.6),
    "ada, p = 1, geometry alone": lambda x: pipe(x, 1.0, Shares(1.0, 0.0)),
    "ada, p = 1, colours alone": lambda x: pipe(x, 1.0, Shares(0.0, 1.0)),
    "ada, p = 1, holes alone": lambda x: pipe(x, 1.0, Shares(0.0, 0.0, 1.0)),
    "r3gan's, p = 0.55": lambda x: pipe(x, 0.55, R3GAN),
}


def load(path: str, items: int, seed: int) -> Tensor:
    """Images in model space."""
    if path.endswith(".npz") and "rgba" in (arrays := np.load(path)):
        shown = arrays["rgba"][:, 0]
        rows = np.random.default_rng(seed).permutation(len(shown))[:items]
        return torch.from_numpy(shown[rows]).permute(0, 3, 1, 2).float() / 127.5 - 1
    return open_source(path).some(items, seed)["x"]


def laid_on_grey(x: Tensor) -> np.ndarray:
    """[n, c, h, w] in model space -> bytes [n, h, w, 3]."""
    x = x.clamp(-1, 1)
    if x.shape[1] == 4:
        alpha = (x[:, 3:] + 1) / 2
        x = alpha * x[:, :3] + (1 - alpha) * 0.6
    return ((x.expand(-1, 3, -1, -1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()


def picture(x: Tensor, path: Path) -> None:
    """Rows of ROWS, columns of items."""
    sheets = []
    for augment in ROWS.values():
        noise.seed_step(0, 0)
        sheets.append(laid_on_grey(augment(x)))
    tiles = np.stack(sheets)
    rows, columns, height, width, _ = tiles.shape
    sheet = np.full((rows * (height + 4) - 4, columns * (width + 4) - 4, 3), 255, np.uint8)
    for i in range(rows):
        for j in range(columns):
            sheet[i * (height + 4) :, j * (width + 4) :][:height, :width] = tiles[i, j]
    Image.fromarray(sheet).save(path, optimize=True)


def least(call: Callable[[], object]) -> float:
    """Processor time in milliseconds, the least of seven."""
    taken = []
    for _ in range(7):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return 1000 * min(taken)


def table() -> None:
    machine = describe("cpu")
    print(f"1 thread, {machine['processor']}, torch {machine['torch']}; ms of processor time, batch 64: forwards, gradient\n")
    shapes = ((1, 28, 28), (3, 32, 32), (4, 64, 64))
    print("| augmentation |", *(f"{c} x {h} x {w} |" for c, h, w in shapes))
    print("|---|" + "---|" * len(shapes))
    for name, augment in ROWS.items():
        cells = []
        for shape in shapes:
            x = torch.rand(64, *shape).mul(2).sub(1).contiguous(memory_format=torch.channels_last).requires_grad_(True)
            y = augment(x)
            back = 0.0 if y is x else least(lambda y=y, x=x: torch.autograd.grad(y, x, y, retain_graph=True))  # type: ignore[misc]
            cells.append(f"{least(lambda x=x, augment=augment: augment(x)):.1f}, {back:.1f} |")  # type: ignore[misc]
        print(f"| {name} |", *cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--items", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.picture:
        picture(load(args.data, args.items, args.seed), args.picture)
    table()


if __name__ == "__main__":
    main()
