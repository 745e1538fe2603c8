"""One run, from tables to a plan. This file sees every room and reads as the algorithm."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import math
import platform
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd

import allocator.light  # noqa: F401
from allocator.audit import AuditReport, audit
from allocator.measure import measure
from allocator.network import Network, build_network
from allocator.network.build import read_previous
from allocator.network.prices import build_prices
from allocator.optimise import Baseline, Proof, hands, optimise
from allocator.options import Clock, Options, Watch
from allocator.plan.assemble import Draft, certificate, draft_plan
from allocator.plan.plan import Plan
from allocator.priced.local import Hands
from allocator.rules import Rule, plan_by_rules
from allocator.tables import Tables

__all__ = ["Options", "Watch", "solve"]

MEND = (
    "run allocator doctor, then plan again, with the other engine (--engine whole or priced) or more memory; "
    "if it comes back, report it with allocator export NETWORK -o model.mps"
)
"""What to do about a plan that the solver could not be trusted with."""
REFUTED = 1e-6
"""Relative distance by which a real plan must lie below a proven bound to refute it."""


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
    clock = Clock(time.monotonic() if began is None else began, options.deadline, watch)
    previous = _previous(tables)
    clock.stage("network")
    network = build_network(tables, previous)
    with hands(network, options) as ready:
        return _planned(tables, network, options, clock, previous, ready)


def _planned(
    tables: Tables, network: Network, options: Options, clock: Clock, previous: pd.DataFrame | None, ready: Hands
) -> Plan:
    plan_id = _plan_id(tables, options, previous)
    clock.stage("rules")
    rules = plan_by_rules(network, Rule(options.rule))
    run = _Finishing(tables, options, clock, plan_id, previous)
    clock.stage("baseline")
    baseline = run.baseline(draft := draft_plan(network, rules, plan_id, build_prices(network), None))
    if options.engine == "rules":
        return run.finish(draft, Proof(None, "rules", "rules", "none"), [])
    del draft  # its tables are large: drafted again where they are needed after all
    back = Baseline(baseline, lambda: draft_plan(network, rules, plan_id, build_prices(network), None))
    notes: list[str] = []
    for presolve in (True, False):
        found, proof, more = optimise(network, options, clock, plan_id, back, presolve, ready)
        if clock.interrupted:
            proof = replace(proof, status="interrupted")
        plan = run.finish(found, proof, notes + more)
        wrong = _wrong(plan, baseline if network.outlooks.count == 1 else math.inf)
        if wrong is None or proof.engine == "rules":
            return plan
        # the audit has the last word, not the solver's "optimal" (HAZARDS 4.6)
        what = (
            "solved again without presolve"
            if presolve and proof.engine == "whole" and not clock.interrupted
            else "the rules engine's plan follows"
        )
        notes.append(f"{wrong}; {what}")
        if proof.engine != "whole" or clock.interrupted:
            break
    bound = None if proof.bound is None or proof.bound > baseline else proof.bound  # a bound above a real plan is none
    degraded = Proof(bound, "degraded", "rules", proof.proof, prices=proof.prices)
    return run.finish(back.draft(), degraded, notes)


def _wrong(plan: Plan, baseline: float) -> str | None:
    """What is wrong with the solver's plan or proof, in words; None when the audit and the plan of the rules engine bear it out."""
    if plan.audit is not None and not plan.audit.ok:
        return f"the audit refused the solver's plan ({plan.audit.findings[0]})"
    bound = plan.certificate["bound"]
    if bound is not None and baseline < bound - REFUTED * max(abs(bound), 1.0):
        return f"the rules engine's plan costs {baseline:.9g}, less than the solver says is possible ({bound:.9g})"
    return None


class _Finishing:
    """What follows a draft: measure, audit, certify."""

    def __init__(
        self, tables: Tables, options: Options, clock: Clock, plan_id: str, previous: pd.DataFrame | None
    ) -> None:
        self.tables, self.options, self.clock = tables, options, clock
        self.plan_id, self.previous = plan_id, previous
        self.base = pd.DataFrame()
        self.objective = 0.0

    def baseline(self, draft: Draft) -> float:
        """Measure the plan that others are compared with; its objective."""
        self.base = measure(self.tables, draft.tables, draft.components)
        self.objective = draft.objective
        return draft.objective

    def finish(self, draft: Draft, proof: Proof, notes: list[str]) -> Plan:
        """A plan that is measured, audited and certified."""
        tables, clock = self.tables, self.clock
        clock.stage("measure")
        kpis = measure(tables, draft.tables, draft.components, baseline=_network_scope(self.base))
        frames = dict(draft.tables) | {"kpis": kpis}
        paper = certificate(
            draft,
            bound=proof.bound,
            status=proof.status,
            engine=proof.engine,
            proof=proof.proof,
            largest_violation=0.0,
            rules=self.objective,
        )
        if proof.prices is not None:
            paper["multipliers"] = proof.prices
        if proof.status == "degraded":
            paper["degraded"] = {"why": list(notes), "mend": MEND}
        clock.stage("audit")
        found = audit(tables, frames, paper, self.previous)
        paper["largest_violation"] = found.largest_violation
        paper["audit"] = {
            "ok": found.ok,
            "checked": dict(found.checked),
            "findings": [str(f) for f in found.findings[:50]],
        }
        manifest = _manifest(tables, self.options, clock, self.plan_id, proof, notes + _notes(draft, found))
        return Plan(tables, frames, paper, manifest, self.previous, found, self.base)


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
    tables: Tables, options: Options, clock: Clock, plan_id: str, proof: Proof, notes: list[str]
) -> dict[str, Any]:
    packages = ("inventory-allocator", "highspy", "pyomo", "numpy", "pandas", "pyarrow", "scipy")
    settings = tables.settings
    return {
        "plan_id": plan_id,
        "network": settings.name,
        "scenario": list(tables.scenario),
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "engine": proof.engine,
        "status": proof.status,
        "options": {
            name: value if value is None or isinstance(value, bool | int | float) else str(value)
            for name, value in asdict(options).items()
        },
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
            **proof.facts,
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
        **options.answering,
        "versions": [_version("inventory-allocator"), _version("highspy")],
        "previous": None
        if previous is None
        else int(pd.util.hash_pandas_object(previous.astype(str), index=False).sum()),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]
