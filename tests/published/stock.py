"""Stock over several periods: steelT, Dantzig's warehouse, Wagner and Whitin. A period is one day."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from tests.published.folder import START, Folder, dear

PLENTY = 1_000_000


def steel(data: dict[str, Any]) -> Folder:
    """State the AMPL book's steelT: weekly prices are channels, mill hours are inbound volume.

    Making is shipping from an endless supplier; a ton takes 1 / (tons per hour) hours of the mill's inbound, which
    is shorter in one week. Carrying a ton for a week costs unit_cost x holding_rate / 365. The objective is minus
    the profit.
    """
    folder = Folder("steelT", days=data["weeks"])
    folder.site("ore", "supplier")
    usual = max(data["hours_available"])
    folder.site("mill", "plant", holding_rate=1, inbound_volume=usual)
    folder.add("lanes", origin="ore", destination="mill", lead_time_days=0)
    for week, hours in enumerate(data["hours_available"]):
        if hours != usual:
            date = START + pd.Timedelta(days=week)
            folder.add("capacities", site="mill", resource="inbound", date=f"{date:%Y-%m-%d}", volume=hours)
        folder.add("channels", channel=f"week{week + 1}")
        folder.serve("mill", "market", channel=f"week{week + 1}")
    for item, rate in data["tons_per_hour"].items():
        folder.item(item, unit_volume=1 / rate, unit_cost=365 * data["carry_cost"][item])
        folder.stock(item, "ore", PLENTY)
        if data["initial_inventory"][item]:
            folder.stock(item, "mill", data["initial_inventory"][item])
        make = data["prod_cost"][item]
        folder.add("item_lanes", item=item, origin="ore", destination="mill", cost_per_unit=make)
        revenue, limit = data["steelT"]["revenue"][item]["all"], data["steelT"]["market_limit"][item]["all"]
        for week in range(data["weeks"]):
            folder.demand(item, "market", limit[week], channel=f"week{week + 1}", day=week)
            folder.add("prices", item=item, channel=f"week{week + 1}", margin=revenue[week], unmet_cost=0)
    return folder


def whouse(path: Path) -> Folder:
    """State Dantzig's warehouse: a buying lane that departs on one weekday a period, a selling channel a period."""
    data = json.loads(path.read_text())
    folder = Folder("whouse", days=data["periods"])
    folder.item("goods", unit_cost=365 * data["storage_cost_per_unit_period"])
    folder.site("market", "supplier")
    folder.site("warehouse", "dc", holding_rate=1, storage_volume=data["storage_capacity"])
    folder.stock("goods", "market", PLENTY)
    folder.stock("goods", "warehouse", data["initial_stock"])
    for day, price in enumerate(data["price"]):
        weekday = "".join("1" if k == day else "0" for k in range(7))
        folder.add(
            "lanes", origin="market", destination="warehouse", mode=f"day{day + 1}", lead_time_days=0,
            cost_per_unit=price, departs=weekday,
        )  # fmt: skip
        folder.add("channels", channel=f"day{day + 1}")
        folder.serve("warehouse", "buyers", channel=f"day{day + 1}")
        folder.demand("goods", "buyers", 10 * data["storage_capacity"], channel=f"day{day + 1}", day=day)
        folder.add("prices", item="goods", channel=f"day{day + 1}", margin=price, unmet_cost=0)
    return folder


def wagner_whitin(name: str, data: dict[str, Any]) -> Folder:
    """State uncapacitated lot sizing: an order is one vehicle that holds everything, every period is committed."""
    (holding,), (fixed,), (unit,) = ({*data[key]} for key in ("holding_cost", "fixed_cost", "purchase_cost"))
    folder = Folder(name, days=data["periods"], commit_days=data["periods"])
    folder.item("goods", quantum=1, unit_cost=365 * holding)
    folder.add("channels", channel="need")
    folder.site("supplier", "supplier")
    folder.site("shop", "store", holding_rate=1)
    folder.serve("shop", "shop")
    total = sum(data["demand"])
    folder.stock("goods", "supplier", total)
    folder.arc("supplier", "shop", total, fixed, unit)
    for day, quantity in enumerate(data["demand"]):
        folder.demand("goods", "shop", quantity, day=day)
    folder.must_serve("goods", dear(unit + holding * data["periods"], fixed))
    return folder
