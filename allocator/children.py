"""Processes of ours that take orders as lines of JSON on stdin and tell events as lines of JSON on stdout: both ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Protocol

from allocator.engine.process import child_environment

Event = dict[str, Any]


class Tell(Protocol):
    """``tell(event, **facts)``."""

    def __call__(self, event: str, **facts: Any) -> None: ...


class Child:
    """The parent's end.

    Parameters
    ----------
    module : str
        Whose ``main`` the process runs.
    hear : callable
        Told each event, in a thread of its own; None when the process has ended.

    Attributes
    ----------
    process : subprocess.Popen
    """

    def __init__(self, module: str, hear: Callable[[Event | None], None]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", f"from {module} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(hear,), daemon=True).start()

    def _pipe(self, name: str) -> Any:
        return getattr(self.process, name)

    def _listen(self, hear: Callable[[Event | None], None]) -> None:
        for line in self._pipe("stdout"):
            hear(json.loads(line))
        hear(None)

    def say(self, order: Any) -> None:
        """Send an order; one to a process that is no more is lost, which `hear` is told."""
        with contextlib.suppress(BrokenPipeError):
            self._pipe("stdin").write(json.dumps(order, default=str) + "\n")
            self._pipe("stdin").flush()

    def close(self, done: bool = False) -> None:
        """End the process, whatever it is doing; one that is ``done`` gets ten seconds to end by itself."""
        if self.process.poll() is None:
            if not done:
                self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for name in ("stdin", "stdout"):
            with contextlib.suppress(OSError, ValueError):
                self._pipe(name).close()


@contextlib.contextmanager
def telling(default: Callable[[Any], Any] | None = None) -> Iterator[Tell]:
    """The child's end: gives ``tell``; SIGTERM ends with exit code 130, a fault is told as ``failed`` in one line, exit code 1.

    ``default`` makes text of what JSON has no word for; without it such a fact is a fault.
    """

    def tell(event: str, **facts: Any) -> None:
        sys.stdout.write(json.dumps({"event": event, **facts}, default=default) + "\n")
        sys.stdout.flush()

    signal.signal(signal.SIGTERM, _stopped)
    try:
        yield tell
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("ALLOCATOR_DEBUG"):
            raise
        lines = str(error).strip().splitlines()
        tell("failed", error=f"{type(error).__name__}: {lines[0] if lines else ''}")
        sys.exit(1)


def _stopped(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
