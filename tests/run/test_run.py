"""A run from tables to a plan: small networks are proven exactly, and the audit has the last word."""

from pathlib import Path

import pytest

import allocator
from allocator import run
from allocator.audit import AuditFinding, AuditReport
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
