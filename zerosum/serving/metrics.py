"""Counters and histograms in Prometheus' text format (version 0.0.4), of a fixed number of series."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How often a number was at most each of some bounds."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.sum = bounds, [0] * (len(bounds) + 1), 0.0

    def add(self, value: float) -> None:
        """Count a number."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str, labels: str = "") -> list[str]:
        """As text; `labels` such as 'path="/v1/sample"'."""
        found, total = [], 0
        for bound, count in zip((*map(str, self.bounds), "+Inf"), self.counts, strict=True):
            total += count
            found.append(f'{name}_bucket{{{labels}{"," if labels else ""}le="{bound}"}} {total}')
        ends = f"{{{labels}}}" if labels else ""
        return [*found, f"{name}_sum{ends} {self.sum:.6f}", f"{name}_count{ends} {total}"]


class Metrics:
    """What the service has seen since it began. Paths that it does not have are counted as "other"."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.seconds = {path: Histogram(SECONDS) for path in (*paths, "other")}
        self.batch_requests, self.batch_items, self.batch_seconds = Histogram(SIZES), Histogram(SIZES), Histogram(SECONDS)
        self._lock = threading.Lock()

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        path = path if path in self.seconds else "other"
        self.requests[path, status] += 1
        self.seconds[path].add(seconds)

    def passed(self, requests: int, items: int, seconds: float) -> None:
        """Count a pass of the batcher, from its thread."""
        with self._lock:
            self.batch_requests.add(requests)
            self.batch_items.add(items)
            self.batch_seconds.add(seconds)

    def text(self, **gauges: float) -> str:
        """Everything; `gauges` by their names."""
        lines = _head("zerosum_requests_total", "counter", "Answers by path and status.")
        for (path, status), count in sorted(self.requests.items()):
            lines.append(f'zerosum_requests_total{{path="{path}",status="{status}"}} {count}')
        lines += _head("zerosum_errors_total", "counter", "Answers with a status of 400 or more.")
        lines.append(f"zerosum_errors_total {sum(count for (_, status), count in self.requests.items() if status >= 400)}")
        lines += _head("zerosum_request_seconds", "histogram", "From a request's head to its answer's end.")
        for path, histogram in self.seconds.items():
            lines += histogram.lines("zerosum_request_seconds", f'path="{path}"')
        with self._lock:
            for name, histogram, what in (
                ("zerosum_batch_requests", self.batch_requests, "Requests computed in one pass."),
                ("zerosum_batch_items", self.batch_items, "Items computed in one pass."),
                ("zerosum_batch_seconds", self.batch_seconds, "A pass through the nets, drawing included and encoding not."),
            ):
                lines += _head(name, "histogram", what) + histogram.lines(name)
        for name, value in gauges.items():
            lines += [*_head(name, "gauge", name.replace("_", " ")), f"{name} {value:.12g}"]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, what: str) -> list[str]:
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]


def memory() -> int:
    """Bytes of this process in memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
