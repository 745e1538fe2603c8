"""The lots of all groups, always sorted in the order they are to be taken."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.lots.keys import Keys
from allocator.lots.records import Ints, Longs, Rows


class Arrivals(NamedTuple):
    """Lots that come in: group, the ranks of expiry, received day and lot, and grains."""

    group: Ints
    expiry: Ints
    day: Ints
    lot: Ints
    amount: Longs

    def take(self, rows: Rows | slice) -> Arrivals:
        """Return only these rows."""
        return Arrivals(self.group[rows], self.expiry[rows], self.day[rows], self.lot[rows], self.amount[rows])


def joined(parts: list[Arrivals]) -> Arrivals:
    """Put several arrivals together."""
    if len(parts) == 1:
        return parts[0]
    return Arrivals(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


class Shelf:
    """Lots sorted by key; the same lot come in twice on one day is one entry.

    Attributes
    ----------
    amount : (n,) int64, [grain], changed in place as lots are taken.
    expiry : (n,) int32, rank as in `Arrivals`; the other columns are read back from the keys.
    pointer : (G + 1,) first row of each group.
    """

    def __init__(self, keys: Keys) -> None:
        """Start empty."""
        self._keys = keys
        self._key: Longs = np.empty(0, np.int64)
        self.amount: Longs = np.empty(0, np.int64)
        self.expiry: Ints = np.empty(0, np.int32)
        self.pointer: Rows = np.zeros(len(keys.rotation) + 1, dtype=np.intp)

    def receive(self, arrivals: Arrivals) -> None:
        """Merge arrivals in, and drop the lots that are used up."""
        if not len(arrivals.amount):
            return
        key, group, expiry, amount = self._consolidated(arrivals)
        used = self.amount == 0
        n_groups = len(self.pointer) - 1
        count = np.diff(self.pointer) - np.bincount(self._keys.group_of(self._key[used]), minlength=n_groups)
        kept = np.flatnonzero(~used)
        old_key, old_amount, old_expiry = self._key[kept], self.amount[kept], self.expiry[kept]
        place = np.searchsorted(old_key, key)
        if len(old_key):
            known = old_key[np.minimum(place, len(old_key) - 1)] == key
            old_amount[place[known]] += amount[known]
            new = np.flatnonzero(~known)
            key, group, expiry, amount, place = key[new], group[new], expiry[new], amount[new], place[new]
        place += np.arange(len(key))
        stays = np.ones(len(old_key) + len(key), dtype=np.bool_)
        stays[place] = False
        self._key, self.amount = np.empty((2, len(stays)), dtype=np.int64)
        self.expiry = np.empty(len(stays), dtype=np.int32)
        into = np.flatnonzero(stays)
        for column, old, fresh in (
            (self._key, old_key, key),
            (self.amount, old_amount, amount),
            (self.expiry, old_expiry, expiry),
        ):
            column[into] = old
            column[place] = fresh
        self.pointer[1:] = np.cumsum(count + np.bincount(group, minlength=n_groups))

    def read(self, rows: Rows) -> tuple[Ints, Ints, Ints, Ints]:
        """Return group and the ranks of expiry, received day and lot of these rows."""
        group, day, lot = self._keys.read(self._key[rows])
        return group, self.expiry[rows], day, lot

    def rows_of(self, groups: Ints) -> tuple[Rows, Rows]:
        """Return the rows of these groups one after the other, and how many each has."""
        start = self.pointer[groups]
        count = self.pointer[groups + 1] - start
        before = np.cumsum(count) - count
        return np.arange(int(count.sum())) + np.repeat(start - before, count), count

    def expire(self, limit: int) -> Rows:
        """Return the rows with stock whose expiry rank is below `limit`."""
        rows: Rows = np.flatnonzero((self.expiry < limit) & (self.amount > 0))
        return rows

    def balances(self) -> Longs:
        """Return the stock of each group, (G,) int64 [grain]."""
        running = np.concatenate(([0], np.cumsum(self.amount)))
        return np.diff(running[self.pointer])

    def _consolidated(self, arrivals: Arrivals) -> tuple[Longs, Ints, Ints, Longs]:
        """Sort arrivals by key and add up equal ones: key, group, expiry, amount."""
        key = self._keys.of(arrivals.group, arrivals.expiry, arrivals.day, arrivals.lot)
        order = np.argsort(key)
        key = key[order]
        opens = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))
        amount = np.add.reduceat(arrivals.amount[order], opens)
        first = order[opens]
        return key[opens], arrivals.group[first], arrivals.expiry[first], amount
