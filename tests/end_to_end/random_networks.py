"""Random small networks that mix every feature of docs/semantics.md, one seed one network."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.end_to_end.case import Case, Row

START = dt.date(2026, 1, 7)  # a Wednesday: masks with weekends matter
FEATURES: dict[str, float] = {
    "quanta": 0.5,
    "volume": 0.6,
    "packs": 0.35,
    "minimum": 0.25,
    "category": 0.2,
    "closed": 0.15,
    "modes": 0.25,
    "cycle": 0.25,
    "masks": 0.3,
    "methods": 0.4,
    "vehicles": 0.3,
    "daily_volume": 0.25,
    "storage": 0.3,
    "inbound": 0.25,
    "outbound": 0.25,
    "outbound_units": 0.2,
    "capacities": 0.2,
    "expiry": 0.5,
    "unusable": 0.25,
    "later_lots": 0.15,
    "receipts": 0.45,
    "orders": 0.5,
    "overrides": 0.3,
    "fractional": 0.4,
    "limits": 0.25,
    "policies": 0.45,
    "not_carried": 0.2,
    "locks": 0.3,
    "min_fill": 0.2,
    "free": 0.15,
    "huge": 0.1,
    "no_demand": 0.04,
    "no_stock": 0.04,
    "long_buckets": 0.3,
    "no_holding": 0.25,
    "delivery": 0.3,
    "life": 0.3,
}
"""Probability that a feature is in a network."""


@dataclass
class Maker:
    """Draws one network."""

    draw: np.random.Generator
    features: frozenset[str]

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return bool(self.draw.random() < p)

    def has(self, feature: str, p: float = 1.0) -> bool:
        """True with probability p where the network has the feature."""
        return feature in self.features and self.chance(p)

    def whole(self, low: int, high: int) -> int:
        """A whole number from low through high."""
        return int(self.draw.integers(low, high + 1))

    def pick(self, *values: Any) -> Any:
        """One of the values."""
        return values[int(self.draw.integers(len(values)))]

    def money(self, high: float) -> float:
        """An amount of cents."""
        return round(float(self.draw.random()) * high, 2)

    def day(self, low: int, high: int) -> str:
        """A date so many days from the start."""
        return (START + dt.timedelta(days=self.whole(low, high))).isoformat()

    def some(self, quantum: float, high: int, low: int = 0) -> float:
        """A quantity in quanta."""
        if quantum == 0:
            return round(low + float(self.draw.random()) * high, self.pick(1, 2, 3))
        return self.whole(low, max(low, int(high / quantum))) * quantum


def random_case(seed: int, with_features: frozenset[str] | None = None, without: frozenset[str] = frozenset()) -> Case:
    """Draw a network.

    Parameters
    ----------
    seed : int
    with_features : frozenset of str, optional
        Exactly these features of :data:`FEATURES`; None draws them.
    without : frozenset of str
        Features left out.
    """
    draw = np.random.default_rng(seed)
    rolled = frozenset(name for name, p in FEATURES.items() if draw.random() < p)
    make = Maker(draw, (rolled if with_features is None else with_features) - without)
    horizon, settings = _settings(make, seed)
    items, sites = _items(make), _sites(make)
    channels = _channels(make)
    case = Case(settings, {"items": tuple(items), "sites": tuple(sites), "channels": tuple(channels)})
    case = case.having(lanes=_lanes(make, case))
    case = case.having(
        item_lanes=_item_lanes(make, case), fulfilment=_fulfilment(make, case), prices=_prices(make, case)
    )
    case = case.having(forecasts=_forecasts(make, case, horizon), orders=_orders(make, case, horizon))
    case = case.having(lots=_lots(make, case, horizon), receipts=_receipts(make, case, horizon))
    case = case.having(stock_policies=_policies(make, case), admission_limits=_limits(make, case, horizon))
    case = case.having(capacities=_capacities(make, case, horizon))
    case = case.having(locks=_locks(make, case, horizon))
    return case.setting(
        min_fill={c["channel"]: make.pick(0.5, 0.9, 1.0) for c in channels if make.has("min_fill", 0.7)}
    )


def _settings(make: Maker, seed: int) -> tuple[int, dict[str, Any]]:
    longer = make.pick([1, 2], [1, 1, 3], [2, 2], [1, 3, 2], [4], [1, 1, 7]) if make.has("long_buckets") else None
    buckets = longer or [1] * make.whole(1, 5)
    horizon = sum(buckets)
    settings = {
        "name": f"random {seed}",
        "currency": "EUR",
        "start": START.isoformat(),
        "horizon_days": horizon,
        "buckets": buckets,
        "commit_days": make.whole(1, min(horizon, 3)) if make.chance(0.9) else horizon + 1,
    }
    return horizon, settings


def _items(make: Maker) -> list[Row]:
    return [
        {
            "item": f"I{k}",
            "category": make.pick("cold", "dry") if make.has("category", 0.8) else None,
            "quantum": make.pick(1, 0, 0.5, 6, 1) if make.has("quanta", 0.8) else None,
            "unit_cost": make.pick(0, 1, 2.5, make.money(8)),
            "unit_volume": make.pick(0, 0.1, 0.35, 1) if make.has("volume", 0.9) else None,
            "shelf_life_days": make.whole(1, 8) if make.has("expiry", 0.3) else None,
            "rotation": make.pick("FEFO", "FIFO", "LIFO") if make.chance(0.35) else None,
        }
        for k in range(make.pick(1, 1, 2, 2, 3, 4))
    ]


def quantum(item: Row) -> float:
    """Quantum of an item row."""
    return 1.0 if item["quantum"] is None else float(item["quantum"])


def _sites(make: Maker) -> list[Row]:
    count = make.pick(2, 3, 3, 4, 5)
    kinds = (
        ["supplier", "dc", "store", "store", "store"] if make.chance(0.5) else ["dc", "store", "store", "dc", "plant"]
    )
    return [
        {
            "site": f"S{k}",
            "kind": kinds[k],
            "holding_rate": 0 if make.has("no_holding") else make.pick(None, 0.3, 5.0),
            "storage_volume": make.some(0, 8) if make.has("storage", 0.5) else None,
            "inbound_volume": make.some(0, 4) if make.has("inbound", 0.5) else None,
            "outbound_volume": make.some(0, 5) if make.has("outbound", 0.5) else None,
            "outbound_units": make.pick(make.whole(0, 14), 2.5) if make.has("outbound_units", 0.5) else None,
        }
        for k in range(count)
    ]


def _channels(make: Maker) -> list[Row]:
    return [
        {
            "channel": f"c{k}",
            "priority": make.pick(None, 1, 2, 3),
            "unmet": make.pick("lost", "backorder"),
            "max_wait_days": make.whole(0, 4),
            "min_remaining_life_days": make.whole(0, 3) if make.has("life") else None,
        }
        for k in range(make.pick(1, 2, 2, 3))
    ]


def _lanes(make: Maker, case: Case) -> list[Row]:
    sites = [row["site"] for row in case["sites"]]
    pairs = [(sites[a], sites[b]) for a in range(len(sites)) for b in range(a + 1, len(sites)) if make.chance(0.6)]
    if make.has("cycle"):
        pairs += [(b, a) for a, b in pairs if make.chance(0.5)]
    ways = [(a, b, "standard") for a, b in pairs] + [(a, b, "air") for a, b in pairs if make.has("modes", 0.5)]
    return [
        {
            "origin": a,
            "destination": b,
            "mode": mode,
            "lead_time_days": make.pick(0, 0, 1, 2),
            "cost_per_unit": make.pick(None, make.money(1)),
            "cost_per_m3": make.pick(None, make.money(2)),
            "cost_per_shipment": make.pick(1, 4, make.money(10)) if make.has("vehicles", 0.6) else None,
            "vehicle_volume": make.pick(None, 0.5, 1.5, 4) if make.has("vehicles", 0.8) else None,
            "daily_volume": make.pick(0, 1, 2.2, 6) if make.has("daily_volume", 0.5) else None,
            "departs": make.pick("1111100", "0010101", "1010000", "0000000") if make.has("masks", 0.5) else None,
            "method": make.pick("auto", "push", "pull", "jit") if make.has("methods", 0.7) else None,
        }
        for a, b, mode in ways
    ]


def _item_lanes(make: Maker, case: Case) -> list[Row]:
    rows = []
    categories = sorted({row["category"] for row in case["items"] if row["category"]})
    targets: list[tuple[str, float]] = [(row["item"], quantum(row)) for row in case["items"]]
    targets += [(f"category:{name}", 6.0) for name in categories]
    for name, step in targets:
        for lane in case["lanes"]:
            if not make.chance(0.6):
                continue
            row = {
                "item": name,
                **{key: lane[key] for key in ("origin", "destination", "mode")},
                "pack_size": (step or 1.0) * make.pick(1, 2, 3) if make.has("packs", 0.6) else None,
                "min_quantity": make.pick(0, 1, 2, 3.5, 7) if make.has("minimum", 0.6) else None,
                "cost_per_unit": make.money(1) if make.chance(0.1) else None,
                "method": make.pick("auto", "push", "pull", "jit") if make.has("methods", 0.2) else None,
                "allowed": make.chance(0.4) if make.has("closed", 0.5) else None,
            }
            if any(row[key] is not None for key in ("pack_size", "min_quantity", "cost_per_unit", "method", "allowed")):
                rows.append(row)
    return rows


def _fulfilment(make: Maker, case: Case) -> list[Row]:
    sites = [row["site"] for row in case["sites"]]
    rows = []
    for channel in case["channels"]:
        for zone in make.pick(("north",), ("north", "south"), (sites[-1],)):
            servers = [sites[-1], *(s for s in sites[:-1] if make.chance(0.35))]
            rows += [
                {
                    "site": site,
                    "channel": channel["channel"],
                    "zone": zone,
                    "delivery_days": make.whole(0, 2) if make.has("delivery") else None,
                    "cost_per_unit": make.pick(None, make.money(1)),
                }
                for site in servers
            ]
    return rows


def _prices(make: Maker, case: Case) -> list[Row]:
    return [
        {
            "item": item["item"],
            "channel": channel["channel"],
            "margin": 0 if make.has("free", 0.6) else make.pick(make.money(10), make.money(3), -0.5),
            "unmet_cost": 1e4 if make.has("huge", 0.5) else make.pick(None, 0, make.money(4), 1),
        }
        for item in case["items"]
        for channel in case["channels"]
        if make.chance(0.85)
    ]


def points(case: Case) -> list[tuple[str, str]]:
    """Channel and zone of every demand point."""
    return sorted({(row["channel"], row["zone"]) for row in case["fulfilment"]})


def _forecasts(make: Maker, case: Case, horizon: int) -> list[Row]:
    if "no_demand" in make.features:
        return []
    return [
        {
            "item": item["item"],
            "channel": channel,
            "zone": zone,
            "date": (START + dt.timedelta(days=day)).isoformat(),
            "mean": round(float(make.draw.random()) * 6, 2) if make.has("fractional") else make.whole(0, 6),
        }
        for item in case["items"]
        for channel, zone in points(case)
        if make.chance(0.8)
        for day in range(-1, horizon + 1)
        if make.chance(0.6)
    ]


def _orders(make: Maker, case: Case, horizon: int) -> list[Row]:
    if "orders" not in make.features or "no_demand" in make.features:
        return []
    rows = []
    for k in range(make.whole(1, 6)):
        item, (channel, zone) = make.pick(*case["items"]), make.pick(*points(case))
        override = make.has("overrides", 0.6)
        rows.append(
            {
                "order": f"O{k}",
                "line": str(make.whole(1, 2)),
                "item": item["item"],
                "channel": channel,
                "zone": zone,
                "due_date": make.day(-3, horizon),
                "quantity": make.some(quantum(item), 8),
                "priority": make.whole(0, 3) if override and make.chance(0.6) else None,
                "unmet_cost": make.pick(0, 2.5, 30) if override and make.chance(0.6) else None,
            }
        )
    return rows


def _lots(make: Maker, case: Case, horizon: int) -> list[Row]:
    if "no_stock" in make.features:
        return []
    rows = []
    for item in case["items"]:
        for k in range(make.whole(1, 5)):
            site = make.pick(case["sites"][0], make.pick(*case["sites"]))
            rows.append(
                {
                    "lot": f"L{k}",
                    "item": item["item"],
                    "site": site["site"],
                    "quantity": make.some(quantum(item), 16),
                    "received_date": make.day(1, horizon + 1) if make.has("later_lots", 0.3) else make.day(-8, 0),
                    "expiry_date": make.day(-2, horizon + 3) if make.has("expiry", 0.7) else None,
                    "status": make.pick("quarantine", "blocked") if make.has("unusable", 0.3) else None,
                }
            )
    unique = {(row["lot"], row["item"], row["site"]): row for row in rows}
    return list(unique.values())


def _receipts(make: Maker, case: Case, horizon: int) -> list[Row]:
    if "receipts" not in make.features or "no_stock" in make.features:
        return []
    rows = []
    for k in range(make.whole(1, 4)):
        item = make.pick(*case["items"])
        rows.append(
            {
                "receipt": f"R{k}",
                "item": item["item"],
                "site": make.pick(*case["sites"])["site"],
                "date": make.day(-2, horizon + 1),
                "quantity": make.some(quantum(item), 12),
                "lot": make.pick(None, None, "L0", "RL"),
                "expiry_date": make.day(-1, horizon + 3) if make.has("expiry", 0.6) else None,
            }
        )
    return rows


def _policies(make: Maker, case: Case) -> list[Row]:
    rows = []
    for item in case["items"]:
        for site in case["sites"]:
            if not make.has("policies", 0.5):
                continue
            least = make.pick(None, make.whole(0, 4), 1.5)
            rows.append(
                {
                    "item": item["item"],
                    "site": site["site"],
                    "carried": False if make.has("not_carried", 0.3) else None,
                    "min_stock": least,
                    "safety_stock": make.pick(None, make.whole(0, 6), 2.2),
                    "max_stock": (least or 0) + make.pick(0, 3, 6.5) if make.chance(0.4) else None,
                }
            )
    return rows


def _limits(make: Maker, case: Case, horizon: int) -> list[Row]:
    rows = []
    sites = [row["site"] for row in case["sites"]]
    for channel in case["channels"]:
        for site in ("*", make.pick(*sites)):
            for date in ("*", make.day(0, horizon - 1)):
                if make.has("limits", 0.4):
                    units, share = make.pick((True, False), (False, True), (True, True))
                    rows.append(
                        {
                            "channel": channel["channel"],
                            "site": site,
                            "date": date,
                            "max_units": make.pick(0, 3, 5.5, 9) if units else None,
                            "max_share": make.pick(0, 0.25, 0.6, 1.0) if share else None,
                        }
                    )
    return rows


def _capacities(make: Maker, case: Case, horizon: int) -> list[Row]:
    return [
        {"site": site["site"], "resource": resource, "date": make.day(0, horizon), "volume": make.some(0, 4)}
        for site in case["sites"]
        for resource in ("storage", "inbound", "outbound")
        if make.has("capacities", 0.35)
    ]


def _locks(make: Maker, case: Case, horizon: int) -> list[Row]:
    if "locks" not in make.features or not case["lanes"]:
        return []
    rows: list[Row] = []
    for _ in range(make.whole(1, 4)):
        item, lane, day = make.pick(*case["items"]), make.pick(*case["lanes"]), make.whole(0, horizon - 1)
        when = START + dt.timedelta(days=day)
        kind = make.pick("fix", "min", "max")
        if (lane["departs"] or "1111111")[when.weekday()] == "0" or _closed(case, item, lane):
            continue
        if kind != "max" and not _carried(case, item["item"], lane["destination"]):
            continue
        rows.append(
            {
                "lock": f"K{len(rows)}",
                "item": item["item"],
                **{key: lane[key] for key in ("origin", "destination", "mode")},
                "date": when.isoformat(),
                "kind": kind,
                "quantity": make.pick(make.some(quantum(item), 6), make.some(quantum(item), 30)),
                "reason": "promotion",
                "planner": "ann",
            }
        )
    return rows


def _closed(case: Case, item: Row, lane: Row) -> bool:
    def stated(name: str) -> Any:
        for row in case["item_lanes"]:
            if row["item"] == name and all(row[key] == lane[key] for key in ("origin", "destination", "mode")):
                return row["allowed"]
        return None

    own = stated(item["item"])
    return (stated(f"category:{item['category']}") if own is None else own) is False


def _carried(case: Case, item: str, site: str) -> bool:
    rows = [row for row in case["stock_policies"] if row["item"] == item and row["site"] == site]
    return not any(row["carried"] is False for row in rows)
