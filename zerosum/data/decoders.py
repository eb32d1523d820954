"""Many decoders at once: processes of their own that load neither torch nor the caller's script.

They are started as plain programs (no fork, which a process with torch's threads must not do; no spawn, which would run
the caller's script again) and speak through pipes. What they write goes straight into the file.
"""

from __future__ import annotations

import marshal
import os
import struct
import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from queue import SimpleQueue

from zerosum.data import decoder
from zerosum.data.decoder import Fact, Load, Shape
from zerosum.data.program import program

Chunk = list[tuple[int, Load]]
MANY = 5000
"""Files from which on more processes are started at once; of fewer, after the first quarter of a second."""


def cores() -> int:
    """Processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


class Decoder:
    """One decoding process. Where a file brings it down, the next request starts another."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False

    def _begin(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            **program(decoder.__file__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=2**20,
            process_group=0 if os.name == "posix" else None,  # Ctrl-C is for us; they end when we do
        )

    def ask(self, chunk: Chunk, shape: Shape | None, out: str) -> list[Fact]:
        """What `decoder.chunk` returns. Raises OSError where writing failed, EOFError where the process died."""
        if self._process is None:
            self._process = self._begin()
        process = self._process
        assert process.stdin and process.stdout
        try:
            data = marshal.dumps((chunk, shape and tuple(shape), out))
            process.stdin.write(struct.pack("<q", len(data)) + data)
            process.stdin.flush()
            head = process.stdout.read(8)
            if len(head) < 8:
                raise EOFError("a decoding process died")
            answer = marshal.loads(process.stdout.read(*struct.unpack("<q", head)))
        except (BrokenPipeError, EOFError) as error:
            self.end()
            raise EOFError("a decoding process died") from error
        if isinstance(answer, tuple):
            raise OSError(*answer)
        return [Fact(*fact) for fact in answer]

    def end(self) -> None:
        """Let the process go."""
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    assert pipe
                    pipe.close()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Let what another thread asks come to nothing, at once."""
        self._over = True
        if (process := self._process) is not None:
            process.kill()

    def survive(self, chunk: Chunk, shape: Shape | None, out: str) -> list[Fact]:
        """As `ask`; a file that kills the decoder is a fact too."""
        try:
            return self.ask(chunk, shape, out)
        except EOFError:
            if self._over:
                raise
            if len(chunk) == 1:
                return [Fact(chunk[0][0], b"", why="decoding it kills the decoder")]
            return [fact for item in chunk for fact in self.survive([item], shape, out)]


def decode(loads: Iterable[tuple[int, Load]], count: int, shape: Shape | None, out: str) -> Iterator[list[Fact]]:
    """Examine files on all processors and write their bytes into slots of `out`; facts come in no settled order.

    Raises OSError where `out` cannot be written.
    """
    chunks, begun = _chunked(loads, count), time.perf_counter()
    while count < MANY and time.perf_counter() - begun < 0.25:
        if (first := next(chunks, None)) is None:
            return
        yield decoder.chunk(first, shape, out)
    helpers = [Decoder() for _ in range(cores())]
    idle: SimpleQueue[Decoder] = SimpleQueue()
    for helper in helpers:
        idle.put(helper)

    def work(chunk: Chunk) -> list[Fact]:
        helper = idle.get()
        try:
            return helper.survive(chunk, shape, out)
        finally:
            idle.put(helper)

    try:
        with ThreadPoolExecutor(len(helpers)) as threads:
            waiting: set[Future[list[Fact]]] = set()
            try:
                for chunk in chunks:
                    waiting.add(threads.submit(work, chunk))
                    if len(waiting) > 2 * len(helpers):  # what archives give is not piled up
                        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                        yield from (future.result() for future in done)
                yield from (future.result() for future in waiting)
            except BaseException:  # Ctrl-C too: nobody wants what is still being decoded
                for future in waiting:
                    future.cancel()
                for helper in helpers:
                    helper.stop()
                raise
    finally:
        for helper in helpers:
            helper.end()


def _chunked(loads: Iterable[tuple[int, Load]], count: int) -> Iterator[Chunk]:
    """Rising slots in parts: small enough for every processor to have some, and for archives' bytes to stay few."""
    most, chunk, size = max(1, min(512, count // (4 * cores()))), [], 0
    for slot, load in loads:
        chunk.append((slot, load))
        data = load[0] if isinstance(load, tuple) else load
        size += len(data) if isinstance(data, bytes) else 0
        if len(chunk) >= most or size > 2**23:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
