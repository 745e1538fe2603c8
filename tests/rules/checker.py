"""Hard rules of docs/semantics.md, checked one flow at a time and sharing nothing with the rules engine."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from allocator.engine.quantities import Quantities
from allocator.network import METHODS, Network

SLACK = 1e-6


def broken_rules(network: Network, plan: Quantities) -> list[str]:
    """Name every hard rule that a plan breaks, with where."""
    ships = list(_rows(plan.shipments))
    serves = list(_rows(plan.admissions))
    return [
        *_shipments(network, ships),
        *_balance(network, ships, serves),
        *_capacity(network, ships, serves),
        *_limits(network, ships, serves),
        *_demand(network, serves),
        *_life(network, ships, serves),
        *_jit(network, ships, serves),
    ]


Row = tuple[int, int, int, int, float]


def _rows(flows: object) -> list[Row]:
    columns = [getattr(flows, name).tolist() for name in ("item", "way", "bucket", "expiry", "quantity")]
    return list(zip(*columns, strict=True))


def _shipments(network: Network, ships: list[Row]) -> list[str]:
    """Departure days, open lanes, the horizon, packs, minimum quantities, and locks' upper side."""
    lanes, faults = network.lanes, []
    total: dict[tuple[int, int, int], float] = defaultdict(float)
    for i, k, t, _, q in ships:
        total[i, k, t] += q
        if q <= 0:
            faults.append(f"quantity {q}")
    locks = network.locks
    held = {(i, k, t): n for n, (i, k, t) in enumerate(zip(locks.item, locks.lane, locks.bucket, strict=True))}
    for (i, k, t), q in total.items():
        where = f"{network.items[i]} {lanes.codes[k]} {t}"
        lock = held.get((i, k, t))
        if lanes.ship_day[k, t] < 0 or not lanes.open[i, k]:
            faults.append(f"departure or open: {where}")
        if lanes.arrival[k, t] < 0 and lock is None:
            faults.append(f"horizon: {where}")
        if lock is not None and q > locks.most[lock] + SLACK:
            faults.append(f"lock: {where}")
        step = network.quantum[i]
        if t < network.calendar.committed and not (lock is not None and locks.fixed[lock]):
            step = lanes.pack[i, k]
            if q < lanes.min_quantity[i, k] - SLACK:
                faults.append(f"min_quantity: {where}")
        if step > 0 and abs(q / step - round(q / step)) > SLACK:
            faults.append(f"steps of {step}: {where}: {q}")
    return faults


def _balance(network: Network, ships: list[Row], serves: list[Row]) -> list[str]:
    """Stock never runs below nothing, whatever expires."""
    change: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    lots, lanes, claims = network.lots, network.lanes, network.claims
    for i, s, t, q in zip(lots.item, lots.site, lots.bucket, lots.quantity, strict=True):
        change[i, s][t] += q
    for i, k, t, _, q in ships:
        change[i, lanes.origin[k]][t] -= q
        if lanes.arrival[k, t] >= 0:
            change[i, lanes.destination[k]][lanes.arrival[k, t]] += q
    for i, a, t, _, q in serves:
        change[i, claims.arc_site[a]][t] -= q
    faults = []
    for (i, s), by_bucket in change.items():
        stock = 0.0
        for t in range(network.calendar.buckets):
            stock += by_bucket[t]
            if stock < -SLACK:
                faults.append(f"balance: {network.items[i]} {network.sites.codes[s]} {t}: {stock}")
    return faults


def _capacity(network: Network, ships: list[Row], serves: list[Row]) -> list[str]:
    """Lane volume, outbound volume and units."""
    lane: dict[tuple[int, int], float] = defaultdict(float)
    volume: dict[tuple[int, int], float] = defaultdict(float)
    units: dict[tuple[int, int], float] = defaultdict(float)
    for i, k, t, _, q in ships:
        lane[k, t] += q * network.unit_volume[i]
    sites = [(network.lanes.origin[k], t, i, q) for i, k, t, _, q in ships]
    sites += [(network.claims.arc_site[a], t, i, q) for i, a, t, _, q in serves]
    for s, t, i, q in sites:
        volume[s, t] += q * network.unit_volume[i]
        units[s, t] += q
    faults = [f"lane volume: {key}" for key, used in lane.items() if used > network.lanes.daily_volume[key] + SLACK]
    faults += [f"outbound: {key}" for key, used in volume.items() if used > network.sites.outbound[key] + SLACK]
    faults += [f"units: {key}" for key, used in units.items() if used > network.sites.outbound_units[key] + SLACK]
    return faults


