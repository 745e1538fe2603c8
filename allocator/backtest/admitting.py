"""Orders one by one: accept or refuse by the policy, fill by priority at the end of the day, cancel what can't be filled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from allocator.backtest.book import Order
from allocator.backtest.decision import Gate
from allocator.backtest.demand import Firm, Lines
from allocator.backtest.ground import Ground, Way
from allocator.backtest.shelves import SMALL, Shelves
from allocator.backtest.tally import Tally

FloatArray = NDArray[np.float64]

PLENTY = math.inf


class Counter:
    """Takes and fills the orders of one play."""

    def __init__(self, ground: Ground, shelves: Shelves, tally: Tally, lines: Lines, firm: Firm) -> None:
        self.ground, self.shelves, self.tally, self.lines = ground, shelves, tally, lines
        self.book: list[Order] = []
        self.number = 0
        self.later = [
            Order(int(i), int(c), int(z), int(d), float(q), -1, int(d + ground.wait[c]), n)
            for n, (i, c, z, d, q) in enumerate(
                zip(firm.item, firm.channel, firm.zone, firm.day, firm.quantity, strict=True)
            )
        ]
        network = ground.network
        shape = (len(network.items), len(network.sites.codes))
        self.booked = np.zeros((*shape, len(network.channels)))
        self.gone = np.zeros_like(self.booked)
        self.opening = np.zeros(shape)
        self.places: dict[tuple[int, int], bool] = {}

    @property
    def known(self) -> list[Order]:
        """Accepted orders that a planner knows of: open, or due later."""
        return [order for order in (*self.book, *self.later) if order.open > SMALL]

    def begin(self, day: int) -> None:
        """Bring in the orders that fall due, and count again what waiting orders have booked where."""
        due = [order for order in self.later if order.due <= day]
        self.later = [order for order in self.later if order.due > day]
        for order in due:
            self.tally.count("asked", day, order.channel, order.open)
            self.tally.count("accepted", day, order.channel, order.open)
            ways = self.ground.ways[order.channel, order.zone]
            order.site = max(ways, key=lambda way: min(self.shelves.stock[order.item, way.site], order.open)).site
            order.limit = max(order.limit, day)
            self._enter(order)
        self.booked[:] = 0.0
        self.gone[:] = 0.0
        self.opening = self.shelves.stock.copy()
        self.places = {}
        for order in self.book:
            self.booked[order.item, order.site, order.channel] += order.open

    def _enter(self, order: Order) -> None:
        order.number = self.number
        self.number += 1
        self.book.append(order)

    def admit(self, day: int, gate: Gate) -> None:
        """Accept or refuse the day's lines in the order in which they come in."""
        lines = self.lines
        ahead = (
            self.booked.copy()
        )  # what was open this morning does not count against the day's limits, only against the stock
        taken: dict[tuple[int, int, int], Order] = {}
        for row in lines.on(day):
            item, channel, zone = int(lines.item[row]), int(lines.channel[row]), int(lines.zone[row])
            left = float(lines.quantity[row])
            self.tally.count("asked", day, channel, left)
            for way in self.ground.ways[channel, zone]:
                if left <= SMALL:
                    break
                part = min(left, self._room(day, gate, item, channel, zone, way, ahead))
                part = self._whole(item, part, left)
                if part <= SMALL:
                    continue
                self.booked[item, way.site, channel] += part
                self.tally.count("accepted", day, channel, part)
                key = (item, channel, zone * len(self.booked[0]) + way.site)
                if key in taken:
                    taken[key].open += part
                else:
                    limit = day + int(self.ground.wait[channel])
                    taken[key] = Order(item, channel, zone, day, part, way.site, limit, 0)
                    self._enter(taken[key])
                left -= part
            if left > SMALL:
                self.places[item, self.ground.ways[channel, zone][0].site] = True
                self.tally.count("refused", day, channel, left)
                self.tally.pay("unmet", day, left * float(self.ground.network.unmet_cost[item, channel]), channel)

    def _whole(self, item: int, part: float, left: float) -> float:
        step = float(self.ground.network.quantum[item])
        return part if step <= 0 or part >= left - SMALL else math.floor(part / step + 1e-9) * step

    def _room(self, day: int, gate: Gate, item: int, channel: int, zone: int, way: Way, ahead: FloatArray) -> float:
        """Units of a line that may be booked at a site."""
        ground, stock = self.ground, float(self.shelves.stock[item, way.site])
        if ground.counter[channel, way.site, zone]:
            # the customer stands before the shelf: where another site serves the zone too, only what is there
            only = len(ground.ways[channel, zone]) == 1
            return PLENTY if only else max(stock - float(self.booked[item, way.site, channel]), 0.0)
        if gate.open:
            return self._promised(day, item, channel, zone, way, stock)
        worth = float(ground.network.margin[item, channel]) - way.cost
        if not gate.pays(item, way.site, day, worth):
            return 0.0
        row = self.booked[item, way.site]
        weaker = ground.priority >= ground.priority[channel]
        kept = gate.kept(item, way.site, channel, day)
        morning = float(ahead[item, way.site].sum())
        return max(stock - morning - kept - float((row - ahead[item, way.site])[weaker].sum()), 0.0)

    def _promised(self, day: int, item: int, channel: int, zone: int, way: Way, stock: float) -> float:
        """Without admission control: what is on the shelf, and for orders that may wait, what arrives in time, as long as none of it is promised twice."""
        wait = int(self.ground.wait[channel])
        coming = self.shelves.coming(item, way.site, day, day + wait) if wait else 0.0
        return max(stock + coming - float(self.booked[item, way.site, channel]), 0.0)

    def fill(self, day: int, gate: Gate, outbound: FloatArray) -> None:
        """Serve open orders: priority first, then worth, then age; each from where it was accepted, else from a site that can spare it."""
        ground, network = self.ground, self.ground.network
        self.book.sort(
            key=lambda o: (
                int(ground.priority[o.channel]),
                -float(network.margin[o.item, o.channel] + network.unmet_cost[o.item, o.channel]),
                o.due,
                o.number,
            )
        )
        for order in self.book:
            for way in sorted(ground.ways[order.channel, order.zone], key=lambda way: way.site != order.site):
                if order.open <= SMALL:
                    break
                spare = math.inf
                if way.site != order.site:
                    kept = gate.kept(order.item, way.site, order.channel, day)
                    promised = float(self.booked[order.item, way.site].sum())
                    spare = max(float(self.shelves.stock[order.item, way.site]) - kept - promised, 0.0)
                self._serve(order, way, day, spare, outbound)
            if order.open > SMALL:
                self.places[order.item, order.site] = True
            elif order.site >= 0:
                self.places.setdefault((order.item, order.site), False)

    def _serve(self, order: Order, way: Way, day: int, spare: float, outbound: FloatArray) -> None:
        network, item, channel = self.ground.network, order.item, order.channel
        limits = network.limits
        units = float(limits.max_units[way.site, channel, day])
        most = min(order.open, spare)
        if units < math.inf:
            most = min(most, units - float(self.gone[:, way.site, channel].sum()))
        share = float(limits.max_share[way.site, channel, day])
        if share < math.inf:
            most = min(most, share * float(self.opening[item, way.site]) - float(self.gone[item, way.site, channel]))
        volume = float(network.unit_volume[item])
        if volume > 0:
            most = min(most, outbound[0, way.site] / volume)
        most = min(most, outbound[1, way.site])
        most = self._whole(item, max(most, 0.0), math.inf)
        if most <= SMALL:
            return
        gone = self.shelves.sell(item, way.site, most, day + way.delivery + int(self.ground.life[channel]))
        if gone <= SMALL:
            return
        order.open -= gone
        self.booked[item, order.site, channel] = max(self.booked[item, order.site, channel] - gone, 0.0)
        self.gone[item, way.site, channel] += gone
        outbound[0, way.site] -= gone * volume
        outbound[1, way.site] -= gone
        tally = self.tally
        tally.pay("earned", day, gone * float(network.margin[item, channel]), channel)
        tally.pay("fulfilment", day, gone * way.cost, channel)
        tally.count("served", day, channel, gone)
        tally.flow("cost_served", day, gone * float(network.unit_cost[item]))
        if day <= order.due:
            tally.count("on_time", day, channel, gone)

    def close(self, day: int) -> None:
        """Give up what can't wait any longer: lost over the counter, cancelled where it was promised; the rest is late."""
        network, tally, kept = self.ground.network, self.tally, []
        for order in self.book:
            if order.open <= SMALL:
                continue
            item, channel = order.item, order.channel
            if order.limit > day:
                kept.append(order)
                tally.pay("lateness", day, order.open * float(network.unmet_cost[item, channel]), channel)
            elif self.ground.counter[channel, order.site, order.zone]:
                tally.count("lost", day, channel, order.open)
                tally.count("accepted", day, channel, -order.open)
                tally.pay("unmet", day, order.open * float(network.unmet_cost[item, channel]), channel)
            else:
                tally.count("cancelled", day, channel, order.open)
                tally.pay("cancellations", day, order.open * float(network.cancel_cost[item, channel]), channel)
        self.book = kept
