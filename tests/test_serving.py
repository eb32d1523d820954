"""`zerosum serve` as real processes over real sockets: what it gives, whom it refuses, what it survives."""

import asyncio
import base64
import io
import json
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import httpx
import numpy as np
import pandas as pd
import pytest
import torch
import uvicorn
from conftest import start
from fastapi import FastAPI
from PIL import Image
from sklearn.datasets import load_iris

from zerosum import GAN
from zerosum.job import open_run
from zerosum.provenance import read
from zerosum.serving.app import create
from zerosum.serving.batcher import Batcher
from zerosum.serving.limits import Limits
from zerosum.serving.maker import Maker, Wish
from zerosum.serving.quick import Quick
from zerosum.serving.trouble import Full, Slow
from zerosum.web.host import listen
from zerosum.web.trouble import in_words


@contextmanager
def serving(run, *options):
    """(port, process) of a service on a free port."""
    process = start("serve", run, "--port", 0, "--device", "cpu", "--threads", 1, *options)
    try:
        said = process.stdout.readline()
        while said and "http://" not in said:
            said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.\d:(\d+)", said)
        assert found, process.stderr.read()
        yield int(found[1]), process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def digits(tiny_run):
    """A client of a served cgan."""
    with (
        serving(tiny_run, "--most-mib", 1, "--most-items", 32) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def mending(tmp_path_factory):
    """A client of a served inpaint, which gives slow clients two seconds."""
    run = tmp_path_factory.mktemp("mending") / "run"
    photos = np.random.default_rng(0).integers(0, 256, (40, 3, 16, 16), np.uint8)
    GAN("inpaint", steps=2, batch=4, width=8).fit(photos, out=run)
    with (
        serving(run, "--patience", 2, "--most-pixels", 40_000) as (port, _),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        yield client


def picture(mode="L", size=(8, 8), **options):
    buffer = io.BytesIO()
    Image.new(mode, size, 90).save(buffer, "PNG", **options)
    return buffer.getvalue()


def raw(client, *parts, pause=0.0):
    """What comes back for bytes as they are."""
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=20) as line:
        try:
            for part in parts:
                line.sendall(part)
                time.sleep(pause)
        except OSError:
            pass
        came = b""
        try:
            while part := line.recv(2**16):
                came += part
        except OSError:
            pass
        return came


# ---- what it gives ---------------------------------------------------------------------------------------------------


def test_a_served_picture_is_the_file_that_the_command_writes(digits, tiny_run, tmp_path):
    from zerosum.cli import main

    answer = digits.get("/v1/sample", params={"n": 4, "seed": 7, "label": 3})
    with pytest.raises(SystemExit):
        main(["sample", str(tiny_run), "-n", "4", "--seed", "7", "--label", "3", "--out", str(tmp_path / "x.png")])
    assert answer.status_code == 200 and answer.headers["content-type"] == "image/png"
    assert answer.content == (tmp_path / "x.png").read_bytes()
    told = json.loads(answer.headers["x-zerosum-provenance"])
    assert told["digital_source_type"].endswith("trainedAlgorithmicMedia") and (told["seed"], told["label"]) == (7, "3")
    assert told["run"] == read(tmp_path / "x.png").origin.run


def test_arrays_by_post_and_another_seed_each_time_where_none_is_asked_for(digits, tmp_path):
    answers = [digits.post("/v1/sample", json={"n": 3, "format": "npz"}) for _ in range(2)]
    for answer in answers:
        (tmp_path / "x.npz").write_bytes(answer.content)
        with np.load(tmp_path / "x.npz") as arrays:
            assert arrays["x"].shape == (3, 8, 8) and arrays["y"].shape == (3,)
        assert read(tmp_path / "x.npz").origin.seed == json.loads(answer.headers["x-zerosum-provenance"])["seed"]
    assert answers[0].content != answers[1].content


def test_two_hundred_clients_at_once_each_get_the_items_of_their_seed(digits):
    alone = {seed: digits.get("/v1/sample", params={"n": 2, "seed": seed}).content for seed in range(20)}
    limits = httpx.Limits(max_connections=200)
    with httpx.Client(base_url=digits.base_url, timeout=60, limits=limits) as many, ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda i: (i % 20, many.get("/v1/sample", params={"n": 2, "seed": i % 20})), range(200)))
    for seed, answer in found:
        assert answer.status_code == 200
        pair = [np.asarray(Image.open(io.BytesIO(data))).astype(int) for data in (alone[seed], answer.content)]
        assert abs(pair[0] - pair[1]).max() <= 1  # a level: the sums of a larger pass are taken in another order
    text = digits.get("/metrics").text
    passes, requests = (float(re.search(rf"^zerosum_batch_requests_{name} (\S+)", text, re.M)[1]) for name in ("count", "sum"))
    assert requests > passes  # some were computed together


