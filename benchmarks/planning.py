"""One ``allocator plan`` from the outside: a process of its own, its stages off its own log, its memory off the process table."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

from allocator.engine.problem import relative_gap
from benchmarks.machine import watch

ENGINE_STAGES = ("program", "prices", "solve", "whole units")
PHASES = {
    "read": "read",
    "network": "read",
    "program": "stamp",
    "solve": "solve",
    "prices": "solve",
    "whole units": "solve",
    "lots": "lots",
    "audit": "audit",
    "report": "write",
    "write": "write",
}
"""Which phase of the table a stage counts to; the others are its rest. Both engines compile while they stamp; the priced one stamps in its first round."""


def plan(
    network: Path,
    folder: Path,
    gap: float = 0.005,
    engine: str = "whole",
    workers: int | None = None,
    limit: float = math.inf,
) -> dict[str, Any]:
    """Plan a network.

    Parameters
    ----------
    network : Path
    folder : Path
        Takes the plan and the logs; it is there.
    gap : float
        Relative gap to prove.
    engine : str
    workers : int, optional
    limit : float
        Seconds of wall clock after which it is killed.

    Returns
    -------
    dict
        A row of the table (:mod:`benchmarks.contest`), and ``stages`` (seconds; ``start`` is everything before the command itself, imports of
        the command line included, ``end`` everything after publishing), ``highs_seconds``, ``outside_share`` (of the CPU of all its processes,
        what is not inside HiGHS's own ``run``), ``outside_workers`` (of the workers' CPU, their start included), ``outside_wall`` (of the wall
        clock of one process; of the whole engine only), ``engine_seconds``, ``linear`` (priced engine: the linear plan that keeps every limit), ``solver``.

    Raises
    ------
    RuntimeError
        When the command fails or its audit does.
    """
    out = folder / "plan"
    command = ["-m", "allocator", "plan", str(network), "-o", str(out), "--gap", str(gap), "--engine", engine]
    command += ["--log", "json"] + ([] if workers is None else ["--workers", str(workers)])
    run = watch(command, folder / "plan.out", folder / "plan.err", limit)
    row: dict[str, Any] = {
        "seconds": run.seconds,
        "cpu": run.cpu,
        "peak_mib": run.peak_mib,
        "command": " ".join(command[1:]),
    }
    stages = _stages(run.err, run.began, run.seconds)
    row |= {"stages": stages, "phases": _phases(stages)}
    if run.late:
        return row | {"status": "time limit", "value": None, "bound": None, "gap": None}
    if run.code not in (0, 3):
        raise RuntimeError(f"allocator plan {network} ended with exit code {run.code}: {run.err[-500:]}")
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    certificate = json.loads((out / "certificate.json").read_text("utf-8"))
    solver = manifest["solver"]
    log = solver.pop("log", [])
    highs = float(solver["seconds"])
    return row | {
        "status": certificate["status"],
        "engine": certificate["engine"],
        "audit": certificate["audit"]["ok"],
        "value": certificate["objective"],
        "bound": certificate["bound"],
        "gap": certificate["gap"],
        "highs_seconds": highs,
        "outside_seconds": run.cpu - highs,
        "outside_share": (run.cpu - highs) / run.cpu,
        "outside_workers": 1.0 - highs / solver["workers_cpu_seconds"] if solver.get("workers_cpu_seconds") else None,
        "outside_wall": (run.seconds - highs) / run.seconds if engine == "whole" else None,
        "engine_seconds": sum(stages.get(stage, 0.0) for stage in ENGINE_STAGES),
        "linear": linear(log, stages.get("program", 0.0) + stages.get("prices", 0.0), gap),
        "solver": solver,
        "log": log,
    }


def linear(log: list[dict[str, Any]], before: float, gap: float) -> dict[str, Any] | None:
    """The linear plan of the priced engine, within every limit, from the log of its passes.

    Parameters
    ----------
    log : list of dict
        Rounds and passes.
    before : float
        Seconds of the engine until the rounds were done.
    gap : float

    Returns
    -------
    dict or None
        ``cost`` of its last form, vehicles paid by the room that is used, as the linear program of the whole network pays them; ``gap`` of that;
        ``seconds`` of the engine until such a plan was within ``gap`` of the bound (None: never). When nothing was overdrawn there is no
        pass for it: the whole plan stands for it. None without passes.
    """
    passes = [event for event in log if event["event"] == "pass"]
    relieved = [event for event in passes if event["kind"] == "relieve" and event["gap"] is not None]
    shown = relieved[-1] if relieved else next((event for event in passes if event["gap"] is not None), None)
    if shown is None:
        return None
    at, reached, bound = before, None, -math.inf
    first = log.index(passes[0])
    # more rounds may come between the passes
    for k, event in enumerate(log):
        at += event["seconds"] if k >= first else 0.0
        bound = max(bound, event.get("bound", -math.inf))
        if reached is None and event.get("gap") is not None and relative_gap(event["linear"], bound) <= gap:
            reached = at
    cost = shown["linear"]
    return {"cost": cost, "gap": relative_gap(cost, bound), "seconds": reached, "kind": shown["kind"]}


def _phases(stages: dict[str, float]) -> dict[str, float]:
    """Seconds by phase of the table."""
    found: dict[str, float] = {}
    for stage, seconds in stages.items():
        phase = PHASES.get(stage, "rest")
        found[phase] = found.get(phase, 0.0) + seconds
    return found


def _stages(log: str, began: float, seconds: float) -> dict[str, float]:
    """Seconds of each stage, from the times of the JSON events."""
    marks = [("start", began)]
    for line in log.splitlines():
        event = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
        if event.get("event") in ("stage", "finish"):
            marks.append((event.get("stage", "end"), dt.datetime.fromisoformat(event["time"]).timestamp()))
    ends = [at for _, at in marks[1:]] + [began + seconds]
    stages: dict[str, float] = {}
    for (name, at), end in zip(marks, ends, strict=True):
        stages[name] = stages.get(name, 0.0) + end - at
    return stages
