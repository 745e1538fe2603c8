"""One whole number per lot that sorts by item, site and the item's rotation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.lots.records import NEVER, Bytes, Ints, Longs, Rule

TABLE_SPAN = 1 << 22
"""Widest span of days or codes ranked by a lookup table; wider ones are ranked by binary search."""

LARGEST_KEY = 2**63
"""Keys are int64."""


class TooWide(Exception):
    """The keys of these items do not fit one whole number together."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Distinct values in rising order, and the rank of each.

    Attributes
    ----------
    values : (V,) int32
    table : rank of each value from the smallest on, empty where the span is too wide.
    """

    values: Ints
    table: Ints

    @classmethod
    def of(cls, *columns: Ints) -> Scale:
        """Collect the distinct values of the columns; NEVER counts as the last of all."""
        parts = [column for column in columns if len(column)]
        if not parts:
            return cls(np.empty(0, np.int32), np.empty(0, np.int32))
        low = min(int(part.min()) for part in parts)
        finite = [part[part != NEVER] for part in parts]
        endless = any(len(few) < len(part) for few, part in zip(finite, parts, strict=True))
        high = max((int(part.max()) for part in finite if len(part)), default=low)
        if high - low >= TABLE_SPAN:
            return cls(np.unique(np.concatenate(parts)), np.empty(0, np.int32))
        seen = np.zeros(high - low + 1, dtype=np.bool_)
        for part in finite:
            seen[part - low] = True
        if low == NEVER:
            seen[:] = False
        values = np.flatnonzero(seen) + low
        last = np.array([NEVER] if endless else [], dtype=np.int64)
        return cls(np.concatenate((values, last)).astype(np.int32), (np.cumsum(seen) - 1).astype(np.int32))

    def rank(self, column: Ints) -> Ints:
        """Rank values that all are in the scale."""
        if not len(self.table):
            return np.searchsorted(self.values, column).astype(np.int32)
        low = int(self.values[0])
        place = np.where(column == NEVER, 0, column.astype(np.int64) - low)
        return np.where(column == NEVER, len(self.values) - 1, self.table[place]).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Sort keys of lots.

    Attributes
    ----------
    rotation : (G,) int8, `Rule` of each group (one item at one site).
    expiries, days, lots : Scale of expiry days, received days and lot ranks.
    """

    rotation: Bytes
    expiries: Scale
    days: Scale
    lots: Scale

    def __post_init__(self) -> None:
        """Refuse a part whose keys would overflow."""
        width = len(self.expiries.values) * len(self.days.values) * len(self.lots.values)
        if max(len(self.rotation), 1) * max(width, 1) >= LARGEST_KEY:
            raise TooWide

    def of(self, group: NDArray[np.integer], expiry: Ints, day: Ints, lot: Ints) -> Longs:
        """Return the keys of lots given by group and by the ranks of expiry, received day and lot."""
        n_expiries, n_days = len(self.expiries.values), len(self.days.values)
        rotation = self.rotation[group]
        wide_expiry, wide_day = expiry.astype(np.int64), day.astype(np.int64)
        age = np.where(rotation == Rule.LIFO, n_days - 1 - wide_day, wide_day)
        by_age = age * n_expiries + wide_expiry
        turn = np.where(rotation == Rule.FEFO, wide_expiry * n_days + wide_day, by_age)
        turn += group.astype(np.int64) * (n_expiries * n_days)
        turn *= len(self.lots.values)
        turn += lot
        return turn

    def group_of(self, key: Longs) -> Ints:
        """Return the group of each key."""
        return (key // (len(self.expiries.values) * len(self.days.values) * len(self.lots.values))).astype(np.int32)

    def read(self, key: Longs) -> tuple[Ints, Ints, Ints]:
        """Return group, rank of the received day and rank of the lot of each key."""
        n_expiries, n_days = len(self.expiries.values), len(self.days.values)
        turn, lot = np.divmod(key, len(self.lots.values))
        group, turn = np.divmod(turn, n_expiries * n_days)
        rotation = self.rotation[group]
        age = turn // n_expiries
        by_age = np.where(rotation == Rule.LIFO, n_days - 1 - age, age)
        day = np.where(rotation == Rule.FEFO, turn % n_days, by_age)
        return group.astype(np.int32), day.astype(np.int32), lot.astype(np.int32)
