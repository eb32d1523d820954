"""The examples of the documentation run as they stand; recipes are linked, and links lead somewhere."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

import zerosum
from zerosum import recipes

ROOT = Path(__file__).parents[1]
PAGES = [page for page in (ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))) if "```python" in page.read_text()]
GUIDES = [ROOT / "docs" / f"add-a-{noun}.md" for noun in ("loss", "network", "recipe", "source", "metric")]
HOMES = {"zerosum/data": "zerosum.data", "zerosum/metrics": "zerosum.metrics"}


def blocks(page: Path, language: str = "python") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def workshop(tmp_path, monkeypatch):
    """A folder to run examples in. Files that an example puts into zerosum/data or zerosum/metrics are found as if there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    for folder, package in HOMES.items():
        (tmp_path / folder).mkdir(parents=True)
        home = importlib.import_module(package)
        monkeypatch.setattr(home, "__path__", [*home.__path__, str(tmp_path / folder)])
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
            home, _, leaf = name.rpartition(".")
            if home:
                vars(sys.modules[home]).pop(leaf, None)


def run(page: Path, code: list[str]) -> None:
    """Write the blocks that begin with `# file: PATH`, run the others in order in one namespace."""
    names: dict[str, object] = {"__name__": "__main__"}
    for number, block in enumerate(code, 1):
        if block.startswith("# file: "):
            Path(block.split("\n", 1)[0].removeprefix("# file: ")).write_text(block)
            importlib.invalidate_caches()
        else:
            exec(compile(block, f"{page.name}, block {number}", "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page, workshop):
    run(page, [block for block in blocks(page) if "check_recipe" not in block])


def test_example_recipes_conform(workshop):
    for page in GUIDES[:3]:
        run(page, [block for block in blocks(page) if block.startswith("# file: ")])
    for file in ("pearson.py", "patches.py", "duo.py"):
        zerosum.check_recipe(f"./{file}")


def test_guides_show_a_file_and_use_it():
    for page in GUIDES:
        files = [block for block in blocks(page) if block.startswith("# file: ")]
        assert len(files) == 1, f"{page.name}: adding one touches one file"
        assert len(blocks(page)) > 1


def test_lines_that_guides_tell_to_change_are_there():
    code = (ROOT / "zerosum" / "losses.py").read_text().splitlines()
    for line in "\n".join(blocks(GUIDES[0], "diff")).splitlines():
        if line and not line.startswith("+"):
            assert line[1:] in code, line


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_has_a_page(name):
    page = (ROOT / "docs" / "recipes" / f"{name}.md").read_text()
    for part in (
        "## When to take it",
        "## Command",
        "## What is logged",
        "## Implementation details",
        "## Deviations",
        "## Result",
    ):
        assert part in page, f"{name}: no section {part}"


def prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], ids=lambda page: page.stem)
def test_places_that_pages_name_exist(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(page)):
        assert "://" in target or (page.parent / target).exists(), f"links to {target}"
    for file, function in re.findall(r"`([\w/]+\.py): ([\w.]+)`", prose(page)):
        where: object = importlib.import_module("zerosum." + file.removesuffix(".py").replace("/", "."))
        for step in function.split("."):
            assert step in vars(where), f"there is no {function} in {file}"
            where = vars(where)[step]
