"""All who plan a case, one after the other, each in its own process: a row of the table each."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.cases import Case
from benchmarks.machine import watch
from benchmarks.planning import plan

GRACE = 15.0
"""What a peer gets beyond its limit before it is killed: HiGHS overruns its own. [s]"""
NAMES = {
    "pyomo-lp": "plain Pyomo + HiGHS, relaxation",
    "pyomo-mip": "plain Pyomo + HiGHS, whole",
    "linopy-lp": "linopy + HiGHS, relaxation",
    "linopy-mip": "linopy + HiGHS, whole",
    "highs-ipm": "HiGHS alone, interior point",
    "highs-simplex": "HiGHS alone, simplex",
    "highs-mip": "HiGHS alone, whole",
    "whole": "ours, whole",
    "priced": "ours, priced, 2 workers",
    "priced-1": "ours, priced, 1 worker",
}


def contest(case: Case, network: Path, folder: Path) -> dict[str, dict[str, Any]]:
    """Let everybody plan a network; one who fails does not end it.

    Returns
    -------
    dict
        By peer: ``status`` (HiGHS's or the certificate's word, ``time limit``, ``failed``), ``seconds``, ``cpu``, ``peak_mib``, ``phases``
        (seconds), ``value``, ``bound``, ``gap``, and what else it says.
    """
    rows = {}
    for name in (*case.peers, *case.ours):
        print(f"{case.name}: {NAMES[name]}", file=sys.stderr, flush=True)
        scratch = folder / name
        scratch.mkdir()
        try:
            rows[name] = ours(case, name, network, scratch) if name in case.ours else peer(case, name, network, scratch)
        except RuntimeError as error:
            rows[name] = {"status": "failed", "why": str(error)}
            print(f"error: {case.name}: {NAMES[name]}: {error}", file=sys.stderr, flush=True)
        shutil.rmtree(scratch)
    return rows


def ours(case: Case, name: str, network: Path, folder: Path) -> dict[str, Any]:
    """A row of the ``allocator`` command."""
    limit = case.limit_of(name) + GRACE
    if name == "whole":
        return plan(network, folder, case.whole_gap, "whole", limit=limit)
    return plan(network, folder, case.gap, "priced", workers=1 if name == "priced-1" else 2, limit=limit)


def peer(case: Case, name: str, network: Path, folder: Path) -> dict[str, Any]:
    """A row of somebody else.

    Raises
    ------
    RuntimeError
        When the process fails.
    """
    limit = case.limit_of(name)
    command = ["-m", "benchmarks.peers", name, str(network), "--gap", str(case.whole_gap), "--seconds", str(limit)]
    run = watch(command, folder / "out", folder / "err", limit + GRACE)
    row: dict[str, Any] = {
        "seconds": run.seconds,
        "cpu": run.cpu,
        "peak_mib": run.peak_mib,
        "limit": limit,
        "phases": {},
    }
    row |= {"status": "time limit", "value": None, "bound": None, "gap": None}
    for line in run.out.splitlines():
        told = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
        if "phase" in told:
            row["phases"][told["phase"]] = row["phases"].get(told["phase"], 0.0) + told["seconds"]
        row |= told.get("answer", {})
    if run.code != 0 and not run.late:
        raise RuntimeError(f"exit code {run.code}: {run.err.strip()[-500:]}")
    if row["status"] == "Time limit reached":
        row["status"] = "time limit"
    return row
