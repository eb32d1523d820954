"""zerosum serve: a trained run behind an HTTP API."""

from pathlib import Path

import tyro

from zerosum.cli._address import bound
from zerosum.cli._common import parse, say
from zerosum.serving.limits import Limits

PLACE = 4.7
USAGE = """
zerosum serve RUN [--port 8000]                                             an HTTP API: sample, translate, score
"""


def main(words: list[str]) -> int:
    """Parse and run."""
    return parse(serve, words, "serve")


def serve(
    run: tyro.conf.Positional[Path],
    port: int = 8000,
    host: str = "127.0.0.1",
    step: int | None = None,
    device: str = "auto",
    threads: int = 0,
    recipe: str | None = None,
    limits: Limits = Limits(),  # noqa: B008
) -> int:
    """Serve a trained run over HTTP until Ctrl-C. The API describes itself at /openapi.json, and the run at /v1.

    Args:
        run: the run folder
        port: where to listen; 0: any free port
        host: the address to listen on; anything but loopback lets others on the network in
        step: a checkpoint's step (default: the newest)
        device: auto, cpu, cuda, cuda:1, mps
        threads: processor threads of a pass; 0: torch's choice
        recipe: the recipe's .py file again, where the run's recipe is not one of the house
    """
    import torch

    from zerosum.job import open_run
    from zerosum.serving.app import create
    from zerosum.serving.host import serve as forever
    from zerosum.web.host import allowed

    limits.check()
    if threads:
        torch.set_num_threads(threads)
    sampler = open_run(run, step, device, recipe)
    app = create(sampler, limits, allowed(host))
    listening, where = bound(host, port, "ask this run, without a password; without --host only you can")
    say(f"serving {run} at {where}   what can be asked: {where}/openapi.json   Ctrl-C ends it")
    forever(app, listening, limits)
    return 0
