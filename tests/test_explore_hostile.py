"""The explorer among strangers: run folders made by attackers, and requests that no page of its own would send.

Every answer is one line in words, the other runs are shown as ever, nothing outside the folder is read, nothing is written.
"""

import json
import os
import shutil
import socket
import struct
import time
import zlib
from urllib.parse import quote

import httpx
import pytest
from browser import exploring

SECRET = "the-secret-of-another-folder"
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def broken(folder, good, name, **changes):
    """A copy of a good run whose config.json is changed; its folder."""
    run = folder / name
    shutil.copytree(good, run)
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | changes))
    return run


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def header(shape):
    """A safetensors file whose header promises a tensor that is not there."""
    text = json.dumps({"G.body.0.weight": {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(4)


def config_of_a_gigabyte(folder, good):
    run = broken(folder, good, "large")
    os.truncate(run / "config.json", 2**30)


def config_deep(folder, good):
    broken(folder, good, "deep").joinpath("config.json").write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


def config_numbers(folder, good):
    run = broken(folder, good, "numbers")
    (run / "config.json").write_text(
        '{"format": 1, "recipe": NaN, "training": {"steps": 1e999, "minutes": -Infinity}, "spec": []}'
    )


def config_types(folder, good):
    wrong = [1, [2], {"three": 4}, "five", None, True, "\ud800", [["x" * 100_000] * 20] * 20]
    for i, value in enumerate(wrong):
        broken(
            folder, good, f"types-{i}", **{key: value for key in ("recipe", "training", "spec", "settings", "data", "dtype")}
        )
        broken(folder, good, f"spec-{i}", spec={"kind": value, "shape": value, "origin": value, "names": value})
    broken(folder, good, "list").joinpath("config.json").write_text("[1, 2]")
    broken(folder, good, "nothing").joinpath("config.json").write_text("")


def config_enormous_games(folder, good):
    config = json.loads((good / "config.json").read_text())
    for name, value in {"width": 10**5, "z_dim": 10**12, "batch": 10**15}.items():
        broken(folder, good, f"enormous-{name}", settings=config["settings"] | {name: value})
    broken(folder, good, "enormous-images", spec=config["spec"] | {"shape": [3, 2**20, 2**20]})
    broken(folder, good, "enormous-classes", spec=config["spec"] | {"counts": [1] * 2_000_000, "names": []})


def recipe_file(folder, good):
    code = folder.parent / "recipe.py"
    code.write_text(f"open({str(folder.parent / 'ran')!r}, 'w').write('x')\n")
    broken(folder, good, "recipe-file", recipe=str(code))
    run = broken(folder, good, "recipe-beside", recipe="recipe.py")
    shutil.copy(code, run / "recipe.py")


def texts(folder, good):
    run = broken(folder, good, "texts", recipe=SCRIPT)
    config = json.loads((run / "config.json").read_text())
    config["spec"] |= {"origin": SCRIPT, "names": [SCRIPT] * 10}
    (run / "config.json").write_text(json.dumps(config))
    broken(folder, good, "half", spec=config["spec"] | {"names": ["\ud800"] * 10}, data=config["data"] | {"what": "\ud800"})
    rows = [
        {"step": 1, "seconds": 1, f"D/{SCRIPT}": 1.0, "D/logit_real": 0.5},
        {"step": 2, "seconds": 2, f"D/{SCRIPT}": 2.0, "D/logit_real": 0.7},
        {"step": 1, "note": SCRIPT, "guard": {"from": 2, "name": "mend", "kind": SCRIPT, "remedy": SCRIPT}},
        {"step": 1, "scores": [{"name": SCRIPT, "value": 1.0, "protocol": SCRIPT, "better": SCRIPT}]},
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def logs(folder, good):
    run = broken(folder, good, "log")
    lines = [
        '{"step": 1, "D/adv": 0.5}',
        '{"step": 1, "D/adv": 1e999, "G/adv": NaN, "seconds": Infinity}',
        '{"step": 2, "D/adv": ' + "9" * 5000 + "}",
        '{"step": ' + "9" * 400 + ', "D/adv": 1}',
        '{"step": 3, "D/adv": "x", "guard": 7, "scores": [1, null, {"name": 3}, {"name": "s", "value": NaN}]}',
        '{"step": 4, "scores": {"a": 1}, "note": ["x"], "guard": {"from": "y"}}',
        '{"step": 5, "note": "n", "guard": {"from": -1e99, "name": {"a": 1}}}',
        "[" * 100_000,
        '{"step": 6, "D/adv": 0.25, "x": "' + "x" * 3_000_000 + '"}',
        json.dumps({"step": 7, **{f"T/{i}": i for i in range(5000)}}),
        "\x00\xff\udcff",
        '{"step": 8, "D/adv": 0.75}',
        '{"step": 9, "D/adv": ',
    ]
    (run / "log.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))


def pictures(folder, good):
    run = broken(folder, good, "pictures")
    samples = run / "samples"
    (samples / "step-1.png").write_bytes(png(100_000, 100_000))
    (samples / "step-2.png").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    (samples / "step-3.png").write_bytes(b"")
    (samples / "step-4.png").write_bytes(png(4, 4) + bytes(2**24))
    (samples / "step-²²².png").write_bytes(png(4, 4))
    (samples / "step-5.png").mkdir()
    (samples / "step-1.json").write_text('{"fake": [[NaN, 1], [1], "x", [1, 2]], "extent": [1, 0, 0, 1]}')
    (samples / "step-2.json").write_text('{"fake": 1, "extent": [0, 1, 0, 1], "surface": [[1, 2], [3]]}')
    (samples / "step-3.json").write_text("[" * 100_000)
    (samples / "real.json").write_text('{"points": {"a": 1}}')


def pipes(folder, good):
    for name in ("eye.jsonl", "table.json", "samples/step-7.png"):
        run = broken(folder, good, f"pipe-{name.replace('/', '-')}")
        os.mkfifo(run / name)
    run = broken(folder, good, "pipe-weights")
    for nets in run.glob("step-*/nets.safetensors"):
        nets.unlink()
        os.mkfifo(nets)


def checkpoints(folder, good):
    for i, data in enumerate([header([2**40, 2**40]), header([-1]), header("x"), struct.pack("<Q", 2**62), b"", b"PK\x03\x04"]):
        run = broken(folder, good, f"weights-{i}")
        for nets in run.glob("step-*/nets.safetensors"):
            nets.write_bytes(data)
    for nets in broken(folder, good, "weights-sparse").glob("step-*/nets.safetensors"):
        os.truncate(nets, 2**40)
    for meta in broken(folder, good, "meta").glob("step-*/meta.json"):
        meta.write_text('{"format": 1, "clock": {"step": "x", "total": []}, "guard": {"shown": "../../.."}, "seconds": "y"}')
    other = broken(folder, good, "other")
    config = json.loads((other / "config.json").read_text())
    broken(folder, good, "other-width", settings=config["settings"] | {"width": 16})


def links(folder, good):
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.png").write_text(SECRET)
    (outside / "config.json").write_text(json.dumps({"format": 1, "recipe": SECRET}))
    for name, link in {
        "link-log": "log.jsonl",
        "link-config": "config.json",
        "link-samples": "samples",
        "link-step": "step-9",
    }.items():
        run = broken(folder, good, name)
        target = run / link
        shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
        target.symlink_to(outside / ("config.json" if "." in link else ""))
    picture = broken(folder, good, "link-picture") / "samples" / "step-1.png"
    picture.unlink(missing_ok=True)
    picture.symlink_to(outside / "secret.png")
    (folder / "link-itself").symlink_to(outside)
    (broken(folder, good, "link-loop") / "loop").symlink_to("loop")


def names(folder, good):
    for name in (SCRIPT.replace("/", "!"), "a?b#c%2e%2e&d", "..%2f..", "new\nline", " ", "ünï 数字"):
        broken(folder, good, name)
    shutil.copytree(good, os.fsdecode(os.fsencode(folder) + b"/bytes-\xff\xfe"))


ATTACKS = (
    *(
        config_of_a_gigabyte,
        config_deep,
        config_numbers,
        config_types,
        config_enormous_games,
        recipe_file,
        texts,
        logs,
        pictures,
    ),
    *(checkpoints, links, names),
)


@pytest.fixture(scope="module")
def folder(tiny_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "runs"
    folder.mkdir()
    shutil.copytree(tiny_run, folder / "good")
    for attack in ATTACKS:
        attack(folder, tiny_run)
    return folder


@pytest.fixture
def client(explore, folder):
    with httpx.Client(base_url=explore(folder).address, timeout=60) as client:
        yield client


def fine(answer):
    """An answer with what was asked, or with one line that says why not."""
    assert answer.status_code in (200, 400, 404, 413, 415, 422), answer.text[:500]
    assert SECRET not in answer.text
    if answer.status_code != 200:
        error = answer.json()["error"]
        assert error and "\n" not in error and "Traceback" not in error
    return answer


def tree(folder):
    """Every file and folder, with its size and time."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            now = os.lstat(path)
            found[path] = (now.st_mode, now.st_size, now.st_mtime_ns)
    return found


def test_every_run_is_answered_in_words_and_the_good_one_is_shown_as_ever(client, folder):
    before = tree(folder.parent)
    listed = {run["name"]: run for run in fine(client.get("/api/runs")).json()["runs"]}
    assert listed["good"]["state"] == "finished" and listed["good"]["scores"] and listed["good"]["picture"]
    for name in ("large", "deep", "list", "nothing", "link-log", "link-picture", "link-config"):
        assert listed[name]["state"] == "damaged" and listed[name]["error"], name
    assert "link-itself" not in listed
    assert len(listed) == sum(path.is_dir() and not path.is_symlink() for path in folder.iterdir())
    for name, run in listed.items():
        place = quote(name, safe="")
        story = fine(client.get(f"/api/run/{place}/watch"))
        for what in ("panels", "watch/picture/1", "watch/frame/1", "watch/real", "watch/picture/7"):
            fine(client.get(f"/api/run/{place}/{what}"))
        if name.startswith(("good", "texts", "half", "pipe", "names")):
            for what in ("edit", "eye", "latent/about", "latent/directions", "table", "translate"):
                fine(client.get(f"/api/run/{place}/{what}"))
        if story.status_code == 200:
            assert story.json()["name"] == name == run["name"]
    panels = fine(client.get("/api/run/good/panels")).json()
    assert {"watch"} <= {panel["name"] for panel in panels["panels"]} and not panels["why"]
    assert tree(folder.parent) == before  # nothing was written, no recipe file was run
    assert not (folder.parent / "ran").exists()


def test_a_damaged_log_shows_what_is_whole_in_it(client):
    story = client.get("/api/run/log/watch").json()
    assert story["lines"]["D/adv"][1][-1] == 0.75 and story["step"] == 8
    assert len(story["lines"]) <= 64
    assert story["lines"]["T/0"] == [[7], [0.0]]


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 7, 999, "x", -1, "1e3", "..%2f..%2fconfig.json"])
def test_what_is_no_picture_is_not_sent(client, step):
    answer = client.get(f"/api/run/pictures/watch/picture/{step}")
    assert answer.status_code in (404, 415, 422) and answer.json()["error"]


def test_frames_are_checked_before_they_are_drawn(client):
    assert client.get("/api/run/pictures/watch/frame/1").status_code == 415
    assert client.get("/api/run/pictures/watch/frame/2").json() == {"fake": [], "extent": [0, 1, 0, 1], "surface": None}
    assert client.get("/api/run/pictures/watch/frame/3").status_code == 415
    assert client.get("/api/run/pictures/watch/real").json() == {"points": []}


def test_a_recipe_file_is_named_and_not_run(client, folder):
    told = client.get("/api/run/recipe-file/panels").json()
    assert "recipe.py" in told["why"] and {panel["name"] for panel in told["panels"]} == {"runs", "watch"}


@pytest.mark.parametrize(
    "name", ["enormous-width", "enormous-z_dim", "enormous-images", "weights-0", "weights-sparse", "other-width"]
)
def test_a_game_that_cannot_be_loaded_keeps_its_curves_and_says_why(client, name):
    told = client.get(f"/api/run/{name}/panels").json()
    assert {panel["name"] for panel in told["panels"]} == {"runs", "watch"} and told["why"]
    assert client.get(f"/api/run/{name}/watch").json()["lines"]


def raw(address, request):
    """The answer to bytes that no HTTP library would send."""
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(request)
        found = b""
        while part := line.recv(65536):
            found += part
    return found


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/outside/config.json",
        "/static/../../app.py",
        "//etc/passwd",
        "/..\\..\\app.py",
        "/api/run/..%2foutside/watch",
        "/api/run/../../outside/watch",
        "/api/run/%2e%2e/watch",
        "/api/run/./watch",
        "/api/run/link-itself/watch",
        "/api/run/good%00/watch",
        "/api/run/good/watch/picture/..%2f..%2fconfig.json",
        "/api/run/" + "x" * 30_000 + "/watch",
        "/panels/..%2f..%2fapp.py",
        "/%00",
        "/%ff%fe",
    ],
)
def test_a_path_that_leads_elsewhere_leads_nowhere(explore, folder, path):
    answer = raw(explore(folder).address, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    status = int(answer.split(b" ", 2)[1])
    assert status in (400, 404, 405, 414, 431) and b"root:" not in answer and b"create(root" not in answer
    assert SECRET.encode() not in answer


def asked(address, headers, method=b"GET", path=b"/api/runs", body=b""):
    lines = [method + b" " + path + b" HTTP/1.1", *headers, b"Connection: close", b"", body]
    answer = raw(address, b"\r\n".join(lines))
    return int(answer.split(b" ", 2)[1]), answer


def test_only_pages_of_its_own_may_ask(explore, folder):
    address = explore(folder).address
    host = address.removeprefix("http://").rstrip("/").encode()
    own = b"Host: " + host
    assert asked(address, [own])[0] == 200
    assert asked(address, [own, b"Origin: http://" + host])[0] == 200
    refused = [
        [b"Host: attacker.example"],  # DNS rebinding: the name of an attacker's page leads here
        [b"Host: 127.0.0.1.attacker.example"],
        [b"Host: attacker.example@127.0.0.1"],
        [own, b"Origin: http://attacker.example"],
        [own, b"Origin: null"],
        [own, b"Origin: http://127.0.0.1:1"],
        [own, b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Mode: no-cors"],
    ]
    for headers in refused:
        status, answer = asked(address, headers)
        assert status == 403 and b"error" in answer, headers
    assert asked(address, [])[0] in (400, 403)


def test_a_body_is_bounded_whatever_its_headers_say(explore, folder):
    address = explore(folder).address
    own = b"Host: " + address.removeprefix("http://").rstrip("/").encode()
    post = lambda *headers, body=b"": asked(address, [own, *headers], b"POST", b"/api/runs", body)[0]
    assert post(b"Content-Length: 99999999999") == 413
    assert post(b"Content-Length: -1") in (400, 413)
    assert post(b"Content-Length: x") in (400, 413)
    assert post(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n") == 405
    assert post(b"Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n") in (400, 405)
    assert post(b"Content-Type: application/json", b"Content-Length: 5", body=b"[[[[[") == 405
    assert raw(address, b"\x16\x03\x01\x02\x00\x01\x00" + bytes(100)).startswith(b"HTTP/1.1 400")


def test_a_body_that_breaks_off_is_nothing_to_report(tiny_run):
    with exploring(tiny_run) as explorer:  # which says at its end whether a traceback was printed
        port = int(explorer.address.rsplit(":", 1)[1].strip("/"))
        with socket.create_connection(("127.0.0.1", port)) as stream:
            asked = f"POST /api/run/{tiny_run.name}/latent/picture HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            head = asked + "Content-Type: application/octet-stream\r\nContent-Length: 4000\r\n\r\n"
            stream.sendall(head.encode() + b"x" * 100)
            time.sleep(0.5)
        time.sleep(0.5)
        assert httpx.get(f"{explorer.address}api/folder").status_code == 200


def test_answers_forbid_scripts_frames_and_sniffing(client):
    for path in ("/", "/app.js", "/api/runs", "/api/run/good/watch/picture/0", "/api/nothing"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (
            "unsafe" not in headers["content-security-policy"]
            and "frame-ancestors 'none'" in headers["content-security-policy"]
        )
        assert headers["x-content-type-options"] == "nosniff"


def test_text_from_a_folder_is_text_on_the_page(explore, open_page, folder):
    pages = open_page
    pages.forgiven += ["status of 4", "Failed to load resource"]
    page = pages(explore(folder).address, wait=".run")
    assert page.get_by_role("link", name="good", exact=True).is_visible()
    assert page.locator("main script, main img[src='x']").count() == 0
    assert page.get_by_text(SCRIPT).count() > 0  # seen as it is written
    page.goto(explore(folder).at("texts", "watch"))
    page.get_by_role("heading", name="What the guard did").wait_for()
    assert page.locator("main script, main img[src='x']").count() == 0
    page.goto(explore(folder).at("pictures", "watch"))
    page.get_by_role("heading", name="pictures").wait_for()
    page.goto(explore(folder).at(quote("..%2f..", safe=""), "watch"))
    page.get_by_role("heading", name="..%2f..").wait_for()


def test_a_run_that_vanishes_is_told_and_the_others_stay(explore, tiny_run, tmp_path):
    for name in ("stays", "goes"):
        shutil.copytree(tiny_run, tmp_path / name)
    with httpx.Client(base_url=explore(tmp_path).address, timeout=30) as client:
        assert client.get("/api/run/goes/watch").status_code == 200
        shutil.rmtree(tmp_path / "goes")
        gone = client.get("/api/run/goes/watch")
        assert gone.status_code == 404 and "goes" in gone.json()["error"]
        assert [run["name"] for run in client.get("/api/runs").json()["runs"]] == ["stays"]
