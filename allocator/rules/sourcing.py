"""Who supplies whom: each item's main lane into each site, the home site of each claim, and the order of sites."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from allocator.network.network import Network

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

HOP = 1e-6
"""Cost added to each lane, as a share of the largest: of two equal ways the one with fewer lanes is taken."""


@dataclass(frozen=True)
class Ways:
    """Cheapest ways from sources: ``landed`` (S, I) cost to a site (inf: none), ``last`` (S, I) lane it comes by (-1: none)."""

    landed: FloatArray
    last: IntArray


def cheapest_ways(network: Network, sources: BoolArray, lane_cost: FloatArray, lanes: IntArray) -> Ways:
    """Cheapest ways from sources over some lanes, for all items at once (Bellman and Ford).

    Parameters
    ----------
    sources : (S, I) bool
        Where each way may begin.
    lane_cost : (K, I) float
        Cost of each of ``lanes``, ``inf`` where closed. [currency per unit]
    lanes : (K,) int
    """
    landed = np.where(sources, 0.0, np.inf)
    last = np.full(sources.shape, -1, dtype=np.int64)
    order = np.argsort(network.lanes.destination[lanes], kind="stable")
    lanes, lane_cost = lanes[order], lane_cost[order]
    ends, starts = np.unique(network.lanes.destination[lanes], return_index=True)
    stops = np.append(starts[1:], len(lanes))
    origin = network.lanes.origin[lanes]
    for _ in range(len(landed)):
        if not len(lanes):
            break
        reached = landed[origin] + lane_cost
        better = np.minimum.reduceat(reached, starts, axis=0) < landed[ends]
        if not better.any():
            break
        for at in np.flatnonzero(better.any(axis=1)):
            here = reached[starts[at] : stops[at]]
            best = here.argmin(axis=0)
            mine = better[at]
            landed[ends[at], mine] = here[best[mine], np.flatnonzero(mine)]
            last[ends[at], mine] = lanes[starts[at] + best[mine]]
    return Ways(landed, last)


class Sourcing:
    """Where each item comes from in the long run, whatever is on hand today.

    Attributes
    ----------
    cost : (L, I) float
        Freight and a vehicle's share of a unit on each lane, ``inf`` where closed. [currency per unit]
    able : (S, I) bool
        The item can ever be at the site.
    landed : (S, I) float
        Cost of the cheapest way from a source to the site. [currency per unit]
    main : (S, I) int
        Lane by which a site is supplied, -1 where none.
    home : (D, I) int
        Service arc that a claim's demand is planned at, -1 where no site can serve it.
    order : (S,) int
        Sites, upstream first over the lanes that arrive in the bucket they leave.
    lateral, ringed : (L,) bool
        Lanes between sites that supply each other; that can do so in one bucket.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        lanes = network.lanes
        vehicle = lanes.cost_per_shipment[:, None] / lanes.vehicle_volume[:, None] * network.unit_volume[None, :]
        cost = lanes.freight.T + vehicle
        cost = np.maximum(cost, 0.0) + HOP * max(float(cost.max(initial=0.0)), 1.0)
        runs: BoolArray = np.asarray((lanes.arrival >= 0).any(axis=1))
        self.cost = np.where(lanes.open.T & runs[:, None], cost, np.inf)
        self._supply()
        self.home = self._homes()
        sites, buckets = len(network.sites.codes), np.arange(network.calendar.buckets)
        usable: BoolArray = np.asarray(np.isfinite(self.cost).any(axis=1))
        self.prompt: BoolArray = np.asarray(lanes.arrival == buckets).any(axis=1) & usable
        self.lateral = _same_part(lanes.origin, lanes.destination, usable, sites)
        self.ringed = _same_part(lanes.origin, lanes.destination, self.prompt, sites)
        self.order = self._site_order()

    def _supply(self) -> None:
        network = self.network
        items, sites, _ = network.size
        stocked = np.zeros((sites, items), dtype=bool)
        stocked[network.lots.site, network.lots.item] = True
        every = np.arange(len(network.lanes.codes), dtype=np.int64)
        self.able = np.isfinite(cheapest_ways(network, stocked, self.cost, every).landed)
        fed = np.zeros_like(stocked)
        open_lane = np.isfinite(self.cost) & self.able[network.lanes.origin]
        np.logical_or.at(fed, network.lanes.destination, open_lane)
        ways = cheapest_ways(network, stocked & ~fed, self.cost, every)
        # what no root reaches (sites that only supply each other) begins where there is stock
        ways = cheapest_ways(network, stocked & (~fed | ~np.isfinite(ways.landed)), self.cost, every)
        self.landed, self.main = ways.landed, ways.last

    def _homes(self) -> IntArray:
        claims, items = self.network.claims, len(self.network.items)
        home = np.full((len(claims.channel), items), -1, dtype=np.int64)
        best = np.full(home.shape, np.inf)
        for arc in np.lexsort((claims.arc_site, claims.arc_cost)):
            claim, site = claims.arc_claim[arc], claims.arc_site[arc]
            total = np.where(self.able[site], claims.arc_cost[arc] + self.landed[site], np.inf)
            nearer = total < best[claim]
            home[claim, nearer], best[claim, nearer] = arc, total[nearer]
        return home

    def _site_order(self) -> IntArray:
        """Upstream first over same-bucket lanes; sites that supply each other by landed cost."""
        lanes, sites = self.network.lanes, len(self.network.sites.codes)
        known = np.isfinite(self.landed)
        mean = np.where(known, self.landed, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        rank = np.zeros(sites, dtype=np.int64)
        free = self.prompt & ~self.ringed
        parts = _parts(lanes.origin, lanes.destination, self.prompt, sites)
        for _ in range(sites):
            deeper = rank.copy()
            np.maximum.at(deeper, lanes.destination[free], rank[lanes.origin[free]] + 1)
            top = np.zeros(sites, dtype=np.int64)
            np.maximum.at(top, parts, deeper)
            deeper = top[parts]
            if (deeper == rank).all():
                break
            rank = deeper
        return np.lexsort((np.arange(sites), mean, rank))

    @cached_property
    def reach(self) -> BoolArray:
        """(S, D) bool: the claim is served from the site or from a site downstream of it by any lanes."""
        network = self.network
        sites, claims = len(network.sites.codes), network.claims
        reach = np.zeros((sites, len(claims.channel)), dtype=bool)
        reach[claims.arc_site, claims.arc_claim] = True
        for _ in range(sites):
            before = reach.copy()
            np.logical_or.at(reach, network.lanes.origin, before[network.lanes.destination])
            if (reach == before).all():
                break
        return reach

    def downstream(self, own: FloatArray) -> FloatArray:
        """(S, I) amounts of each site and of all that its main lanes supply."""
        total = own.copy()
        for _ in range(len(own)):
            wider = own.copy()
            self._push(total, wider)
            if (wider == total).all():
                break
            total = wider
        return total

    def _push(self, values: FloatArray, into: FloatArray) -> None:
        origin = self.network.lanes.origin
        site, item = np.nonzero(self.main >= 0)
        np.add.at(into, (origin[self.main[site, item]], item), values[site, item])

    def first_priority(self) -> FloatArray:
        """(S, I) smallest priority number of the demand at a site and downstream of it."""
        network, claims = self.network, self.network.claims
        best = np.full((len(network.sites.codes), len(network.items)), np.inf)
        asked = np.zeros(self.home.shape, dtype=bool)
        asked[network.demand.claim, network.demand.item] = True
        claim, item = np.nonzero(asked & (self.home >= 0))
        np.minimum.at(best, (claims.arc_site[self.home[claim, item]], item), claims.priority[claim].astype(float))
        site, item = np.nonzero(self.main >= 0)
        origin = network.lanes.origin[self.main[site, item]]
        for _ in range(len(best)):
            before = best.copy()
            np.minimum.at(best, (origin, item), before[site, item])
            if (best == before).all():
                break
        return best


def _parts(origin: IntArray, destination: IntArray, used: BoolArray, sites: int) -> IntArray:
    """(S,) strongly connected part of each site over the used lanes."""
    links = csr_array((np.ones(int(used.sum())), (origin[used], destination[used])), shape=(sites, sites))
    return np.asarray(connected_components(links, directed=True, connection="strong")[1], dtype=np.int64)


def _same_part(origin: IntArray, destination: IntArray, used: BoolArray, sites: int) -> BoolArray:
    part = _parts(origin, destination, used, sites)
    return np.asarray(used & (part[origin] == part[destination]), dtype=bool)
