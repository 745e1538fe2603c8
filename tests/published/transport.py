"""Transportation: fixed charges (fctp), the AMPL book's small models, Dantzig's example."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tests.published.folder import Folder, dear


def fctp(path: Path) -> Folder:
    """State a fixed-charge transportation instance: sources with stock, stores with demand, priced lanes."""
    supply, demand, lanes = (pd.read_csv(path / f"{name}.csv") for name in ("supply", "demand", "lanes"))
    folder = Folder(path.name)
    folder.item("goods", quantum=1)
    folder.add("channels", channel="need")
    for row in supply.itertuples():
        folder.site(row.origin, "supplier")
        folder.stock("goods", row.origin, row.supply)
    for row in demand.itertuples():
        folder.site(row.destination, "store")
        folder.serve(row.destination, row.destination)
        folder.demand("goods", row.destination, row.demand)
    for row in lanes.itertuples():
        folder.arc(row.origin, row.destination, row.capacity, row.fixed_cost, row.unit_cost)
    folder.must_serve("goods", dear(lanes.unit_cost.max(), lanes.fixed_cost.max()))
    return folder


def _balanced(
    name: str, supply: dict[str, dict[str, float]], demand: dict[str, dict[str, float]], unmet_cost: float
) -> Folder:
    """Start a network of sources and destinations, supply and demand by item."""
    folder = Folder(name)
    folder.add("channels", channel="need")
    for item in supply:
        folder.item(item)
        folder.must_serve(item, unmet_cost)
        for origin, quantity in supply[item].items():
            folder.stock(item, origin, quantity)
        for zone, quantity in demand[item].items():
            folder.demand(item, zone, quantity)
    for origin in next(iter(supply.values())):
        folder.site(origin, "supplier")
    for zone in next(iter(demand.values())):
        folder.site(zone, "store")
        folder.serve(zone, zone)
    return folder


def transp(data: dict[str, Any]) -> Folder:
    """State the AMPL book's transportation model, one item and no limits on lanes."""
    largest = max(max(row.values()) for row in data["cost"].values())
    folder = _balanced("transp", {"goods": data["supply"]}, {"goods": data["demand"]}, dear(largest))
    for origin, row in data["cost"].items():
        for zone, unit in row.items():
            folder.add("lanes", origin=origin, destination=zone, lead_time_days=0, cost_per_unit=unit)
    return folder


def multi(data: dict[str, Any], fixed: bool) -> Folder:
    """State the AMPL book's multi (or, with fixed charges, multmip1): three items share every lane."""
    room = data["lane_capacity_total_all_products"]
    unit = max(cost for rows in data["unit_cost"].values() for row in rows.values() for cost in row.values())
    charge = max(max(row.values()) for row in data["lane_fixed_cost"].values()) if fixed else 0
    folder = _balanced("multmip1" if fixed else "multi", data["supply"], data["demand"], dear(unit, charge))
    for origin, row in data["lane_fixed_cost"].items():
        for zone, cost in row.items():
            folder.arc(origin, zone, room, cost if fixed else 0, 0)
            for item, costs in data["unit_cost"].items():
                folder.add(
                    "item_lanes", item=item, origin=origin, destination=zone,
                    cost_per_unit=costs[origin][zone],
                )  # fmt: skip
    return folder


def net1(data: dict[str, Any], cut: float | None = None) -> Folder:
    """State the AMPL book's net1: a plant, two distribution centres, five markets, a limit on every link.

    With `cut`, the only link into MCO carries less than MCO asks for, so the published model has no solution.
    """
    folder = Folder("net1" if cut is None else "net1-cut")
    folder.item("packages", quantum=1)
    folder.add("channels", channel="need")
    kinds = dict.fromkeys(data["supply"], "plant") | dict.fromkeys(data["demand"], "store")
    for node in data["nodes"]:
        folder.site(node, kinds.get(node, "dc"))
    for node, quantity in data["supply"].items():
        folder.stock("packages", node, quantity)
    for node, quantity in data["demand"].items():
        folder.serve(node, node)
        folder.demand("packages", node, quantity)
    for link in data["links"]:
        room = cut if cut is not None and link["to"] == "MCO" else link["capacity"]
        folder.add(
            "lanes", origin=link["frm"], destination=link["to"], lead_time_days=0, cost_per_unit=link["cost"],
            daily_volume=room,
        )  # fmt: skip
    folder.must_serve("packages", dear(max(link["cost"] for link in data["links"]), hops=2))
    return folder


def trnsport(path: Path) -> Folder:
    """State Dantzig's two plants and three markets; plants may keep what nobody asks for."""
    data = json.loads(path.read_text())
    rate = data["freight_usd_per_case_per_kmile"] / 1000
    largest = rate * max(max(row.values()) for row in data["distance_kmiles"].values())
    folder = _balanced("trnsport", {"cases": data["plants"]}, {"cases": data["markets"]}, dear(largest))
    for plant, row in data["distance_kmiles"].items():
        for market, distance in row.items():
            folder.add("lanes", origin=plant, destination=market, lead_time_days=0, cost_per_unit=rate * distance)
    return folder
