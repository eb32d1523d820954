"""What runs networks in browsers is fetched once, checked, and unpacked by name."""

import hashlib
import io
import tarfile
import threading
from base64 import b64encode
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from zerosum.errors import UserError
from zerosum.export import runtime

FILES = {"a.mjs": "a.js", "b.wasm": "b.wasm"}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None: ...


@contextmanager
def serving(folder: Path):
    """A file server, and the address of the package in its folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/package.tgz"
    finally:
        server.shutdown()
        server.server_close()


def package(folder: Path, **files: bytes) -> tuple[Path, str]:
    """A package as npm packs it, and its integrity."""
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            told = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            told.size = len(content)
            archive.addfile(told, io.BytesIO(content))
    return path, f"sha512-{b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()}"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZEROSUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / "from", tmp_path / "to"]
    for folder in made:
        folder.mkdir()
    return made


def test_a_package_is_fetched_once_and_only_named_files_leave_it(folders, cache):
    source, to = folders
    _, integrity = package(source, package__dist__a_mjs=b"A", package__dist__b_wasm=b"B", package__dist__c_js=b"C", __evil=b"!")
    with serving(source) as url:
        runtime.copy(FILES, to, url=url, integrity=integrity)
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {"a.js": b"A", "b.wasm": b"B"}
    for path in to.iterdir():
        path.unlink()
    runtime.copy(FILES, to, url=url, integrity=integrity)  # the server is gone
    assert len(list(to.iterdir())) == 2
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"cannot be fetched from npm .*give the file with --runtime"):
        runtime.copy(FILES, to, url=url, integrity=integrity)


def test_another_package_than_the_published_one_is_refused_and_not_kept(folders, cache):
    source, to = folders
    package(source, package__dist__a_mjs=b"A", package__dist__b_wasm=b"B")
    with serving(source) as url, pytest.raises(UserError, match=f"is not onnxruntime-web {runtime.VERSION} as published"):
        runtime.copy(FILES, to, url=url)
    assert not list(to.iterdir()) and not cache.exists()


def test_a_server_that_has_none(folders, cache):
    with serving(folders[0]) as url, pytest.raises(UserError, match="cannot be fetched from npm"):
        runtime.copy(FILES, folders[1], url=url)


def test_a_package_or_folder_at_hand_is_taken_as_it_is(folders):
    source, to = folders
    path, _ = package(source, package__dist__a_mjs=b"A", package__dist__b_wasm=b"B")
    runtime.copy(FILES, to, path)
    assert (to / "a.js").read_bytes() == b"A"
    (source / "dist").mkdir()
    (source / "dist" / "a.mjs").write_bytes(b"mine")
    (source / "b.wasm").write_bytes(b"B")
    runtime.copy(FILES, to, source)
    assert (to / "a.js").read_bytes() == b"mine"


def test_what_is_no_package_is_refused_in_words(folders):
    source, to = folders
    path, _ = package(source, package__dist__a_mjs=b"A")
    with pytest.raises(UserError, match=r"no package/dist/b\.wasm in it"):
        runtime.copy(FILES, to, path)
    with pytest.raises(UserError, match=r"no a\.mjs in it"):
        runtime.copy(FILES, to, to)
    with pytest.raises(UserError, match="no such file or folder"):
        runtime.copy(FILES, to, source / "absent")
    for content in (b"", b"nothing of the kind", path.read_bytes()[:40]):
        path.write_bytes(content)
        with pytest.raises(UserError, match="no package"):
            runtime.copy(FILES, to, path)


def test_a_link_in_a_package_is_not_followed(folders):
    source, to = folders
    (source / "secret").write_text("secret")
    path = source / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo("package/dist/a.mjs")
        link.type, link.linkname = tarfile.SYMTYPE, str(source / "secret")
        archive.addfile(link)
    with pytest.raises(UserError, match="is no file of a sensible size"):
        runtime.copy(FILES, to, path)
