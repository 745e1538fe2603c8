"""Whether a plan kept the two laws that rest on what happens later: calls of backlog, and jit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Quantities
from allocator.network.network import JIT, PULL, Network
from allocator.rules.sourcing import Sourcing

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

NOISE = 1e-7
"""Quantity that is rounding noise, as a share of what moves."""


@dataclass(frozen=True)
class Excess:
    """Where more came by jit lanes than left: ``broken`` (T, S, I), and what ``left`` (T, S, I). [units]"""

    broken: BoolArray
    left: FloatArray


def broken_jit(network: Network, plan: Quantities) -> Excess:
    """Where what arrives by jit lanes does not leave in the same bucket."""
    items, sites, buckets = network.size
    lanes, ships, serves = network.lanes, plan.shipments, plan.admissions
    left, came = np.zeros((buckets, sites, items)), np.zeros((buckets, sites, items))
    np.add.at(left, (ships.bucket, lanes.origin[ships.way], ships.item), ships.quantity)
    np.add.at(left, (serves.bucket, network.claims.arc_site[serves.way], serves.item), serves.quantity)
    arrival = lanes.arrival[ships.way, ships.bucket]
    mine = (lanes.method[ships.item, ships.way] == JIT) & (arrival >= 0)
    np.add.at(came, (arrival[mine], lanes.destination[ships.way[mine]], ships.item[mine]), ships.quantity[mine])
    return Excess(came > left + NOISE * np.maximum(left, 1.0), left)


def broken_calls(network: Network, sourcing: Sourcing, plan: Quantities) -> bool:
    """Whether pull lanes carry more than firm demand and the backlog that stood while the goods were on their way."""
    lanes, ships = network.lanes, plan.shipments
    mine = lanes.method[ships.item, ships.way] == PULL
    if not mine.any():
        return False
    items, sites, buckets = network.size
    claims = network.claims
    item, way, bucket, quantity = ships.item[mine], ships.way[mine], ships.bucket[mine], ships.quantity[mine]
    site, arrival = lanes.destination[way], lanes.arrival[way, bucket]
    total = np.zeros((len(claims.channel), items))
    np.add.at(total, (network.demand.claim, network.demand.item), network.demand.quantity)
    reach = sourcing.reach.astype(float)
    firm = reach[:, claims.firm] @ total[claims.firm]
    backlog = _backlog(network, plan)
    waiting = np.stack([(reach * ~claims.firm) @ backlog[t] for t in range(buckets)])
    standing = np.zeros((buckets, sites, items))
    order = np.argsort(bucket, kind="stable")
    for n in order:
        i, s, t, q = item[n], site[n], bucket[n], quantity[n]
        from_firm = min(q, firm[s, i])
        firm[s, i] -= from_firm
        end = max(arrival[n], t + 1) if arrival[n] >= 0 else buckets
        standing[t:end, s, i] += q - from_firm
    before = np.concatenate([np.zeros((1, sites, items)), waiting[:-1]])
    return bool((standing > before + NOISE * np.maximum(before, 1.0)).any())


def _backlog(network: Network, plan: Quantities) -> FloatArray:
    """(T, D, I) open demand at the close of each bucket."""
    items, _, buckets = network.size
    demand, serves, claims = network.demand, plan.admissions, network.claims
    shape = (buckets, len(claims.channel), items)
    asked, ended, served = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    np.add.at(asked, (demand.bucket, demand.claim, demand.item), demand.quantity)
    inside = demand.last < buckets
    np.add.at(ended, (demand.last[inside], demand.claim[inside], demand.item[inside]), demand.quantity[inside])
    np.add.at(served, (serves.bucket, claims.arc_claim[serves.way], serves.item), serves.quantity)
    overdue = np.cumsum(ended, axis=0) - np.cumsum(served, axis=0)
    lost = np.maximum.accumulate(np.maximum(overdue, 0.0), axis=0)
    return np.asarray(np.maximum(np.cumsum(asked - served, axis=0) - lost, 0.0))
