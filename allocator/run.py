"""One run, from tables to a plan. This file sees every room and reads as the algorithm."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from allocator.audit import AuditReport, audit
from allocator.engine.outlooks import Hedged, solve_outlooks
from allocator.engine.problem import Limits, SolverError
from allocator.engine.process import Solver
from allocator.engine.quantities import Quantities, read_quantities
from allocator.engine.whole import NoPlanError, Solution, solve_whole
from allocator.measure import measure
from allocator.network import Network, build_network
from allocator.network.build import read_previous
from allocator.network.prices import build_prices
from allocator.plan.assemble import Draft, certificate, draft_plan
from allocator.plan.plan import Plan
from allocator.plan.tight import whole_marginals
from allocator.program.stack import Program, build_program
from allocator.rules import Rule, plan_by_rules
from allocator.tables import Tables

EXACT_GAP = 1e-6
"""Gap to prove when nothing else is asked."""
ACCEPTED_GAP = 5e-3
"""Gap that is good enough once the work below is spent and no gap was asked."""
NODE_WORK = 1e7
"""Branch-and-bound nodes x rows after which the accepted gap is good enough: small programs are always proven exactly."""


@dataclass(frozen=True)
class Options:
    """How to plan.

    Attributes
    ----------
    engine : str
        ``auto``, ``whole`` or ``rules``.
    gap : float or None
        Relative gap to prove; None: exactly if the network is small, else to half a percent.
    deadline : float or None
        Seconds of wall clock for the whole run.
    rule : str
        Fair-share rule of the rules engine: A, B, C or D.
    """

    engine: str = "auto"
    gap: float | None = None
    deadline: float | None = None
    rule: str = "A"


@dataclass(frozen=True)
class Watch:
    """Who is told what happens: ``stage(name)`` and, while a MIP runs, ``progress(event)``."""

    stage: Callable[[str], None] = lambda name: None
    progress: Callable[[dict[str, float]], None] | None = None


def solve(
    tables: Tables, options: Options | None = None, watch: Watch | None = None, began: float | None = None
) -> Plan:
    """Plan a network.

    Parameters
    ----------
    tables : Tables
        From :func:`allocator.read`.
    options : Options, optional
    watch : Watch, optional
    began : float, optional
        ``time.monotonic()`` when the run began; the deadline counts from there.

    Returns
    -------
    Plan

    Raises
    ------
    SolverError
        When HiGHS fails and the rules engine was not allowed to step in.
    """
    options, watch = options or Options(), watch or Watch()
    clock = _Clock(time.monotonic() if began is None else began, options.deadline, watch)
    previous = _previous(tables)
    clock.stage("network")
    network = build_network(tables, previous)
    plan_id = _plan_id(tables, options, previous)
    clock.stage("rules")
    rules = plan_by_rules(network, Rule(options.rule))
    baseline = draft_plan(network, rules, plan_id, build_prices(network), None)
    if options.engine == "rules":
        return _finish(
            tables, options, clock, plan_id, previous, baseline, baseline, _Proof(None, "rules", "rules", "none"), []
        )
    notes: list[str] = []
    for presolve in (True, False):
        draft, proof, more = _optimise(network, options, clock, plan_id, baseline, presolve)
        plan = _finish(tables, options, clock, plan_id, previous, draft, baseline, proof, notes + more)
        if plan.audit is None or plan.audit.ok or proof.engine == "rules":
            return plan
        # the audit has the last word, not the solver's "optimal" (HAZARDS 4.6)
        what = "the rules engine's plan follows" if not presolve else "solved again without presolve"
        notes.append(f"the audit refused the solver's plan ({plan.audit.findings[0]}); {what}")
    degraded = _Proof(proof.bound, "degraded", "rules", proof.proof)
    return _finish(tables, options, clock, plan_id, previous, baseline, baseline, degraded, notes)


@dataclass(frozen=True)
class _Proof:
    bound: float | None
    status: str
    engine: str
    proof: str
    nodes: int = 0
    iterations: int = 0
    solver_seconds: float = 0.0
    shape: tuple[int, int, int] = (0, 0, 0)


def _optimise(
    network: Network, options: Options, clock: _Clock, plan_id: str, baseline: Draft, presolve: bool
) -> tuple[Draft, _Proof, list[str]]:
    """The whole engine, and the rules engine's plan where it has nothing better."""
    with Solver() as solver:
        clock.stage("program")
        program = build_program(network)
        limits = replace(_limits(options, program, clock.left()), presolve=presolve)
        hedged: Hedged | None = None
        try:
            if network.outlooks.count > 1:
                hedged = solve_outlooks(network, program, solver, limits, clock.watch.progress, clock.stage)
                solution = hedged.mean_solution
            else:
                solution = solve_whole(network, program, solver, limits, clock.watch.progress, clock.stage)
        except NoPlanError as late:
            note = "the deadline came before the solver had a plan: this is the rules engine's plan"
            return baseline, _Proof(late.bound, "deadline", "rules", "branch and bound"), [note]
        except SolverError as error:
            note = f"the solver failed ({error}): this is the rules engine's plan"
            return baseline, _Proof(None, "degraded", "rules", "none"), [note]
        seconds = solver.seconds
    clock.stage("lots")
    draft = _draft(network, program, solution, plan_id) if hedged is None else _hedged_draft(hedged, plan_id)
    proof = _Proof(
        solution.bound,
        solution.status if hedged is None else hedged.status,
        "whole",
        solution.proof,
        solution.nodes,
        solution.iterations,
        seconds,
        program.shape,
    )
    if baseline.objective < draft.objective and solution.status == "deadline":
        note = "the solver's plan was worse than the rules engine's when the deadline came: this is the rules engine's plan"
        return baseline, _Proof(solution.bound, "deadline", "rules", solution.proof), [note]
    return draft, proof, []


