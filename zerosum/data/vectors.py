"""Vectors of numbers: each column standardised in model space, back in its own units to people."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from zerosum.data.source import InMemory, Spec, split
from zerosum.errors import UserError


def decode(x: Tensor, spec: Spec) -> np.ndarray:
    """Model space [n, d] -> float32 [n, d] in the data's units."""
    offset, scale = (torch.tensor(values, dtype=torch.float64) for values in (spec.offset, spec.scale))
    return (offset + scale * x.double().cpu()).float().numpy()


def encode(items: np.ndarray, spec: Spec) -> Tensor:
    """What `decode` gives -> model space. Raises UserError where the vectors are of another length."""
    if items.shape[1:] != spec.shape:
        raise UserError(f"items of shape {items.shape[1:]}: this run knows vectors of {spec.shape[0]} numbers")
    offset, scale = (torch.tensor(values, dtype=torch.float64) for values in (spec.offset, spec.scale))
    return ((torch.from_numpy(items).double() - offset) / scale).float()


def picture(items: np.ndarray, spec: Spec, columns: int) -> Image.Image:
    """A scatter of the first two columns, or a histogram where there is one."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((4.5, 4.5), dpi=100, layout="tight")
    axes = figure.add_subplot()
    if items.shape[1] > 1:
        axes.scatter(items[:, 0], items[:, 1], s=3, alpha=0.5, linewidths=0)
        spread = 2.2 * np.array(spec.scale[:2])
        axes.set_xlim(spec.offset[0] - spread[0], spec.offset[0] + spread[0])
        axes.set_ylim(spec.offset[1] - spread[1], spec.offset[1] + spread[1])
        axes.set_aspect("equal" if np.ptp(spread) < 0.5 * spread.max() else "auto")
    else:
        axes.hist(items[:, 0], 60)
    canvas, file = FigureCanvasAgg(figure), BytesIO()
    canvas.print_png(file)
    return Image.open(file).convert("RGB")


def write(items: np.ndarray, spec: Spec, folder: Path) -> None:
    """One CSV file, a row an item."""
    np.savetxt(folder / "samples.csv", items, delimiter=",", fmt="%.7g")


def from_array(
    x: np.ndarray, y: np.ndarray | None, names: tuple[str, ...], origin: str, held_out: float | None = None
) -> InMemory:
    """A source of vectors from [n, d]. Columns are standardised with the training part's mean and deviation."""
    x = x.astype(np.float64)  # dates and identifiers lose their last digits in float32
    raw = split(Spec("vectors", x.shape[1:], names=names, origin=origin), x, y, held_out)
    train = raw._x
    offset, scale = train.mean(0), train.std(0, correction=0)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    if not (offset.isfinite() & scale.isfinite()).all():
        raise UserError(f"{origin}: values so large that their variance overflows: bring them to smaller units")
    spec = Spec("vectors", x.shape[1:], raw.spec.counts, names, tuple(offset.tolist()), tuple(scale.tolist()), origin)
    model = [((part - offset) / scale).float() for part in (train, raw._held_x)]
    return InMemory(spec, model[0], raw._y, model[1], raw._held_y)
