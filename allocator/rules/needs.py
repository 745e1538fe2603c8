"""What each site needs: its demand over the days a shipment must last, its stock levels, and what it must pass on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.rules.sourcing import Sourcing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

AHEAD = 3
"""Days that a site which supplies others is supplied ahead of time, so that a full lane or dock does not stop it."""


@dataclass(frozen=True)
class Calls:
    """Open demand by home site, (S, I). [units]

    Attributes
    ----------
    now : all that is open in this bucket.
    waiting : what may still be served later.
    firm_now, firm_waiting : the same, without the new demand of forecast claims (what pull lanes may be called for).
    """

    now: FloatArray
    waiting: FloatArray
    firm_now: FloatArray
    firm_waiting: FloatArray


class Needs:
    """Needs of sites, worked out from their destinations' needs, downstream first.

    ``need = max(0, open demand + demand over the window + max(min, safety stock) + needs of what it supplies - position)``,
    position being stock on hand and in transit. The window of a shipment that leaves in bucket t ends when the next
    departure arrives. [units]
    """

    def __init__(self, network: Network, sourcing: Sourcing) -> None:
        self.network, self.sourcing = network, sourcing
        items, sites, buckets = network.size
        self.buckets = buckets
        demand, claims = network.demand, network.claims
        arc = sourcing.home[demand.claim, demand.item]
        found = arc >= 0
        site, item, bucket = claims.arc_site[arc[found]], demand.item[found], demand.bucket[found]
        quantity, firm = demand.quantity[found], claims.firm[demand.claim[found]]
        self.asked = np.zeros((buckets + 1, sites, items))
        np.add.at(self.asked, (bucket + 1, site, item), quantity)
        np.cumsum(self.asked, axis=0, out=self.asked)
        self.firm = np.zeros_like(self.asked) if firm.any() else np.zeros((1, 1, 1))
        if firm.any():
            np.add.at(self.firm, (bucket[firm] + 1, site[firm], item[firm]), quantity[firm])
            np.cumsum(self.firm, axis=0, out=self.firm)
        policies = network.policies
        self.level = np.maximum(policies.min_stock, policies.safety_stock).T.copy()
        self.until, self.last_departure = _windows(network)
        self._children()

    def _children(self) -> None:
        """For each site the lanes by which it is some item's main supplier, and for which items."""
        lanes = self.network.lanes
        self.children: list[list[tuple[int, int, BoolArray]]] = [[] for _ in self.network.sites.codes]
        self.main_lane: dict[int, BoolArray] = {}
        for destination, row in enumerate(self.sourcing.main):
            for lane in np.unique(row[row >= 0]):
                mask = row == lane
                self.main_lane[int(lane)] = mask
                self.children[lanes.origin[lane]].append((int(lane), destination, mask))

    def lasts(self, lane: int, bucket: int) -> int:
        """Bucket (exclusive) that a shipment on a lane must last to: until the next one comes, and a while longer where it is passed on."""
        until = int(self.until[lane, bucket])
        if not self.children[self.network.lanes.destination[lane]]:
            return until
        calendar = self.network.calendar
        day = calendar.first[until - 1] + calendar.length[until - 1] + AHEAD
        return int(np.searchsorted(calendar.first, day))

    def own(self, site: int, start: int, end: int, firm: bool = False) -> FloatArray:
        """(I,) demand at home at a site in buckets ``start`` to ``end`` (exclusive). [units]"""
        table = self.firm if firm else self.asked
        if len(table) == 1 or start >= end:
            return np.zeros(len(self.network.items))
        return np.asarray(table[end, site] - table[start, site])


class Leaving:
    """What is expected to leave a site in a bucket: demand at home, and what its main lanes carry on then."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs
        self.memo: dict[tuple[int, int], FloatArray] = {}

    def at(self, site: int, bucket: int) -> FloatArray:
        """(I,) expected quantity. [units]"""
        key = (site, bucket)
        if key in self.memo:
            return self.memo[key]
        needs = self.needs
        total = needs.own(site, bucket, bucket + 1)
        # sites that supply each other: the second visit counts no more than its own demand
        self.memo[key] = total
        for lane, child, mask in needs.children[site]:
            arrival = int(needs.network.lanes.arrival[lane, bucket])
            if arrival < 0:
                continue
            for later in range(arrival, int(needs.until[lane, bucket])):
                total = total + np.where(mask, self.at(child, later), 0.0)
        self.memo[key] = total
        return total


class Snapshot:
    """Needs in one bucket, as positions stand."""

    def __init__(self, needs: Needs, bucket: int, position: FloatArray, calls: Calls) -> None:
        self.needs, self.bucket, self.position, self.calls = needs, bucket, position, calls
        self.memo: dict[tuple[int, int, bool, bool], FloatArray] = {}
        self.path: set[int] = set()

    def forget(self) -> None:
        """Positions have changed."""
        self.memo.clear()

    def target(self, site: int, until: int, now: bool, firm: bool = False) -> FloatArray:
        """(I,) stock and transit a site should have to last until a bucket (exclusive). [units]

        ``now``: goods get there in this bucket, so that all open demand counts. ``firm``: only firm demand and backlog count.
        """
        needs, t, calls = self.needs, self.bucket, self.calls
        open_calls = (calls.firm_now if now else calls.firm_waiting) if firm else (calls.now if now else calls.waiting)
        total = open_calls[site] + needs.own(site, t + 1, until, firm)
        if not firm:
            total = total + needs.level[site]
        lanes = needs.network.lanes
        self.path.add(site)
        for lane, child, mask in needs.children[site]:
            departure = int(needs.last_departure[lane, until])
            if departure < t or child in self.path:
                continue
            prompt = now and int(lanes.arrival[lane, t]) == t
            passed = self.need(child, int(needs.until[lane, departure]), prompt, firm)
            total = total + np.where(mask, passed, 0.0)
        self.path.discard(site)
        return np.asarray(total)

    def need(self, site: int, until: int, now: bool, firm: bool = False) -> FloatArray:
        """(I,) what is missing from the target. [units]"""
        key = (site, until, now, firm)
        if key not in self.memo:
            self.memo[key] = np.maximum(self.target(site, until, now, firm) - self.position[site], 0.0)
        return self.memo[key]


def _windows(network: Network) -> tuple[IntArray, IntArray]:
    """Arrival of the next departure between the two sites after each (L, T), T without one; last departure before each (L, T+1) bucket, -1 without one."""
    arrival = network.lanes.arrival
    lanes, buckets = arrival.shape
    until = np.full((lanes, buckets), buckets, dtype=np.int64)
    ends = network.lanes.origin * len(network.sites.codes) + network.lanes.destination
    pairs, pair = np.unique(ends, return_inverse=True)
    after = np.full(len(pairs), buckets, dtype=np.int64)
    for t in range(buckets - 1, -1, -1):
        until[:, t] = np.maximum(after[pair], np.where(arrival[:, t] >= 0, arrival[:, t] + 1, 0))
        leaves = arrival[:, t] >= 0
        next_one = np.full(len(after), buckets, dtype=np.int64)
        np.minimum.at(next_one, pair[leaves], arrival[leaves, t])
        after = np.minimum(after, next_one)
    last = np.full((lanes, buckets + 1), -1, dtype=np.int64)
    for t in range(buckets):
        last[:, t + 1] = np.where(arrival[:, t] >= 0, t, last[:, t])
    return until, last