def _limits(network: Network, ships: list[Row], serves: list[Row]) -> list[str]:
    """Admission limits: units of a channel, and its share of what opened and came in (an upper bound: nothing is wasted)."""
    claims, lanes = network.claims, network.lanes
    drawn: dict[tuple[int, int, int], float] = defaultdict(float)
    by_item: dict[tuple[int, int, int, int], float] = defaultdict(float)
    for i, a, t, _, q in serves:
        place = (claims.arc_site[a], claims.channel[claims.arc_claim[a]], t)
        drawn[place] += q
        by_item[(i, *place)] += q
    faults = [f"max_units: {key}" for key, used in drawn.items() if used > network.limits.max_units[key] + SLACK]
    for (i, s, c, t), used in by_item.items():
        share = network.limits.max_share[s, c, t]
        lots = network.lots
        mine = (lots.item == i) & (lots.site == s) & (lots.bucket <= t)
        came = float(lots.quantity[mine].sum())
        came += sum(
            q for j, k, u, _, q in ships if j == i and lanes.destination[k] == s and 0 <= lanes.arrival[k, u] <= t
        )
        gone = sum(q for j, k, u, _, q in ships if j == i and lanes.origin[k] == s and u < t)
        gone += sum(q for j, a, u, _, q in serves if j == i and claims.arc_site[a] == s and u < t)
        if used > share * (came - gone) + SLACK:
            faults.append(f"max_share: {network.items[i]} {s} {c} {t}")
    return faults


def _demand(network: Network, serves: list[Row]) -> list[str]:
    """No claim is served before its demand falls, nor more than is still open."""
    demand, claims, faults = network.demand, network.claims, []
    served: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for i, a, t, _, q in serves:
        served[i, claims.arc_claim[a]][t] += q
    for (i, d), by_bucket in served.items():
        mine = (demand.item == i) & (demand.claim == d)
        gone = 0.0
        for t in range(network.calendar.buckets):
            gone += by_bucket[t]
            if gone > demand.quantity[mine & (demand.bucket <= t)].sum() + SLACK:
                faults.append(f"demand: {network.items[i]} {d} {t}")
            gone = max(gone, float(demand.quantity[mine & (demand.last <= t)].sum()))
    return faults


def _life(network: Network, ships: list[Row], serves: list[Row]) -> list[str]:
    """What is shipped lives through its arrival, what is served through the service life."""
    claims, first = network.claims, network.calendar.first
    faults = [f"life on lane: {row}" for row in ships if row[3] < network.lanes.arrive_day[row[1], row[2]]]
    arcs, buckets = np.array([row[1] for row in serves], dtype=int), np.array([row[2] for row in serves], dtype=int)
    need = first[buckets] + (claims.arc_delivery + claims.arc_life)[arcs]
    faults += [f"life at delivery: {row}" for row, least in zip(serves, need, strict=True) if row[3] < least]
    return faults


def _jit(network: Network, ships: list[Row], serves: list[Row]) -> list[str]:
    """What comes by jit lanes leaves in the same bucket."""
    came: dict[tuple[int, int, int], float] = defaultdict(float)
    left: dict[tuple[int, int, int], float] = defaultdict(float)
    lanes = network.lanes
    for i, k, t, _, q in ships:
        left[i, lanes.origin[k], t] += q
        if METHODS[lanes.method[i, k]] == "jit" and lanes.arrival[k, t] >= 0:
            came[i, lanes.destination[k], lanes.arrival[k, t]] += q
    for i, a, t, _, q in serves:
        left[i, network.claims.arc_site[a], t] += q
    return [f"jit: {key}: {q}" for key, q in came.items() if q > left[key] + SLACK]
