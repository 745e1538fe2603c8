"""Workers as processes of this machine: spawned, one HiGHS thread each, messages over pipes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Queue
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine import frames
from allocator.engine.process import ONE_THREAD, child_environment
from allocator.priced.crew import Arrays, Crew

IntArray = NDArray[np.int64]
Message = tuple[int, int, dict[str, Any] | None, Arrays]


class Hands:
    """Processes that are started before there is work, so that they load their libraries while the network is read.

    Parameters
    ----------
    count : int
    """

    def __init__(self, count: int) -> None:
        self._idle = [_begin() for _ in range(count)]

    def __enter__(self) -> Hands:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._idle:
            _finish(process)
            process.stdout.close()  # type: ignore[union-attr]

    def take(self) -> subprocess.Popen[bytes]:
        """One of them, whose end is the taker's business; a fresh one when none is left."""
        return self._idle.pop() if self._idle else _begin()


def _begin() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "allocator.priced.desk"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment() | ONE_THREAD,
        start_new_session=True,
    )


def _finish(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    with contextlib.suppress(BrokenPipeError, ValueError):
        process.stdin.close()  # type: ignore[union-attr]


class LocalCrew(Crew):
    """Processes of this machine.

    Parameters
    ----------
    source : Path
        Folder of :func:`allocator.priced.source.write_source`.
    hands : Hands, optional
        Where to take processes from.
    """

    def __init__(self, source: Path, shards: Sequence[IntArray], workers: int, hands: Hands | None = None) -> None:
        super().__init__(shards, workers)
        self._hands = hands or Hands(0)
        self._source = str(source)
        self._messages: Queue[Message] = Queue()
        self._born = [0] * self.workers
        self._processes = [self._start(worker) for worker in range(self.workers)]

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [process.pid for process in self._processes]

    def _start(self, worker: int) -> subprocess.Popen[bytes]:
        process = self._hands.take()
        self._born[worker] += 1
        threading.Thread(
            target=_read, args=(process.stdout, self._messages, worker, self._born[worker]), daemon=True
        ).start()
        return process

    def _send(self, worker: int, order: dict[str, Any], arrays: Arrays) -> None:
        stream: Any = self._processes[worker].stdin
        # a broken pipe is the reader's to tell
        with contextlib.suppress(BrokenPipeError):
            frames.send(stream, frames.JSON, json.dumps(order | {"source": self._source}).encode())
            frames.send(stream, frames.ARRAYS, frames.pack(arrays))

    def _next(self, timeout: float) -> tuple[int, dict[str, Any] | None, Arrays] | None:
        while True:
            try:
                worker, born, facts, arrays = self._messages.get(
                    timeout=None if np.isinf(timeout) else max(timeout, 0.01)
                )
            except Empty:
                return None
            if born != self._born[worker]:
                continue  # a word of one that was ended
            if facts is None:
                self._end(worker)
            return worker, facts, arrays

    def _end(self, worker: int) -> None:
        _finish(self._processes[worker])
        self._processes[worker] = self._start(worker)

    def close(self) -> None:
        for worker in range(self.workers):
            self._born[worker] += 1
            _finish(self._processes[worker])


def _read(stream: Any, messages: Queue[Message], worker: int, born: int) -> None:
    """Hand on replies until the process ends; in a thread of its own."""
    with stream:
        while (head := frames.receive(stream)) is not None and (body := frames.receive(stream)) is not None:
            messages.put((worker, born, json.loads(head[1]), frames.unpack(body[1])))
    messages.put((worker, born, None, {}))
