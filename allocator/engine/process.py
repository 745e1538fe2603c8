"""The parent's side of the solver's child process."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from queue import Empty, Queue
from types import TracebackType
from typing import Any

from allocator.engine import frames
from allocator.engine.problem import Answer, Basis, Hint, Limits, Problem, SolverError, check_problem

Progress = Callable[[dict[str, float]], None]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment that keeps a process's numerical libraries to one thread."""
HURRY = 5.0
"""Seconds that each further solve may take once a run was interrupted."""


class Solver:
    """One HiGHS process. Start it early (it imports while the tables are read), use it for every solve of a run, close it.

    When the process had to be killed for the deadline, or died, the next solve starts another.

    Parameters
    ----------
    yields : bool
        A KeyboardInterrupt while it solves ends that solve as a deadline does, and hurries those that follow; otherwise it is raised.
    presolve : bool
        False keeps it off in every solve, whatever its limits say.

    Attributes
    ----------
    seconds : float
        Inside HiGHS.
    iterations : int
        Of all solves.
    interrupted : bool
        Whether a solve was ended by a KeyboardInterrupt.

    Raises
    ------
    SolverError
        When the process dies, fails its self-test, or HiGHS refuses a problem.
    """

    def __init__(self, yields: bool = False, presolve: bool = True) -> None:
        self._yields, self._presolve = yields, presolve
        self.seconds = 0.0
        self.iterations = 0
        self.interrupted = False
        self._closed = False
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "allocator.engine.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,
        )
        self._messages: Queue[tuple[bytes, bytes] | None] = Queue()
        threading.Thread(target=_read, args=(self._process.stdout, self._messages), daemon=True).start()
        self._ready = False

    def __enter__(self) -> Solver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # a request that it did not live to read
            self._process.stdin.close()  # type: ignore[union-attr]

    def solve(
        self, problem: Problem, limits: Limits, progress: Progress | None = None, hint: Hint | None = None
    ) -> Answer:
        """Solve a problem, from where ``hint`` says if it says so.

        Returns the best point known when the time is up, even if HiGHS has to be killed for it.
        """
        check_problem(problem)
        if self._closed:
            raise SolverError("the solver was closed; make another Solver")
        if self._process.poll() is not None:
            self._end()
            self._start()
        self._wait_ready()
        arrays = {f.name: getattr(problem, f.name) for f in fields(problem)}
        if hint is not None:
            arrays |= {} if hint.x is None else {"hint": hint.x}
            arrays |= {} if hint.basis is None else vars(hint.basis)
        stream: Any = self._process.stdin
        if self.interrupted:
            limits = replace(limits, seconds=min(limits.seconds, HURRY))
        request = asdict(replace(limits, presolve=limits.presolve and self._presolve))
        try:
            frames.send(stream, frames.JSON, json.dumps(request).encode())
            frames.send(stream, frames.ARRAYS, frames.pack(arrays))
        except BrokenPipeError:
            raise SolverError(self._death()) from None
        return self._collect(problem, limits, progress)

    def _wait_ready(self) -> None:
        if self._ready:
            return
        message = self._messages.get()
        if message is None:
            raise SolverError(self._death())
        head = json.loads(message[1])
        if "error" in head:
            raise SolverError(head["error"])
        self._ready = True

    def _collect(self, problem: Problem, limits: Limits, progress: Progress | None) -> Answer:
        # HiGHS overruns its time limit (5 s became 14.5 s): the parent has the last word
        patience = limits.seconds + max(0.5, 0.02 * limits.seconds)
        end = time.monotonic() + patience
        began = time.monotonic()
        best: tuple[Any, float] | None = None
        bound = -math.inf
        head: dict[str, Any] | None = None
        while True:
            try:
                message = self._messages.get(timeout=None if math.isinf(end) else max(end - time.monotonic(), 0.01))
            except (Empty, KeyboardInterrupt) as up:
                if isinstance(up, KeyboardInterrupt):
                    if not self._yields:
                        raise
                    self.interrupted = True
                self._end()
                self.seconds += time.monotonic() - began
                if best is None:
                    return Answer("none", None, math.inf, bound, None, 0, 0, time.monotonic() - began)
                return Answer("deadline", best[0], best[1], bound, None, 0, 0, time.monotonic() - began)
            if message is None:
                raise SolverError(self._death())
            kind, body = message
            if kind == frames.JSON:
                event = json.loads(body)
                if "error" in event:
                    raise SolverError(event["error"])
                if "answer" in event:
                    head = event["answer"]
                elif "progress" in event:
                    bound = max(bound, event["progress"]["bound"])
                    if progress is not None:
                        progress(event["progress"])
                continue
            arrays = frames.unpack(body)
            if "incumbent" in arrays:
                best = (arrays["incumbent"], float(problem.cost @ arrays["incumbent"]))
                continue
            assert head is not None
            self.seconds += head["seconds"]
            self.iterations += head["iterations"]
            basis = Basis(arrays["columns"], arrays["rows"]) if "columns" in arrays else None
            return Answer(x=arrays.get("x"), row_dual=arrays.get("row_dual"), basis=basis, **head)

    def _death(self) -> str:
        code = self._process.wait()
        return f"the solver process ended unexpectedly (exit code {code}); if it was killed for memory, give it more or plan fewer items"


def child_environment() -> dict[str, str]:
    """This process's environment, with the places it imports from: what a Python child needs to run the same code."""
    return dict(os.environ, PYTHONPATH=os.pathsep.join(part for part in sys.path if part))


def _read(stream: Any, messages: Queue[tuple[bytes, bytes] | None]) -> None:
    """Hand on messages until the process ends; in a thread of its own."""
    with stream:
        while (message := frames.receive(stream)) is not None:
            messages.put(message)
    messages.put(None)
