"""The benchmark's readers of CIFAR-10: every copy gives the same bytes, and no pickle is ever run."""

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zerosum import UserError

spec = importlib.util.spec_from_file_location("_cifar10", Path(__file__).parents[1] / "benchmarks" / "_cifar10.py")
cifar10 = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cifar10)


def pickled(x, y, call=b""):
    """A batch as Python 2 wrote it: {'data': array from a string, 'labels': list}, memoised; `call` goes in front."""
    text = lambda word: b"U" + bytes([len(word)]) + word
    raw = x.transpose(0, 3, 1, 2).tobytes()
    labels = b"]q\x01" + b"".join(
        b"(" + b"".join(b"K" + bytes([label]) for label in y[i : i + 1000]) + b"e" for i in range(0, len(y), 1000)
    )
    array = b"(cnumpy.core.multiarray\n_reconstruct\nT" + struct.pack("<i", len(raw)) + raw + b"t"
    return b"\x80\x02" + call + b"}q\x00(" + text(b"data") + array + text(b"labels") + labels + b"u."


@pytest.fixture
def some():
    chance = np.random.default_rng(0)
    return chance.integers(0, 256, (2300, 32, 32, 3), np.uint8), chance.integers(0, 10, 2300)


def test_batches_are_read_without_being_run(tmp_path, some):
    x, y = some
    home = tmp_path / "cifar-10-batches-py"
    home.mkdir()
    mark = tmp_path / "was-run"
    call = b"cos\nsystem\n(U" + bytes([len(f"touch {mark}")]) + f"touch {mark}".encode() + b"tR0"
    (home / "data_batch_1").write_bytes(pickled(x[:1200], y[:1200], call))
    (home / "data_batch_2").write_bytes(pickled(x[1200:], y[1200:]))
    for where in (home, tmp_path):
        read_x, read_y = cifar10.read(where)
        assert np.array_equal(read_x, x) and np.array_equal(read_y, y)
    assert not mark.exists()


def test_folders_of_pictures_and_arrays_are_read(tmp_path, some):
    x, y = some[0][:20], np.arange(20) % 2
    for number, (item, label) in enumerate(zip(x, y, strict=True)):
        home = tmp_path / "pictures" / ["bird", "cat"][label]
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(item).save(home / f"{number:02d}.png")
    read_x, read_y = cifar10.read(tmp_path / "pictures")
    assert np.array_equal(read_x, np.concatenate([x[::2], x[1::2]])) and read_y.tolist() == [0] * 10 + [1] * 10
    np.savez(tmp_path / "x.npz", x=x, y=y)
    assert np.array_equal(cifar10.read(tmp_path / "x.npz")[0], x)


def test_jpegs_in_one_file_are_read(shared_data):
    x, y = cifar10.read(shared_data("cifar10_jpeg") / "cifar10_train_jpeg.npz")
    assert x.shape == (50_000, 32, 32, 3) and x.dtype == np.uint8 and np.bincount(y).tolist() == [5000] * 10


def test_other_things_are_refused_in_one_line(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x02]q\x00.")
    for wrong in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError, match="CIFAR-10"):
            cifar10.read(wrong)
