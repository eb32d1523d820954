"""Many clients sampling from `zerosum serve`, against sampling in batches without a server, in one run.

python benchmarks/serving.py RUN [RUN ...] [--clients 200] [--seconds 60] [--items 16] [--threads 4]

Both make PNG pictures of --items items each, with provenance. Without a server: passes of 256 items from one seed, then
a picture of each --items of them. With: every request has a seed of its own. Clients are another process on the same cores.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch

from zerosum.data import modality
from zerosum.job import open_run
from zerosum.machine import describe
from zerosum.serving import formats

PASS = 256


def offline(run: Path, items: int, seconds: float) -> float:
    """Items a second, without a server."""
    sampler = open_run(run, device="cpu")
    made, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds or not made:
        x = sampler.make(PASS // items * items, seed=made)["x"]
        shown, origin = modality(sampler.spec).decode(x, sampler.spec), sampler.origin()
        for at in range(0, len(x), items):
            formats.encode(shown[at : at + items], None, sampler.spec, "png", origin)
        made += len(x)
    return made / (time.perf_counter() - began)


def memory(pid: int) -> float:
    """MiB of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def used(pid: int) -> float:
    """Seconds of processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def served(run: Path, items: int, seconds: float, clients: int, threads: int) -> dict[str, float]:
    """What the clients saw, and how the server's memory went."""
    words = [sys.executable, "-m", "zerosum", "serve", str(run), "--port", "0", "--device", "cpu", "--threads", str(threads)]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "500"})
    try:
        assert server.stdout is not None
        port = server.stdout.readline().split("http://127.0.0.1:")[1].split()[0]
        ask = lambda duration: subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("_clients.py")), port, str(clients), str(duration), str(items)],
            stdout=subprocess.PIPE,
            text=True,
        )
        ask(3).communicate()  # warm
        began, before, sizes = time.perf_counter(), used(server.pid), []
        asking = ask(seconds)
        while asking.poll() is None:
            sizes.append(memory(server.pid))
            time.sleep(0.5)
        told: dict[str, float] = json.loads(asking.communicate()[0])
        busy = (used(server.pid) - before) / (time.perf_counter() - began)
        tenth = max(1, len(sizes) // 10)
        told |= {"items_per_s": told["answers"] * items / told["seconds"], "server_cores": busy}
        return told | {"first": max(sizes[:tenth]), "last": max(sizes[-tenth:]), "most": max(sizes)}
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--items", type=int, default=16)
    parser.add_argument("--threads", type=int, default=4)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    about = describe("cpu")
    cores = len(os.sched_getaffinity(0))
    print(
        f"{args.clients} clients, {args.seconds:g} s, {args.items} items a picture, {cores} cores, {args.threads} threads, ",
        end="",
    )
    print(f"{about['processor']}, torch {about['torch']}\n")
    print(
        "| run | without a server, items/s | served, items/s | share | errors | p50, p95, p99 ms | MiB: first, last, most ",
        end="",
    )
    print("| cores: server, clients |\n|---|---|---|---|---|---|---|---|")
    for run in args.runs:
        plain = [offline(run, args.items, args.seconds / 4)]
        told = served(run, args.items, args.seconds, args.clients, args.threads)
        plain.append(offline(run, args.items, args.seconds / 4))
        alone = sum(plain) / len(plain)
        times = ", ".join(f"{1000 * told[name]:.0f}" for name in ("p50", "p95", "p99"))
        print(f"| {run.name} | {alone:,.0f} ({plain[0]:,.0f}, {plain[1]:,.0f}) | {told['items_per_s']:,.0f} ", end="")
        print(f"| {told['items_per_s'] / alone:.2f} | {told['errors']:.0f} of {told['answers']:,.0f} | {times} ", end="")
        sizes = ", ".join(f"{told[name]:.0f}" for name in ("first", "last", "most"))
        print(f"| {sizes} | {told['server_cores']:.2f}, {told['cores']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
