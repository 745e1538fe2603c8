"""One ``allocator plan`` from the outside: a process of its own, its stages off its own log, its memory off the process table."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import watch


def plan(network: Path, folder: Path, gap: float = 0.005) -> dict[str, Any]:
    """Plan a network.

    Parameters
    ----------
    network : Path
    folder : Path
        Takes the plan and the logs.
    gap : float
        Relative gap to prove.

    Returns
    -------
    dict
        ``seconds`` (process start to process end), ``highs_seconds`` (inside HiGHS's own ``run``), ``outside_share``, ``stages`` (seconds;
        ``start`` is everything before the command itself, imports of the command line included, ``end`` everything after publishing),
        ``peak_mib`` (planner and solver process together), the program's size, what was proven.

    Raises
    ------
    RuntimeError
        When the command fails or its audit does.
    """
    out = folder / "plan"
    command = ["-m", "allocator", "plan", str(network), "-o", str(out), "--gap", str(gap), "--log", "json"]
    run = watch(command, folder / "plan.out", folder / "plan.err")
    if run.code not in (0, 3):
        raise RuntimeError(f"allocator plan {network} ended with exit code {run.code}: {run.err[-500:]}")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    certificate = json.loads((out / "certificate.json").read_text("utf-8"))
    highs = float(manifest["solver"]["seconds"])
    return {
        "seconds": run.seconds,
        "highs_seconds": highs,
        "outside_seconds": run.seconds - highs,
        "outside_share": (run.seconds - highs) / run.seconds,
        "peak_mib": run.peak_mib,
        "stages": _stages(run.err, run.began, run.seconds),
        "solver": manifest["solver"],
        "status": certificate["status"],
        "gap": certificate["gap"],
        "objective": certificate["objective"],
        "command": " ".join(["allocator", *command[2:]]),
    }


def _stages(log: str, began: float, seconds: float) -> dict[str, float]:
    """Seconds of each stage, from the times of the JSON events."""
    marks = [("start", began)]
    for line in log.splitlines():
        event = json.loads(line) if line.startswith("{") else {}
        if event.get("event") in ("stage", "finish"):
            marks.append((event.get("stage", "end"), dt.datetime.fromisoformat(event["time"]).timestamp()))
    ends = [at for _, at in marks[1:]] + [began + seconds]
    stages: dict[str, float] = {}
    for (name, at), end in zip(marks, ends, strict=True):
        stages[name] = stages.get(name, 0.0) + end - at
    return stages