def test_a_fault_is_answered_and_raised_for_the_log():
    async def broken(request):
        raise RuntimeError("the device is gone")

    app = FastAPI()
    in_words(app)

    async def asked(raised):
        transport = httpx.ASGITransport(Quick(app, "/v1/sample", broken), raise_app_exceptions=raised)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/v1/sample")

    answer = asyncio.run(asked(False))
    assert answer.status_code == 500 and "error" in answer.json()
    with pytest.raises(RuntimeError, match="the device is gone"):
        asyncio.run(asked(True))


def test_a_small_answer_does_not_wait_for_a_large_one_beside_it():
    limits, came = Limits(wait_ms=200), {}

    def act(asked):
        return [lambda seconds=seconds: time.sleep(seconds) or seconds for seconds in asked]

    async def run():
        batcher = Batcher(act, limits)
        batcher.begin()
        began = time.perf_counter()

        async def ask(name, seconds):
            await batcher.ask(seconds, 1)
            came[name] = time.perf_counter() - began

        await asyncio.gather(ask("large", 1.0), ask("small", 0.05), ask("next", 0.05), ask("other", 0.05))
        batcher.end()

    asyncio.run(run())
    assert max(came[name] for name in ("small", "next", "other")) < came["large"] - 0.3


def test_noise_is_drawn_in_one_thread_alone(tiny_run):
    sampler, threads = open_run(tiny_run, device="cpu"), set()
    game = sampler.run.game
    sampler.run.game = replace(game, draw=lambda n: threads.add(threading.current_thread().name) or game.draw(n))
    bound = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create(sampler, Limits()), log_level="error"))
    serves = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    serves.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{bound.getsockname()[1]}", timeout=60) as client:
        threads.clear()
        assert client.get("/v1").json()["classes"]
        assert client.get("/v1/sample", params={"label": 3}).status_code == 200
        assert client.get("/v1/sample", params={"label": "no such class"}).status_code == 400
        assert client.post("/v1/score?label=3", content=picture(), headers=PNG).status_code == 200
    server.should_exit = True
    serves.join(30)
    assert threads == {"batcher"}  # the streams are the process's own: two threads would draw each other's items


def test_a_full_service_says_when_to_come_again_and_counts_whom_it_sent_away(tiny_run):
    with serving(tiny_run, "--most-waiting", 1, "--batch", 1) as (port, _):
        limits = httpx.Limits(max_connections=24)
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=limits) as client,
            ThreadPoolExecutor(24) as pool,
        ):
            answers = list(pool.map(lambda i: client.get("/v1/sample", params={"n": 256, "seed": i}), range(72)))
            text = client.get("/metrics").text
            assert client.get("/v1/sample").status_code == 200
    count = {status: sum(answer.status_code == status for answer in answers) for status in (200, 503)}
    assert count[200] and count[503] and sum(count.values()) == 72
    for answer in answers:
        assert answer.status_code == 200 or (int(answer.headers["retry-after"]) >= 1 and "come again" in answer.json()["error"])
    for status, times in count.items():
        assert f'zerosum_requests_total{{path="/v1/sample",status="{status}"}} {times}\n' in text


def test_both_ways_of_asking_give_the_same_and_a_class_may_be_a_number(digits):
    asked = {"n": 2, "seed": 5, "label": 3}
    by_get, by_post = digits.get("/v1/sample", params=asked), digits.post("/v1/sample", json=asked)
    assert by_get.status_code == 200 and by_get.content == by_post.content and "content-security-policy" in by_get.headers


