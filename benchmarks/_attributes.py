"""What characters of the sprites look like, and small networks that see it."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

VIEWS = ("front", "left", "back", "right")
DARK_HAIR = ("raven", "black", "brunette", "brown")
DARK_SKIN = ("dark", "dark2", "darkelf", "darkelf2")
LONG = ("long", "xlong", "xlongknot", "longknot", "bangslong", "bangslong2", "princess", "shoulderl", "shoulderr", "longhawk")


def sprites(folder: Path) -> tuple[Tensor, Tensor, list[str], np.ndarray]:
    """Images [n, 4, 64, 64] in [-1, 1], tags [n, attributes] of 0 and 1, the attributes' names, the character of each."""
    x = np.load(folder / "characters_4views_64.npz")["rgba"]
    with (folder / "characters.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    body = {
        "male": [row["sex"] == "male" for row in rows],
        "dark skin": [row["skin"] in DARK_SKIN for row in rows],
        "dark hair": [row["hair_color"].startswith(DARK_HAIR) for row in rows],
        "long hair": [row["hair_style"] in LONG for row in rows],
        "armour": [row["torso"].endswith(("armor", "mail")) for row in rows],
        "white legs": [row["legs"] in ("white pants", "metal greaves") for row in rows],
    }
    who, view = np.repeat(np.arange(len(x)), 4), np.tile(np.arange(4), len(x))
    tags = [view == i for i in range(4)] + [np.array(values)[who] for values in body.values()]
    images = torch.from_numpy(x.reshape(-1, 64, 64, 4).transpose(0, 3, 1, 2).copy()).float() / 127.5 - 1
    return images, torch.from_numpy(np.stack(tags, 1)).float(), [*VIEWS, *body], who


class Seer(nn.Sequential):
    """Images [n, 4, 64, 64] -> logits [n, attributes]."""

    def __init__(self, attributes: int) -> None:
        widths = (4, 16, 32, 64, 64)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        super().__init__(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, attributes))


def seer(x: Tensor, tags: Tensor, seed: int, epochs: int = 4, batch: int = 64) -> Seer:
    """A network taught to see tags in images."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = Seer(tags.shape[1])
        steps = epochs * (len(x) // batch)
        optim = torch.optim.Adam(net.parameters(), lr=2e-3)
        falls = torch.optim.lr_scheduler.OneCycleLR(optim, 4e-3, total_steps=steps)
        for _ in range(steps):
            rows = torch.randint(len(x), (batch,))
            loss = binary_cross_entropy_with_logits(net(x[rows]), tags[rows])
            optim.zero_grad()
            loss.backward()
            optim.step()
            falls.step()
    return net.eval()


@torch.no_grad()
def seen(net: Seer, x: Tensor) -> Tensor:
    """Logits of images as 8 bits would show them, [n, attributes]."""
    shown = ((x.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
    return torch.cat([net(part) for part in shown.split(500)])


def accuracy(net: Seer, x: Tensor, tags: Tensor) -> Tensor:
    """Balanced accuracy of each attribute, [attributes]."""
    right = (seen(net, x) > 0) == tags.bool()
    yes, no = tags.bool(), ~tags.bool()
    return ((right & yes).sum(0) / yes.sum(0) + (right & no).sum(0) / no.sum(0)) / 2
