"""The methods of the library over many series, in processes of this machine: spawned, arrays over pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine import frames
from allocator.engine.process import ONE_THREAD, child_environment
from allocator.forecast.levels import predict
from allocator.forecast.seasons import FloatArray

SHARE = 500
"""Series that a process takes at a time; fewer than twice as many are forecast in this process."""


@dataclass(frozen=True)
class Task:
    """One method on some series: see `allocator.forecast.levels.predict`."""

    name: str
    totals: FloatArray
    begun: NDArray[np.int64]
    ahead: int


def run(tasks: Sequence[Task], workers: int) -> list[FloatArray]:
    """Do every task; the answers don't depend on the number of workers.

    Raises
    ------
    RuntimeError
        When a worker ended early.
    """
    if workers < 2 or sum(len(task.totals) for task in tasks) < 2 * SHARE:
        return [predict(task.name, task.totals, task.begun, task.ahead) for task in tasks]
    pieces = [(at, start) for at, task in enumerate(tasks) for start in range(0, len(task.totals), SHARE)]
    shares = [pieces[worker::workers] for worker in range(workers)]
    out = [np.full((len(task.totals), task.ahead), np.nan) for task in tasks]
    with ThreadPoolExecutor(workers) as pool:
        for share, answers in zip(shares, pool.map(lambda share: _ask(tasks, share), shares), strict=True):
            for (at, start), answer in zip(share, answers, strict=True):
                out[at][start : start + SHARE] = answer
    return out


def _ask(tasks: Sequence[Task], share: Sequence[tuple[int, int]]) -> list[FloatArray]:
    """Have one process do its share."""
    if not share:
        return []
    arrays: dict[str, Any] = {}
    for number, (at, start) in enumerate(share):
        arrays[f"totals{number}"] = tasks[at].totals[start : start + SHARE]
        arrays[f"begun{number}"] = tasks[at].begun[start : start + SHARE]
    order = [[tasks[at].name, tasks[at].ahead] for at, _ in share]
    with subprocess.Popen(
        [sys.executable, "-m", "allocator.forecast.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=child_environment() | ONE_THREAD,
    ) as process:
        inward: Any = process.stdin
        outward: Any = process.stdout
        frames.send(inward, frames.JSON, json.dumps(order).encode())
        frames.send(inward, frames.ARRAYS, frames.pack(arrays))
        answer = frames.receive(outward)
    if answer is None:
        raise RuntimeError(f"a forecasting process ended early (code {process.returncode}); run with --workers 1")
    made = frames.unpack(answer[1])
    return [made[str(number)] for number in range(len(share))]
