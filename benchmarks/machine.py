"""The machine a figure was measured on, and processes measured from outside."""

from __future__ import annotations

import os
import platform
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
    """A finished process: exit code, seconds of wall clock, the largest sum of memory its tree held at once [MiB], output."""

    code: int
    seconds: float
    peak_mib: int
    began: float
    out: str
    err: str


def watch(command: Sequence[str], out: Path, err: Path) -> Run:
    """Run a command to its end and look at its process tree meanwhile.

    Parameters
    ----------
    command : sequence of str
        Arguments after the interpreter, e.g. ``["-m", "allocator", "--help"]``.
    out, err : Path
        Files that take its output (pipes would have to be emptied).
    """
    peak = 0
    began, clock = time.time(), time.perf_counter()
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment(),
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
        )
        while True:
            try:
                process.wait(EVERY)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, _tree(process.pid))
    seconds = time.perf_counter() - clock
    return Run(process.returncode, seconds, peak // 1024, began, out.read_text("utf-8"), err.read_text("utf-8"))


def environment() -> dict[str, str]:
    """Give the environment of measured processes: this one's, with the working tree importable."""
    return dict(os.environ, PYTHONPATH=os.pathsep.join((str(ROOT), str(ROOT / "models"))), NO_COLOR="1")


def _tree(pid: int) -> int:
    """Resident memory of a process and all below it, now. [KiB]"""
    total, pending = 0, [pid]
    while pending:
        one = pending.pop()
        total += sum(int(line.split()[1]) for line in _lines(f"/proc/{one}/status") if line.startswith("VmRSS"))
        pending += [int(child) for line in _lines(f"/proc/{one}/task/{one}/children") for child in line.split()]
    return total
