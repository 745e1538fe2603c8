"""Plans of small networks whose outcome is worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from allocator.network import Network, build_network
from allocator.rules import Rule, plan_by_rules
from allocator.tables import read_tables
from tests.rules.checker import broken_rules
from tests.rules.made_up import day, write_folder

Tables = dict[str, list[dict[str, object]]]


def one_dc(stores: dict[str, float], stock: float, lead: int = 0, **lane: object) -> Tables:
    """One item at a DC, and stores that ask for it on the day goods that leave today arrive."""
    return {
        "items": [{"item": "A"}],
        "sites": [{"site": "DC", "kind": "dc"}, *({"site": s, "kind": "store"} for s in stores)],
        "lanes": [
            {"origin": "DC", "destination": s, "lead_time_days": lead, "cost_per_unit": 1, **lane} for s in stores
        ],
        "channels": [{"channel": "shop"}],
        "fulfilment": [{"site": s, "channel": "shop", "zone": s} for s in stores],
        "forecasts": [
            {"item": "A", "channel": "shop", "zone": s, "date": day(lead), "mean": q, "std": 0}
            for s, q in stores.items()
        ],
        "lots": [{"lot": "L", "item": "A", "site": "DC", "quantity": stock, "received_date": day(-1)}],
    }


def network_of(path: Path, tables: Tables, days: int = 1, commit: int = 1) -> Network:
    """Read the tables as a network."""
    return build_network(read_tables(write_folder(path, f"horizon_days = {days}\ncommit_days = {commit}", tables)))


def shipped(network: Network, rule: Rule = Rule.A) -> dict[tuple[str, str, int], float]:
    """Quantities shipped by origin, destination and bucket; the plan keeps every hard rule."""
    plan = plan_by_rules(network, rule)
    assert broken_rules(network, plan) == []
    found = plan.shipments.total()
    codes = network.lanes.codes
    return {
        (codes[k][0], codes[k][1], int(t)): float(q)
        for k, t, q in zip(found.way, found.bucket, found.quantity, strict=True)
    }


def served(network: Network, rule: Rule = Rule.A) -> float:
    """Units served in all."""
    return float(plan_by_rules(network, rule).admissions.quantity.sum())


def test_rule_a_shares_in_proportion_to_demand(tmp_path: Path) -> None:
    """The acceptance figures, through a network."""
    network = network_of(tmp_path, one_dc({"S1": 200, "S2": 250, "S3": 350}, 500))
    assert list(shipped(network).values()) == [125, 156, 219]


def test_rule_b_levels_stock_against_target(tmp_path: Path) -> None:
    """The acceptance figures, through a network: targets are safety stocks, stocks are there."""
    tables = one_dc({"S1": 0, "S2": 0}, 1200)
    tables["stock_policies"] = [
        {"item": "A", "site": "S1", "safety_stock": 800},
        {"item": "A", "site": "S2", "safety_stock": 1500},
    ]
    tables["lots"] += [
        {"lot": s, "item": "A", "site": s, "quantity": q, "received_date": day(-1)}
        for s, q in (("S1", 200), ("S2", 600))
    ]
    assert list(shipped(network_of(tmp_path, tables), Rule.B).values()) == [496, 704]


def test_rule_c_keeps_to_quotas_of_the_horizon(tmp_path: Path) -> None:
    """Today both ask for 100; over the horizon the second sells three times as much."""
    tables = one_dc({"S1": 100, "S2": 100}, 80)
    tables["forecasts"].append({"item": "A", "channel": "shop", "zone": "S2", "date": day(1), "mean": 200, "std": 0})
    network = network_of(tmp_path, tables, days=2)
    assert shipped(network, Rule.C) == {("DC", "S1", 0): 20, ("DC", "S2", 0): 60}
    assert shipped(network, Rule.A) == {("DC", "S1", 0): 40, ("DC", "S2", 0): 40}


def test_rule_d_goes_by_priority(tmp_path: Path) -> None:
    """The store of the first channel gets all it needs, the other what is left."""
    tables = one_dc({"S1": 100, "S2": 100}, 130)
    tables["channels"] = [{"channel": "shop", "priority": 2}, {"channel": "vip", "priority": 1}]
    tables["fulfilment"][1]["channel"] = tables["forecasts"][1]["channel"] = "vip"
    assert shipped(network_of(tmp_path, tables), Rule.D) == {("DC", "S1", 0): 30, ("DC", "S2", 0): 100}


def test_minimum_stocks_come_before_the_rest(tmp_path: Path) -> None:
    """Two missing pieces of presentation stock are sent although the other store asks for far more."""
    tables = one_dc({"S1": 100, "S2": 0}, 10)
    tables["stock_policies"] = [{"item": "A", "site": "S2", "min_stock": 2}]
    assert shipped(network_of(tmp_path, tables)) == {("DC", "S1", 0): 8, ("DC", "S2", 0): 2}


def test_whole_packs_inside_the_commit_window(tmp_path: Path) -> None:
    """Ten units in packs of six are two packs; where only eleven are there, one."""
    for stock, sent in ((100, 12), (11, 6)):
        tables = one_dc({"S1": 10}, stock)
        tables["item_lanes"] = [{"item": "A", "origin": "DC", "destination": "S1", "pack_size": 6}]
        assert shipped(network_of(tmp_path / str(stock), tables)) == {("DC", "S1", 0): sent}


def test_a_minimum_quantity_is_filled_up(tmp_path: Path) -> None:
    """Three units are asked for, at least eight must go; with five in stock nothing goes."""
    for stock, sent in ((100, {("DC", "S1", 0): 8.0}), (5, {})):
        tables = one_dc({"S1": 3}, stock)
        tables["item_lanes"] = [{"item": "A", "origin": "DC", "destination": "S1", "min_quantity": 8}]
        assert shipped(network_of(tmp_path / str(stock), tables)) == sent


def test_shipments_last_until_the_next_departure_arrives(tmp_path: Path) -> None:
    """A lane that departs on Monday and Thursday carries Tuesday to Thursday first, then the rest."""
    tables = one_dc({"S1": 0}, 100, lead=1, departs="1001000")
    tables["forecasts"] = [
        {"item": "A", "channel": "shop", "zone": "S1", "date": day(t), "mean": 10, "std": 0} for t in range(7)
    ]
    network = network_of(tmp_path, tables, days=7)
    assert shipped(network) == {("DC", "S1", 0): 30, ("DC", "S1", 3): 30}
    assert served(network) == 60


def test_need_goes_up_a_chain_of_same_day_lanes(tmp_path: Path) -> None:
    """A supplier's goods pass a DC and reach a zone on one day."""
    tables = one_dc({"S1": 40}, 0)
    tables["sites"].append({"site": "SUP", "kind": "supplier"})
    tables["lanes"].append({"origin": "SUP", "destination": "DC", "lead_time_days": 0})
    tables["lots"] = [{"lot": "L", "item": "A", "site": "SUP", "quantity": 50, "received_date": day(-1)}]
    network = network_of(tmp_path, tables)
    assert shipped(network) == {("DC", "S1", 0): 40, ("SUP", "DC", 0): 40}
    assert served(network) == 40


