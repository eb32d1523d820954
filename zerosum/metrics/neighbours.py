"""Precision, recall, density, coverage: are generated items among the real ones, and real ones among the generated?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

from zerosum.metrics.case import Case
from zerosum.metrics.intervals import part_count, parts
from zerosum.metrics.score import Score

QUICK = False
K_MANIFOLD, K_DENSITY = 3, 5
"""Neighbours: of precision and recall, and of density and coverage, as their authors chose them."""

ROWS = 1000


@dataclass(frozen=True)
class Neighbours:
    """Four scores of fidelity and variety."""

    precision: float  # share of generated items within a real item's ball; in [0, 1]
    recall: float  # share of real items within a generated item's ball; in [0, 1]
    density: float  # mean number of real items whose ball a generated item lies in, over k; about 1 for equal laws
    coverage: float  # share of real items with a generated item in their ball; in [0, 1]


def neighbours(real: Tensor, fake: Tensor, k_manifold: int = K_MANIFOLD, k_density: int = K_DENSITY) -> Neighbours:
    """The four scores of features fake [m, d] against real [n, d]; both need more items than k.

    An item's ball reaches to its k-th nearest neighbour among its own kind, border included. Kynkäänniemi et al. 2019,
    "Improved Precision and Recall Metric for Assessing Generative Models", eq. 1 and 2; Naeem et al. 2020, "Reliable Fidelity
    and Diversity Metrics for Generative Models", eq. 5 and 6. Memory: 1,000 rows of distances at a time.
    """
    centre = real.double().mean(0)
    real, fake = real.double() - centre, fake.double() - centre  # distances come from products: keep numbers small
    real_radii, fake_radii = radii(real, max(k_manifold, k_density)), radii(fake, k_manifold)
    manifold, ball, own = real_radii[:, k_manifold - 1], real_radii[:, k_density - 1], fake_radii[:, k_manifold - 1]
    precise = inside = 0
    recalled, covered = torch.zeros(len(real), dtype=torch.bool), torch.zeros(len(real), dtype=torch.bool)
    for at, rows in squared(fake, real):
        precise += int((rows <= manifold).any(1).sum())
        recalled |= (rows <= own[at : at + len(rows), None]).any(0)
        within = rows <= ball
        inside += int(within.sum())
        covered |= within.any(0)
    shares = [float(hits.double().mean()) for hits in (recalled, covered)]
    return Neighbours(precise / len(fake), shares[0], inside / (k_density * len(fake)), shares[1])


def radii(x: Tensor, k: int) -> Tensor:
    """Squared distances [n, k] from each row to its 1st to k-th nearest other row."""
    found = []
    for at, rows in squared(x, x):
        rows[torch.arange(len(rows)), torch.arange(at, at + len(rows))] = torch.inf
        found.append(rows.topk(k, largest=False).values)
    return torch.cat(found)


def squared(a: Tensor, b: Tensor) -> Iterator[tuple[int, Tensor]]:
    """Squared distances between rows of a and all of b, 1,000 rows at a time, with the first row's number."""
    norms = b.square().sum(1)
    for at in range(0, len(a), ROWS):
        part = a[at : at + ROWS]
        yield at, torch.addmm(part.square().sum(1)[:, None] + norms, part, b.T, alpha=-2).clamp_(min=0)


def applies(case: Case) -> bool:
    """Any images."""
    return case.spec.kind == "images"


def measure(case: Case) -> list[Score]:
    """The four scores of as many generated as held-out images; nothing where there are too few."""
    made, held, train, trivial = (case.seen(side) for side in ("made", "held", "train", "trivial"))
    n = min(len(made), len(held), len(train))
    if n <= K_DENSITY:
        return []
    value, real, worst = (astuple(neighbours(held[:n], one[:n])) for one in (made, train, trivial))
    count = part_count(n)
    cut = zip(held[:n].tensor_split(count), made[:n].tensor_split(count), strict=True) if count > 2 else []
    pieces = [astuple(neighbours(a, b)) for a, b in cut]
    counts = (
        f"{n:,} generated against {n:,} held-out real images; real: {n:,} training images; trivial: {n:,} of independent "
        f"pixels; interval: {count} disjoint parts"
    )
    what = {
        "precision": f"share of generated images within the {K_MANIFOLD}-nearest-neighbour balls of real ones",
        "recall": f"share of real images within the {K_MANIFOLD}-nearest-neighbour balls of generated ones",
        "density": f"real {K_DENSITY}-nearest-neighbour balls around a generated image, over {K_DENSITY}",
        "coverage": f"share of real images with a generated one in their {K_DENSITY}-nearest-neighbour ball",
    }
    scores = []
    for i, (name, words) in enumerate(what.items()):
        top = float("inf") if name == "density" else 1.0
        low, high = parts(value[i], [piece[i] for piece in pieces], 0.0, top)
        protocol = case.protocol(words, counts)
        scores.append(Score(case.name(name), value[i], "higher", real[i], worst[i], protocol, low, high))
    return scores
