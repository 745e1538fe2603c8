"""Replenish: each site asks its cheapest lane for what it lacks, the next lane for what did not come."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import JIT, PULL
from allocator.rules.needs import Leaving, Needs, Snapshot
from allocator.rules.room import fit
from allocator.rules.serving import Servant
from allocator.rules.shares import round_up
from allocator.rules.shipping import Request, Shipper
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

CHOICES = 8
"""Lanes that a site tries for an item in one bucket."""


class Replenisher:
    """Ships from all sites, upstream first, so that each lasts until the next departure can arrive."""

    def __init__(self, stage: Stage, needs: Needs, servant: Servant, shipper: Shipper) -> None:
        self.stage, self.needs, self.servant, self.shipper = stage, needs, servant, shipper
        network, sourcing = stage.network, stage.sourcing
        lanes = network.lanes
        self.leaving = Leaving(needs)
        self.out: list[IntArray] = [np.flatnonzero(lanes.origin == s) for s in range(len(network.sites.codes))]
        self.into: list[IntArray] = [np.flatnonzero(lanes.destination == s) for s in range(len(network.sites.codes))]
        way = sourcing.landed[lanes.origin] + sourcing.cost
        self.cost = np.where(sourcing.able[lanes.origin], way, np.inf)
        self.pull, self.jit = lanes.method.T == PULL, lanes.method.T == JIT
        # a lane back to where the item comes from is no supply, unless it is the main one
        every = np.arange(len(lanes.codes))[:, None]
        self.side = sourcing.lateral[:, None] & (sourcing.main[lanes.destination] != every)
        self.max_stock = network.policies.max_stock.T

    def replenish(self) -> None:
        """Ship in this bucket."""
        stage = self.stage
        rank = self._ranks()
        for choice in range(CHOICES):
            if not (rank == choice).any() or not stage.shelf.total.any():
                break
            view = Snapshot(self.needs, stage.bucket, stage.position, stage.calls())
            for site in stage.sourcing.order:
                self._ship_from(int(site), view, rank, choice)

    def _ranks(self) -> IntArray:
        """(L, I) place of each lane among those that depart in this bucket to the same site, cheapest first; -1 closed."""
        lanes, t = self.stage.network.lanes, self.stage.bucket
        runs = lanes.arrival[:, t] >= 0
        cost = np.where(runs[:, None], self.cost, np.inf)
        rank = np.full(cost.shape, -1, dtype=np.int64)
        for into in self.into:
            if not len(into):
                continue
            here = cost[into]
            order = np.argsort(here, axis=0, kind="stable")
            place = np.argsort(order, axis=0, kind="stable")
            rank[into] = np.where(np.isfinite(here), place, -1)
        return rank

    def _ship_from(self, site: int, view: Snapshot, rank: IntArray, choice: int) -> None:
        stage = self.stage
        if site in stage.fresh:
            stage.fresh.discard(site)
            self.servant.serve_at(site)
            self._refresh(view)
        mine = [int(lane) for lane in self.out[site] if (rank[lane] == choice).any()]
        if not mine or not stage.shelf.total[site].any():
            return
        keep = stage.network.policies.min_stock[:, site]
        own = np.maximum(self._own(site, view) - keep, 0.0)
        chosen = {lane: rank[lane] == choice for lane in mine}
        moved = self._ask(site, {lane: mask & ~self.side[lane] for lane, mask in chosen.items()}, view, keep, own)
        beside = {lane: mask & self.side[lane] for lane, mask in chosen.items() if self.side[lane].any()}
        if beside:
            # sites that supply each other give away only what they don't need themselves
            spare = view.target(site, self._until(site), False)
            moved |= self._ask(site, beside, view, np.maximum(keep, spare), np.zeros(len(own)))
        if moved:
            self._refresh(view)

    def _refresh(self, view: Snapshot) -> None:
        view.position, view.calls = self.stage.position, self.stage.calls()
        view.forget()

    def _ask(self, site: int, lanes: dict[int, BoolArray], view: Snapshot, keep: FloatArray, own: FloatArray) -> bool:
        requests = []
        for lane, mask in lanes.items():
            quantity = np.where(mask, self._lacking(lane, view), 0.0) if mask.any() else np.zeros(len(mask))
            if quantity.any():
                requests.append(Request(lane, quantity, self._room(lane, quantity, view)))
        return self.shipper.ship(site, requests, keep, own) if requests else False

    def _lacking(self, lane: int, view: Snapshot) -> FloatArray:
        """(I,) what a lane's destination lacks, by the item's method on the lane. [units]"""
        lanes, t = self.stage.network.lanes, self.stage.bucket
        site, arrival, until = int(lanes.destination[lane]), int(lanes.arrival[lane, t]), self.needs.lasts(lane, t)
        prompt = arrival == t
        quantity = view.need(site, until, prompt)
        pull, jit = self.pull[lane], self.jit[lane]
        if pull.any():
            quantity = np.where(pull, view.need(site, until, prompt, firm=True), quantity)
        if jit.any():
            leaving = view.target(site, t + 1, True) if prompt else self.leaving.at(site, arrival)
            quantity = np.where(jit, np.minimum(quantity, self.shipper.expected_jit(lane, leaving)), quantity)
        return quantity

    def _until(self, site: int) -> int:
        """Bucket that a site's stock should last to: the latest arrival of the next departures into it."""
        into = self.into[site]
        t, buckets = self.stage.bucket, self.stage.network.calendar.buckets
        return max(self.needs.lasts(int(lane), t) for lane in into) if len(into) else min(t + 1, buckets)

    def _own(self, site: int, view: Snapshot) -> FloatArray:
        """(I,) what a site wants for its own customers and levels. [units]"""
        return np.asarray(
            view.calls.waiting[site]
            + self.needs.own(site, self.stage.bucket + 1, self._until(site))
            + self.needs.level[site]
        )

    def _room(self, lane: int, quantity: FloatArray, view: Snapshot) -> FloatArray:
        """(I,) most that fits under the maximum stock and into the storage of the destination, until the next one comes. [units]"""
        stage, network = self.stage, self.stage.network
        t = stage.bucket
        site, arrival = int(network.lanes.destination[lane]), int(network.lanes.arrival[lane, t])
        position = stage.shelf.total[site] + stage.transit[site]
        used = self._used(site, arrival, view)
        most = np.maximum(self.max_stock[site] + used - position, 0.0)
        limit = network.sites.storage[site] - network.idle_volume[site]
        step = self.shipper.steps(lane)
        whole = np.minimum(round_up(quantity, step), most)
        for bucket in range(arrival, int(self.needs.until[lane, t])):
            if bucket > arrival:
                used = used + self.leaving.at(site, bucket)
            if limit[bucket] == np.inf:
                continue
            free = np.maximum(used - position, 0.0)
            held = float((np.maximum(position - used, 0.0) * network.unit_volume).sum())
            stays = fit(np.maximum(whole - free, 0.0), network.unit_volume, step, float(limit[bucket]) - held)
            whole = np.minimum(whole, free + stays)
        return np.asarray(np.minimum(most, whole))

    def _used(self, site: int, arrival: int, view: Snapshot) -> FloatArray:
        """(I,) expected to leave a site through the arrival, from the next bucket or, on the same day, from now. [units]"""
        t = self.stage.bucket
        if arrival == t:
            return np.asarray(view.calls.now[site] + self.leaving.at(site, t) - self.needs.own(site, t, t + 1))
        return np.asarray(sum(self.leaving.at(site, bucket) for bucket in range(t + 1, arrival + 1)))
