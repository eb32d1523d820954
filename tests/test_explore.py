"""The explorer's frame: a real process, a real browser."""

import shutil
import signal
import socket

import pytest
from browser import exploring, sideways
from conftest import finish, start


@pytest.fixture(scope="module")
def folder(tiny_run, tmp_path_factory):
    """A folder with two runs."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("first", "second"):
        shutil.copytree(tiny_run, folder / name)
    return folder


def test_the_page_opens_and_every_run_is_reached_by_its_link(explore, open_page, folder):
    page = open_page(explore(folder).address)
    page.get_by_role("link", name="second").first.click()
    page.wait_for_url("**/#/second*")


def test_the_page_fits_a_phone(explore, open_page, folder):
    assert sideways(open_page(explore(folder).address, phone=True, dark=True)) <= 0


def test_ctrl_c_ends_it_with_one_line(folder):
    with exploring(folder) as explorer:
        explorer.process.send_signal(signal.SIGINT)
        out, errors = explorer.process.communicate(timeout=20)
        assert explorer.process.returncode in (0, 130)
        assert len((out + errors).strip().splitlines()) <= 1


def test_a_wrong_path_is_one_line(tmp_path):
    code, out, errors = finish(start("explore", tmp_path / "nowhere", "--no-browser"))
    assert code == 2 and not out and len(errors.strip().splitlines()) == 1 and "no such folder" in errors


def test_a_busy_port_is_one_line(folder):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        code, _, errors = finish(start("explore", folder, "--no-browser", "--port", str(busy.getsockname()[1])))
    assert code == 2 and len(errors.strip().splitlines()) == 1 and "--port" in errors
