"""Imports point one way: what is low in the house knows nothing of what is high."""

import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "zerosum"
LOW = {"errors", "parallel", "noise", "game"}
BELOW = {
    "errors.py": set(),
    "parallel.py": {"errors"},
    "noise.py": {"parallel"},
    "game.py": set(),
    "losses.py": set(),
    "penalties.py": {"noise"},
    "holes.py": {"noise"},
    "layers": {"layers", "noise", "parallel"},
    "nets": {"errors", "layers", "nets", "noise", "parallel"},
    "tables": {"errors", "noise", "tables"},
    "private": {"errors", "private", "tables"},
    "data": LOW | {"data", "private", "tables"},
    "adam.py": set(),
    "parts.py": LOW | {"adam", "data", "losses", "penalties"},
    "augment": LOW | {"data", "losses", "parts", "augment"},
    "pair.py": LOW | {"data", "losses", "penalties", "layers", "parts", "augment"},
    "translation.py": LOW | {"data", "losses", "penalties", "layers", "nets", "parts", "augment"},
    "agreement.py": set(),
    "recipes": LOW
    | {"agreement", "data", "tables", "augment", "holes", "losses", "penalties", "layers", "nets", "parts", "pair"}
    | {"private", "recipes", "translation"},
    "play.py": LOW,
    "provenance/notes": {"provenance"},
    "provenance/containers": {"provenance"},
    "provenance": {"__version__", "errors", "provenance"},
    "tiles.py": {"game"},
    "bounds.py": set(),
    "plane.py": LOW | {"data", "sampling"},
    "rows.py": LOW | {"data", "sampling", "shows"},
    "files.py": {"errors"},
    "pictures.py": {"data", "errors", "files", "provenance", "shows"},
    "translate.py": LOW | {"data", "pictures", "sampling", "tiles"},
    "latent": LOW | {"data", "latent", "play", "sampling", "shows"},
    "web": {"data", "errors", "pictures", "web"},
    "serving": LOW | {"__version__", "data", "pictures", "provenance", "sampling", "serving", "translate", "web"},
    "export": LOW
    | {"__version__", "bounds", "building", "cache", "data", "export", "job", "latent", "metrics", "play", "provenance"}
    | {"files", "guard", "recipes", "report", "rundir", "sampling", "settings", "train"},
    "explore": LOW | {"__version__", "data", "explore", "job", "latent", "pictures", "rundir", "sampling", "tables", "web"},
    "explore/eye": LOW | {"data", "explore", "files", "metrics", "sampling", "web"},
    "explore/panels": LOW
    | {"data", "explore", "job", "latent", "provenance", "rundir", "sampling", "web"}
    | {"conditions", "metrics", "pictures", "report", "table_charts", "tables", "translate"},
    "shows": LOW | {"data", "files", "provenance", "rundir", "sampling", "shows"},
    "machine.py": {"errors"},
    "cache.py": set(),
    "snapshot.py": LOW | {"play"},
    "settings.py": {"errors", "recipes", "train"},
    "building.py": LOW | {"data", "machine", "play", "recipes", "settings", "train"},
    "sampling.py": LOW | {"play", "data", "provenance"},
    "conditions.py": LOW | {"data", "tables", "sampling"},
    "guard": LOW | {"play", "snapshot", "sampling", "data", "metrics", "rundir", "guard"},
    "metrics/features": LOW | {"cache", "data", "metrics", "nets"},
    "metrics/tables": {"metrics", "tables"},
    "metrics": LOW | {"data", "metrics", "nets", "tables"},
}


@pytest.mark.parametrize("part", BELOW)
def test_imports_point_one_way(part):
    path = PACKAGE / part
    files = [path] if path.is_file() else sorted(path.glob("*.py"))
    assert files
    for file in files:
        code = file.read_text()
        found = set(re.findall(r"^from zerosum\.(\w+)", code, re.M))
        found |= {name.strip() for names in re.findall(r"^from zerosum import (.+)", code, re.M) for name in names.split(",")}
        assert found <= BELOW[part], file.name
