"""What runs a network in a browser: onnxruntime-web, one version of it, fetched once from npm and checked."""

from __future__ import annotations

import hashlib
import tarfile
import urllib.error
import urllib.request
import zlib
from base64 import b64encode
from pathlib import Path

from zerosum.cache import cache_folder, keep
from zerosum.errors import UserError

VERSION = "1.30.0"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
INTEGRITY = "sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""Of the package, as npm's registry names it and npm's lock files keep it."""

WASM = {
    "ort.wasm.min.mjs": "wasm.js",
    "ort-wasm-simd-threaded.mjs": "wasm-glue.js",
    "ort-wasm-simd-threaded.wasm": "wasm.wasm",
}
"""The package's files for any browser's processor (14 MB), and what they are called on the page: every server knows .js."""

WEBGPU = {
    "ort.webgpu.min.mjs": "webgpu.js",
    "ort-wasm-simd-threaded.asyncify.mjs": "webgpu-glue.js",
    "ort-wasm-simd-threaded.asyncify.wasm": "webgpu.wasm",
}
"""The same for a graphics processor (27 MB)."""

MOST = 64 * 2**20
"""Bytes of one file: nothing of the package comes near."""

SECONDS = 60
"""Without a byte from the registry."""


def copy(files: dict[str, str], to: Path, at_hand: Path | None = None, url: str = URL, integrity: str = INTEGRITY) -> None:
    """Put files of the package into a folder that exists, by the names given.

    `at_hand`: a package as npm packs it, or a folder that holds its files (node_modules/onnxruntime-web or its dist), taken as
    it is. Without it the package of `VERSION` is fetched from `url`, checked against `integrity` and kept in the cache.

    Raises UserError where it cannot be had, is not what was published, or lacks a file.
    """
    if at_hand is not None and at_hand.is_dir():
        for name, there in files.items():
            (to / there).write_bytes(_found(at_hand, name).read_bytes())
        return
    if at_hand is not None:
        if not at_hand.is_file():
            raise UserError(f"--runtime {at_hand}: there is no such file or folder")
        _unpack(at_hand, files, to)
        return
    kept = cache_folder() / f"onnxruntime-web-{VERSION}.tgz"
    if not (kept.is_file() and whole(kept.read_bytes(), integrity)):
        package = _fetch(url, integrity)
        if not keep(kept, lambda path: path.write_bytes(package)):
            raise UserError(f"{kept} cannot be written: point ZEROSUM_CACHE at a folder that can, or give --runtime a package")
    _unpack(kept, files, to)


def _found(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / "dist" / name):
        if path.is_file():
            return path
    raise UserError(f"--runtime {folder}: no {name} in it; give the folder or package of onnxruntime-web {VERSION}")


def _fetch(url: str, integrity: str) -> bytes:
    """The package, checked. Raises UserError where it does not come, or is another."""
    mend = f"try again, or fetch {url} elsewhere and give the file with --runtime"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            package: bytes = answer.read(MOST + 1)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise UserError(f"onnxruntime-web cannot be fetched from npm ({_why(error)}): {mend}") from error
    if not whole(package, integrity):
        raise UserError(f"what came from {url} is not onnxruntime-web {VERSION} as published: {mend}")
    return package


def _why(error: Exception) -> str:
    return str(error.reason if isinstance(error, urllib.error.URLError) else error)


def whole(package: bytes, integrity: str = INTEGRITY) -> bool:
    """Whether a package is the one of which npm keeps this integrity."""
    return f"sha512-{b64encode(hashlib.sha512(package).digest()).decode()}" == integrity


def _unpack(package: Path, files: dict[str, str], to: Path) -> None:
    """Read files by their names, and no others: nothing in a package says where anything is written."""
    try:
        with tarfile.open(package, "r:gz") as archive:
            wanted = {f"package/dist/{name}": there for name, there in files.items()}
            for member in archive:
                there = wanted.pop(member.name, None)
                if there is None:
                    continue
                if not member.isfile() or member.size > MOST or (file := archive.extractfile(member)) is None:
                    raise UserError(f"{package}: {member.name} in it is no file of a sensible size")
                (to / there).write_bytes(file.read())
                if not wanted:
                    return
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"{package} is no package as npm packs it ({error}): fetch it again") from error
    raise UserError(f"{package}: no {next(iter(wanted))} in it; give the package of onnxruntime-web {VERSION}")