def test_the_next_lane_carries_what_a_full_one_cannot(tmp_path: Path) -> None:
    """The cheap origin's lane holds 10 m3, the dear one brings the rest."""
    tables = one_dc({"S1": 40}, 100, daily_volume=10)
    tables["items"] = [{"item": "A", "unit_volume": 1}]
    tables["sites"].append({"site": "FAR", "kind": "dc"})
    tables["lanes"].append({"origin": "FAR", "destination": "S1", "lead_time_days": 0, "cost_per_unit": 9})
    tables["lots"].append({"lot": "M", "item": "A", "site": "FAR", "quantity": 25, "received_date": day(-1)})
    assert shipped(network_of(tmp_path, tables)) == {("DC", "S1", 0): 10, ("FAR", "S1", 0): 25}


def test_pull_lanes_wait_for_firm_demand(tmp_path: Path) -> None:
    """Of 30 forecast, 12 are ordered: twelve go, and eighteen are lost."""
    tables = one_dc({"S1": 30}, 100, lead=1, method="pull")
    tables["orders"] = [
        {"order": "O", "line": 1, "item": "A", "channel": "shop", "zone": "S1", "due_date": day(1), "quantity": 12}
    ]
    network = network_of(tmp_path, tables, days=3)
    assert shipped(network) == {("DC", "S1", 0): 12}
    assert served(network) == 12