def test_the_service_describes_itself_and_counts(digits):
    about = digits.get("/v1").json()
    assert about["classes"] == [str(i) for i in range(10)] and about["formats"] == ["png", "npz"]
    api = digits.get("/openapi.json").json()
    assert set(api["paths"]) == {"/health", "/metrics", "/v1", "/v1/sample", "/v1/score"} and api["openapi"].startswith("3.")
    names = [one["name"] for one in api["paths"]["/v1/sample"]["get"]["parameters"]]
    assert names == ["n", "seed", "label", "truncation", "format"]
    assert set(api["paths"]["/v1/sample"]["get"]["responses"]) >= {"200", "422", "503"}
    assert digits.get("/docs").status_code == digits.get("/v1/translate").status_code == 404
    assert digits.get("/health").json()["status"] == "ok"
    for line in digits.get("/metrics").text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+', line), line


def test_the_discriminators_opinion_is_that_of_the_run(digits, tiny_run):
    answer = digits.post("/v1/score?label=3", content=picture(), headers={"content-type": "image/png"}).json()
    sampler = open_run(tiny_run, device="cpu")
    with sampler.run.shown() as nets:
        x = torch.full((1, 1, 8, 8), 90 / 127.5 - 1)
        logit = sampler.run.game.judge(nets, {"x": x, "y": torch.tensor([3])}).item()
    assert answer["logits"] == pytest.approx([logit], abs=1e-4) and 0 <= answer["above_generated"][0] <= 1


def test_a_hole_is_filled_and_the_rest_left_and_the_mark_says_so(mending, tmp_path):
    x = np.random.default_rng(1).integers(0, 256, (24, 20, 3), np.uint8)
    mask = np.zeros((24, 20), np.uint8)
    mask[4:12, 4:12] = 255
    files = {}
    for name, array in {"image": x, "mask": mask}.items():
        buffer = io.BytesIO()
        Image.fromarray(array).save(buffer, "PNG")
        files[name] = base64.b64encode(buffer.getvalue()).decode()
    (name,) = mending.get("/v1").json()["takes"]
    answer = mending.post("/v1/translate", json={name: files["image"], "mask": files["mask"]})
    assert answer.status_code == 200, answer.text
    made = np.asarray(Image.open(io.BytesIO(answer.content)))
    assert (made[mask == 0] == x[mask == 0]).all() and (made[mask > 0] != x[mask > 0]).any()
    (tmp_path / "x.png").write_bytes(answer.content)
    assert read(tmp_path / "x.png").source_type.endswith("compositeWithTrainedAlgorithmicMedia")
    hollow = io.BytesIO()
    Image.fromarray(np.dstack([x, 255 - mask])).save(hollow, "PNG")
    again = mending.post("/v1/translate", content=hollow.getvalue(), headers={"content-type": "image/png"})
    assert again.status_code == 200
    assert mending.get("/v1/sample").status_code == 404


def test_each_requests_items_do_not_depend_on_those_beside_it(tmp_path):
    flowers = pd.concat([load_iris(as_frame=True).frame] * 8, ignore_index=True)
    flowers.insert(0, "id", 10_000 + np.arange(len(flowers)))
    flowers["finder"] = [f"f{i}" for i in np.random.default_rng(0).zipf(1.3, len(flowers)) % 500]
    GAN("tabular", steps=2, batch=32).fit(flowers, out=tmp_path / "table")
    GAN("gan", steps=2, batch=16, width=8).fit("ring8", out=tmp_path / "ring")
    GAN("stylegan2", steps=1, batch=4, width=8).fit(np.zeros((20, 16, 16), np.uint8), out=tmp_path / "style")
    for name in ("table", "ring", "style"):
        maker = Maker(open_run(tmp_path / name, device="cpu"))
        kind = "npz" if name == "style" else "json"
        wishes = [Wish(n, seed, None, None, kind) for n, seed in ((3, 1), (20, 2), (1, 3), (40, 1))]
        for wish, together in zip(wishes, maker(wishes), strict=True):
            (alone,) = maker([wish])
            if kind == "npz":
                a, b = (np.load(io.BytesIO(made()))["x"].astype(int) for made in (alone, together))
                assert abs(a - b).max() <= 1
                continue
            a, b = (json.loads(made()) for made in (alone, together))
            assert a["provenance"] == b["provenance"] and len(a["items"]) == wish.n
            values = lambda one: [v for row in one["items"] for v in (row.values() if isinstance(row, dict) else row)]
            assert values(a) == pytest.approx(values(b), abs=1e-4)


