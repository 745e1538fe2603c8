"""The law of pull lanes: no more than firm demand and the backlog of the day before have called for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import PULL
from allocator.rules.stage import Stage

FloatArray = NDArray[np.float64]


class Called:
    """What may still be shipped to each site by pull lanes.

    Firm demand of the whole horizon calls first. Backlog of forecast claims calls after that, as long as what it called
    and is still on its way stays within it; over lanes that take longer than to the next bucket it may only call where
    ``long_calls`` is set, since the backlog may have gone by other ways before the goods come.
    """

    def __init__(self, stage: Stage, long_calls: bool) -> None:
        network = stage.network
        self.stage, self.long_calls = stage, long_calls
        lanes, claims = network.lanes, network.claims
        self.used = bool((lanes.method == PULL).any())
        if not self.used:
            return
        self.pull = lanes.method.T == PULL
        sites, items = stage.transit.shape
        total = np.zeros((len(claims.channel), items))
        demand = network.demand
        np.add.at(total, (demand.claim, demand.item), demand.quantity)
        reach = stage.sourcing.reach.astype(float)
        self.firm = reach[:, claims.firm] @ total[claims.firm]
        self.callers = reach * ~claims.firm
        self.standing = np.zeros((network.calendar.buckets, sites, items))
        self.backlog = np.zeros((sites, items))

    def begin(self) -> None:
        """The backlog at the close of the bucket before is known."""
        if self.used:
            self.backlog = self.callers @ self.stage.backlog

    def most(self, lane: int) -> FloatArray:
        """(I,) most that a lane may carry in this bucket; ``inf`` where the item isn't pulled. [units]"""
        if not self.used or not self.pull[lane].any():
            return np.full(self.stage.transit.shape[1], np.inf)
        site = int(self.stage.network.lanes.destination[lane])
        return np.where(self.pull[lane], self.firm[site] + self._calls(lane, site), np.inf)

    def _calls(self, lane: int, site: int) -> FloatArray:
        stage = self.stage
        t, arrival = stage.bucket, int(stage.network.lanes.arrival[lane, stage.bucket])
        if arrival < 0 or (arrival > t + 1 and not self.long_calls):
            return np.zeros(stage.transit.shape[1])
        return np.asarray(np.maximum(self.backlog[site] - self.standing[t, site], 0.0))

    def book(self, lane: int, quantity: FloatArray) -> None:
        """Take (I,) shipped quantities off what may be called."""
        if not self.used or not self.pull[lane].any():
            return
        site, t = int(self.stage.network.lanes.destination[lane]), self.stage.bucket
        mine = np.where(self.pull[lane], quantity, 0.0)
        firm = np.minimum(mine, self.firm[site])
        self.firm[site] -= firm
        arrival = int(self.stage.network.lanes.arrival[lane, t])
        self.standing[t : max(arrival, t + 1), site] += mine - firm
