"""The objective, component by component, from the plan's tables and the network alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.audit.coded import Admissions, Projections, Shipments
from allocator.audit.demand import Claims, Fate
from allocator.audit.facts import Facts
from allocator.audit.keys import Floats, Tally, both, floats
from allocator.audit.relaxed import Relaxed
from allocator.audit.shipments import lock_key
from allocator.audit.stock import Stock, Supply
from allocator.audit.terms import Terms, Worth, premiums

COMPONENTS = (
    "freight",
    "vehicles",
    "fulfilment",
    "holding",
    "waste",
    "unmet",
    "lateness",
    "change",
    "margin",
    "priority",
    "min_stock",
    "safety_stock",
    "max_stock",
    "storage",
    "inbound",
    "locks",
    "min_fill",
)


@dataclass(frozen=True)
class Account:
    """What the objective is computed from.

    Attributes
    ----------
    lane_volume : (L, B) float, [m3]
    safety : float, [currency]
        Price of safety stock not held.
    previous : DataFrame or None
        Shipments of the previous plan.
    """

    ships: Shipments
    asks: Terms
    sold: Admissions
    shown: Projections
    supply: Supply
    stock: Stock
    claims: Claims
    fate: Fate
    worth: Worth
    lane_volume: Floats
    relaxed: list[Relaxed]
    safety: float
    previous: pd.DataFrame | None


def recompute(facts: Facts, account: Account) -> dict[str, float]:
    """Recompute every component of the objective, [currency], and their `total`; margin counts as a negative cost."""
    claims, fate = account.claims, account.fate
    days = facts.calendar.length
    item, site = account.stock.item, account.stock.site
    holding = facts.unit_cost[item] * facts.holding_rate[site] / 365.0
    late = fate.backlog + np.cumsum(fate.lost, axis=1)
    waiting = np.where(claims.backorder, late @ days, 0.0)
    lost = fate.lost.sum(axis=1)
    arc = facts.arc_of(account.sold.site, account.sold.channel, account.sold.zone)
    handled = np.flatnonzero(arc >= 0)
    parts = {
        "freight": float(account.ships.quantity @ account.asks.freight),
        "vehicles": _vehicles(facts, account),
        "fulfilment": float(account.sold.quantity[handled] @ facts.handling[arc[handled]]),
        "holding": float(holding @ (account.stock.closing @ days)),
        "waste": float(account.shown.waste @ facts.unit_cost[account.shown.item]),
        "unmet": float(lost @ claims.unmet_cost),
        "lateness": float(waiting @ claims.unmet_cost),
        "change": _change(facts, account),
        "margin": -float(fate.served.sum(axis=1) @ claims.margin),
        "priority": float((lost + waiting) @ premiums(facts, claims, account.worth)),
        "safety_stock": account.safety,
    }
    for kind in account.relaxed:
        parts["locks" if kind.what == "lock" else kind.what] = kind.total
    ordered = {name: parts[name] for name in COMPONENTS}
    return ordered | {"total": float(sum(ordered.values()))}


def _vehicles(facts: Facts, account: Account) -> float:
    """Price the started vehicles: whole ones inside the commit window, shares of one after it."""
    lanes, supply = facts.lanes, account.supply
    everything = float(supply.quantity @ facts.unit_volume[supply.item])
    fallback = everything if everything > 0 else 1.0
    own, daily = floats(lanes["vehicle_volume"]), floats(lanes["daily_volume"])
    size = np.where(np.isnan(own), np.where(np.isnan(daily), fallback, daily), own)
    size = np.where(size > 0, size, fallback)
    started = account.lane_volume / size[:, None]
    started = np.where(facts.calendar.committed, np.ceil(started - 1e-7), started)
    return float(floats(lanes["cost_per_shipment"]) @ started.sum(axis=1))


def _change(facts: Facts, account: Account) -> float:
    """Price what differs from the previous plan, through the bucket of its last shipment."""
    price, frame = facts.tables.settings.change_cost, account.previous
    if frame is None or not price or frame.empty:
        return 0.0
    lane = facts.lane_of(
        facts.sites.find(frame["origin"]), facts.sites.find(frame["destination"]), facts.modes.find(frame["mode"])
    )
    item, bucket = facts.items.find(frame["item"]), facts.calendar.buckets_at(facts.calendar.days(frame["ship_date"]))
    known = (item >= 0) & (lane >= 0) & (bucket >= 0)
    if not known.any():
        return 0.0
    reach = int(bucket[known].max())
    keep = np.flatnonzero(known)
    before = Tally.of(lock_key(facts, item[keep], lane[keep], bucket[keep]), floats(frame["quantity"])[keep])
    ships = account.ships
    now = np.flatnonzero(ships.bucket <= reach)
    after = Tally.of(lock_key(facts, ships.item[now], ships.lane[now], ships.bucket[now]), ships.quantity[now])
    _, old, new = both(before, after)
    return float(price) * float(np.abs(new - old).sum())
