"""Stock on the shelves of the simulation, by expiry class, the first to expire taken first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import NEVER, Network
from allocator.program.classes import build_classes

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """What was taken or comes in: item, expiry class, its expiry day, quantity. [units]"""

    item: IntArray
    cls: IntArray
    expiry: IntArray
    quantity: FloatArray


class Shelf:
    """Stock by site and item, with expiry classes for the items that have any.

    Attributes
    ----------
    total : (S, I) float
        Usable stock. [units]
    """

    def __init__(self, network: Network) -> None:
        items, sites, _ = network.size
        classes = build_classes(network)
        width = max((len(row) for row in classes.expiry), default=1)
        self.expiry = np.full((items, width), NEVER, dtype=np.int64)
        for item, row in enumerate(classes.expiry):
            self.expiry[item, : len(row)] = row
        self.dated = np.flatnonzero((self.expiry < NEVER).any(axis=1))
        self.row = np.full(items, -1, dtype=np.int64)
        self.row[self.dated] = np.arange(len(self.dated))
        self.total = np.zeros((sites, items))
        self.by_class = np.zeros((sites, len(self.dated), width))
        self.days = self.expiry[self.dated]
        self.lots, self.of_entry = network.lots, classes.of_entry

    def receive(self, bucket: int) -> None:
        """Opening lots (bucket 0), late lots and receipts of a bucket come in."""
        lots = self.lots
        mine = np.flatnonzero(lots.bucket == bucket)
        self._put(lots.site[mine], lots.item[mine], self.of_entry[mine], lots.quantity[mine])

    def put(self, site: int, pieces: Pieces) -> None:
        """Add pieces at a site."""
        self._put(np.full(len(pieces.item), site, dtype=np.int64), pieces.item, pieces.cls, pieces.quantity)

    def _put(self, site: IntArray, item: IntArray, cls: IntArray, quantity: FloatArray) -> None:
        np.add.at(self.total, (site, item), quantity)
        row = self.row[item]
        own = row >= 0
        np.add.at(self.by_class, (site[own], row[own], cls[own]), quantity[own])

    def usable(self, site: int, day: int) -> FloatArray:
        """(I,) stock that expires on ``day`` or later. [units]"""
        stock: FloatArray = self.total[site].copy()
        if len(self.dated):
            stock[self.dated] = np.where(self.days >= day, self.by_class[site], 0.0).sum(axis=1)
        return stock

    def take(self, site: int, quantity: FloatArray, day: int) -> Pieces:
        """Take (I,) quantities of what expires on ``day`` or later, the first to expire first."""
        item = np.flatnonzero(quantity > 0)
        self.total[site, item] = np.maximum(self.total[site, item] - quantity[item], 0.0)
        row = self.row[item]
        plain, dated = item[row < 0], item[row >= 0]
        row = row[row >= 0]
        stock = self.by_class[site, row]
        fit = np.where(self.days[row] >= day, stock, 0.0)
        before = np.cumsum(fit, axis=1) - fit
        taken = np.clip(quantity[dated][:, None] - before, 0.0, fit)
        self.by_class[site, row] = stock - taken
        at, cls = np.nonzero(taken > 0)
        none = np.zeros(len(plain), dtype=np.int64)
        return Pieces(
            np.concatenate([plain, dated[at]]),
            np.concatenate([none, cls]),
            np.concatenate([np.full(len(plain), NEVER, dtype=np.int64), self.days[row[at], cls]]),
            np.concatenate([quantity[plain], taken[at, cls]]),
        )

    def expire(self, last: int) -> None:
        """Throw away what expires up to the last day of the bucket."""
        if not len(self.dated):
            return
        self.by_class[:, self.days <= last] = 0.0
        self.total[:, self.dated] = self.by_class.sum(axis=2)
