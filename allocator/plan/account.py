"""What really happens: dense flows, claims served, waiting and lost, stock, and what it all costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.network.prices import Prices
from allocator.plan.moves import Moved

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Claimed:
    """Claims with demand, K of them over T buckets. [units]

    Attributes
    ----------
    item, claim : (K,) int
    demand, served, lost, backlog : (K, T) float
    """

    item: IntArray
    claim: IntArray
    demand: FloatArray
    served: FloatArray
    lost: FloatArray
    backlog: FloatArray


@dataclass(frozen=True)
class Missing:
    """Demand lost, then demand still waiting at the end: (R,) row of ``Claimed``, bucket, quantity [units], whether it waits."""

    row: IntArray
    bucket: IntArray
    quantity: FloatArray
    waiting: NDArray[np.bool_]


@dataclass(frozen=True)
class Stocked:
    """Item-site pairs that matter, P of them over T buckets. [units]

    Attributes
    ----------
    item, site : (P,) int
    closing, waste : (P, T) float
    """

    item: IntArray
    site: IntArray
    closing: FloatArray
    waste: FloatArray


def settle_claims(network: Network, moved: Moved) -> Claimed:
    """Serve the oldest demand first, and lose what has waited its longest.

    Notes
    -----
    With cumulative served S(t) and cumulative demand whose wait has ended L(t), cumulative losses are
    ``max(losses(t-1), L(t) - S(t))`` (a queue served in order of age with reneging at a deadline).
    """
    demand, claims, buckets = network.demand, network.claims, network.calendar.buckets
    span = np.int64(max(len(claims.channel), 1))
    keys, place = _places(demand.item * span + demand.claim, len(network.items) * span)
    row = place[demand.item * span + demand.claim]
    due = np.zeros((len(keys), buckets))
    np.add.at(due, (row, demand.bucket), demand.quantity)
    ended = np.zeros((len(keys), buckets + 1))
    np.add.at(ended, (row, np.minimum(demand.last, buckets)), demand.quantity)
    flows = moved.admissions
    served = np.zeros_like(due)
    at = place[flows.item * span + claims.arc_claim[flows.way]]
    np.add.at(served, (at, flows.bucket), moved.served)
    overdue = np.cumsum(ended[:, :buckets], axis=1) - np.cumsum(served, axis=1)
    losses = np.maximum.accumulate(np.maximum(overdue, 0.0), axis=1)
    lost = np.diff(losses, axis=1, prepend=0.0)
    backlog = np.cumsum(due - served - lost, axis=1)
    noise = 1e-9 * np.maximum(1.0, due.sum(axis=1, keepdims=True))
    return Claimed(
        keys // span,
        keys % span,
        due,
        served,
        np.where(lost > noise, lost, 0.0),
        np.where(backlog > noise, backlog, 0.0),
    )


def missing(network: Network, claimed: Claimed) -> Missing:
    """Demand that is not served."""
    row, bucket = np.nonzero(claimed.lost > 0)
    end = network.calendar.buckets - 1
    still = np.flatnonzero((claimed.backlog[:, end] > 0) & network.claims.waits[claimed.claim])
    return Missing(
        np.concatenate([row, still]),
        np.concatenate([bucket, np.full(len(still), end)]),
        np.concatenate([claimed.lost[row, bucket], claimed.backlog[still, end]]),
        np.repeat([False, True], [len(row), len(still)]),
    )


def settle_stock(network: Network, moved: Moved) -> Stocked:
    """Closing stock and waste of every item and site with stock, policy, demand or flow at any time."""
    items, sites, buckets = network.size
    span = np.int64(sites)
    lots, lanes, claims, policies = network.lots, network.lanes, network.claims, network.policies
    ships = moved.shipments
    watched = (policies.min_stock > 0) | (policies.safety_stock > 0) | np.isfinite(policies.max_stock)
    wanted = np.zeros((items, len(claims.channel)), dtype=bool)
    wanted[network.demand.item, network.demand.claim] = True
    item, claim = np.nonzero(wanted)
    row, arc = claims.arcs(claim)
    watched[item[row], claims.arc_site[arc]] = True
    watched[lots.item, lots.site] = True
    watched[ships.item, lanes.origin[ships.way]] = True
    watched[ships.item, lanes.destination[ships.way]] = True
    keys, place = _places(np.flatnonzero(watched.ravel()), items * span)
    closing, waste = np.zeros((len(keys), buckets)), np.zeros((len(keys), buckets))
    left, gone = moved.assignment.closing, moved.assignment.waste
    closing[place[left.item * span + left.site], left.bucket] = left.quantity
    np.add.at(waste, (place[gone.item * span + gone.site], gone.bucket), gone.quantity)
    return Stocked(keys // span, keys % span, closing, waste)


def _places(keys: IntArray, span: np.int64) -> tuple[IntArray, NDArray[np.int32]]:
    """The distinct keys in order, and (span,) the place of each key among them."""
    seen = np.zeros(span, dtype=bool)
    seen[keys] = True
    known = np.flatnonzero(seen)
    place = np.zeros(span, dtype=np.int32)
    place[known] = np.arange(len(known), dtype=np.int32)
    return known, place


@dataclass(frozen=True)
class Overruns:
    """What gave at sites and lanes: (S, T) m3 over storage and inbound, (C,) units under a minimum fill, (K,) units under a lock."""

    storage: FloatArray
    inbound: FloatArray
    fill: FloatArray
    lock: FloatArray


def settle_overruns(network: Network, moved: Moved, stocked: Stocked, claimed: Claimed) -> Overruns:
    """Use of the elastic shared limits beyond them."""
    sites, volume, lanes = network.sites, network.unit_volume, network.lanes
    use = np.zeros(sites.storage.shape)
    np.add.at(use, stocked.site, stocked.closing * volume[stocked.item][:, None])
    use += network.idle_volume[:, None]
    inbound = np.zeros_like(use)
    lots = network.lots
    fresh = lots.receipt
    np.add.at(inbound, (lots.site[fresh], lots.bucket[fresh]), (lots.quantity * volume[lots.item])[fresh])
    ships = moved.shipments
    arrival = lanes.arrival[ships.way, ships.bucket]
    inside = arrival >= 0
    np.add.at(
        inbound,
        (lanes.destination[ships.way][inside], arrival[inside]),
        (moved.shipped * volume[ships.item])[inside],
    )
    asked, got = np.zeros(len(network.channels)), np.zeros(len(network.channels))
    channel = network.claims.channel[claimed.claim]
    np.add.at(asked, channel, claimed.demand.sum(axis=1))
    np.add.at(got, channel, claimed.served.sum(axis=1))
    locks = network.locks
    shipped = shipped_on(network, moved, locks.item, locks.lane, locks.bucket)
    return Overruns(
        _over(use, sites.storage),
        _over(inbound, sites.inbound),
        _over(network.limits.min_fill * asked, got),
        _over(locks.least, shipped),
    )


def _over(use: FloatArray, limit: FloatArray) -> FloatArray:
    finite = np.where(np.isfinite(limit), limit, use)
    excess = use - finite
    return np.where(excess > 1e-7 * np.maximum(1.0, np.abs(finite)), excess, 0.0)


def shipped_on(network: Network, moved: Moved, item: IntArray, lane: IntArray, bucket: IntArray) -> FloatArray:
    """Quantity shipped of items on lanes in buckets. [units]"""
    ships = moved.shipments
    lanes, buckets = np.int64(len(network.lanes.codes)), np.int64(network.calendar.buckets)
    keys = (ships.item * lanes + ships.way) * buckets + ships.bucket
    asked = (item * lanes + lane) * buckets + bucket
    at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(len(asked))
    return np.where(keys[at] == asked, moved.shipped[at], 0.0)


def started_vehicles(network: Network, moved: Moved) -> FloatArray:
    """(L, T) vehicles: started ones inside the commit window, shares of one after it."""
    lanes, ships = network.lanes, moved.shipments
    volume = np.zeros((len(lanes.codes), network.calendar.buckets))
    np.add.at(volume, (ships.way, ships.bucket), moved.shipped * network.unit_volume[ships.item])
    load = volume / lanes.vehicle_volume[:, None]
    committed = np.arange(network.calendar.buckets) < network.calendar.committed
    return np.where(committed[None, :], np.ceil(load - 1e-7), load)


def components(
    network: Network, prices: Prices, moved: Moved, claimed: Claimed, stocked: Stocked, overruns: Overruns
) -> dict[str, float]:
    """Components of the objective, by name (docs/semantics.md). [currency]"""
    days = network.calendar.length.astype(float)
    lanes, claims = network.lanes, network.claims
    ships, serves = moved.shipments, moved.admissions
    channel = claims.channel[claims.arc_claim[serves.way]]
    hold = network.unit_cost[stocked.item] * network.sites.holding_rate[stocked.site] / 365.0
    unmet = prices.unmet[claimed.item, claimed.claim]
    premium = prices.premium[claimed.item, claimed.claim]
    waits = claims.waits[claimed.claim]
    late = ((claimed.backlog + np.cumsum(claimed.lost, axis=1)) * days).sum(axis=1) * waits
    lost = claimed.lost.sum(axis=1)
    below_min, below_safety, above_max = levels(network, stocked)
    locks = network.locks
    return {
        "freight": float((moved.shipped * lanes.freight[ships.item, ships.way]).sum()),
        "vehicles": float((started_vehicles(network, moved) * lanes.cost_per_shipment[:, None]).sum()),
        "fulfilment": float((moved.served * claims.arc_cost[serves.way]).sum()),
        "holding": float((hold[:, None] * stocked.closing * days).sum()),
        "waste": float((network.unit_cost[stocked.item][:, None] * stocked.waste).sum()),
        "unmet": float((lost * unmet).sum()),
        "lateness": float((late * unmet).sum()),
        "change": _change(network, moved),
        "margin": -float((moved.served * network.margin[serves.item, channel]).sum()),
        "priority": float(((lost + late) * premium).sum()),
        "min_stock": float((below_min * days * prices.level[stocked.item][:, None]).sum()),
        "safety_stock": float((below_safety * days * prices.safety[stocked.item, stocked.site][:, None]).sum()),
        "max_stock": float((above_max * days * prices.level[stocked.item][:, None]).sum()),
        "storage": float((overruns.storage * days).sum() * prices.volume) if overruns.storage.any() else 0.0,
        "inbound": float(overruns.inbound.sum() * prices.volume) if overruns.inbound.any() else 0.0,
        "locks": float((overruns.lock * prices.lock[locks.item]).sum()),
        "min_fill": float(overruns.fill.sum() * prices.fill),
    }


def levels(network: Network, stocked: Stocked) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(P, T) shortage against min and safety stock, excess over max stock. [units]"""
    p = network.policies
    at = (stocked.item, stocked.site)
    return (
        np.maximum(p.min_stock[at][:, None] - stocked.closing, 0.0),
        np.maximum(p.safety_stock[at][:, None] - stocked.closing, 0.0),
        np.maximum(stocked.closing - p.max_stock[at][:, None], 0.0),
    )


def _change(network: Network, moved: Moved) -> float:
    """Change cost of |quantity - previous quantity| over the compared lanes and buckets."""
    previous = network.previous
    if not network.change_cost or not previous.compared.any():
        return 0.0
    ships = moved.shipments
    kept = previous.compared[ships.way, ships.bucket]
    total = float(moved.shipped[kept].sum())
    now = shipped_on(network, moved, previous.item, previous.lane, previous.bucket)
    moved_before = float(now.sum())
    return network.change_cost * (total - moved_before + float(np.abs(now - previous.quantity).sum()))
