"""From cases to a comparison: read and check all, run what is not yet run, lay side by side, publish."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from allocator.comparison.cases import Case, Given, gather, key_of, versions
from allocator.comparison.comparison import COMPARISON, PLANS, Comparison, comparison_id
from allocator.comparison.running import Job, run_jobs, whole
from allocator.comparison.sides import tables_of
from allocator.engine.start import read_start
from allocator.plan.plan import Plan, read_plan
from allocator.plan.publish import held
from allocator.run import Options

Tell = Callable[[str, dict[str, Any]], None]


def compare(
    given: Sequence[Given],
    out: str | Path | None = None,
    *,
    scenario: str | Iterable[str] = (),
    workers: int = 2,
    cold: bool = False,
    tell: Tell | None = None,
    **options: Any,
) -> Comparison:
    """Compare plans, networks and scenarios; the first is the base.

    Parameters
    ----------
    given : sequence
        Plan folders, network folders, scenario files, or `Plan` and `Tables` objects.
    out : str or Path, optional
        Folder to publish. The plans run are kept in it and reused while input, options and code are the same; without
        it nothing is kept.
    scenario : str or iterable of str
        Scenarios to lay on the one network given, a case each: ``["promo", "promo,dc-out"]``.
    workers : int
        Runs at a time, each in a process of its own with one solver thread.
    cold : bool
        Solve every case from nothing; otherwise all others start from what the base's run found, if that is run here.
    tell : callable, optional
        Told what happens: ``tell(event, facts)`` with events reuse, run, stage, gap, done, failed.
    **options
        Fields of `allocator.run.Options`: engine, gap, deadline (seconds for each run), rule.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        With every fault of every case, before anything is planned.
    RunFailedError
        When a case could not be planned; plans finished are kept.
    OutputHeldError, NotAPlanError, OSError
        As `Comparison.write`.
    """
    layers = [scenario] if isinstance(scenario, str) else list(scenario)
    cases = gather(given, [layer for layer in layers if layer])
    chosen = Options(workers=1, **options)  # one solver a run: the runs themselves are what is parallel
    if out is None:
        folder = Path(tempfile.mkdtemp(prefix="allocator-compare-"))
        try:
            return _compared(cases, folder, chosen, workers, cold, tell or _silent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    target = Path(out)
    with held(target, COMPARISON):
        comparison = _compared(cases, target, chosen, workers, cold, tell or _silent)
        comparison.publish(target)
    return comparison


def _silent(event: str, facts: dict[str, Any]) -> None:
    """Tell nobody."""


def _compared(
    cases: Sequence[Case], folder: Path, options: Options, workers: int, cold: bool, tell: Tell
) -> Comparison:
    began = time.monotonic()
    keys = _keys(cases, options, cold)
    fresh = _run(cases, keys, folder / PLANS, options, workers, cold, tell)
    ran = time.monotonic()
    sides: list[tuple[str, Plan]] = []
    for case in cases:
        plan = case.plan if case.plan is not None else read_plan(folder / PLANS / keys[case.label])
        sides.append((case.label, plan))
    tables = tables_of(sides)
    manifest = {
        "comparison_id": comparison_id(tables),
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "base": sides[0][0],
        "options": vars(options),
        "versions": versions(),
        "timings": {"runs": round(ran - began, 3), "compare": round(time.monotonic() - ran, 3)},
        "cases": [_origin(label, plan, keys.get(label), keys.get(label) in fresh) for label, plan in sides],
    }
    currency = sides[0][1].network.settings.currency
    return Comparison(tables, currency, manifest, _exit_code([plan for _, plan in sides]))


def _keys(cases: Sequence[Case], options: Options, cold: bool) -> dict[str, str]:
    """Key of each case that is a network; those that start from the base's run hold its key in theirs."""
    plain = {case.label: key_of(case.tables, options) for case in cases if case.tables is not None}
    base = plain.get(cases[0].label)
    if cold or base is None:
        return plain
    return {
        case.label: base if plain[case.label] == base else key_of(case.tables, options, base)
        for case in cases
        if case.tables is not None
    }


def _run(
    cases: Sequence[Case], keys: dict[str, str], plans: Path, options: Options, workers: int, cold: bool, tell: Tell
) -> set[str]:
    """Run each network whose plan is not there, once, the base before all others; return the keys that were run."""
    base = cases[0] if cases[0].tables is not None and not cold else None
    left = None if base is None else plans / f"{keys[base.label]}.start.npz"
    jobs: dict[str, Job] = {}
    for case in cases:
        if case.tables is None:
            continue
        key = keys[case.label]
        if key in jobs:
            continue
        target, leave = plans / key, left if case is base else None
        if whole(target) and (leave is None or read_start(leave) is not None):
            tell("reuse", {"case": case.label, "key": key})
            continue
        shutil.rmtree(target, ignore_errors=True)
        jobs[key] = Job(case.label, case.tables, target, None if case is base else left, leave)
    if jobs:
        plans.mkdir(parents=True, exist_ok=True)
    for first in (True, False):
        if batch := [job for job in jobs.values() if (job.leave is not None) == first]:
            run_jobs(batch, options, max(workers, 1), tell)
    return set(jobs)


def _origin(label: str, plan: Plan, key: str | None, fresh: bool) -> dict[str, Any]:
    return {
        "case": label,
        "plan_id": plan.manifest["plan_id"],
        "plan": None if key is None else f"{PLANS}/{key}",
        "from": "a plan given" if key is None else "run" if fresh else "reused",
        "input_hash": plan.manifest["input_hash"],
        "scenario": list(plan.network.scenario),
        "options": plan.manifest.get("options"),
        "timings": plan.manifest.get("timings"),
    }


def _exit_code(plans: Sequence[Plan]) -> int:
    """1 when an audit found a broken rule, 3 when a plan is outside its gap."""
    if any(not (plan.certificate.get("audit") or {"ok": True})["ok"] for plan in plans):
        return 1
    return max(plan.exit_code for plan in plans)
