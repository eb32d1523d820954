"""The latent panel's endpoints: seeds become points, points become the pictures that `zerosum sample` makes; the rest is
refused."""

import asyncio
import io
import shutil
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from zerosum import recipes
from zerosum.building import build_run
from zerosum.data.images import decode
from zerosum.data.source import Spec
from zerosum.explore import app
from zerosum.explore.panels import latent
from zerosum.job import open_run
from zerosum.latent.about import about
from zerosum.latent.directions import FILE, Direction, as_text, sefa
from zerosum.latent.space import Space
from zerosum.rundir import RunDir
from zerosum.sampling import Sampler
from zerosum.train import Training

BYTES = {"content-type": "application/octet-stream"}


class Client:
    """Asks an application."""

    def __init__(self, application):
        self.application = application

    def __call__(self, method, path, **what):
        async def ask():
            transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **what)

        with ThreadPoolExecutor(1) as thread:  # Playwright's event loop holds this one
            return thread.submit(lambda: asyncio.run(ask())).result()

    def get(self, path):
        return self("GET", path)

    def post(self, path, **what):
        return self("POST", path, **what)


@pytest.fixture(scope="module")
def client(tiny_run):
    return Client(app.create(tiny_run))


def at(run, what):
    return f"/api/run/{run.name}/latent/{what}"


def points_of(client, run, seeds, labels):
    got = client.post(at(run, "enter"), json={"seeds": seeds, "labels": labels})
    assert got.status_code == 200, got.text
    return np.frombuffer(got.content, "<f4").reshape(len(seeds), -1)


def test_a_seed_and_a_class_give_what_sample_gives_them(client, tiny_run):
    points = points_of(client, tiny_run, [3, 9], [4, 7])
    body = points.tobytes() + np.eye(10, dtype="<f4")[[4, 7]].tobytes()
    pixels = np.frombuffer(client.post(at(tiny_run, "render?n=2"), content=body, headers=BYTES).content, np.uint8)
    sampler = open_run(tiny_run, device="cpu")
    for made, seed, label in zip(pixels.reshape(2, 8, 8, 4), (3, 9), (4, 7), strict=True):
        wanted = decode(sampler.make(1, seed, label)["x"], sampler.spec)[0]
        assert (np.abs(made[..., :3].astype(int) - wanted[..., None]) <= 1).all() and (made[..., 3] == 255).all()


def test_a_picture_to_keep_is_the_picture_that_was_shown(client, tiny_run):
    body = points_of(client, tiny_run, [3], [4]).tobytes() + np.eye(10, dtype="<f4")[4].tobytes()
    shown = np.frombuffer(client.post(at(tiny_run, "render?n=1"), content=body, headers=BYTES).content, np.uint8)
    kept = client.post(at(tiny_run, "picture"), content=body, headers=BYTES)
    assert kept.headers["content-type"] == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(kept.content))), shown.reshape(8, 8, 4)[..., 0])


def test_half_of_two_classes_is_asked_for_by_shares(client, tiny_run):
    point = points_of(client, tiny_run, [3], [4]).tobytes()
    share = np.zeros(10, "<f4")
    share[[1, 2]] = 0.5
    got = client.post(at(tiny_run, "render?n=1"), content=point + share.tobytes(), headers=BYTES)
    space, z = Space(open_run(tiny_run, device="cpu")), torch.from_numpy(np.frombuffer(point, "<f4").copy())
    wanted = decode(space.leave(z[None, None], {"y": torch.from_numpy(share)[None]}), space.sampler.spec)[0]
    made = np.frombuffer(got.content, np.uint8).reshape(8, 8, 4)[..., 0]
    assert np.abs(made.astype(int) - wanted).max() <= 1


def test_what_is_told_of_a_run_names_its_classes_and_limits(client, tiny_run):
    told = client.get(at(tiny_run, "about")).json()
    assert told["shape"] == [1, 8, 8] and told["classes"] == [str(i) for i in range(10)]
    assert (told["layers"], told["styled"], told["straight"], told["shares"]) == (1, False, False, 10)
    assert len(told["mean"]) == told["dim"] and told["most"]["items"] == 64


def test_labels_of_a_generator_with_styles_enter_its_points():
    spec = Spec("images", (3, 16, 16), counts=(5, 5), names=("a", "b"), items=10)
    run = build_run("stylegan2", recipes.find("stylegan2").Config(batch=4, width=8), spec, Training(device="cpu"))
    space = Space(Sampler(run, spec))
    told = about(space, "stylegan2")
    assert told["styled"] and told["straight"] and told["truncates"] and told["shares"] == 0 and told["classes"] == ["a", "b"]
    one, other = (latent.entered(space, latent.Seeds(seeds=[5], labels=[y])) for y in (0, 1))
    assert one.shape == (1, space.layers, space.dim) and (one - other).abs().max() > 1e-4
    assert latent.rendered(space, one.numpy().tobytes(), 1).shape == (1, 3, 16, 16)


