"""Small random networks with every kind of rule in them."""

from __future__ import annotations

import random
from pathlib import Path

import pandas as pd

START = pd.Timestamp("2026-01-05")  # a Monday
ITEMS = ("BOX", "EGGS", "MILK", "OIL", "PEN")
ZONES = ("N", "S")


def day(number: int) -> str:
    """Date of a day number."""
    return f"{START + pd.Timedelta(days=number):%Y-%m-%d}"


def write_folder(path: Path, settings: str, tables: dict[str, list[dict[str, object]]]) -> Path:
    """Write ``network.toml`` and one CSV file a table."""
    path.mkdir(parents=True, exist_ok=True)
    text = f'name = "made up"\ncurrency = "EUR"\nstart = {START:%Y-%m-%d}\n{settings}\n'
    (path / "network.toml").write_text(text)
    for name, rows in tables.items():
        if rows:
            pd.DataFrame(rows).to_csv(path / f"{name}.csv", index=False)
    return path


def random_folder(path: Path, seed: int) -> Path:
    """Write a random network: two DCs that supply each other, three stores, short lives, tight limits, every method."""
    r = random.Random(seed)
    buckets = r.choice(("", "buckets = [1,1,1,1,1,1,1]", "buckets = [1,1,2,3]", "buckets = [3,4]"))
    days = 7
    settings = f"horizon_days = {days}\ncommit_days = {r.choice((1, 1, 3, 7))}\n{buckets}"
    tables: dict[str, list[dict[str, object]]] = {"items": _items(r), "sites": _sites(r), "lanes": _lanes(r)}
    tables |= {"channels": _channels(r), "fulfilment": _fulfilment(r), "prices": _prices(r)}
    tables |= _demand(r, days) | _stock(r, days)
    tables["item_lanes"] = _item_lanes(r, tables["lanes"])
    tables["locks"] = _locks(r, tables, days)
    tables["admission_limits"] = _limits(r, days)
    return write_folder(path, settings, tables)


SITES = ("SUP", "DC1", "DC2", "ST1", "ST2", "ST3")


def _items(r: random.Random) -> list[dict[str, object]]:
    return [
        {
            "item": code,
            "category": r.choice(("fresh", "dry")),
            "quantum": 0 if code == "OIL" else r.choice((1, 1, 2)),
            "unit_cost": r.randint(1, 9),
            "unit_volume": r.choice((0, 0.1, 0.5)),
            "shelf_life_days": r.choice((None, 4, 8)) if code in ("EGGS", "MILK") else None,
        }
        for code in ITEMS
    ]


def _sites(r: random.Random) -> list[dict[str, object]]:
    return [
        {
            "site": code,
            "kind": "supplier" if code == "SUP" else "dc" if code.startswith("DC") else "store",
            "storage_volume": r.choice((None, 20, 5)),
            "inbound_volume": r.choice((None, 8, 2)),
            "outbound_volume": r.choice((None, 10, 3)),
            "outbound_units": r.choice((None, 40, 15)),
        }
        for code in SITES
    ]


def _lanes(r: random.Random) -> list[dict[str, object]]:
    pairs = [("SUP", "DC1"), ("SUP", "DC2"), ("DC1", "DC2"), ("DC2", "DC1")]
    pairs += [(dc, store) for dc in ("DC1", "DC2") for store in ("ST1", "ST2", "ST3")]
    pairs += [("ST1", "DC1"), ("ST1", "ST2")]
    return [
        {
            "origin": a,
            "destination": b,
            "mode": mode,
            "lead_time_days": r.choice((0, 0, 1, 2, 3)),
            "cost_per_unit": r.choice((0, 0.1, 0.5)),
            "cost_per_shipment": r.choice((0, 2)),
            "daily_volume": r.choice((None, None, 3, 1)),
            "departs": r.choice(("1111111", "1010100", "0110011")),
            "method": r.choice(("auto", "auto", "push", "pull", "jit")),
        }
        for a, b in pairs
        for mode in ("road", "van")
        if mode == "road" or r.random() < 0.3
    ]


def _item_lanes(r: random.Random, lanes: list[dict[str, object]]) -> list[dict[str, object]]:
    return [
        {
            "item": item,
            **{name: lane[name] for name in ("origin", "destination", "mode")},
            "pack_size": r.choice((2, 4, 6)),
            "min_quantity": r.choice((0, 0, 8)),
            "method": r.choice((None, "pull", "jit", "auto")),
            "allowed": r.choice(("true", "true", "false")),
        }
        for lane in lanes
        for item in ITEMS
        if r.random() < 0.4
    ]


def _channels(r: random.Random) -> list[dict[str, object]]:
    return [
        {"channel": "store", "priority": 2, "unmet": "lost", "max_wait_days": 0, "min_remaining_life_days": r.choice((0, 1))},
        {"channel": "web", "priority": r.choice((1, 3)), "unmet": "backorder", "max_wait_days": r.choice((1, 2, 5)),
         "min_remaining_life_days": r.choice((0, 3))},
    ]  # fmt: skip


