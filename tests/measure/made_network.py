"""A made-up network for the tests of KPIs, report and explain."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pandas as pd

START = datetime.date(2025, 10, 6)
NASTY_ITEM = "<script>alert(1)</script>"
NASTY_SITE = 'O"Neil & Sons </svg>'
PRODUCTS = [
    "Oat milk",
    "Rye bread",
    "Blueberries",
    "Soda water",
    "Olive oil",
    "Yoghurt",
    "Coffee",
    "Rice",
    "Tea",
    "Salmon",
]


def write_csv(folder: Path, **tables: pd.DataFrame) -> None:
    """Write each table as CSV into a network folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)


def write_network(folder: Path, items: int = 60, stores: int = 40, days: int = 14, seed: int = 7) -> Path:
    """Write a supplier, two distribution centres, stores, and two weeks of demand in three channels."""
    draw = np.random.default_rng(seed)
    date = [START + datetime.timedelta(days=day) for day in range(days)]
    item = [NASTY_ITEM] + [f"{i:05d}" for i in range(1, items)]
    fresh = np.arange(items) % 3 == 0
    store = [NASTY_SITE] + [f"S{i:03d}" for i in range(1, stores)]
    home = ["DC-EAST" if i % 2 else "DC-WEST" for i in range(stores)]
    cost = np.round(draw.uniform(2, 30, items), 2)
    kinds = pd.DataFrame(
        {
            "item": item,
            "description": [f"{PRODUCTS[i % len(PRODUCTS)]} {i}" for i in range(items)],
            "category": np.where(fresh, "fresh", "dry"),
            "unit_cost": cost,
            "unit_volume": np.round(draw.uniform(0.002, 0.02, items), 4),
            "shelf_life_days": [21 if f else "" for f in fresh],
        }
    )
    sites = pd.DataFrame(
        {
            "site": ["SUPPLIER", "DC-EAST", "DC-WEST", *store],
            "kind": ["supplier", "dc", "dc"] + ["store"] * stores,
            "outbound_volume": ["", 41, 40] + [""] * stores,
            "inbound_volume": ["", 190, 190] + [2.2] * stores,
            "storage_volume": ["", 420, 420] + [9.5] * stores,
            "latitude": [41.2, 41.98, 41.6, *np.round(draw.uniform(40.7, 43.3, stores), 3)],
            "longitude": [-88.9, -91.66, -93.6, *np.round(draw.uniform(-96.2, -90.5, stores), 3)],
        }
    )
    lanes = pd.DataFrame(
        [("SUPPLIER", dc, 2, 0.05, 180, 200, "1010100", "auto") for dc in ("DC-EAST", "DC-WEST")]
        + [
            ("DC-EAST", "DC-WEST", 1, 0.1, 90, 20, "1111100", "auto"),
            ("DC-WEST", "DC-EAST", 1, 0.1, 90, 20, "1111100", "auto"),
        ]
        + [(home[i], store[i], 1, 0.2, 12, 2.4, "1111110", "auto") for i in range(stores)],
        columns=[
            "origin",
            "destination",
            "lead_time_days",
            "cost_per_unit",
            "cost_per_shipment",
            "daily_volume",
            "departs",
            "method",
        ],
    )
    channels = pd.DataFrame(
        {
            "channel": ["walk-in", "web", "trade"],
            "priority": [2, 3, 1],
            "unmet": ["lost", "lost", "backorder"],
            "max_wait_days": [0, 0, 3],
            "min_remaining_life_days": [0, 3, 2],
        }
    )
    fulfilment = pd.DataFrame(
        [(store[i], "walk-in", store[i], 0, 0.0) for i in range(stores)]
        + [
            (dc, channel, zone, 1, 0.6)
            for dc in ("DC-EAST", "DC-WEST")
            for channel in ("web", "trade")
            for zone in ("north", "south")
        ],
        columns=["site", "channel", "zone", "delivery_days", "cost_per_unit"],
    )
    prices = pd.DataFrame(
        [
            (item[i], channel, round(cost[i] * share, 2), round(cost[i] * share / 10, 2))
            for i in range(items)
            for channel, share in (("walk-in", 0.4), ("web", 0.5), ("trade", 0.3))
        ],
        columns=["item", "channel", "margin", "unmet_cost"],
    )
    rate = draw.gamma(2.0, 0.7, (items, stores))
    walk = [
        (item[i], "walk-in", store[s], d, round(rate[i, s] * (1.6 if d.weekday() > 3 else 1.0), 3))
        for i in range(items)
        for s in range(stores)
        if rate[i, s] > 0.8
        for d in date
    ]
    web = [(i, "web", zone, d, 4.3) for i in item for zone in ("north", "south") for d in date]
    forecasts = pd.DataFrame(walk + web, columns=["item", "channel", "zone", "date", "mean"])
    orders = pd.DataFrame(
        [
            (f"PO{i:04d}", "1", item[i], "trade", "north", START + datetime.timedelta(days=int(i % days) - 1), 24, "")
            for i in range(items)
        ],
        columns=["order", "line", "item", "channel", "zone", "due_date", "quantity", "priority"],
    )
    lots = []
    for i in range(items):
        for site, amount in [("SUPPLIER", 900), ("DC-EAST", 190), ("DC-WEST", 170)] + [(s, 5) for s in store]:
            if site in ("DC-EAST", "DC-WEST"):
                lots += [
                    (f"L{i}-{site}-a", item[i], site, amount // 2, "2025-09-16", "available"),
                    (f"L{i}-{site}-b", item[i], site, amount, "2025-10-03", "available"),
                ]
            else:
                lots.append((f"L{i}-{site}", item[i], site, amount, "2025-10-04", "available"))
    lots.append(("L-HOLD", item[1], "DC-EAST", 40, "2025-10-01", "quarantine"))
    write_csv(
        folder,
        items=kinds,
        sites=sites,
        lanes=lanes,
        channels=channels,
        fulfilment=fulfilment,
        prices=prices,
        forecasts=forecasts,
        orders=orders,
        lots=pd.DataFrame(lots, columns=["lot", "item", "site", "quantity", "received_date", "status"]),
        receipts=pd.DataFrame(
            [(f"R{i}", item[i], "DC-EAST", START + datetime.timedelta(days=4), 60) for i in range(0, items, 5)],
            columns=["receipt", "item", "site", "date", "quantity"],
        ),
        stock_policies=pd.DataFrame(
            [(i, s, 2, 4) for i in item for s in store[:6]], columns=["item", "site", "min_stock", "safety_stock"]
        ),
        admission_limits=pd.DataFrame(
            [("web", "*", "*", 40, 0.6), ("web", "DC-EAST", "2025-10-08", 30, "")],
            columns=["channel", "site", "date", "max_units", "max_share"],
        ),
        locks=pd.DataFrame(
            [("LK1", item[1], home[1], store[1], "2025-10-07", "fix", 12, "promotion", "kim")],
            columns=["lock", "item", "origin", "destination", "date", "kind", "quantity", "reason", "planner"],
        ),
    )
    (folder / "network.toml").write_text(
        f'name = "Made-up grocery"\ncurrency = "USD"\nstart = {START}\n'
        f"horizon_days = {days}\ncommit_days = 3\nseed = 1\n"
    )
    return folder
