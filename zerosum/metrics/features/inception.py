"""Features "inception": the official network, and so the only ones whose distance is an FID. The weights are yours to bring.

Nothing is fetched unless it was asked for. A file that is not the official one, byte for byte, is refused.
"""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import torch

from zerosum.cache import cache_folder, keep
from zerosum.data.source import Source
from zerosum.errors import UserError
from zerosum.metrics.features.base import Features, in_rgb, rgb
from zerosum.metrics.features.inception_net import DIM, InceptionV3

NAME = "pt_inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/{NAME}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"


def accepts(wanted: str) -> bool:
    """Whether this is `inception`, or the path of a .pth file."""
    return wanted == "inception" or wanted.endswith(".pth")


def load(wanted: str, source: Source, device: str, download: bool = False) -> Features:
    """The official network from a file, by default the one in the cache; with `download` it is fetched where it is not there.

    Raises UserError where the file is missing, is another one, or cannot be fetched.
    """
    path = cache_folder() / NAME if wanted == "inception" else Path(wanted)
    if path.is_file():
        raw = path.read_bytes()
    elif download and wanted == "inception":
        raw = fetched(path)
    else:
        how = f"add --download to fetch {URL} (95 MB), or give" if wanted == "inception" else "give"
        raise UserError(f"no Inception weights at {path}: {how} the path of {NAME} with --features")
    if (found := sha256(raw).hexdigest()) != SHA256:
        raise UserError(
            f"{path}: not the official Inception weights (SHA-256 {SHA256[:12]}..., this is {found[:12]}...): get it anew"
        )
    net = InceptionV3()
    net.load_state_dict(torch.load(BytesIO(raw), map_location="cpu", weights_only=True))
    how = "official Inception v3 of 2015-12-05, resized to 299 x 299 by TensorFlow 1's bilinear rule" + in_rgb(
        source.spec.shape[0]
    )
    whole = rgb(net, source.spec.shape[0], f"{path}: the Inception network").eval().requires_grad_(False).to(device)
    return Features("Inception", how, SHA256, DIM, whole, official=True)


def fetched(path: Path) -> bytes:
    """The weights from their release page, kept at `path` where they are the right ones."""
    try:
        with urlopen(URL, timeout=60) as answer:
            raw: bytes = answer.read()
    except (URLError, OSError) as error:
        raise UserError(f"cannot fetch {URL} ({error}): download it yourself and give its path with --features") from error
    if sha256(raw).hexdigest() == SHA256:
        keep(path, lambda scratch: scratch.write_bytes(raw))
    return raw
