"""Serve what is still open by the cheapest way that stock can reach a customer in the same bucket."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.rules.serving import Servant
from allocator.rules.shares import HAIR, round_up
from allocator.rules.shipping import Request, Shipper
from allocator.rules.sourcing import Ways, cheapest_ways
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROUNDS = 200
"""Rounds in one bucket; each closes a lane that is full or empties a site, or is the last."""


class Expediter:
    """Moves stock along chains of same-bucket lanes to demand that is still open."""

    def __init__(self, stage: Stage, servant: Servant, shipper: Shipper) -> None:
        self.stage, self.servant, self.shipper = stage, servant, shipper
        network = stage.network
        buckets = np.arange(network.calendar.buckets)
        usable = np.isfinite(stage.sourcing.cost).any(axis=1, keepdims=True)
        self.prompt = (network.lanes.arrival == buckets) & usable
        self.keep = network.policies.min_stock.T
        self.barred = np.zeros((len(network.claims.arc_site), len(network.items)), dtype=bool)

    def expedite(self) -> None:
        """Go on while something more is served."""
        lanes = np.flatnonzero(self.prompt[:, self.stage.bucket])
        if not len(lanes):
            return
        self.barred[:] = False
        for _ in range(ROUNDS):
            if not self.stage.open.any() or not self._round(lanes):
                break

    def _round(self, lanes: IntArray) -> bool:
        stage = self.stage
        spare = stage.shelf.total - self.keep
        ways = cheapest_ways(stage.network, spare > 0, self._costs(lanes), lanes)
        need, tried = self._place(ways)
        if not need.any():
            return False
        self._ship_along(ways, need)
        served = self.servant.serve_all()
        if served > 0:
            return True
        # nothing came of these arcs: the next round tries others
        fresh = tried & ~self.barred
        self.barred |= tried
        return bool(fresh.any())

    def _costs(self, lanes: IntArray) -> FloatArray:
        """(K, I) cost of each lane, ``inf`` where it can carry no step more. [currency per unit]"""
        stage, network, t = self.stage, self.stage.network, self.stage.bucket
        cost = stage.sourcing.cost[lanes].copy()
        volume, origin = network.unit_volume, network.lanes.origin[lanes]
        for n, lane in enumerate(lanes):
            if not np.isfinite(cost[n]).any():
                continue
            step = np.maximum(self.shipper.steps(int(lane)), self.shipper.least(int(lane)))
            room = min(stage.room.lane[lane, t], stage.room.outbound[origin[n], t])
            small = np.where(step > 0, step * (1 - HAIR), HAIR)
            full = (volume * small > room) | (small > stage.room.units[origin[n], t])
            full |= self.shipper.most(int(lane)) < small
            cost[n, full] = np.inf
        return cost

    def _place(self, ways: Ways) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Put open demand, (S, I), at the site from which it costs least to serve, and say over which arcs, (A, I)."""
        stage, claims = self.stage, self.stage.network.claims
        need = np.zeros(stage.transit.shape)
        tried = np.zeros_like(self.barred)
        t = stage.bucket
        for claim in np.flatnonzero(stage.open.any(axis=1)):
            arcs = np.array(self.servant.arcs[claim], dtype=np.int64)
            if not len(arcs):
                continue
            site, channel = claims.arc_site[arcs], claims.channel[claim]
            shut = (stage.room.admission[site, channel, t] < HAIR) | (stage.room.units[site, t] < HAIR)
            shut |= stage.room.outbound[site, t] < HAIR * stage.network.unit_volume.max(initial=0.0)
            total = claims.arc_cost[arcs][:, None] + ways.landed[site]
            # stock that lies at the site already was not served from there: only what has to come in can help
            total = np.where(self.barred[arcs] | shut[:, None] | (ways.last[site] < 0), np.inf, total)
            best = total.argmin(axis=0)
            found = np.flatnonzero(np.isfinite(total.min(axis=0)) & (stage.open[claim] > 0))
            chosen = best[found]
            np.add.at(need, (site[chosen], found), stage.open[claim, found])
            tried[arcs[chosen], found] = True
        return need, tried

    def _ship_along(self, ways: Ways, need: FloatArray) -> None:
        """Push needs up the ways, then ship down from the sources."""
        stage = self.stage
        origin = stage.network.lanes.origin
        depth = self._depth(ways)
        load = need.copy()
        asked: dict[int, FloatArray] = {}
        for level in range(int(depth.max(initial=0)), 0, -1):
            site, item = np.nonzero((depth == level) & (load > 0))
            lane = ways.last[site, item]
            for one in np.unique(lane):
                mine = lane == one
                quantity = np.zeros(load.shape[1])
                quantity[item[mine]] = load[site[mine], item[mine]]
                whole = round_up(np.where(quantity > 0, np.maximum(quantity, self.shipper.least(int(one))), 0.0),
                                 self.shipper.steps(int(one)))  # fmt: skip
                asked[int(one)] = quantity
                load[origin[one]] += whole
        for level in range(int(depth.max(initial=0))):
            for site in np.unique([origin[one] for one in asked]):
                mine = [
                    Request(one, np.where(depth[site] == level, quantity, 0.0))
                    for one, quantity in sorted(asked.items())
                    if origin[one] == site and (quantity[depth[site] == level] > 0).any()
                ]
                if mine:
                    self.shipper.ship(int(site), mine, self.keep[site], np.zeros(load.shape[1]))

    def _depth(self, ways: Ways) -> IntArray:
        """(S, I) lanes between a source and each site; -1 where there is no way."""
        origin = self.stage.network.lanes.origin
        depth = np.where(np.isfinite(ways.landed) & (ways.last < 0), 0, -1)
        site, item = np.nonzero(ways.last >= 0)
        before = origin[ways.last[site, item]]
        for _ in range(len(depth)):
            known = np.where(depth[before, item] >= 0, depth[before, item] + 1, -1)
            if (depth[site, item] == known).all():
                break
            depth[site, item] = known
        return depth
