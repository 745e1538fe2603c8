"""A run from tables to a plan: small networks are proven exactly, and the audit has the last word."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import allocator
from allocator import run
from allocator.audit import AuditFinding, AuditReport
from allocator.cli import cli, main
from allocator.engine.problem import Answer, Limits, Problem
from allocator.engine.process import Solver
from allocator.generate import generate
from allocator.options import Clock, Watch
from allocator.report.terminal import summary
from tests.program.networks import CASES, write_case


@pytest.mark.parametrize("case", CASES)
def test_small_networks_are_proven_and_audited(case: str, tmp_path: Path) -> None:
    """Every feature's small network is solved to the last unit, proven, and passes the audit."""
    plan = allocator.solve(allocator.read(write_case(case, tmp_path)))
    assert plan.audit.ok, plan.audit.findings
    assert plan.certificate["status"] == "optimal"
    assert plan.certificate["gap"] <= 1e-6
    assert plan.certificate["objective"] <= plan.certificate["rules_objective"] + 1e-6
    assert plan.exit_code == 0


def test_a_plan_the_audit_refuses_is_solved_again_and_then_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the audit refuses what the solver calls optimal, presolve goes off, then the rules engine steps in, and the plan says so."""
    real = run.audit
    engines: list[str] = []

    def refuse(tables, plan, certificate=None, previous=None):
        report = real(tables, plan, certificate, previous)
        engines.append(certificate["engine"])
        if certificate["engine"] == "rules":
            return report
        finding = AuditFinding("balance", "item bolt, site DC", "5", "6", 1.0)
        return AuditReport((finding,), 1.0, report.objective, report.checked, {"balance": 1})

    monkeypatch.setattr(run, "audit", refuse)
    plan = allocator.solve(allocator.read(write_case("plain", tmp_path)))
    assert engines == ["whole", "whole", "rules"]
    assert plan.certificate["status"] == "degraded"
    assert plan.exit_code == 3
    assert sum("the audit refused the solver's plan" in note for note in plan.manifest["notes"]) == 2
    told = plan.certificate["degraded"]
    assert sum("the audit refused the solver's plan" in why for why in told["why"]) == 2
    shown = summary(plan.tables["kpis"], plan.certificate, plan.tables["exceptions"])
    assert "Degraded: no solver's plan could be trusted" in str(shown)
    assert "mend: run allocator doctor" in str(shown)
    assert "<li>mend: run allocator doctor" in plan.report()


Ask = Callable[[Problem], Answer]


def _anything(ask: Ask, problem: Problem) -> Answer:
    """Any point at all, called optimal: a wrong optimum."""
    answer = ask(replace(problem, cost=np.zeros_like(problem.cost)))
    cost = float(problem.cost @ answer.x)
    return replace(answer, objective=cost, bound=cost)


def _too_much(ask: Ask, problem: Problem) -> Answer:
    """Half as much again of everything, called optimal: a point that breaks every balance."""
    answer = ask(problem)
    return replace(answer, x=None if answer.x is None else np.minimum(np.ceil(1.5 * answer.x + 1.0), problem.upper))


def _lying(monkeypatch: pytest.MonkeyPatch, lie: Callable[[Ask, Problem], Answer], always: bool) -> list[bool]:
    """Let the solver's answers be lies, always or while presolve is on; says of each solve whether presolve was on."""
    real, asked = Solver.solve, []

    def solve(self: Solver, problem: Problem, limits: Limits, progress: object = None) -> Answer:
        def ask(problem: Problem) -> Answer:
            return real(self, problem, limits, None)

        asked.append(self._presolve)
        return lie(ask, problem) if always or self._presolve else ask(problem)

    monkeypatch.setattr(Solver, "solve", solve)
    return asked


@pytest.mark.parametrize("lie", [_anything, _too_much])
@pytest.mark.parametrize("always", [False, True])
def test_a_wrong_optimal_is_caught(
    lie: Callable[[Ask, Problem], Answer], always: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A false "optimal" is found out by the audit or by a better plan; without presolve it is right, or the rules engine steps in."""
    network = allocator.read(write_case("packs", tmp_path))
    honest = allocator.solve(network)
    asked = _lying(monkeypatch, lie, always)
    plan = allocator.solve(network)
    assert plan.audit is not None
    assert plan.audit.ok
    assert any(asked)
    assert plan.certificate["bound"] is None or plan.certificate["bound"] <= honest.certificate["objective"] + 1e-6
    if always:
        assert (plan.certificate["engine"], plan.certificate["status"], plan.exit_code) == ("rules", "degraded", 3)
    else:
        assert plan.certificate["objective"] == pytest.approx(honest.certificate["objective"])
    said = " ".join(plan.manifest["notes"])
    assert "solved again without presolve" in said or "the solver failed" in said


def test_reading_that_takes_all_the_time_leaves_the_rules_plan(tmp_path: Path) -> None:
    """A deadline counts from the start of the run: when reading ate it, no program is built, and the rules plan is published, exit code 3."""
    generate(20, 3, days=4, out=tmp_path / "net")
    asked = ["plan", str(tmp_path / "net"), "-o", str(tmp_path / "plan"), "--deadline", "0.001s", "--log", "json"]
    result = CliRunner().invoke(cli, asked)
    assert result.exit_code == 3, result.output
    assert '"stage": "program"' not in result.output
    plan = allocator.read_plan(tmp_path / "plan")
    assert (plan.certificate["engine"], plan.certificate["status"]) == ("rules", "deadline")
    assert any("the deadline came while reading" in note for note in plan.manifest["notes"])
    assert plan.verify().ok


def test_time_that_reading_took_is_no_longer_the_solver_s() -> None:
    """What is left for the solver is the deadline less reading, less as much again for writing the input, less the rest that follows."""
    clock = Clock(time.monotonic() - 30.0, 100.0, Watch())
    clock.stage("network")
    assert clock.left() == pytest.approx(100.0 - 30.0 - 30.0, abs=5.0)


def test_the_command_line_counts_from_the_start_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What starting Python took is in the deadline too."""
    seen: list[float] = []
    monkeypatch.setattr("allocator.cli.cli.main", lambda **options: seen.append(options["obj"]))
    before = time.monotonic()
    with pytest.raises(SystemExit):
        main()
    assert seen[0] < before
