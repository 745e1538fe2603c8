"""What goes into the lot assigner and what comes out, as coded arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.int8]
Ints: TypeAlias = NDArray[np.int32]
Longs: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.intp]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

NEVER = 2**31 - 1
"""Expiry day of a lot that never expires."""


class Rule(IntEnum):
    """The rule by which a lot was chosen; the first three are rotations of an item."""

    FEFO = 0
    FIFO = 1
    LIFO = 2
    PLANNED = 3


class Reason(IntEnum):
    """Why a move got less than it asked for."""

    NONE = 0
    NO_STOCK = 1
    LIFE = 2
    """Stock is there, but it expires too early for the move."""
    NOT_RECEIVED = 3
    """A shipment due at the site by then came in short."""
    OTHER_CLASS = 4
    """Stock is there, but not of the planned expiry."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Equally long arrays, one row per record."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: Rows | Flags | slice) -> Self:
        """Return the same columns with only `rows` (an index array, a mask or a slice)."""
        return type(self)(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class LotStock(Columns):
    """Opening lots and receipts.

    Attributes
    ----------
    item, site : (K,) int32, codes counted from 0.
    quantity : (K,) float64, [item unit], at least 0.
    received : (K,) int32, day counted from the start, negative before it.
    expiry : (K,) int32, last usable day, `NEVER` if there is none.
    lot : (K,) int32, rank of the lot code: decides ties.
    available_bucket : (K,) int32, first bucket in which it can be used.
    """

    item: Ints
    site: Ints
    quantity: Floats
    received: Ints
    expiry: Ints
    lot: Ints
    available_bucket: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Moves(Columns):
    """Planned shipments and admissions that want lots.

    Attributes
    ----------
    item, origin : (M,) int32, codes counted from 0.
    destination : (M,) int32, site code, -1 for an admission.
    bucket : (M,) int32, the bucket it leaves in.
    arrive_bucket : (M,) int32, the bucket it comes in, -1 for an admission or beyond the horizon.
    ship_day, arrive_day : (M,) int32, [day counted from the start].
    need_day : (M,) int32, a lot may serve when its expiry is not before this day.
    quantity : (M,) float64, [item unit], at least 0.
    order : (M,) int64, the smaller goes first among moves of one item, site, bucket and need_day, equal ones by row.
    planned_class : (M,) int32, the expiry day the plan drew on; read only when assigning by class.
    """

    item: Ints
    origin: Ints
    destination: Ints
    bucket: Ints
    arrive_bucket: Ints
    ship_day: Ints
    arrive_day: Ints
    need_day: Ints
    quantity: Floats
    order: Longs
    planned_class: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Pieces(Columns):
    """Lots given to moves: rows sorted by move, within a move in the order they were taken.

    Attributes
    ----------
    move : (P,) int32, row of the moves.
    lot, expiry, received : (P,) int32, the lot as it stood at the origin.
    quantity : (P,) float64, [item unit], above 0.
    rule : (P,) int8, `Rule`.
    """

    move: Ints
    lot: Ints
    expiry: Ints
    received: Ints
    quantity: Floats
    rule: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Waste(Columns):
    """What expired, sorted by item, site, bucket and rotation; quantity [item unit]."""

    item: Ints
    site: Ints
    bucket: Ints
    lot: Ints
    expiry: Ints
    received: Ints
    quantity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Closing(Columns):
    """Stock left at the end of a bucket where it is above 0, sorted by item, site, bucket; quantity [item unit]."""

    item: Ints
    site: Ints
    bucket: Ints
    quantity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Lots on moves, and what is left.

    Attributes
    ----------
    pieces : Pieces
    filled, unfilled : (M,) float64, [item unit]; they add up to the moves' quantity.
    reason : (M,) int8, `Reason`; `NONE` where nothing is unfilled.
    waste : Waste
    closing : Closing
    fell_back : (F,) int32, items assigned by the planned classes after the rotation rule had failed.
    """

    pieces: Pieces
    filled: Floats
    unfilled: Floats
    reason: Bytes
    waste: Waste
    closing: Closing
    fell_back: Ints


Kind = TypeVar("Kind", bound=Columns)


def stacked(parts: Sequence[Kind]) -> Kind:
    """Put at least one records of a kind below each other."""
    first = parts[0]
    names = [field.name for field in fields(first)]
    return type(first)(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
