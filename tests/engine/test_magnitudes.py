"""Costs and quantities of twelve orders of magnitude in one network: planned to the unit, audited good, the objective as worked out by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import allocator
from allocator.tables.findings import InputError

HEAD = 'name = "wide"\ncurrency = "EUR"\nstart = 2026-03-02\nhorizon_days = 2\ncommit_days = 2\n'


def write(folder: Path, items: dict[str, tuple[float, float, int, int]], room: float | None) -> Path:
    """A network of one DC and two shops: item -> margin, freight, units at the DC, units asked for in each shop; room in m3 a day out of the DC.

    Every unit takes a cubic metre in all of an item's demand: where room is short, what earns most per m3 goes.
    """
    out = "" if room is None else f"{room:.9f}"
    tables = {
        "network.toml": HEAD,
        "items.csv": "item,unit_cost,unit_volume\n"
        + "".join(f"{i},{m!r},{1 / n!r}\n" for i, (m, _, _, n) in items.items()),
        "sites.csv": f"site,kind,holding_rate,outbound_volume\nDC,dc,0,{out}\nS1,store,0,\nS2,store,0,\n",
        "lanes.csv": "origin,destination,lead_time_days\nDC,S1,1\nDC,S2,1\n",
        "item_lanes.csv": "item,origin,destination,mode,cost_per_unit\n"
        + "".join(f"{i},DC,{s},standard,{f!r}\n" for i, (_, f, _, _) in items.items() for s in ("S1", "S2")),
        "channels.csv": "channel,unmet\nshop,lost\n",
        "fulfilment.csv": "site,channel,zone\nS1,shop,S1\nS2,shop,S2\n",
        "prices.csv": "item,channel,margin,unmet_cost\n"
        + "".join(f"{i},shop,{m!r},0\n" for i, (m, _, _, _) in items.items()),
        "forecasts.csv": "item,channel,zone,date,mean\n"
        + "".join(f"{i},shop,{s},2026-03-03,{n}\n" for i, (_, _, _, n) in items.items() for s in ("S1", "S2")),
        "lots.csv": "lot,item,site,quantity,received_date\n"
        + "".join(f"L,{i},DC,{held},2026-03-01\n" for i, (_, _, held, _) in items.items()),
    }
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def best(items: dict[str, tuple[float, float, int, int]]) -> tuple[dict[str, int], Fraction]:
    """Units served and the cost where nothing is shared: all there is for who asks, if it earns its freight."""
    served = {i: min(held, 2 * asked) if margin > freight else 0 for i, (margin, freight, held, asked) in items.items()}
    cost = sum((Fraction(items[i][1]) - Fraction(items[i][0])) * n for i, n in served.items())
    return served, Fraction(cost)


WIDE = {
    "dust": (2e-6, 1e-6, 1_500_000, 1_000_000),
    "sand": (1e-6, 2e-6, 1_000, 1_000),
    "bolt": (1.5, 0.25, 700, 1_000),
    "gem": (1e6, 1e3, 3, 2),
    "crown": (999_999.5, 999_999.0, 1, 1),
}
"""Costs from a millionth to a million, quantities from one to a million; sand does not earn its freight."""


@pytest.mark.parametrize("engine", ["whole", "priced"])
def test_costs_and_quantities_of_twelve_orders_are_planned_to_the_unit(engine: str, tmp_path: Path) -> None:
    """Every item gets its own best plan, the smallest too; the objective is the exact one, and the audit agrees."""
    served, cost = best(WIDE)
    plan = allocator.solve(allocator.read(write(tmp_path, WIDE, None)), engine=engine, workers=1)
    assert plan.audit is not None
    assert plan.audit.findings == ()
    found = plan.admissions.astype({"item": str}).groupby("item")["quantity"].sum()
    assert {item: int(found.get(item, 0)) for item in WIDE} == served
    assert plan.certificate["objective"] == pytest.approx(float(cost), rel=1e-12)
    assert plan.certificate["bound"] <= plan.certificate["objective"]


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("units", [1, 1_000_000])
def test_money_in_any_unit_gives_the_same_plan(factor: float, units: int, tmp_path: Path) -> None:
    """The same network with all money in millionths, or in millions, and with a million times the units, is planned alike."""
    items = {
        "one": (3.0 * factor, 1.0 * factor, 5 * units, 4 * units),
        "two": (2.0 * factor, 0.5 * factor, 9 * units, 4 * units),
    }
    served, cost = best(items)
    plan = allocator.solve(allocator.read(write(tmp_path, items, None)))
    found = plan.admissions.astype({"item": str}).groupby("item")["quantity"].sum()
    assert {item: int(found.get(item, 0)) for item in items} == served
    assert plan.audit is not None
    assert plan.audit.ok
    assert plan.certificate["objective"] == pytest.approx(float(cost), rel=1e-9)


def test_what_is_shared_goes_to_what_earns_most_whatever_its_size(tmp_path: Path) -> None:
    """With room for 3 of 6 m3 a day the two dearest by the m3 go, all of the dear one, and what is left of the other."""
    items = {"dust": (2e-6, 0.0, 2_000_000, 1_000_000), "bolt": (1.5, 0.0, 20, 10), "gem": (1e6, 0.0, 4, 2)}
    plan = allocator.solve(allocator.read(write(tmp_path, items, 3.0)))
    found = plan.admissions.astype({"item": str}).groupby("item")["quantity"].sum()
    assert plan.audit is not None
    assert plan.audit.findings == ()
    assert (found["gem"], found["bolt"], found.get("dust", 0)) == (4, 10, 0)
    assert plan.certificate["objective"] == pytest.approx(-(4e6 + 15.0), rel=1e-12)


@pytest.mark.parametrize(("margin", "quantity"), [(1e13, 1), (1.0, 10**13)])
def test_figures_beyond_twelve_orders_are_refused_with_the_reason(margin: float, quantity: int, tmp_path: Path) -> None:
    """A figure above 1e12 is bad input: row, column and rule are told."""
    with pytest.raises(InputError, match=r"1e12|1,000,000,000,000|e\+12"):
        allocator.read(write(tmp_path, {"one": (margin, 0.0, quantity, 1)}, None))