# ---- whom it refuses -------------------------------------------------------------------------------------------------


def header(width, height):
    body = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", body) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")


PNG = {"content-type": "image/png"}
JSON = {"content-type": "application/json"}
REFUSED = {
    "a word for a number": (422, "GET", "/v1/sample?n=many", {}, None),
    "no items": (422, "GET", "/v1/sample?n=0", {}, None),
    "too many items": (413, "GET", "/v1/sample?n=33", {}, None),
    "a number beyond all": (422, "GET", "/v1/sample?seed=" + "9" * 400, {}, None),
    "not a number": (422, "GET", "/v1/sample?truncation=nan", {}, None),
    "a stranger's parameter": (422, "GET", "/v1/sample?path=/etc/passwd", {}, None),
    "the same parameter twice": (422, "GET", "/v1/sample?n=1&n=2", {}, None),
    "no such class": (400, "GET", "/v1/sample?label=../../etc/passwd", {}, None),
    "no such format": (422, "GET", "/v1/sample?format=pickle", {}, None),
    "no truncation here": (400, "GET", "/v1/sample?truncation=0.5", {}, None),
    "no JSON": (422, "POST", "/v1/sample", JSON, b"{"),
    "NaN in JSON": (422, "POST", "/v1/sample", JSON, b'{"truncation": NaN}'),
    "a list for an object": (422, "POST", "/v1/sample", JSON, b"[1]"),
    "nested JSON": (422, "POST", "/v1/sample", JSON, b"[" * 100_000),
    "another method": (405, "DELETE", "/v1/sample", {}, None),
    "a path upwards": (404, "GET", "/v1/../../../etc/passwd", {}, None),
    "a path in disguise": (404, "GET", "/%2e%2e/%2e%2e/etc/passwd", {}, None),
    "another site's page": (403, "GET", "/v1/sample", {"origin": "http://evil.example"}, None),
    "another site's picture": (403, "GET", "/v1/sample", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, None),
    "another name for this host": (403, "GET", "/v1/sample", {"host": "evil.example"}, None),
    "nothing sent": (415, "POST", "/v1/score?label=1", PNG, b""),
    "no picture": (415, "POST", "/v1/score?label=1", PNG, b"GIF89a, not quite"),
    "a form": (415, "POST", "/v1/score?label=1", {"content-type": "multipart/form-data"}, picture()),
    "a cut picture": (415, "POST", "/v1/score?label=1", PNG, picture()[:50]),
    "a bomb": (413, "POST", "/v1/score?label=1", PNG, header(60_000, 60_000)),
    "another size": (415, "POST", "/v1/score?label=1", PNG, picture(size=(9, 8))),
    "no label said": (400, "POST", "/v1/score", PNG, picture()),
    "no such label": (400, "POST", "/v1/score?label=10", PNG, picture()),
    "a large body": (413, "POST", "/v1/score?label=1", PNG, bytes(2**20 + 1)),
    "no base64": (415, "POST", "/v1/score?label=1", JSON, b'{"picture": "%%%"}'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_in_a_line(digits, what):
    status, method, path, headers, body = REFUSED[what]
    answer = digits.request(method, path, headers=headers, content=body)
    assert answer.status_code == status, answer.text
    said = answer.json()["error"]
    assert said and "\n" not in said and "Traceback" not in said and len(said) < 1000


def test_a_body_without_a_length_is_bounded_as_it_comes(digits):
    head = (
        b"POST /v1/score?label=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    part = b"40000\r\n" + bytes(0x40000) + b"\r\n"
    came = raw(digits, head, *[part] * 6)
    assert came.startswith(b"HTTP/1.1 413") and came.count(b'{"error"') == 1
    assert digits.get("/health").status_code == 200


def test_a_body_refused_before_it_has_come_does_not_cost_the_connection(digits):
    """Nor the answer: closed with bytes unread, a connection is reset."""
    size = 2**20 + 1
    head = b"POST /v1/score?label=1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection((digits.base_url.host, digits.base_url.port), timeout=20) as line:
        line.sendall(head % size)
        assert line.recv(2**16).startswith(b"HTTP/1.1 413")
        for _ in range(4):
            line.sendall(bytes(size // 4))
            time.sleep(0.05)
        line.sendall(bytes(size % 4) + b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(2**16).startswith(b"HTTP/1.1 200")


def test_what_is_no_http_closes_the_connection_alone(digits):
    assert b" 200 " not in raw(digits, b"\x16\x03\x01 hello\r\n\r\n")
    assert b" 200 " not in raw(digits, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 50_000)
    assert digits.get("/health").status_code == 200


def test_slow_clients_are_given_up_and_others_do_not_wait(mending):
    began, told = time.monotonic(), {}
    post = b"POST /v1/translate HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: 90\r\n\r\n"
    slow = {
        "silent": lambda: raw(mending),
        "a letter at a time": lambda: raw(mending, *[bytes([letter]) for letter in b"GET /health HTTP/1.1\r\nHo"], pause=0.3),
        "half a body": lambda: raw(mending, post + b"abc"),
        "a refused body, a letter at a time": lambda: raw(
            mending, post.replace(b" 90", b" 999999999"), *[b"a"] * 40, pause=0.3
        ),
    }
    threads = [threading.Thread(target=lambda name=name, ask=ask: told.update({name: ask()})) for name, ask in slow.items()]
    for thread in threads:
        thread.start()
    assert mending.get("/health", timeout=2).status_code == 200
    for thread in threads:
        thread.join(30)
    assert time.monotonic() - began < 25
    assert told["silent"] == told["a letter at a time"] == b"" and told["half a body"].startswith(b"HTTP/1.1 408")
    assert told["a refused body, a letter at a time"].startswith(b"HTTP/1.1 413")


def test_a_picture_that_would_become_too_large_is_refused(mending):
    for size, status in (((300, 300), 413), ((0x7FFF, 0x7FFF), 413)):
        data = picture("RGBA", size) if size[0] < 999 else header(*size)
        assert mending.post("/v1/translate", content=data, headers=PNG).status_code == status
    assert mending.post("/v1/translate?direction=b2a", content=picture("RGB"), headers=PNG).status_code == 400
    assert mending.post("/v1/translate", content=picture("RGB"), headers=PNG).status_code == 400  # no hole


# ---- what it survives ------------------------------------------------------------------------------------------------


def test_a_full_queue_sends_away_and_a_late_answer_is_given_up():
    hold = threading.Event()

    def act(asked):
        hold.wait(20)
        return [lambda one=one: one for one in asked]

    async def many():
        batcher = Batcher(act, Limits(most_waiting=3, patience=1.0, wait_ms=0, batch=1))
        batcher.begin()
        first = [asyncio.create_task(batcher.ask(i, 1)) for i in range(1)]
        while batcher.waiting or not batcher._thread.is_alive():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        tasks = first + [asyncio.create_task(batcher.ask(i, 1)) for i in range(1, 6)]
        found = await asyncio.gather(*tasks, return_exceptions=True)
        hold.set()
        late = await batcher.ask("after", 1)
        failed = await asyncio.gather(batcher.alone(lambda: 1 / 0), return_exceptions=True)
        batcher.end()
        return found, late, failed

    found, late, failed = asyncio.run(many())
    assert [type(one) for one in found] == [Slow] * 4 + [Full] * 2  # one at work, three in the queue
    assert late == "after" and isinstance(failed[0], ZeroDivisionError)


def test_ctrl_c_answers_what_is_under_way_and_says_little(tiny_run):
    with serving(tiny_run) as (port, process):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client, ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(client.get, "/v1/sample", params={"n": 200, "seed": i}) for i in range(4)]
            time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            for one in asked:
                with suppress(httpx.TransportError):  # it came after the door was closed
                    assert one.result().status_code == 200
        out, errors = process.communicate(timeout=40)
        assert process.returncode in (0, 130) and len((out + errors).strip().splitlines()) <= 1


def test_an_open_door_is_said_aloud_and_a_wrong_wish_is_one_line(tiny_run):
    process = start("serve", tiny_run, "--port", 0, "--host", "127.0.0.2")
    try:
        assert "WARNING" in process.stdout.readline()
    finally:
        process.kill()
        process.communicate()
    words = [sys.executable, "-m", "zerosum", "serve", str(tiny_run), "--most-items", "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and len(done.stderr.strip().splitlines()) == 1 and "most_items" in done.stderr