def _draft(network: Network, program: Program, solution: Solution, plan_id: str) -> Draft:
    quantities: Quantities = read_quantities(network, program, solution.x)
    return draft_plan(network, quantities, plan_id, program.prices, whole_marginals(network, program, solution))


def _hedged_draft(hedged: Hedged, plan_id: str) -> Draft:
    network, program, solution = hedged.mean_network, hedged.mean_program, hedged.mean_solution
    quantities = read_quantities(network, program, solution.x)
    marginals = whole_marginals(network, program, solution, over=(hedged.program, hedged.solution))
    return draft_plan(network, quantities, plan_id, program.prices, marginals, hedged.hedge)


def _limits(options: Options, program: Program, left: float) -> Limits:
    if options.gap is not None:
        return Limits(gap=options.gap, accept=options.gap, nodes=0, seconds=left)
    rows = max(program.shape[0], 1)
    return Limits(gap=EXACT_GAP, accept=ACCEPTED_GAP, nodes=int(NODE_WORK / rows), seconds=left)


def _finish(
    tables: Tables,
    options: Options,
    clock: _Clock,
    plan_id: str,
    previous: pd.DataFrame | None,
    draft: Draft,
    baseline: Draft,
    proof: _Proof,
    notes: list[str],
) -> Plan:
    """Measure, audit, certify."""
    clock.stage("measure")
    base = measure(tables, baseline.tables, baseline.components)
    kpis = measure(tables, draft.tables, draft.components, baseline=_network_scope(base))
    frames = dict(draft.tables) | {"kpis": kpis}
    paper = certificate(
        draft,
        bound=proof.bound,
        status=proof.status,
        engine=proof.engine,
        proof=proof.proof,
        largest_violation=0.0,
        rules=baseline.objective,
    )
    clock.stage("audit")
    found = audit(tables, frames, paper, previous)
    paper["largest_violation"] = found.largest_violation
    paper["audit"] = {"ok": found.ok, "checked": dict(found.checked), "findings": [str(f) for f in found.findings[:50]]}
    manifest = _manifest(tables, options, clock, plan_id, proof, notes + _notes(draft, found))
    return Plan(tables, frames, paper, manifest, previous, found, base)


