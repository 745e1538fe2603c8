"""The state of the simulation: stock, transit, open demand, and the flows written down so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Flows, Quantities
from allocator.network.network import Network
from allocator.network.order import packed
from allocator.rules.needs import Calls
from allocator.rules.room import Room
from allocator.rules.shelf import Pieces, Shelf
from allocator.rules.sourcing import Sourcing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass
class Book:
    """Flows written down, a piece of a table at a time: lane or arc, bucket, and their items, expiry days, quantities [units]."""

    pieces: list[tuple[int, int, NDArray[np.int32], NDArray[np.int32], FloatArray]] = field(default_factory=list)

    def write(self, way: int, bucket: int, pieces: Pieces) -> None:
        """Write pieces down."""
        found = (pieces.item.astype(np.int32), pieces.expiry.astype(np.int32), pieces.quantity)
        self.pieces.append((way, bucket, *found))

    def flows(self) -> Flows:
        """All flows, one a key, in order of item, way, bucket, expiry; empties the book."""
        if not self.pieces:
            none = np.empty(0, dtype=np.int64)
            return Flows(none, none, none, none, np.empty(0))
        ways, buckets, items, expiries, quantities = zip(*self.pieces, strict=True)
        self.pieces = []
        count = [len(item) for item in items]
        way, bucket = (np.repeat(np.array(column, dtype=np.int32), count) for column in (ways, buckets))
        item, quantity = np.concatenate(items), np.concatenate(quantities)
        expiry, rank = np.unique(np.concatenate(expiries), return_inverse=True)
        del items, expiries, quantities
        key = packed(item, way, bucket, rank)
        order = np.argsort(key, kind="stable")
        key, quantity = key[order], quantity[order]
        new = np.ones(len(key), dtype=bool)
        new[1:] = key[1:] != key[:-1]
        start = np.flatnonzero(new)
        rows = order[start]
        total = quantity if new.all() else np.add.reduceat(quantity, start)
        day = expiry[rank[rows]].astype(np.int64)
        return Flows(item[rows].astype(np.int64), way[rows].astype(np.int64), bucket[rows].astype(np.int64), day, total)


class Rings:
    """Same-bucket shipments between sites that can supply each other in one bucket: a ring of them has no beginning."""

    def __init__(self, network: Network, sourcing: Sourcing) -> None:
        self.origin, self.destination = network.lanes.origin, network.lanes.destination
        self.watched = sourcing.ringed
        self.links: dict[int, dict[int, set[int]]] = {}

    def clear(self) -> None:
        """A new bucket has no shipments."""
        self.links.clear()

    def add(self, lane: int, items: IntArray) -> None:
        """Note a shipment of these items."""
        if self.watched[lane]:
            for item in items.tolist():
                self.links.setdefault(item, {}).setdefault(int(self.origin[lane]), set()).add(
                    int(self.destination[lane])
                )

    def closed(self, lane: int) -> list[int]:
        """Items that would come round to where they left if they took this lane too."""
        if not self.watched[lane]:
            return []
        return [item for item, links in self.links.items() if self._leads(links, lane)]

    def _leads(self, links: dict[int, set[int]], lane: int) -> bool:
        """Whether shipments lead from the lane's destination to its origin."""
        seen, front = set[int](), [int(self.destination[lane])]
        while front:
            site = front.pop()
            if site == self.origin[lane]:
                return True
            if site not in seen:
                seen.add(site)
                front.extend(links.get(site, ()))
        return False


