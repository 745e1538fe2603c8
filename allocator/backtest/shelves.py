"""Stock as it really is: lots on shelves, goods on the road, what expires. Units in equal units out, or it says so."""

from __future__ import annotations

import bisect

import numpy as np
from numpy.typing import NDArray

from allocator.backtest.ground import Ground

FloatArray = NDArray[np.float64]

Lot = tuple[int, int, float]
"""Expiry day, day received, quantity [units]."""
SMALL = 1e-9


class Shelves:
    """All stock of one play.

    Attributes
    ----------
    stock : (I, S) float
        Usable units on hand.
    lots : dict
        (item, site) -> lots in the order in which they are taken (the item's rotation).
    road : dict
        Arrival day -> (item, site, expiry, quantity).
    came, wasted, left : float
        Units that came in from outside, expired, and left to customers so far.
    """

    def __init__(self, ground: Ground) -> None:
        network = ground.network
        self.rotation = network.rotation
        self.stock = np.zeros((len(network.items), len(network.sites.codes)))
        self.lots: dict[tuple[int, int], list[Lot]] = {}
        self.road: dict[int, list[tuple[int, int, int, float]]] = {}
        self.came = self.wasted = self.left = 0.0
        entries = network.lots
        self.outside: dict[int, list[tuple[int, int, Lot]]] = {}
        for item, site, day, expiry, received, quantity in zip(
            entries.item, entries.site, entries.bucket, entries.expiry, entries.received, entries.quantity, strict=True
        ):
            lot = (int(expiry), int(received), float(quantity))
            self.outside.setdefault(int(day), []).append((int(item), int(site), lot))

    def _order(self, item: int, lot: Lot) -> tuple[int, int]:
        expiry, received, _ = lot
        return ((expiry, received), (received, expiry), (-received, expiry))[int(self.rotation[item])]

    def put(self, item: int, site: int, lot: Lot) -> None:
        """Lay a lot on a shelf."""
        shelf = self.lots.setdefault((item, site), [])
        bisect.insort(shelf, lot, key=lambda known: self._order(item, known))
        self.stock[item, site] += lot[2]

    def receive(self, day: int) -> None:
        """What comes in from outside, and what arrives from other sites."""
        for item, site, lot in self.outside.pop(day, ()):
            self.put(item, site, lot)
            self.came += lot[2]
        for item, site, expiry, quantity in self.road.pop(day, ()):
            self.put(item, site, (expiry, day, quantity))

    def usable(self, item: int, site: int, until: int) -> float:
        """Units whose last day is not before ``until``."""
        shelf = self.lots.get((item, site), ())
        return sum(quantity for expiry, _, quantity in shelf if expiry >= until)

    def take(self, item: int, site: int, quantity: float, until: int) -> list[Lot]:
        """Take units whose last day is not before ``until``, in the order of rotation; fewer where there are fewer."""
        shelf = self.lots.get((item, site))
        if not shelf:
            return []
        taken, kept, open_ = [], [], quantity
        for lot in shelf:
            expiry, received, held = lot
            part = min(held, open_) if expiry >= until and open_ > SMALL else 0.0
            if part > 0:
                taken.append((expiry, received, part))
                open_ -= part
            if held - part > SMALL:
                kept.append((expiry, received, held - part))
        self.lots[item, site] = kept
        self.stock[item, site] = max(self.stock[item, site] - (quantity - open_), 0.0)
        return taken

    def send(self, item: int, origin: int, destination: int, quantity: float, arrives: int, day: int) -> float:
        """Ship units; what really left."""
        gone = 0.0
        for expiry, _, part in self.take(item, origin, quantity, arrives):
            gone += part
            if arrives <= day:
                self.put(item, destination, (expiry, day, part))
            else:
                self.road.setdefault(arrives, []).append((item, destination, expiry, part))
        return gone

    def sell(self, item: int, site: int, quantity: float, until: int) -> float:
        """Hand units to a customer; what really went."""
        gone = sum(part for _, _, part in self.take(item, site, quantity, until))
        self.left += gone
        return gone

    def expire(self, day: int) -> list[tuple[int, int, float]]:
        """Clear away lots whose last day this was: item, site, quantity."""
        waste = []
        for (item, site), shelf in self.lots.items():
            old = sum(quantity for expiry, _, quantity in shelf if expiry <= day)
            if old > 0:
                self.lots[item, site] = [lot for lot in shelf if lot[0] > day]
                self.stock[item, site] = sum(lot[2] for lot in self.lots[item, site])
                self.wasted += old
                waste.append((item, site, old))
        return waste

    def coming(self, item: int, site: int, day: int, through: int) -> float:
        """Units that arrive at a site after ``day`` and not after ``through``."""
        return sum(
            quantity
            for arrives, parts in self.road.items()
            if day < arrives <= through
            for i, s, _, quantity in parts
            if i == item and s == site
        )

    @property
    def held(self) -> float:
        """Units on shelves and on the road."""
        lots = sum(lot[2] for shelf in self.lots.values() for lot in shelf)
        return lots + sum(part[3] for parts in self.road.values() for part in parts)

    def check(self) -> None:
        """Compare what came in with what left, expired and is still held.

        Raises
        ------
        ArithmeticError
            When units were made or lost, or a shelf holds less than nothing.
        """
        gap = self.came - self.left - self.wasted - self.held
        if abs(gap) > 1e-6 * max(1.0, self.came):
            raise ArithmeticError(f"a backtest lost {gap:g} units of {self.came:g}: report this")
        if any(lot[2] < 0 for shelf in self.lots.values() for lot in shelf):
            raise ArithmeticError("a backtest has a lot of less than nothing: report this")
