"""A judge of images without labels: a network that tells every image from every other, whatever the crop and the light."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample, normalize

from zerosum.data.source import Source
from zerosum.metrics.features.convolutions import DIM, Convolutions

STEPS, BATCH, LR, TEMPERATURE = 400, 128, 2e-3, 0.2
RECIPE = (
    f"contrastive (two views: crops of 60 to 100 %, light and contrast by up to 30 %, turned by a quarter, or a half where not"
    f" square), {STEPS} steps of {BATCH}, temperature {TEMPERATURE:g}, one-cycle Adam {LR:g}"
)


def train(net: Convolutions, source: Source, seed: int, device: str) -> None:
    """Learn which two views are of one image, and which way up a view is.

    Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", section 2.1 and eq. 1, and
    Gidaris et al. 2018, "Unsupervised Representation Learning by Predicting Image Rotations", section 2. Views are neither
    blurred nor noisy, or the features would not see what bad generators do.
    """
    project = nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, 64)).to(device)
    square = source.spec.shape[1] == source.spec.shape[2]
    turn = nn.Linear(DIM, 4).to(device)
    parameters = [p for part in (net, project, turn) for p in part.parameters()]
    optim = torch.optim.Adam(parameters, fused=True)
    rates = torch.optim.lr_scheduler.OneCycleLR(optim, LR, STEPS)
    half = torch.autocast("cuda", torch.bfloat16, enabled=device.startswith("cuda"))
    for _, batch in zip(range(STEPS), source.to(device).batches(BATCH, seed), strict=False):
        optim.zero_grad()
        first, second, (turned, way) = view(batch["x"]), view(batch["x"]), rotated(batch["x"], square)
        with half:
            features = net(torch.cat([first, second, turned]))[0]
            a, b, c = features.chunk(3)
            loss = same_image(project(a).float(), project(b).float()) + cross_entropy(turn(c).float(), way)
        loss.backward()
        optim.step()
        rates.step()


def view(x: Tensor) -> Tensor:
    """A crop of 60 to 100 % of each side, enlarged to the whole, in another light."""
    n, device = len(x), x.device
    uniform = lambda low, high, *shape: torch.rand(n, *shape).to(device) * (high - low) + low
    scale = uniform(0.6, 1.0, 1)
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0] = theta[:, 1, 1] = scale[:, 0]
    theta[:, :, 2] = uniform(-1, 1, 2) * (1 - scale)
    cropped = grid_sample(x, affine_grid(theta, list(x.shape), align_corners=False), "bilinear", "reflection", False)
    return cropped * uniform(0.7, 1.3, 1, 1, 1) + uniform(-0.3, 0.3, 1, 1, 1)


def rotated(x: Tensor, square: bool) -> tuple[Tensor, Tensor]:
    """(images turned by quarters, or by halves where they are not square; how often)."""
    ways = torch.randint(0, 4 if square else 2, (len(x),)).to(x.device) * (1 if square else 2)
    x = torch.where((ways >= 2)[:, None, None, None], x.flip((2, 3)), x)
    return (torch.where((ways % 2 == 1)[:, None, None, None], x.transpose(2, 3).flip(2), x) if square else x), ways


def same_image(a: Tensor, b: Tensor) -> Tensor:
    """The mean cross-entropy of finding b's row from a's among all others, both ways: NT-Xent (Chen et al. 2020, eq. 1)."""
    both = normalize(torch.cat([a, b]), dim=1)
    likeness = both @ both.T / TEMPERATURE
    likeness.fill_diagonal_(-torch.inf)
    n = len(a)
    partner = torch.arange(2 * n, device=a.device).roll(n)
    return cross_entropy(likeness, partner)
