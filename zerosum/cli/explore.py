"""zerosum explore: look at runs, steer them, in a browser."""

from pathlib import Path

import tyro

from zerosum.cli._address import bound
from zerosum.cli._common import parse, say

PLACE = 4.5
USAGE = """
zerosum explore RUN|FOLDER [--port 8765]                                    a web page of runs: watch, steer, edit, judge
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(explore, words, "explore")


def explore(folder: tyro.conf.Positional[Path], port: int = 8765, host: str = "127.0.0.1", browser: bool = True) -> int:
    """Serve a web page of a run, or of all runs in a folder, until Ctrl-C. It reads run folders alone.

    Args:
        folder: a run folder, or a folder of them
        port: where to listen; 0: any free port
        host: the address to listen on; anything but loopback lets others on the network in
        browser: open the page
    """
    import webbrowser

    from zerosum.explore.app import create
    from zerosum.web.host import allowed, serve

    app = create(folder, allowed(host))
    listening, where = bound(host, port, "look at these runs; leave --host out to keep them to yourself")
    say(f"exploring {folder} at {where}/   Ctrl-C ends it")
    if browser:
        webbrowser.open(f"{where}/")
    serve(app, listening)
    return 0
