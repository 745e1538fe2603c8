"""The solver's child process: reads problems on standard input, writes progress and answers on what was standard output.

It owns the only HiGHS objects, with one thread setting for its whole life, and can be ended by its parent at any moment.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from dataclasses import fields
from typing import Any, BinaryIO

import numpy as np

from allocator.engine import frames, highs
from allocator.engine.problem import Basis, Hint, Limits, Problem, SolverError

PROBLEM_FIELDS = tuple(f.name for f in fields(Problem))


def main() -> None:
    """Serve problems until the parent closes the pipe."""
    die_with_parent()
    # HiGHS prints a banner below Python's redirection: keep the pipe, point descriptor 1 at standard error
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    source = sys.stdin.buffer
    _self_test(out)
    while (message := frames.receive(source)) is not None:
        request = json.loads(message[1])
        body = frames.receive(source)
        if body is None:
            return
        _serve(out, request, frames.unpack(body[1]))


def _self_test(out: BinaryIO) -> None:
    try:
        highs.self_test()
        frames.send(out, frames.JSON, json.dumps({"ready": True}).encode())
    except SolverError as error:
        frames.send(out, frames.JSON, json.dumps({"error": str(error)}).encode())


def _serve(out: BinaryIO, request: dict[str, Any], arrays: dict[str, Any]) -> None:
    problem = Problem(**{name: arrays[name] for name in PROBLEM_FIELDS})
    last = [0.0]

    def report(event: dict[str, float]) -> None:
        now = time.monotonic()
        if now - last[0] >= 0.5:
            last[0] = now
            frames.send(out, frames.JSON, json.dumps({"progress": event}).encode())

    def incumbent(x: Any, objective: float) -> None:
        frames.send(out, frames.ARRAYS, frames.pack({"incumbent": x, "objective": np.array(objective)}))

    try:
        answer = highs.run(problem, Limits(**request), report, incumbent, _hint(arrays))
    except SolverError as error:
        frames.send(out, frames.JSON, json.dumps({"error": str(error)}).encode())
        return
    head = {name: getattr(answer, name) for name in ("status", "objective", "bound", "nodes", "iterations", "seconds")}
    found = {name: value for name in ("x", "row_dual") if (value := getattr(answer, name)) is not None}
    if answer.basis is not None:
        found |= vars(answer.basis)
    frames.send(out, frames.JSON, json.dumps({"answer": head}).encode())
    frames.send(out, frames.ARRAYS, frames.pack(found))


def _hint(arrays: dict[str, Any]) -> Hint | None:
    if not arrays.keys() & {"hint", "columns"}:
        return None
    return Hint(arrays.get("hint"), Basis(arrays["columns"], arrays["rows"]) if "columns" in arrays else None)


def die_with_parent() -> None:
    """On Linux, be ended when the parent dies however it dies; elsewhere the closed pipe ends us after the current solve."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


if __name__ == "__main__":
    main()
