"""The machine a figure was measured on, and processes measured from outside."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.05
"""Pause between two looks at a process tree. [s]"""


def describe() -> dict[str, str | int | float]:
    """Give cores, processor, memory [GiB], load averages and versions."""
    processor = platform.processor() or platform.machine()
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor,
        "memory_gib": round(memory / 1024**2, 1),
        "load_1_min": round(os.getloadavg()[0], 1),
        "load_15_min": round(os.getloadavg()[2], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


@dataclass(frozen=True)
class Run:
    """A process that has ended.

    Attributes
    ----------
    code : int
        Exit code.
    seconds, cpu : float
        Wall clock; user and system time of the process and of all below it that ended before it.
    peak_mib : int
        Largest sum of resident memory that its tree held at once, shared pages counted in each process. [MiB]
    began : float
        ``time.time()`` of its start.
    out, err : str
    late : bool
        It was killed because its time was up; ``cpu`` then lacks what its own children took.
    """

    code: int
    seconds: float
    cpu: float
    peak_mib: int
    began: float
    out: str
    err: str
    late: bool = False


def watch(
    command: Sequence[str], out: Path, err: Path, limit: float = math.inf, root: Path | None = None, at: Path = ROOT
) -> Run:
    """Run a command to its end and look at its process tree meanwhile. One at a time: CPU is what all children of this process took.

    Parameters
    ----------
    command : sequence of str
        Arguments after the interpreter, e.g. ``["-m", "allocator", "--help"]``.
    out, err : Path
        Files that take its output (pipes would have to be emptied).
    limit : float
        Seconds of wall clock after which the whole tree is killed.
    root : Path, optional
        Working tree whose packages are imported in place of this one.
    at : Path
        Directory it runs in.
    """
    peak, late = 0, False
    spent = _children_cpu()
    began, clock = time.time(), time.perf_counter()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=at,
            env=environment(root or ROOT),
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    process.wait(EVERY)
                    break
                except subprocess.TimeoutExpired:
                    tree = _tree(process.pid)
                    peak = max(peak, sum(tree.values()))
                    if not late and time.perf_counter() - clock > limit:
                        late = True
                        _kill(tree)
        except BaseException:
            _kill(_tree(process.pid))
            process.wait()
            raise
    return Run(
        process.returncode,
        time.perf_counter() - clock,
        _children_cpu() - spent,
        peak // 1024,
        began,
        out.read_text("utf-8"),
        err.read_text("utf-8"),
        late,
    )


def environment(root: Path = ROOT) -> dict[str, str]:
    """Give the environment of measured processes: this one's, with a working tree importable."""
    return dict(os.environ, PYTHONPATH=os.pathsep.join((str(root), str(root / "models"))), NO_COLOR="1")


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(pid: int) -> dict[int, int]:
    """A process and all below it, with the resident memory of each, now. [KiB]"""
    found: dict[int, int] = {}
    pending = [pid]
    while pending:
        one = pending.pop()
        found[one] = sum(int(line.split()[1]) for line in _lines(f"/proc/{one}/status") if line.startswith("VmRSS"))
        pending += [int(child) for line in _lines(f"/proc/{one}/task/{one}/children") for child in line.split()]
    return found


def _kill(tree: dict[int, int]) -> None:
    for pid in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