def test_pull_lanes_answer_backlog(tmp_path: Path) -> None:
    """Forecast demand that waits calls on the day after it fell."""
    tables = one_dc({"S1": 5}, 100, lead=1, method="pull")
    tables["channels"] = [{"channel": "shop", "unmet": "backorder", "max_wait_days": 3}]
    network = network_of(tmp_path, tables, days=5)
    assert shipped(network) == {("DC", "S1", 2): 5}
    assert served(network) == 5


def test_jit_lanes_bring_what_leaves_that_day(tmp_path: Path) -> None:
    """A safety stock is not filled by a jit lane."""
    tables = one_dc({"S1": 7}, 100, lead=1, method="jit")
    tables["stock_policies"] = [{"item": "A", "site": "S1", "safety_stock": 20}]
    assert shipped(network_of(tmp_path, tables, days=3)) == {("DC", "S1", 0): 7}


def test_jit_shipments_that_did_not_leave_are_cut(tmp_path: Path) -> None:
    """The store may serve four units a day: the seven expected are not brought."""
    tables = one_dc({"S1": 7}, 100, lead=1, method="jit")
    tables["admission_limits"] = [{"channel": "shop", "site": "S1", "date": "*", "max_units": 4}]
    assert shipped(network_of(tmp_path, tables, days=3)) == {("DC", "S1", 0): 4}


@pytest.mark.parametrize(("kind", "sent"), [("fix", 3.0), ("min", 20.0), ("max", 3.0)])
def test_locks_are_honoured(tmp_path: Path, kind: str, sent: float) -> None:
    """Ten are asked for: fix sends the locked three, min of twenty sends twenty, max holds at three."""
    tables = one_dc({"S1": 10}, 100)
    tables["locks"] = [
        {"lock": "K", "item": "A", "origin": "DC", "destination": "S1", "mode": "standard", "date": day(0), "kind": kind,
         "quantity": sent, "reason": "promotion", "planner": "me"}
    ]  # fmt: skip
    assert shipped(network_of(tmp_path, tables)) == {("DC", "S1", 0): sent}


def test_remaining_life_decides_who_is_served(tmp_path: Path) -> None:
    """Old milk is not served where five days are asked, fresh milk is."""
    tables = one_dc({"S1": 10}, 0)
    tables["channels"] = [{"channel": "shop", "min_remaining_life_days": 5}]
    tables["lots"] = [
        {"lot": f"L{e}", "item": "A", "site": "S1", "quantity": 4, "received_date": day(-1), "expiry_date": day(e)}
        for e in (2, 5)
    ]
    network = network_of(tmp_path, tables)
    plan = plan_by_rules(network).admissions
    assert (plan.quantity.tolist(), plan.expiry.tolist()) == ([4.0], [5])


def test_higher_priority_and_firm_demand_first(tmp_path: Path) -> None:
    """Ten units: the first channel takes six, then firm demand of the second before its forecast."""
    tables = one_dc({"S1": 6}, 0)
    tables["channels"] = [{"channel": "shop", "priority": 2}, {"channel": "vip", "priority": 1}]
    tables["fulfilment"].append({"site": "S1", "channel": "vip", "zone": "S1"})
    tables["forecasts"].append({"item": "A", "channel": "vip", "zone": "S1", "date": day(0), "mean": 6, "std": 0})
    tables["orders"] = [
        {"order": "O", "line": 1, "item": "A", "channel": "shop", "zone": "S1", "due_date": day(0), "quantity": 3}
    ]
    tables["lots"] = [{"lot": "L", "item": "A", "site": "S1", "quantity": 10, "received_date": day(-1)}]
    network = network_of(tmp_path, tables)
    plan, claims = plan_by_rules(network).admissions, network.claims
    found = {
        (network.channels[claims.channel[d]], claims.label[d]): q
        for d, q in zip(claims.arc_claim[plan.way], plan.quantity, strict=True)
    }
    assert found == {("vip", "forecast"): 6, ("shop", "firm"): 3, ("shop", "forecast"): 1}


def test_zero_demand_zero_plan(tmp_path: Path) -> None:
    """Nothing moves where nothing is asked for."""
    tables = one_dc({"S1": 0, "S2": 0}, 100)
    network = network_of(tmp_path, tables)
    assert shipped(network) == {}
    assert served(network) == 0
