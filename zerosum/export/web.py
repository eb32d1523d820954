"""A page of files alone, on which a generator runs in the visitor's browser: the explorer's latent panel without a server."""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from zerosum import noise
from zerosum.errors import UserError
from zerosum.export import halves, runtime
from zerosum.files import writing
from zerosum.latent.about import about
from zerosum.latent.direction import Direction
from zerosum.latent.space import Space
from zerosum.provenance.notes import xmp

MADE_HERE = "model/about.json"
"""A folder that holds it was made here, and is written over."""
MOST = {"items": 64, "pixels": 2**22}
LIGHT = 96 * 96
"""Pixels of a picture that a processor makes while nobody waits; the runtime for graphics processors is twice as large."""
PROBE = 64
"""Numbers of the first picture that a browser compares with its own."""
LAWS: dict[str, Callable[..., Tensor]] = {"normal": torch.randn, "uniform": lambda *shape: torch.rand(*shape) * 2 - 1}
PAGE = resources.files("zerosum.export") / "page"
PANEL = resources.files("zerosum.explore") / "static"


@dataclass(frozen=True)
class Page:
    """What was written."""

    difference: float  # largest of its pictures' numbers from torch's, in model space
    model: int  # bytes of the generator that a visitor loads,
    engines: dict[str, int]  # and of what runs it: wasm, and webgpu where that is there


def web(
    space: Space,
    directions: Iterable[Direction],
    to: Path,
    title: str = "",
    licence: str = "",
    at_hand: Path | None = None,
    webgpu: bool | None = None,
) -> Page:
    """Write the page into the folder `to`, which is new, empty or such a page.

    `at_hand`: a package or folder of onnxruntime-web (see `runtime.copy`). `webgpu`: whether visitors' graphics processors are
    used, where they have one; None: for pictures of more than `LIGHT` pixels.

    Raises UserError where the generator makes no images or draws noise in a way of its own, the runtime cannot be had, or the
    folder holds something else.
    """
    if to.exists() and not (to / MADE_HERE).is_file() and (not to.is_dir() or any(to.iterdir())):
        raise UserError(f"{to} holds something else: choose another --web folder, or empty it")
    if to.is_dir() and (hidden := sorted(path.name for path in to.glob(".*"))):  # a repository, whose history would be gone
        raise UserError(f"{to} also holds {hidden[0]}, which is not the page's: choose another --web folder, and copy the page")
    origin = space.sampler.origin()
    told = about(space, origin.recipe)
    webgpu = told["shape"][1] * told["shape"][2] > LIGHT if webgpu is None else webgpu
    noise = {"law": law(space), "numbers": space.sampler.inputs(1, 0)["z"].numel()}
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".exporting-", dir=to.parent) as place:
            page = Path(place) / "page"
            (page / "model").mkdir(parents=True)
            (page / "runtime").mkdir()
            runtime.copy(runtime.WASM | (runtime.WEBGPU if webgpu else {}), page / "runtime", at_hand)
            away = halves.write(space, page / "model")
            copy_page(page)
            engines = {name: _sizes(page, [f"runtime/{name}.wasm"]) for name in (("wasm", "webgpu") if webgpu else ("wasm",))}
            files = sorted(str(path.relative_to(page)) for path in (page / "model").glob("*.onnx"))
            told |= {
                "most": MOST,
                "noise": noise,
                "title": title or f"{origin.recipe}: a picture generator in your browser",
                "licence": licence,
                "source": {"tool": origin.tool, "recipe": origin.recipe, "run": origin.run, "step": origin.step},
                "mark": xmp.write(replace(origin, act="export --web", seeds="@MADE@")).decode(),
                "probe": probe(space),
                "files": _sizes(page, files),
                "engines": engines,
            }
            (page / MADE_HERE).write_text(json.dumps(told), "utf-8")
            (page / "model" / "directions.json").write_text(json.dumps([_direction(one) for one in directions]), "utf-8")
            if to.exists():
                shutil.rmtree(to)
            page.rename(to)
    return Page(away, sum(told["files"].values()), {name: sum(sizes.values()) for name, sizes in engines.items()})


def law(space: Space) -> str:
    """Which of `LAWS` a game's noise follows, found by drawing. Raises UserError where it is none of them."""
    z = space.sampler.inputs(1, 7)["z"]
    for name, draw in LAWS.items():
        with noise.apart(7):
            if torch.equal(z, draw(*z.shape)):
                return name
    raise UserError("this recipe draws its noise in a way of its own, which a page cannot repeat: use `zerosum explore`")


def probe(space: Space) -> dict[str, Any]:
    """Some numbers of seed 0's picture, in model space: each `stride`-th, from the first."""
    label = 0 if space.sampler.labelled else None
    x = space.sampler.make(1, 0, label)["x"].flatten()
    stride = max(1, len(x) // PROBE)
    return {"seed": 0, "label": label or 0, "stride": stride, "x": x[::stride].tolist()}


def copy_page(page: Path) -> None:
    """The page's own files, and those of the explorer that its scripts import or name."""
    for file in PAGE.iterdir():
        (page / file.name).write_bytes(file.read_bytes())
    (page / "style.css").write_bytes((PANEL / "style.css").read_bytes())
    wanted = [*_imports("", (PAGE / "page.js").read_text("utf-8")), "latent/worker.js"]
    while wanted:
        name = wanted.pop()
        if (page / name).exists():
            continue
        code = (PANEL / name).read_text("utf-8")
        (page / name).parent.mkdir(exist_ok=True)
        (page / name).write_text(code, "utf-8")
        wanted += _imports(name, code)


def _imports(name: str, code: str) -> list[str]:
    """Scripts that a script imports, and style sheets that it names, as paths in the page."""
    scripts = re.findall(r'\b(?:from|import)[\s(]*"(\.\.?/[^"]+\.js)"', code)
    sheets = re.findall(r'"([\w/-]+\.css)"', code)
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in scripts] + sheets


def _sizes(page: Path, names: Iterable[str]) -> dict[str, int]:
    return {name: (page / name).stat().st_size for name in names}


def _direction(one: Direction) -> dict[str, Any]:
    values = one.to_json()
    return {"layers": [values.pop("first"), values.pop("last")]} | values
