"""One peer plans one network in this process: ``python -m benchmarks.peers PEER NETWORK [--gap G] [--seconds S]``. JSON lines.

A line for each phase as it ends, so that a peer that is killed in its time has said how far it came; the last line is the answer.

What each does
--------------
``pyomo-lp``, ``pyomo-mip``
    Plain Pyomo: the same laws, instantiated with numbers, item by item (``tests/program/plain.py``), through Pyomo's own HiGHS interface.
``linopy-lp``, ``linopy-mip``
    The finished rows and columns stated in linopy as arrays, through its own HiGHS interface. Whoever writes this model in linopy has to
    make the coefficients first, as we do; that is not counted against it.
``highs-ipm``, ``highs-simplex``, ``highs-mip``
    HiGHS alone on the ready matrix, the floor. ``-ipm`` is the linear relaxation by interior point without crossover, ``-simplex`` by simplex.

All of them use HiGHS with its defaults (threads too) but for the gap and the time limit; HiGHS alone also gets the scale of costs that ours gives it.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import PEERS

CLOSED = 1e-6
"""Residuals below which the objectives of an interior point are believed; HiGHS's own tolerance, 1e-7, comes later."""


class Saying:
    """Phases timed and told at once. [s of wall clock]"""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self, phase: str, function: Callable[[], Any]) -> Any:
        """Call, and say what it took."""
        began = time.perf_counter()
        result = function()
        self.say(phase, time.perf_counter() - began)
        return result

    @staticmethod
    def say(phase: str, seconds: float) -> None:
        """Say what a phase took."""
        print(json.dumps({"phase": phase, "seconds": seconds}), flush=True)

    def left(self, seconds: float) -> float:
        """Seconds that are left."""
        return max(seconds - (time.monotonic() - self.began), 1.0)