def _fulfilment(r: random.Random) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"site": s, "channel": "store", "zone": s, "delivery_days": 0, "cost_per_unit": 0}
        for s in ("ST1", "ST2", "ST3")
    ]
    rows += [
        {"site": site, "channel": "web", "zone": zone, "delivery_days": r.choice((0, 1, 2)),
         "cost_per_unit": r.choice((0, 0.5, 1))}
        for zone in ZONES
        for site in ("DC1", "DC2", "ST1")
        if r.random() < 0.8
    ]  # fmt: skip
    return rows + [
        {"site": "ST3", "channel": "web", "zone": zone, "delivery_days": 1, "cost_per_unit": 2} for zone in ZONES
    ]


def _prices(r: random.Random) -> list[dict[str, object]]:
    return [
        {"item": i, "channel": c, "margin": r.randint(0, 9), "unmet_cost": r.randint(0, 3)}
        for i in ITEMS
        for c in ("store", "web")
    ]


def _points() -> list[tuple[str, str]]:
    return [("store", s) for s in ("ST1", "ST2", "ST3")] + [("web", z) for z in ZONES]


def _demand(r: random.Random, days: int) -> dict[str, list[dict[str, object]]]:
    forecasts: list[dict[str, object]] = [
        {"item": i, "channel": c, "zone": z, "date": day(t), "mean": round(r.uniform(0, 8), 2), "std": 1}
        for i in ITEMS
        for c, z in _points()
        for t in range(days)
        if r.random() < 0.6
    ]
    orders: list[dict[str, object]] = []
    for number in range(14):
        channel, zone = r.choice(_points())
        orders.append(
            {"order": f"O{number}", "line": 1, "item": r.choice(ITEMS), "channel": channel, "zone": zone,
             "due_date": day(r.randint(-1, days - 1)), "quantity": 2 * r.randint(1, 6),
             "priority": r.choice((None, 1)), "unmet_cost": r.choice((None, 4))}
        )  # fmt: skip
    return {"forecasts": forecasts, "orders": orders}


def _stock(r: random.Random, days: int) -> dict[str, list[dict[str, object]]]:
    lots: list[dict[str, object]] = []
    for site in SITES:
        for item in ITEMS:
            for number in range(r.choice((0, 1, 2))):
                size = 60 if site == "SUP" else 24 if site.startswith("DC") else 8
                dated = item in ("EGGS", "MILK")
                lots.append(
                    {"lot": f"{item}-{site}-{number}", "item": item, "site": site, "quantity": 2 * r.randint(1, size // 2),
                     "received_date": day(-r.randint(0, 2)), "expiry_date": day(r.randint(1, 9)) if dated else None,
                     "status": r.choice(("available",) * 6 + ("blocked",))}
                )  # fmt: skip
    receipts: list[dict[str, object]] = [
        {"receipt": f"R{n}", "item": r.choice(("BOX", "PEN", "MILK")), "site": r.choice(SITES[:3]),
         "date": day(r.randint(0, days - 1)), "quantity": 2 * r.randint(1, 15), "expiry_date": day(days + r.randint(0, 5))}
        for n in range(5)
    ]  # fmt: skip
    policies: list[dict[str, object]] = [
        {"item": i, "site": s, "carried": "false" if r.random() < 0.1 else "true", "min_stock": r.choice((0, 0, 2)),
         "safety_stock": r.choice((0, 4)), "max_stock": r.choice((None, None, 20))}
        for i in ITEMS
        for s in SITES[1:]
        if r.random() < 0.5
    ]  # fmt: skip
    return {"lots": lots, "receipts": receipts, "stock_policies": policies}


def _locks(r: random.Random, tables: dict[str, list[dict[str, object]]], days: int) -> list[dict[str, object]]:
    rows = []
    ends = ("origin", "destination", "mode")
    taken: set[object] = set()
    shut = {(x["item"], *(x[n] for n in ends)) for x in tables["item_lanes"] if x["allowed"] == "false"}
    refused = {(x["item"], x["site"]) for x in tables["stock_policies"] if x["carried"] == "false"}
    for number in range(r.choice((0, 6, 12))):
        lane, item, when = r.choice(tables["lanes"]), r.choice(ITEMS), r.randint(0, days - 1)
        key = (lane["origin"], lane["destination"], lane["mode"], item, when)
        closed = (item, *(lane[n] for n in ends)) in shut or (item, lane["destination"]) in refused
        if key in taken or closed or str(lane["departs"])[when] == "0":
            continue
        taken.add(key)
        rows.append(
            {"lock": f"L{number}", "item": item, **{n: lane[n] for n in ("origin", "destination", "mode")},
             "date": day(when), "kind": r.choice(("fix", "min", "max")), "quantity": 2 * r.randint(0, 6),
             "reason": "test", "planner": "me"}
        )  # fmt: skip
    return rows


def _limits(r: random.Random, days: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    if r.random() < 0.6:
        rows.append({"channel": "web", "site": "*", "date": "*", "max_units": 10, "max_share": 0.5})
        rows.append({"channel": "store", "site": "ST1", "date": day(r.randint(0, days - 1)), "max_units": 3})
    return rows
