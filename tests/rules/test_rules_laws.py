"""Every hard rule holds on random networks that have a bit of everything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from allocator.audit import audit
from allocator.generate import generate
from allocator.measure import measure
from allocator.network import build_network
from allocator.network.prices import build_prices
from allocator.plan.assemble import draft_plan
from allocator.rules import Rule, plan_by_rules
from allocator.tables import Tables, read_tables
from tests.rules.checker import broken_rules
from tests.rules.made_up import random_folder


def findings(tables: Tables, rule: Rule) -> list[str]:
    """What the checker and the audit find in the rules engine's plan."""
    network = build_network(tables)
    quantities = plan_by_rules(network, rule)
    draft = draft_plan(network, quantities, "plan", build_prices(network), None)
    assert draft.unfilled == 0
    kpis = measure(tables, draft.tables, draft.components)
    found = audit(tables, dict(draft.tables) | {"kpis": kpis}, None)
    return broken_rules(network, quantities) + [str(finding) for finding in found.findings]


@pytest.mark.parametrize("seed", range(5))
def test_random_networks_keep_every_hard_rule(seed: int, tmp_path: Path) -> None:
    """Pull, jit, locks, packs, short lives, tight limits, long buckets, DCs that supply each other."""
    assert findings(read_tables(random_folder(tmp_path / "n", seed)), list(Rule)[seed % 4]) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 200))
def test_many_random_networks_keep_every_hard_rule(seed: int, tmp_path: Path) -> None:
    """The same, a hundred times."""
    assert findings(read_tables(random_folder(tmp_path / "n", seed)), list(Rule)[seed % 4]) == []


def test_a_generated_network_is_served_well(tmp_path: Path) -> None:
    """A network with 12 stores and tight days: all hard rules hold, and nine in ten units are served."""
    tables = read_tables(generate(20, 12, 14, 3, 2, 1, tight=0.3, expiring=0.5, out=tmp_path))
    assert findings(tables, Rule.A) == []
    network = build_network(tables)
    assert plan_by_rules(network).admissions.quantity.sum() > 0.9 * network.demand.quantity.sum()


def test_the_checker_sees_a_broken_plan(tmp_path: Path) -> None:
    """Twice the quantities break balance, demand and locks or limits of the same network."""
    network = build_network(read_tables(random_folder(tmp_path / "n", 0)))
    plan = plan_by_rules(network)
    ships, serves = (replace(flows, quantity=3.5 * flows.quantity) for flows in (plan.shipments, plan.admissions))
    kinds = {
        fault.split(":")[0].split(" of ")[0]
        for fault in broken_rules(network, replace(plan, shipments=ships, admissions=serves))
    }
    assert {"balance", "demand", "steps"} <= kinds


def test_the_same_network_gives_the_same_plan(tmp_path: Path) -> None:
    """Two runs agree to the bit."""
    network = build_network(read_tables(random_folder(tmp_path / "n", 3)))
    one, two = plan_by_rules(network), plan_by_rules(network)
    for a, b in ((one.shipments, two.shipments), (one.admissions, two.admissions)):
        assert np.array_equal(a.quantity, b.quantity)
        assert np.array_equal(a.way, b.way)