def _notes(draft: Draft, found: AuditReport) -> list[str]:
    notes = []
    if draft.fell_back:
        shown = ", ".join(draft.fell_back[:5]) + (", ..." if len(draft.fell_back) > 5 else "")
        notes.append(
            f"lots of {len(draft.fell_back)} items follow the planned expiry instead of their rotation: {shown}"
        )
    if draft.unfilled > 1e-6:
        notes.append(f"{draft.unfilled:g} units were planned for which no lot was found; see the reasons in unmet")
    if not found.ok:
        notes.append(f"the audit found {len(found.findings)} broken rules; see certificate.json, audit")
    return notes


def _network_scope(kpis: pd.DataFrame) -> dict[str, float]:
    mine = kpis[kpis["scope"] == "network"]
    return dict(zip(mine["kpi"].astype(str), mine["value"].astype(float), strict=True))


def _manifest(
    tables: Tables, options: Options, clock: _Clock, plan_id: str, proof: _Proof, notes: list[str]
) -> dict[str, Any]:
    packages = ("inventory-allocator", "highspy", "pyomo", "numpy", "pandas", "pyarrow", "scipy")
    settings = tables.settings
    return {
        "plan_id": plan_id,
        "network": settings.name,
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "engine": proof.engine,
        "status": proof.status,
        "options": asdict(options),
        "input_hash": tables.input_hash,
        "start": settings.start.isoformat(),
        "horizon_days": settings.horizon_days,
        "versions": {name: _version(name) for name in packages} | {"python": platform.python_version()},
        "timings": clock.timings(),
        "solver": {
            "seconds": round(proof.solver_seconds, 3),
            "rows": proof.shape[0],
            "columns": proof.shape[1],
            "nonzeros": proof.shape[2],
            "nodes": proof.nodes,
            "iterations": proof.iterations,
        },
        "notes": [str(note) for note in tables.notes] + notes,
        "quarantined": len(tables.quarantined),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _previous(tables: Tables) -> pd.DataFrame | None:
    path = tables.settings.previous_plan
    if path is None:
        return None
    base = Path(tables.source) if tables.source else Path()
    return read_previous(Path(path) if Path(path).is_absolute() else base / path)


def _plan_id(tables: Tables, options: Options, previous: pd.DataFrame | None) -> str:
    """Hash of the input, the options that change the answer, and the versions that compute it."""
    facts = {
        "input": tables.input_hash,
        "engine": options.engine,
        "gap": options.gap,
        "rule": options.rule,
        "versions": [_version("inventory-allocator"), _version("highspy")],
        "previous": None
        if previous is None
        else int(pd.util.hash_pandas_object(previous.astype(str), index=False).sum()),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


class _Clock:
    """Wall clock of a run: stages, what is left of the deadline."""

    RESERVE = 0.1
    """Share of the deadline kept for lots, audit and writing."""

    def __init__(self, began: float, deadline: float | None, watch: Watch) -> None:
        self.began, self.deadline, self.watch = began, deadline, watch
        self.marks: list[tuple[str, float]] = [("read", began)]

    def stage(self, name: str) -> None:
        """Begin a stage."""
        self.marks.append((name, time.monotonic()))
        self.watch.stage(name)

    def left(self) -> float:
        """Seconds left for the solver."""
        if self.deadline is None:
            return math.inf
        return max(self.deadline * (1 - self.RESERVE) - (time.monotonic() - self.began), 0.1)

    def timings(self) -> dict[str, float]:
        """Seconds of each stage."""
        ends = [at for _, at in self.marks[1:]] + [time.monotonic()]
        out: dict[str, float] = {}
        for (name, at), end in zip(self.marks, ends, strict=True):
            out[name] = round(out.get(name, 0.0) + end - at, 4)
        return out
