"""The generator that has learned next to nothing: every number on its own, as if pixels did not know each other."""

from __future__ import annotations

import torch

from zerosum.game import Batch


def independent(real: Batch, n: int, seed: int = 0) -> Batch:
    """n items whose numbers are drawn column by column from real items (of the same class, where there are labels)."""
    generator = torch.Generator().manual_seed(seed)
    x = real["x"].flatten(1)
    if "y" not in real:
        rows = torch.randint(len(x), (n, x.shape[1]), generator=generator)
        return {"x": x.gather(0, rows).unflatten(1, real["x"].shape[1:])}
    y = real["y"][torch.randint(len(x), (n,), generator=generator)]
    made = torch.empty(n, x.shape[1])
    for label in y.unique():
        mine, members = (y == label).nonzero()[:, 0], x[real["y"] == label]
        made[mine] = members.gather(0, torch.randint(len(members), (len(mine), x.shape[1]), generator=generator))
    return {"x": made.unflatten(1, real["x"].shape[1:]), "y": y}
