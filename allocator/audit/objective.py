"""The objective, component by component, from the plan's tables and the network alone."""

from __future__ import annotations

from collections.abc import Mapping
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


class Change:
    """What differs from the previous plan, through the bucket of its last shipment, at the price of a changed unit."""

    def __init__(self, facts: Facts, previous: pd.DataFrame | None) -> None:
        self.price, self.reach = facts.tables.settings.change_cost or 0.0, -1
        self.before = Tally.of(np.zeros(0, dtype=np.int64), np.zeros(0))
        if previous is None or not self.price or previous.empty:
            return
        lane = facts.lane_of(
            facts.sites.find(previous["origin"]),
            facts.sites.find(previous["destination"]),
            facts.modes.find(previous["mode"]),
        )
        item = facts.items.find(previous["item"])
        bucket = facts.calendar.buckets_at(facts.calendar.days(previous["ship_date"]))
        keep = np.flatnonzero((item >= 0) & (lane >= 0) & (bucket >= 0))
        if len(keep):
            self.reach = int(bucket[keep].max())
            key = lock_key(facts, item[keep], lane[keep], bucket[keep])
            self.before = Tally.of(key, floats(previous["quantity"])[keep])

    def cost(self, facts: Facts, ships: Shipments) -> float:
        """Price what changed of the items looked at, [currency]."""
        now = np.flatnonzero(ships.bucket <= self.reach)
        after = Tally.of(lock_key(facts, ships.item[now], ships.lane[now], ships.bucket[now]), ships.quantity[now])
        low, high = np.searchsorted(
            self.before.keys, np.array(facts.window) * (max(len(facts.lanes), 1) * facts.calendar.buckets)
        )
        _, old, new = both(Tally(self.before.keys[low:high], self.before.amounts[low:high]), after)
        return float(self.price) * float(np.abs(new - old).sum())


@dataclass(frozen=True)
class Account:
    """What the objective is computed from.

    Attributes
    ----------
    safety : float, [currency]
        Price of safety stock not held.
    change : Change
        The previous plan.
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
    relaxed: list[Relaxed]
    safety: float
    change: Change


def recompute(facts: Facts, account: Account) -> dict[str, float]:
    """Recompute the components of the objective that follow from some items alone, [currency]."""
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
        "fulfilment": float(account.sold.quantity[handled] @ facts.handling[arc[handled]]),
        "holding": float(holding @ (account.stock.closing @ days)),
        "waste": float(account.shown.waste @ facts.unit_cost[account.shown.item]),
        "unmet": float(lost @ claims.unmet_cost),
        "lateness": float(waiting @ claims.unmet_cost),
        "change": account.change.cost(facts, account.ships),
        "margin": -float(fate.served.sum(axis=1) @ claims.margin),
        "priority": float((lost + waiting) @ premiums(facts, claims, account.worth)),
        "safety_stock": account.safety,
    }
    return parts | priced(account.relaxed)


def priced(relaxed: list[Relaxed]) -> dict[str, float]:
    """Give the components that limits which gave make up, [currency]."""
    return {"locks" if kind.what == "lock" else kind.what: kind.total for kind in relaxed}


def together(parts: Mapping[str, float]) -> dict[str, float]:
    """Put all components in order, with their `total`; margin counts as a negative cost."""
    ordered = {name: parts[name] for name in COMPONENTS}
    return ordered | {"total": float(sum(ordered.values()))}


def vehicles(facts: Facts, lane_volume: Floats, supply: float) -> float:
    """Price the started vehicles: whole ones inside the commit window, shares of one after it.

    Parameters
    ----------
    facts : Facts
    lane_volume : (L, B) float, [m3]
    supply : float, [m3]
        Volume of all supply: the size of a vehicle where none is stated.
    """
    lanes = facts.lanes
    fallback = supply if supply > 0 else 1.0
    own, daily = floats(lanes["vehicle_volume"]), floats(lanes["daily_volume"])
    size = np.where(np.isnan(own), np.where(np.isnan(daily), fallback, daily), own)
    size = np.where(size > 0, size, fallback)
    started = lane_volume / size[:, None]
    started = np.where(facts.calendar.committed, np.ceil(started - 1e-7), started)
    return float(floats(lanes["cost_per_shipment"]) @ started.sum(axis=1))