class Stage:
    """Everything that changes from bucket to bucket.

    Attributes
    ----------
    shelf : Shelf
    transit : (S, I) float
        On the way to each site, to arrive inside the horizon. [units]
    open, gone, lapsed : (D, I) float
        Open demand; served or lost so far; demand whose wait has ended so far. [units]
    stocked : (S, I) float
        Opening stock of the bucket and what came in since. [units]
    drawn : (S, C, I) float or None
        Served by each channel in this bucket, kept where a share limits it. [units]
    backlog : (D, I) float
        Open demand at the close of the bucket before. [units]
    fresh : set of int
        Sites that took in a shipment of this same bucket and have not served from it.
    """

    def __init__(self, network: Network, sourcing: Sourcing) -> None:
        self.network, self.sourcing = network, sourcing
        items, sites, buckets = network.size
        self.bucket = 0
        self.shelf = Shelf(network)
        self.room = Room(network)
        self.transit = np.zeros((sites, items))
        self.open = np.zeros((len(network.claims.channel), items))
        self.gone, self.lapsed, self.backlog = (np.zeros_like(self.open) for _ in range(3))
        self.stocked = np.zeros((sites, items))
        shares = np.isfinite(network.limits.max_share).any()
        self.drawn = np.zeros((sites, len(network.channels), items)) if shares else None
        self.shipments, self.admissions = Book(), Book()
        self.shipped: dict[int, FloatArray] = {}
        self.due: list[list[tuple[int, Pieces]]] = [[] for _ in range(buckets)]
        self.fresh: set[int] = set()
        self.rings = Rings(network, sourcing)
        self.arc_of = np.full((sites, len(network.claims.channel)), -1, dtype=np.int64)
        self.arc_of[network.claims.arc_site, network.claims.arc_claim] = np.arange(len(network.claims.arc_site))
        self.demand_of = _by_bucket(network.demand.bucket, buckets)
        self.lapse_of = _by_bucket(network.demand.last, buckets)

    def begin(self, bucket: int) -> None:
        """Receipts and shipments come in; the bucket's demand opens."""
        self.bucket = bucket
        self.shelf.receive(bucket)
        for site, pieces in self.due[bucket]:
            self.shelf.put(site, pieces)
            np.subtract.at(self.transit[site], pieces.item, pieces.quantity)
        self.due[bucket] = []
        self.transit = np.maximum(self.transit, 0.0)
        self.stocked = self.shelf.total.copy()
        if self.drawn is not None:
            self.drawn[:] = 0.0
        self.shipped.clear()
        self.fresh.clear()
        self.rings.clear()
        demand = self.network.demand
        mine = self.demand_of[bucket]
        np.add.at(self.open, (demand.claim[mine], demand.item[mine]), demand.quantity[mine])

    def close(self) -> None:
        """What waited its longest is lost; what expires is thrown away."""
        demand = self.network.demand
        mine = self.lapse_of[self.bucket]
        np.add.at(self.lapsed, (demand.claim[mine], demand.item[mine]), demand.quantity[mine])
        lost = np.maximum(self.lapsed - self.gone, 0.0)
        lost = np.minimum(lost, self.open)
        self.open -= lost
        self.gone += lost
        self.backlog = self.open.copy()
        self.shelf.expire(int(self.network.calendar.last[self.bucket]))

    def serve(self, arc: int, quantity: FloatArray, day: int) -> None:
        """Serve (I,) quantities over a service arc from stock that expires on ``day`` or later."""
        claims, t = self.network.claims, self.bucket
        site, claim = int(claims.arc_site[arc]), int(claims.arc_claim[arc])
        channel = int(claims.channel[claim])
        pieces = self.shelf.take(site, quantity, day)
        self.admissions.write(arc, t, pieces)
        self.open[claim] = np.maximum(self.open[claim] - quantity, 0.0)
        self.gone[claim] += quantity
        self._leave(site, quantity)
        self.room.admission[site, channel, t] -= quantity.sum()
        if self.drawn is not None:
            self.drawn[site, channel] += quantity

    def ship(self, lane: int, quantity: FloatArray) -> None:
        """Ship (I,) quantities on a lane in this bucket."""
        lanes, t = self.network.lanes, self.bucket
        origin, destination = int(lanes.origin[lane]), int(lanes.destination[lane])
        pieces = self.shelf.take(origin, quantity, int(lanes.arrive_day[lane, t]))
        self.shipments.write(lane, t, pieces)
        self._leave(origin, quantity)
        volume = float((quantity * self.network.unit_volume).sum())
        self.room.lane[lane, t] -= volume
        before = self.shipped.get(lane)
        self.shipped[lane] = quantity.copy() if before is None else before + quantity
        arrival = int(lanes.arrival[lane, t])
        if arrival < 0:
            return
        self.room.inbound[destination, arrival] -= volume
        if arrival == t:
            self.shelf.put(destination, pieces)
            self.stocked[destination] += quantity
            self.fresh.add(destination)
            self.rings.add(lane, np.flatnonzero(quantity > 0))
        else:
            self.due[arrival].append((destination, pieces))
            self.transit[destination] += quantity

    def _leave(self, site: int, quantity: FloatArray) -> None:
        self.room.outbound[site, self.bucket] -= float((quantity * self.network.unit_volume).sum())
        self.room.units[site, self.bucket] -= quantity.sum()

    @property
    def position(self) -> FloatArray:
        """(S, I) on hand and in transit. [units]"""
        return np.asarray(self.shelf.total + self.transit)

    def calls(self) -> Calls:
        """Open demand by home site."""
        claims, home = self.network.claims, self.sourcing.home
        claim, item = np.nonzero((self.open > 0) & (home >= 0))
        site = claims.arc_site[home[claim, item]]
        quantity = self.open[claim, item]
        firm, waits = claims.firm[claim], claims.waits[claim]
        waited = np.minimum(self.backlog[claim, item], quantity)

        def gather(amount: FloatArray) -> FloatArray:
            table = np.zeros(self.transit.shape)
            np.add.at(table, (site, item), amount)
            return table

        return Calls(
            now=gather(quantity),
            waiting=gather(np.where(waits, quantity, 0.0)),
            firm_now=gather(np.where(firm, quantity, waited)),
            firm_waiting=gather(np.where(waits, np.where(firm, quantity, waited), 0.0)),
        )

    def quantities(self) -> Quantities:
        """The plan so far."""
        return Quantities(self.shipments.flows(), self.admissions.flows())


def _by_bucket(bucket: IntArray, buckets: int) -> list[IntArray]:
    """Rows of each bucket, in order; rows of later ones are left out."""
    small = bucket.astype(np.int16) if buckets < 2**15 - 1 else bucket
    order = np.argsort(small, kind="stable")
    ends = np.cumsum(np.bincount(small, minlength=buckets + 1))[:buckets]
    return np.split(order[: ends[-1]], ends[:-1]) if buckets else []