def main() -> None:
    """Plan, and say so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("network", type=Path)
    parser.add_argument("--gap", type=float, default=0.005)
    parser.add_argument("--seconds", type=float, default=math.inf)
    chosen = parser.parse_args()
    by, kind = chosen.peer.split("-")
    sides: dict[str, Callable[..., dict[str, Any]]] = {"pyomo": in_pyomo, "linopy": in_linopy, "highs": highs}
    answer = sides[by](chosen.network, kind, chosen.gap, chosen.seconds)
    print(json.dumps({"answer": answer}, default=float), flush=True)


def _network(say: Saying, folder: Path) -> Any:
    from allocator.network import build_network
    from allocator.tables import read_tables

    return say("read", lambda: build_network(read_tables(folder)))


def _program(say: Saying, network: Any) -> Any:
    """The ready matrix; compiling and stamping told apart."""
    from benchmarks.building import phases

    parts, program = phases(network)
    for phase, wall in parts.wall.items():
        say.say("compile" if phase in ("compile", "shared") else "stamp", wall)
    return program


def highs(folder: Path, kind: str, gap: float, seconds: float) -> dict[str, Any]:
    """HiGHS alone."""
    import highspy

    from allocator.engine.highs import cost_scale

    say = Saying()
    program = _program(say, _network(say, folder))
    scale = cost_scale(program.cost)
    whole = kind == "mip"
    h: Any = highspy.Highs()
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "highs.log"
        options: dict[str, Any] = {
            "log_to_console": False,
            "log_file": str(log),
            "mip_rel_gap": gap,
            "time_limit": say.left(seconds),
        }
        if not whole:
            options |= {"solver": kind, "run_crossover": "off"}
        for name, value in options.items():
            if h.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise RuntimeError(f"HiGHS refused the option {name}")

        def load() -> None:
            n, m = len(program.cost), len(program.row_lower)
            h.passModel(
                n, m, len(program.values), 2, 1, 0.0, program.cost * scale, program.lower, program.upper,
                program.row_lower, program.row_upper, program.indptr.astype(np.int32), program.indices.astype(np.int32),
                program.values, (program.integer & whole).astype(np.int32),
            )  # fmt: skip

        say("stamp", load)
        say("solve", h.run)
        told = _told(h, scale, whole)
        if kind == "ipm":
            told["seconds_to_gap"] = seconds_to_gap(log.read_text("utf-8"), gap)
    return told | {"rows": len(program.row_lower), "columns": len(program.cost), "nonzeros": len(program.values)}


def _told(h: Any, scale: float, whole: bool) -> dict[str, Any]:
    """Status, value, bound, gap and effort of a HiGHS object that has run."""
    info = h.getInfo()
    status = h.modelStatusToString(h.getModelStatus())
    feasible = info.primal_solution_status == 2
    value = info.objective_function_value / scale if feasible else None
    bound: float | None = info.mip_dual_bound / scale if whole else value if status == "Optimal" else None
    if bound is not None and not math.isfinite(bound):
        bound = None
    return {
        "status": status,
        "value": value,
        "bound": bound,
        "gap": None if value is None or bound is None else (value - bound) / max(abs(value), 1.0),
        "iterations": max(info.simplex_iteration_count, 0) + max(info.ipm_iteration_count, 0),
        "nodes": max(info.mip_node_count, 0),
        "highs_seconds": h.getRunTime(),
    }


def seconds_to_gap(log: str, gap: float) -> float | None:
    """When an interior point's own log first shows objectives that close, its residuals being small: seconds by HiGHS's clock.

    Parameters
    ----------
    log : str
    gap : float

    Returns
    -------
    float or None
        None when it never came so far.
    """
    number = r"\s+([-+]?\d\.\d+e[-+]\d+)"
    line = re.compile(rf"^\s*\d+\*?{4 * number}\s+\S+\s+(\d+(?:\.\d+)?)s?\s*$")
    for text in log.splitlines():
        found = line.match(text)
        if not found:
            continue
        primal, dual, primal_residual, dual_residual, at = (float(part) for part in found.groups())
        if max(primal_residual, dual_residual) <= CLOSED and primal - dual <= gap * max(abs(primal), 1.0):
            return at
    return None


def in_pyomo(folder: Path, kind: str, gap: float, seconds: float) -> dict[str, Any]:
    """Plain Pyomo, item by item, through its HiGHS interface."""
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers.highs import Highs

    from tests.program.plain import whole_model

    say = Saying()
    network = _network(say, folder)
    model = say("model", lambda: whole_model(network))
    if kind == "lp":
        say("model", lambda: pyo.TransformationFactory("core.relax_integer_vars").apply_to(model))
    solver = Highs()
    solver.config.load_solution = False
    solver.config.mip_gap = gap
    solver.config.time_limit = say.left(seconds)
    return _through(say, lambda: solver.solve(model), lambda: solver._solver_model, kind == "mip")


def in_linopy(folder: Path, kind: str, gap: float, seconds: float) -> dict[str, Any]:
    """The ready rows and columns, stated in linopy."""
    import linopy  # noqa: F401  imported before anything is timed

    say = Saying()
    program = _program(say, _network(say, folder))
    model = say("model", partial(linopy_model, program, kind == "mip"))
    options = {"mip_rel_gap": gap, "time_limit": say.left(seconds), "output_flag": False}

    def solve() -> None:
        model.solve("highs", io_api="direct", **options)

    return _through(say, solve, lambda: model.solver_model, kind == "mip")


def linopy_model(program: Any, whole: bool) -> Any:
    """A stacked program as a linopy model: rows of like length together."""
    import pandas as pd
    import xarray as xr
    from linopy import LinearExpression, Model

    model = Model()
    label = np.empty(len(program.cost), dtype=np.int64)
    integer = program.integer & whole
    for name, mine in (("x", ~integer), ("z", integer)):
        if mine.any():
            index = pd.Index(np.flatnonzero(mine), name=name)
            made = model.add_variables(
                program.lower[mine], program.upper[mine], [index], name=name, integer=name == "z"
            )
            label[mine] = made.labels.values
    width = np.diff(program.indptr)
    # padded up to a power of two: few groups, at most twice the entries
    padded = 1 << np.ceil(np.log2(np.maximum(width, 1))).astype(int)
    equal = program.row_lower == program.row_upper
    least = ~equal & np.isinf(program.row_upper)
    right = np.where(least, program.row_lower, program.row_upper)
    sign = np.where(equal, "=", np.where(least, ">=", "<="))
    for size in np.unique(padded):
        rows = np.flatnonzero((padded == size) & (width > 0))
        place = program.indptr[rows][:, None] + np.arange(size)
        there = np.arange(size) < width[rows][:, None]
        place = np.where(there, place, 0)
        own = f"row{size}"
        found = xr.Dataset(
            {
                "coeffs": ((own, "_term"), np.where(there, program.values[place], np.nan)),
                "vars": ((own, "_term"), np.where(there, label[program.indices[place]], -1)),
                "const": ((own,), np.zeros(len(rows))),
            },
            coords={own: rows},
        )
        model.add_constraints(
            LinearExpression(found, model),
            xr.DataArray(sign[rows], coords={own: rows}),
            xr.DataArray(right[rows], coords={own: rows}),
            name=own,
        )
    used = np.flatnonzero(program.cost)
    cost = xr.Dataset(
        {
            "coeffs": (("_term",), program.cost[used]),
            "vars": (("_term",), label[used]),
            "const": ((), 0.0),
        }
    )
    model.add_objective(LinearExpression(cost, model))
    return model


def _through(say: Saying, solve: Callable[[], Any], solver: Callable[[], Any], whole: bool) -> dict[str, Any]:
    """Solve through another interface; what is not HiGHS's own run counts as stating the model."""
    began = time.perf_counter()
    solve()
    taken = time.perf_counter() - began
    told = _told(solver(), 1.0, whole)
    inside = min(told["highs_seconds"], taken)
    say.say("model", taken - inside)
    say.say("solve", inside)
    return told


if __name__ == "__main__":
    sys.exit(main())
