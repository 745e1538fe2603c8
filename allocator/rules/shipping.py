"""Ship what is asked for from one site: limits of each lane, the sharing rule where there is too little, whole packs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import JIT
from allocator.rules.called import Called
from allocator.rules.room import fit
from allocator.rules.shares import (
    HAIR,
    Rule,
    round_down,
    round_up,
    share_by_demand,
    share_by_priority,
    share_by_quota,
    share_by_target,
)
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Standing:
    """What the sharing rules compare sites by, (S, I): demand of the horizon and best priority, downstream sites included."""

    quota: FloatArray
    priority: FloatArray


@dataclass(frozen=True)
class Request:
    """What is asked of a lane, (I,): the quantity, and the most that the destination has room for. [units]"""

    lane: int
    quantity: FloatArray
    most: FloatArray | None = None


class Shipper:
    """Ships from sites, within every hard rule."""

    def __init__(
        self, stage: Stage, called: Called, rule: Rule, standing: Standing, jit_most: FloatArray | None
    ) -> None:
        self.stage, self.called, self.rule, self.standing, self.jit_most = stage, called, rule, standing, jit_most
        network = stage.network
        self.jit = network.lanes.method.T == JIT
        self.jit_in = np.zeros(jit_most.shape) if jit_most is not None else None
        self.locks = _locks_by_bucket(stage)

    def steps(self, lane: int) -> FloatArray:
        """(I,) smallest quantity that moves on a lane in this bucket. [units]"""
        network = self.stage.network
        if self.stage.bucket < network.calendar.committed:
            return np.asarray(network.lanes.pack[:, lane])
        return network.quantum

    def least(self, lane: int) -> FloatArray:
        """(I,) least quantity of a shipment on a lane in this bucket, what it carries already taken off. [units]"""
        network = self.stage.network
        if self.stage.bucket >= network.calendar.committed:
            return np.zeros(len(network.items))
        return np.asarray(np.maximum(network.lanes.min_quantity[:, lane] - self._carried(lane), 0.0))

    def _carried(self, lane: int) -> FloatArray:
        found = self.stage.shipped.get(lane)
        return np.zeros(len(self.stage.network.items)) if found is None else found

    def most(self, lane: int) -> FloatArray:
        """(I,) most that hard rules let a lane carry more in this bucket, volume apart. [units]"""
        network, t = self.stage.network, self.stage.bucket
        most = np.where(network.lanes.open[:, lane], self.called.most(lane), 0.0)
        held = self.locks[t].get(lane)
        if held is not None:
            ceiling = np.where(held.fixed, 0.0, held.most)
            most = np.minimum(most, np.maximum(ceiling - np.where(held.fixed, 0.0, self._carried(lane)), 0.0))
        most = np.minimum(most, self._jit_room(lane))
        if network.lanes.arrival[lane, t] == t:
            most[self.stage.rings.closed(lane)] = 0.0
        return most

    def _jit_room(self, lane: int) -> FloatArray:
        """(I,) what jit lanes may still bring to the destination in the bucket of arrival. [units]"""
        arrival = int(self.stage.network.lanes.arrival[lane, self.stage.bucket])
        if self.jit_most is None or self.jit_in is None or arrival < 0 or not self.jit[lane].any():
            return np.full(len(self.stage.network.items), np.inf)
        site = int(self.stage.network.lanes.destination[lane])
        left = np.maximum(self.jit_most[arrival, site] - self.jit_in[arrival, site], 0.0)
        return np.where(self.jit[lane], left, np.inf)

    def expected_jit(self, lane: int, leaving: FloatArray) -> FloatArray:
        """(I,) what may come by jit lanes when (I,) ``leaving`` is expected to leave the destination. [units]"""
        arrival = int(self.stage.network.lanes.arrival[lane, self.stage.bucket])
        site = int(self.stage.network.lanes.destination[lane])
        coming = self.jit_in[arrival, site] if self.jit_in is not None else 0.0
        return np.maximum(leaving - coming, 0.0)

    def ship(self, origin: int, requests: list[Request], keep: FloatArray, own: FloatArray) -> bool:
        """Ship requests from a site.

        Parameters
        ----------
        origin : int
        requests : list of Request
        keep : (I,) float
            What must stay at the origin. [units]
        own : (I,) float
            What the origin wants for its own customers; it takes part in the sharing. [units]

        Returns
        -------
        bool
            Whether anything was shipped.
        """
        stage, t = self.stage, self.stage.bucket
        lanes = [request.lane for request in requests]
        steps = np.stack([self.steps(lane) for lane in lanes])
        least = np.stack([self.least(lane) for lane in lanes])
        asked = np.stack([self._whole(request, steps[n], least[n]) for n, request in enumerate(requests)])
        if not asked.any():
            return False
        day = min(int(stage.network.lanes.arrive_day[lane, t]) for lane in lanes)
        there = np.minimum(stage.shelf.usable(origin, day), np.maximum(stage.shelf.total[origin] - keep, 0.0))
        granted = self._share(lanes, asked, there, own, steps)
        granted = self._fit_origin(origin, granted, steps)
        moved = False
        for n, lane in enumerate(lanes):
            if granted[n].any():
                moved |= self._send(lane, granted[n], steps[n], least[n])
        return moved

    def _whole(self, request: Request, step: FloatArray, least: FloatArray) -> FloatArray:
        """Whole packs that cover a request, at least the minimum quantity, within the hard rules."""
        wanted = np.where(request.quantity > 0, np.maximum(request.quantity, least), 0.0)
        most = self.most(request.lane)
        if request.most is not None:
            most = np.minimum(most, request.most)
        whole = round_up(wanted, step)
        whole = np.where(whole > most, round_down(np.minimum(wanted, most), step), whole)
        return np.where(whole >= least * (1 - HAIR), whole, 0.0)

    def _share(
        self,
        lanes: list[int],
        asked: FloatArray,
        there: FloatArray,
        own: FloatArray,
        steps: FloatArray,
    ) -> FloatArray:
        """Cut what is asked, (n, I), to what is there, by the rule: first what is missing from minimum stocks, then the rest."""
        short = asked.sum(axis=0) + own > there * (1 + HAIR)
        if not short.any():
            return asked
        items = np.flatnonzero(short)
        network = self.stage.network
        want = np.concatenate([asked[:, items], own[None, items]]).T
        step = np.concatenate([steps[:, items], network.quantum[items][None]]).T
        places = np.concatenate([network.lanes.destination[lanes], network.lanes.origin[lanes[:1]]])
        stock = self.stage.position[places][:, items].T.copy()
        stock[:, -1] = np.inf
        missing = np.maximum(network.policies.min_stock[items][:, places] - stock, 0.0)
        stock[:, -1] = 0.0
        urgent = np.minimum(round_up(missing, step), want)
        have = there[items]
        given = self._by_rule(np.minimum(have, urgent.sum(axis=1)), urgent, stock, step, places, items)
        left = np.maximum(have - given.sum(axis=1), 0.0)
        rest = want - given
        given = given + self._by_rule(np.minimum(left, rest.sum(axis=1)), rest, stock + given, step, places, items)
        granted = asked.copy()
        granted[:, items] = np.minimum(given[:, :-1].T, asked[:, items])
        return granted

    def _by_rule(
        self, have: FloatArray, want: FloatArray, stock: FloatArray, step: FloatArray, places: IntArray, items: IntArray
    ) -> FloatArray:
        """Share (J,) among (J, n) wants at ``places`` by the rule."""
        if self.rule is Rule.A:
            return share_by_demand(have, want, step)
        if self.rule is Rule.B:
            return share_by_target(have, stock, stock + want, step)
        if self.rule is Rule.C:
            return share_by_quota(have, want, self.standing.quota[places][:, items].T, step)
        return share_by_priority(have, want, self.standing.priority[places][:, items].T, step)

    def _fit_origin(self, origin: int, granted: FloatArray, steps: FloatArray) -> FloatArray:
        """Fit all lanes' shipments into what the origin can let out."""
        stage, t = self.stage, self.stage.bucket
        flat, step = granted.ravel(), steps.ravel()
        volume = np.tile(stage.network.unit_volume, len(granted))
        flat = fit(flat, np.ones(len(flat)), step, float(stage.room.units[origin, t]))
        flat = fit(flat, volume, step, float(stage.room.outbound[origin, t]))
        return flat.reshape(granted.shape)

    def _send(self, lane: int, quantity: FloatArray, step: FloatArray, least: FloatArray) -> bool:
        """Ship on one lane what its volume, the destination and the stock allow."""
        stage, network, t = self.stage, self.stage.network, self.stage.bucket
        lanes, volume = network.lanes, network.unit_volume
        destination, arrival = int(lanes.destination[lane]), int(lanes.arrival[lane, t])
        # what an earlier lane of the same sharing took may have used up what this one was granted
        quantity = np.minimum(quantity, round_down(self.most(lane), step))
        quantity = fit(quantity, volume, step, float(stage.room.lane[lane, t]))
        quantity = fit(quantity, volume, step, float(stage.room.inbound[destination, arrival]))
        usable = stage.shelf.usable(int(lanes.origin[lane]), int(lanes.arrive_day[lane, t]))
        quantity = round_down(np.minimum(quantity, usable), step)
        quantity = np.where(quantity >= least * (1 - HAIR), quantity, 0.0)
        if not quantity.any():
            return False
        self._book(lane, quantity)
        return True

    def _book(self, lane: int, quantity: FloatArray) -> None:
        stage = self.stage
        stage.ship(lane, quantity)
        self.called.book(lane, quantity)
        arrival = int(stage.network.lanes.arrival[lane, stage.bucket])
        if self.jit_in is not None and arrival >= 0:
            site = int(stage.network.lanes.destination[lane])
            self.jit_in[arrival, site] += np.where(self.jit[lane], quantity, 0.0)

    def honour_locks(self) -> None:
        """Ship what fix and min locks ask for, as far as stock and the hard rules allow."""
        stage, network, t = self.stage, self.stage.network, self.stage.bucket
        lanes = network.lanes
        rank = np.argsort(stage.sourcing.order)
        for lane in sorted(self.locks[t], key=lambda k: (rank[lanes.origin[k]], k)):
            held = self.locks[t][lane]
            if lanes.ship_day[lane, t] < 0:
                continue
            origin = int(lanes.origin[lane])
            asked = np.maximum(held.least - self._carried(lane), 0.0)
            pack, least = self.steps(lane), np.where(held.fixed, 0.0, self.least(lane))
            step = np.where(held.fixed, network.quantum, pack)
            most = np.where(lanes.open[:, lane], np.minimum(self.called.most(lane), self._jit_room(lane)), 0.0)
            most = np.minimum(most, np.maximum(held.most - self._carried(lane), 0.0))
            if lanes.arrival[lane, t] == t:
                most[stage.rings.closed(lane)] = 0.0
            usable = stage.shelf.usable(origin, int(lanes.arrive_day[lane, t]))
            wanted = round_up(np.where(asked > 0, np.maximum(asked, least), 0.0), step)
            quantity = round_down(np.minimum(np.minimum(wanted, most), usable), step)
            quantity = fit(quantity, network.unit_volume, step, float(stage.room.lane[lane, t]))
            quantity = fit(quantity, np.ones(len(step)), step, float(stage.room.units[origin, t]))
            quantity = fit(quantity, network.unit_volume, step, float(stage.room.outbound[origin, t]))
            quantity = np.where(quantity >= least * (1 - HAIR), quantity, 0.0)
            if quantity.any():
                self._book(lane, quantity)


@dataclass(frozen=True)
class Held:
    """Locks of one lane and bucket, (I,): least and most quantity, and whether a fix lock says both. [units]"""

    least: FloatArray
    most: FloatArray
    fixed: NDArray[np.bool_]


def _locks_by_bucket(stage: Stage) -> list[dict[int, Held]]:
    locks, items = stage.network.locks, len(stage.network.items)
    table: list[dict[int, Held]] = [{} for _ in range(stage.network.calendar.buckets)]
    for n in range(len(locks.item)):
        bucket, lane, item = int(locks.bucket[n]), int(locks.lane[n]), locks.item[n]
        if lane not in table[bucket]:
            table[bucket][lane] = Held(np.zeros(items), np.full(items, np.inf), np.zeros(items, dtype=bool))
        held = table[bucket][lane]
        held.least[item], held.most[item], held.fixed[item] = locks.least[n], locks.most[n], locks.fixed[n]
    return table
