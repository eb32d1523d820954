"""zerosum.load: a run folder and a file of weights give the same items, and a stranger's file gives one line."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from test_export import small, tiny

import zerosum
from zerosum import recipes
from zerosum.errors import UserError
from zerosum.export.weights import KEY, read, write
from zerosum.job import open_run
from zerosum.rundir import RunDir


@pytest.fixture(scope="module")
def file(tiny_run, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "g.safetensors"
    write(open_run(tiny_run, device="cpu"), path, RunDir(tiny_run).config)
    return path


def test_a_file_gives_what_its_run_gives(tiny_run, file):
    run, alone = zerosum.load(tiny_run, device="cpu"), zerosum.load(file, device="cpu")
    assert np.array_equal(run.sample(5, seed=3), alone.sample(5, seed=3))
    assert np.array_equal(run.sample(5, label="7"), alone.sample(5, label=7))
    assert alone.sample(2).dtype == np.uint8 and alone.sample(2).shape == (2, 8, 8)
    assert alone.sampler.origin().run == open_run(tiny_run, device="cpu").origin().run
    with pytest.raises(UserError, match="the classes are 0 to 9"):
        alone.sample(2, label=10)


def test_a_file_holds_the_generator_alone_and_nothing_of_where_the_data_lay(tiny_run, file):
    with safe_open(file, "pt") as opened:
        assert {name.split(".")[0] for name in opened.keys()} == {"G"}  # noqa: SIM118
        assert json.loads(opened.metadata()[KEY])["spec"]["origin"] == ""
    assert file.stat().st_size < (tiny_run / "step-6" / "nets.safetensors").stat().st_size / 2


@pytest.mark.parametrize("recipe", recipes.names())
def test_every_recipe_goes_into_a_file_and_back(recipe, tmp_path):
    sampler = tiny(recipe)
    write(sampler, tmp_path / "g.safetensors", {"recipe": recipe, "settings": small(recipe)})
    again = read(tmp_path / "g.safetensors", "cpu")
    inputs = sampler.inputs(3, 1) if sampler.maps is None else {"a": torch.rand(2, 3, 16, 16), "mask": torch.ones(2, 1, 16, 16)}
    assert torch.equal(sampler.generate(inputs)["x"], again.generate(inputs)["x"])


CHECK = """
import sys, zerosum
x = zerosum.load(sys.argv[1], device="cpu").sample(4, label="3", seed=1)
heavy = {"sklearn", "pandas", "matplotlib", "fastapi", "uvicorn", "onnx", "onnxruntime", "tyro", "jinja2", "tensorboardX"}
print(x.shape, sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_sampling_loads_no_package_that_it_does_not_need(kind, file, tiny_run):
    where = file if kind == "file" else tiny_run
    done = subprocess.run([sys.executable, "-c", CHECK, str(where)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "(4, 8, 8) []", done.stdout + done.stderr


def changed(file, to, change, tensors=lambda t: t):
    """A copy of a file with other words in its header, or other tensors."""
    with safe_open(file, "pt") as opened:
        told, kept = json.loads(opened.metadata()[KEY]), {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    change(told)
    save_file(tensors(kept), to, {KEY: json.dumps(told)})
    return to


STRANGE = {
    "another recipe": (lambda told: told.update(recipe="./evil.py"), "not one of the house"),
    "a path for a recipe": (lambda told: told.update(recipe=["a"]), "not one of the house"),
    "a huge width": (lambda told: told["settings"].update(width=10**7), "no generator that can be built"),
    "a width that is a word": (lambda told: told["settings"].update(width="wide"), "width"),
    "an unknown setting": (lambda told: told["settings"].update(hook="os.system"), "no setting hook"),
    "a huge picture": (lambda told: told["spec"].update(shape=[1, 10**6, 10**6]), "no generator that can be built"),
    "a shape of words": (lambda told: told["spec"].update(shape=["a", "b"]), "no generator that can be built"),
    "no shape": (lambda told: told["spec"].update(shape=[]), "no generator that can be built"),
    "another kind": (lambda told: told["spec"].update(kind="../../etc"), "kind|no module|etc"),
    "no spec": (lambda told: told.pop("spec"), "no generator that can be built"),
    "settings that are none": (lambda told: told.update(settings=[1]), "no generator that can be built"),
    "a newer format": (lambda told: told.update(format=99), "newer zerosum"),
    "another width": (lambda told: told["settings"].update(width=16), "is of shape"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_a_strangers_words_are_refused_in_words(name, file, tmp_path):
    change, message = STRANGE[name]
    with pytest.raises(UserError, match=message) as refused:
        zerosum.load(changed(file, tmp_path / "x.safetensors", change), device="cpu").sample(1)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600


TENSORS = {
    "a shape": (lambda t: t | {"G.up.0.bias": torch.zeros(9)}, "is of shape"),
    "a type": (lambda t: {k: v.half() if v.is_floating_point() else v for k, v in t.items()}, "is of type"),
    "one too many": (lambda t: t | {"G.more": torch.zeros(1)}, "holds G.more"),
    "one too few": (lambda t: dict(list(t.items())[1:]), "lacks G"),
    "not a number": (lambda t: {k: v * float("nan") if v.is_floating_point() else v for k, v in t.items()}, "NaN"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_other_tensors_than_described_are_refused_in_words(name, file, tmp_path):
    change, message = TENSORS[name]
    with pytest.raises(UserError, match=message):
        zerosum.load(changed(file, tmp_path / "x.safetensors", lambda told: None, change), device="cpu")


def test_files_of_another_kind_are_refused_in_words(tmp_path, file):
    (tmp_path / "a.safetensors").write_bytes(b"\x80\x04nothing")
    (tmp_path / "b.safetensors").write_bytes(file.read_bytes()[:-100])
    save_file({"x": torch.zeros(1)}, tmp_path / "c.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "d.safetensors", {KEY: "[" * 100_000})
    said = {
        "a": "no safetensors file",
        "b": "no safetensors file",
        "c": "says nothing",
        "d": "says nothing",
        "e": "is not there",
    }
    for name, message in said.items():
        with pytest.raises(UserError, match=message):
            zerosum.load(tmp_path / f"{name}.safetensors")


def test_a_recipe_of_the_users_own_is_not_put_into_a_file(tiny_run, tmp_path):
    with pytest.raises(UserError, match="a file of weights holds no code"):
        write(open_run(tiny_run, device="cpu"), tmp_path / "x.safetensors", {"recipe": "./mine.py", "settings": {}})


def test_names_of_files_stay_behind(tmp_path):
    sampler, settings = tiny("srgan"), small("srgan") | {"features": "/home/me/x.npz"}
    write(sampler, tmp_path / "g.safetensors", {"recipe": "srgan", "settings": settings})
    assert b"/home/me" not in (tmp_path / "g.safetensors").read_bytes()
    with pytest.raises(UserError, match="no folder"):
        write(sampler, tmp_path / "none" / "g.safetensors", {"recipe": "srgan", "settings": {}})
