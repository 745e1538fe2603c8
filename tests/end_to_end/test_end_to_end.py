"""Random small networks through the whole pipeline: every plan is audited, proven, reproducible and no worse than the rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import allocator
from allocator.audit.folder import audit_folder
from allocator.engine.problem import Limits
from allocator.engine.whole import as_problem
from allocator.network import build_network
from allocator.plan.plan import Plan
from allocator.program.stack import build_program
from tests.end_to_end.case import Case, relabelled
from tests.end_to_end.conftest import Lasting
from tests.end_to_end.properties import differing, faults, read, rules_faults, table_digests
from tests.end_to_end.random_networks import random_case
from tests.end_to_end.relations import FREE_DISPOSAL, more_room, more_stock, quiet_case, without_demand
from tests.program.plain import solve_plain

PROVEN = 2e-6
"""Two optima, each proven to 1e-6, may differ by twice that, relative to the larger of 1 and the objective."""
QUICK = range(30)
SOME = range(3)
LONG = range(100, 1100)
LONG_RELATIONS = range(100, 200)


def _solve(case: Case, folder: Path) -> Plan:
    return allocator.solve(read(case, folder))


def _not_more(found: Plan, other: Plan) -> bool:
    mine, theirs = float(found.certificate["objective"]), float(other.certificate["objective"])
    return mine <= theirs + PROVEN * max(1.0, abs(theirs))


def _check_plan(seed: int, folder: Path) -> None:
    case = random_case(seed)
    found = faults(_solve(case, folder))
    assert not found, "\n".join([*found, case.text()])


@pytest.mark.parametrize("seed", QUICK)
def test_plan_keeps_every_rule_and_is_proven(seed: int, tmp_path: Path) -> None:
    """The audit finds nothing, the gap is proven, the rules engine is no better, and lots add up to moves."""
    _check_plan(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG)
def test_many_plans_keep_every_rule_and_are_proven(seed: int, tmp_path: Path) -> None:
    """The same of a thousand networks."""
    _check_plan(seed, tmp_path)


def _check_rules_engine(seed: int, folder: Path) -> None:
    case = random_case(seed)
    tables = read(case, folder)
    for rule in "ABCD":
        found = rules_faults(allocator.solve(tables, engine="rules", rule=rule))
        assert not found, "\n".join([f"rule {rule}", *found, case.text()])


@pytest.mark.parametrize("seed", SOME)
def test_rules_engine_keeps_every_rule(seed: int, tmp_path: Path) -> None:
    """The rules engine's plan passes the audit whichever way it shares."""
    _check_rules_engine(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_RELATIONS)
def test_rules_engine_keeps_every_rule_on_many(seed: int, tmp_path: Path) -> None:
    """The same of a hundred networks."""
    _check_rules_engine(seed, tmp_path)


def _check_bytes(seed: int, folder: Path) -> None:
    case = random_case(seed)
    first = _solve(case, folder / "network")
    digests = table_digests(first.write(folder / "first"))
    again = table_digests(_solve(case, folder / "network").write(folder / "again"))
    assert again == digests
    mixed = table_digests(_solve(case.shuffled(seed), folder / "mixed").write(folder / "other"))
    assert mixed == digests, case.text()
    report = audit_folder(folder / "first")
    assert report.ok, [str(finding) for finding in report.findings]
    assert not differing(first, allocator.read_plan(folder / "first"))


@pytest.mark.parametrize("seed", SOME)
def test_same_network_gives_the_same_bytes(seed: int, tmp_path: Path) -> None:
    """Two runs, and a run with its rows shuffled, write the same tables; read back they verify and are what was written."""
    _check_bytes(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_RELATIONS)
def test_same_network_gives_the_same_bytes_on_many(seed: int, tmp_path: Path) -> None:
    """The same of a hundred networks."""
    _check_bytes(seed, tmp_path)


def _check_relations(seed: int, folder: Path) -> None:
    case = random_case(seed)
    plan, renamed = _solve(case, folder / "a"), _solve(relabelled(case, seed), folder / "b")
    assert _not_more(plan, renamed), case.text()
    assert _not_more(renamed, plan), case.text()
    quiet = quiet_case(seed, FREE_DISPOSAL)
    plan = _solve(quiet, folder / "c")
    assert _not_more(_solve(more_stock(quiet), folder / "d"), plan), quiet.text()
    assert _not_more(_solve(more_room(quiet), folder / "e"), plan), quiet.text()


@pytest.mark.parametrize("seed", SOME)
def test_renaming_keeps_the_cost_and_more_never_costs_more(seed: int, tmp_path: Path) -> None:
    """Renamed items and sites leave the objective; more stock or room never raises it where keeping stock is free."""
    _check_relations(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_RELATIONS)
def test_renaming_keeps_the_cost_and_more_never_costs_more_on_many(seed: int, tmp_path: Path) -> None:
    """The same of a hundred networks."""
    _check_relations(seed, tmp_path)


def _check_plain(seed: int, folder: Path) -> None:
    case = random_case(seed)
    network = build_network(read(case, folder))
    with Lasting() as solver:
        answer = solver.solve(as_problem(build_program(network)), Limits(gap=1e-9, accept=1e-9))
    plain = solve_plain(network)
    assert answer.objective == pytest.approx(plain, rel=PROVEN, abs=PROVEN), case.text()


@pytest.mark.parametrize("seed", SOME)
def test_program_is_the_plain_pyomo_model(seed: int, tmp_path: Path) -> None:
    """The stamped program and the same laws instantiated by plain Pyomo have one optimum."""
    _check_plain(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_RELATIONS)
def test_program_is_the_plain_pyomo_model_on_many(seed: int, tmp_path: Path) -> None:
    """The same of a hundred networks."""
    _check_plain(seed, tmp_path)


@pytest.mark.parametrize("seed", SOME)
def test_nobody_asks_and_nothing_costs(seed: int, tmp_path: Path) -> None:
    """Without demand, policies and locks there is nothing to gain, and every lane that costs something stays empty."""
    case = without_demand(quiet_case(seed, FREE_DISPOSAL))
    plan = _solve(case.each("lanes", lambda row: {"cost_per_unit": 0.5}), tmp_path)
    assert plan.certificate["objective"] == pytest.approx(0.0, abs=1e-9)
    assert plan.shipments.empty


def _check_change(seed: int, folder: Path) -> None:
    case = random_case(seed)
    before = _solve(case, folder / "network")
    before.write(folder / "before")
    kept = _solve(case.setting(previous_plan="../before", change_cost=0.5), folder / "kept")
    assert not faults(kept), case.text()
    assert _not_more(kept, before), case.text()
    draw = np.random.default_rng(seed)
    moved = case.each("forecasts", lambda row: {"mean": max(0, row["mean"] + int(draw.integers(-2, 3)))})
    free = _solve(moved, folder / "moved")
    steady = _solve(moved.setting(previous_plan="../before", change_cost=0.5), folder / "steady")
    assert not faults(steady), moved.text()
    assert _not_more(free, steady), moved.text()
    steady.write(folder / "after")
    assert audit_folder(folder / "after").ok


@pytest.mark.parametrize("seed", SOME)
def test_previous_plan_is_kept_to_at_a_price(seed: int, tmp_path: Path) -> None:
    """The same network planned again costs no change; another one is planned at no less than without a previous plan."""
    _check_change(seed, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_RELATIONS)
def test_previous_plan_is_kept_to_at_a_price_on_many(seed: int, tmp_path: Path) -> None:
    """The same of a hundred networks."""
    _check_change(seed, tmp_path)