def test_only_so_many_pixels_are_made_at_once():
    spec = Spec("images", (1, 1024, 512))
    run = build_run("dcgan", recipes.find("dcgan").Config(batch=2, width=8), spec, Training(device="cpu"))
    with pytest.raises(latent.TooMuch, match="at most 32 at once"):
        latent.rendered(Space(Sampler(run, spec)), b"", 33)


@pytest.mark.parametrize(
    ("query", "body", "status", "words"),
    [
        ("render?n=1", lambda size: b"", 400, "float32"),
        ("render?n=1", lambda size: b"\0" * 7, 400, "float32"),
        ("render?n=2", lambda size: b"\0" * 4 * size, 400, "float32"),
        ("render?n=0", lambda size: b"", 422, "greater"),
        ("render?n=-3", lambda size: b"", 422, "greater"),
        ("render?n=65", lambda size: b"\0" * 4 * 65 * size, 422, "less"),
        ("render?n=99999999999999999999999", lambda size: b"", 422, "less"),
        ("render?n=nan", lambda size: b"", 422, "integer"),
        ("render", lambda size: b"", 422, "required"),
        ("render?n=1", lambda size: np.full(size, np.nan, "<f4").tobytes(), 400, "finite"),
        ("render?n=1", lambda size: np.full(size, -np.inf, "<f4").tobytes(), 400, "finite"),
        ("render?n=1", lambda size: np.full(size, 1e30, "<f4").tobytes(), 400, "finite"),
        ("render?n=1", lambda size: b"\0" * 4 * size, 400, "shares"),
        ("render?n=1", lambda size: np.full(size, 0.5, "<f4").tobytes(), 400, "shares"),
        ("picture", lambda size: np.full(size, np.nan, "<f4").tobytes(), 400, "finite"),
        ("render?n=1", lambda size: b"\0" * (33 * 2**20), 413, "MiB"),
    ],
)
def test_bodies_that_are_no_points_are_refused_in_words(client, tiny_run, query, body, status, words):
    size = client.get(at(tiny_run, "about")).json()["dim"] + 10  # numbers of a point and its shares
    got = client.post(at(tiny_run, query), content=body(size), headers=BYTES)
    assert got.status_code == status and words in got.json()["error"], got.text


@pytest.mark.parametrize(
    "asked",
    [
        {"seeds": []},
        {"seeds": [-1], "labels": [0]},
        {"seeds": [2**53], "labels": [0]},
        {"seeds": [0.5], "labels": [0]},
        {"seeds": list(range(65)), "labels": [0] * 65},
        {"seeds": [1], "labels": [10]},
        {"seeds": [1], "labels": [-1]},
        {"seeds": [1, 2], "labels": [1]},
        {"seeds": [1]},
        {"seeds": ["../../etc"]},
        {"seeds": {"a": 1}},
        [],
    ],
)
def test_seeds_and_labels_that_are_none_are_refused_in_words(client, tiny_run, asked):
    got = client.post(at(tiny_run, "enter"), json=asked)
    assert got.status_code in (400, 422) and got.json()["error"], got.text


def test_directions_are_those_of_the_run_folder_and_found_at_once_where_it_has_none(client, tiny_run, tmp_path):
    found = client.get(at(tiny_run, "directions")).json()
    space = Space(open_run(tiny_run, device="cpu"))
    assert {one["method"] for one in found} == {"sefa"} and all(one["layers"] == [0, 1] for one in found)
    torch.testing.assert_close(torch.tensor(found[0]["vector"]), sefa(space)[0].vector)
    run = tmp_path / "mine"
    shutil.copytree(tiny_run, run)
    own = Direction("smile <b>", "boundary", torch.eye(space.dim)[1], 0.5)
    (run / FILE).write_text(as_text([own], RunDir(run).shown()))
    (kept,) = Client(app.create(run)).get(at(run, "directions")).json()
    assert (kept["name"], kept["method"], kept["sigma"], kept["vector"][1]) == ("smile <b>", "boundary", 0.5, 1)
    (run / FILE).write_text('{"format": 1, "step": "')
    wrong = Client(app.create(run)).get(at(run, "directions"))
    assert wrong.status_code == 400 and "damaged" in wrong.json()["error"]


def test_an_unknown_run_is_not_found(client):
    for name in ("nobody", "..", "%2e%2e%2f"):
        assert client.get(f"/api/run/{name}/latent/about").status_code == 404
