"""The audit passes a good plan, and names every rule that a bad one breaks."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from audit_breaks import BREAKS, Break, Case, planned_lots
from audit_sample import COMPONENTS, sample_certificate, sample_plan, sample_previous, sample_tables

from allocator.audit import RULES, AuditReport, audit

BY_FOLDER = {"files"}  # broken in test_folder.py


def check(case: Case, folder: Path) -> AuditReport:
    """Audit a case."""
    return audit(sample_tables(folder, **case.network), case.plan, case.certificate, sample_previous())


def test_good_plan_is_clean(tmp_path: Path) -> None:
    """The plan worked out by hand breaks no rule, and every rule was checked at one place at least."""
    report = check(Case(), tmp_path)
    assert [str(finding) for finding in report.findings] == []
    assert report.ok
    assert report.largest_violation < 1e-9
    assert [rule for rule, places in report.checked.items() if not places and rule not in BY_FOLDER] == []


def test_objective_is_the_one_worked_out_by_hand(tmp_path: Path) -> None:
    """Every component of the objective is the figure computed by hand."""
    objective = check(Case(), tmp_path).objective
    assert {name: objective[name] for name in COMPONENTS} == pytest.approx(COMPONENTS, rel=1e-12)
    assert objective["total"] == pytest.approx(sum(COMPONENTS.values()), rel=1e-12)


@pytest.mark.parametrize("broken", BREAKS, ids=str)
def test_break_is_named(broken: Break, tmp_path: Path) -> None:
    """A plan that breaks a rule is found out under that rule's name, at the right place, on one line."""
    case = Case()
    broken.change(case)
    report = check(case, tmp_path)
    lines = [str(finding) for finding in report.findings if finding.rule == broken.rule]
    assert any(broken.where in line for line in lines), lines or list(report.broken)
    assert all("\n" not in line for line in lines)
    assert not report.ok
    assert report.broken[broken.rule] >= len(lines)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in BY_FOLDER])
def test_every_rule_has_a_break(rule: str) -> None:
    """No rule stands in the registry without a plan that breaks it."""
    assert rule in {broken.rule for broken in BREAKS}


def test_planned_lots_need_not_follow_the_rotation(tmp_path: Path) -> None:
    """Moves under the rule PLANNED are not held to the rotation rule."""
    case = Case()
    planned_lots(case)
    assert check(case, tmp_path).ok


def test_rotation_break_is_the_only_one(tmp_path: Path) -> None:
    """A plan whose only fault is the order of its lots breaks one rule and no other."""
    case = Case()
    next(broken for broken in BREAKS if broken.rule == "lot_order").change(case)
    assert set(check(case, tmp_path).broken) == {"lot_order"}


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    """A plan shuffled row by row audits clean with the same objective."""
    tables = sample_tables(tmp_path)
    shuffled = {name: frame.sample(frac=1.0, random_state=7) for name, frame in sample_plan().items()}
    report = audit(tables, shuffled, sample_certificate(), sample_previous())
    assert report.ok, [str(finding) for finding in report.findings]


def test_words_as_categories_audit_alike(tmp_path: Path) -> None:
    """Tables whose words are categories, as a Parquet file is read, give the same report."""
    plan = sample_plan()
    for frame in plan.values():
        for column in frame.columns:
            if frame[column].dtype == object or pd.api.types.is_string_dtype(frame[column]):
                frame[column] = frame[column].astype("category")
    tables = sample_tables(tmp_path)
    report = audit(tables, plan, sample_certificate(), sample_previous())
    assert report == audit(tables, sample_plan(), sample_certificate(), sample_previous())


def test_empty_plan_of_an_idle_network_is_clean(tmp_path: Path) -> None:
    """Without demand, stock, policies and locks an empty plan breaks nothing and costs nothing."""
    idle = {
        "forecasts": "item,channel,zone,date,mean",
        "orders": "order,line,item,channel,zone,due_date,quantity",
        "lots": "lot,item,site,quantity,received_date",
        "receipts": "receipt,item,site,date,quantity",
        "stock_policies": "item,site",
        "locks": "lock,item,origin,destination,date,kind,quantity,reason,planner",
        "capacities": "site,resource,date,volume",
    }
    plan = {name: frame.head(0) for name, frame in sample_plan().items()}
    plan["kpis"] = sample_plan()["kpis"].assign(value=0.0)
    zero = {"objective": 0.0, "components": {}, "bound": 0.0, "gap": 0.0}
    report = audit(sample_tables(tmp_path, **idle), plan, zero)
    assert [str(finding) for finding in report.findings] == []
    assert report.objective["total"] == 0.0


def test_findings_are_capped_and_counted(tmp_path: Path) -> None:
    """Many breaks of one rule are counted, and only the worst written out."""
    plan = sample_plan()
    plan["projections"] = plan["projections"].assign(stock=1000.0 + pd.RangeIndex(36))
    report = audit(sample_tables(tmp_path), plan, sample_certificate(), sample_previous())
    written = [finding for finding in report.findings if finding.rule == "balance"]
    assert report.broken["balance"] == 36
    assert len(written) == 20
    assert written[0].amount == max(finding.amount for finding in written)
    assert report.largest_violation >= written[0].amount
