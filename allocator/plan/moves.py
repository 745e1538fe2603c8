"""Planned quantities to moves for the lot assigner, and back to what was really moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Flows, Quantities
from allocator.lots import Assignment, LotStock, Moves, Pieces, assign_two_ways
from allocator.lots.records import stacked
from allocator.memory import give_back
from allocator.network.network import NEVER, Network
from allocator.program.classes import far_day

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHARE_ROWS = 500_000
"""Rows of moves and lots that get their lots together: items do not meet, so the shares bound the memory, not the answer."""


@dataclass(frozen=True)
class Moved:
    """Moves with their lots.

    Attributes
    ----------
    shipments, admissions : Flows
        What was asked, classes added up; moves are shipments first, then admissions.
    assignment : Assignment
        Lots, waste, closing stock; ``filled`` is what really moves.
    """

    shipments: Flows
    admissions: Flows
    assignment: Assignment

    @property
    def shipped(self) -> FloatArray:
        """Quantity of each shipment that its lots cover. [units]"""
        return np.asarray(self.assignment.filled[: len(self.shipments.item)])

    @property
    def served(self) -> FloatArray:
        """Quantity of each admission that its lots cover. [units]"""
        return np.asarray(self.assignment.filled[len(self.shipments.item) :])


def assign_lots(network: Network, quantities: Quantities) -> list[Moved]:
    """Give every planned quantity real lots by its item's rotation, by planned class where that serves it better.

    Parameters
    ----------
    network : Network
    quantities : Quantities

    Returns
    -------
    list of Moved
        One, or two where the rotation leaves other stock behind than the plan foresaw: by rotation, and as planned.
    """
    shipments, admissions = quantities.shipments.total(), quantities.admissions.total()
    task = _Task(network, shipments, admissions, *_class_flows(quantities), _planned_waste(network, quantities))
    shares: list[_Share] = []
    ways: tuple[list[Assignment], list[Assignment]] = ([], [])
    same = True
    for low, high in pairwise(_cuts(network, shipments, admissions)):
        share, first, second = task.assign(low, high)
        shares.append(share)
        ways[0].append(first)
        ways[1].append(first if second is None else second)
        same &= second is None
    if same:
        ways[1].clear()
    moved = [Moved(shipments, admissions, _joined(shares, way)) for way in ways if way]
    give_back()
    return moved


@dataclass(frozen=True)
class _Share:
    """Rows of shipments and admissions of some items."""

    shipments: slice
    admissions: slice

    @property
    def ships(self) -> int:
        """Number of shipments."""
        return int(self.shipments.stop - self.shipments.start)


@dataclass(frozen=True)
class _Task:
    """What all shares have in common; flows are sorted by item."""

    network: Network
    shipments: Flows
    admissions: Flows
    class_shipments: Flows
    class_admissions: Flows
    planned_waste: FloatArray

    def assign(self, low: int, high: int) -> tuple[_Share, Assignment, Assignment | None]:
        """Give the moves of items ``low`` to ``high`` (exclusive) their lots, both ways."""
        network, lots = self.network, self.network.lots
        share = _Share(_rows(self.shipments.item, low, high), _rows(self.admissions.item, low, high))
        ships, serves = _part(self.shipments, share.shipments), _part(self.admissions, share.admissions)
        split = (
            _part(self.class_shipments, _rows(self.class_shipments.item, low, high)),
            _part(self.class_admissions, _rows(self.class_admissions.item, low, high)),
        )
        parent = np.concatenate([_parents(split[0], ships), len(ships.item) + _parents(split[1], serves)])
        mine = _rows(lots.item, low, high)
        stock = LotStock(
            item=_i32(lots.item[mine]),
            site=_i32(lots.site[mine]),
            quantity=lots.quantity[mine],
            received=_i32(lots.received[mine]),
            expiry=_i32(lots.expiry[mine]),
            lot=_i32(lots.lot[mine]),
            available_bucket=_i32(lots.bucket[mine]),
        )
        first, second = assign_two_ways(
            stock,
            _moves(network, ships, serves),
            _moves(network, *split),
            parent.astype(np.intp),
            network.rotation.astype(np.int8),
            network.quantum,
            _i32(network.calendar.last),
            planned_waste=self.planned_waste,
            far_day=far_day(network),
        )
        return share, first, second


def _cuts(network: Network, shipments: Flows, admissions: Flows) -> list[int]:
    """Items at which to cut, so that each share has about ``SHARE_ROWS`` rows of moves and lots."""
    items = len(network.items)
    rows = sum(np.bincount(item, minlength=items) for item in (shipments.item, admissions.item, network.lots.item))
    share = np.cumsum(rows) // SHARE_ROWS
    return [0, *(np.flatnonzero(np.diff(share)) + 1).tolist(), items]


def _rows(item: IntArray, low: int, high: int) -> slice:
    """Rows of items ``low`` to ``high`` (exclusive) in a sorted column."""
    start, stop = np.searchsorted(item, [low, high]).tolist()
    return slice(start, stop)


def _part(flows: Flows, rows: slice) -> Flows:
    return Flows(flows.item[rows], flows.way[rows], flows.bucket[rows], flows.expiry[rows], flows.quantity[rows])


def _joined(shares: list[_Share], parts: list[Assignment]) -> Assignment:
    """One assignment of all moves, shipments of all shares first, from those of the shares; empties ``parts``."""
    if len(parts) == 1:
        return parts.pop()

    def column(name: str) -> NDArray[Any]:
        values = [getattr(part, name) for part in parts]
        ships = [value[: share.ships] for share, value in zip(shares, values, strict=True)]
        return np.concatenate(ships + [value[share.ships :] for share, value in zip(shares, values, strict=True)])

    pieces: list[list[Pieces]] = [[], []]
    total = sum(share.ships for share in shares)
    for share, part in zip(shares, parts, strict=True):
        count = int(np.searchsorted(part.pieces.move, share.ships))
        after = total + share.admissions.start - share.ships
        for side, shift, rows in ((0, share.shipments.start, slice(0, count)), (1, after, slice(count, None))):
            some = part.pieces.take(rows)
            pieces[side].append(replace(some, move=some.move + np.int32(shift)))
    both = pieces[0] + pieces[1]
    rest = {name: column(name) for name in ("filled", "unfilled", "reason")}
    waste, closing = stacked([part.waste for part in parts]), stacked([part.closing for part in parts])
    fell_back = np.concatenate([part.fell_back for part in parts])
    parts.clear()
    return Assignment(pieces=stacked(both), waste=waste, closing=closing, fell_back=fell_back, **rest)


def _class_flows(quantities: Quantities) -> tuple[Flows, Flows]:
    """The flows that name a class; none when the plan was made without classes."""
    return _with_class(quantities.shipments), _with_class(quantities.admissions)


def _with_class(flows: Flows) -> Flows:
    keep = np.flatnonzero(flows.expiry >= 0)
    if (np.diff(flows.item[keep]) < 0).any():
        keep = keep[np.argsort(flows.item[keep], kind="stable")]
    return Flows(flows.item[keep], flows.way[keep], flows.bucket[keep], flows.expiry[keep], flows.quantity[keep])


def _parents(split: Flows, total: Flows) -> IntArray:
    span = np.int64(max(int(total.way.max(initial=0)), int(split.way.max(initial=0))) + 1)
    buckets = np.int64(max(int(total.bucket.max(initial=0)), int(split.bucket.max(initial=0))) + 1)
    whole = (total.item * span + total.way) * buckets + total.bucket
    return np.searchsorted(whole, (split.item * span + split.way) * buckets + split.bucket)


def _planned_waste(network: Network, quantities: Quantities) -> FloatArray:
    """Most waste each item's plan foresees: what comes in, less what is served (a bound good enough to detect a worse choice)."""
    if not (quantities.shipments.expiry >= 0).any() and not (quantities.admissions.expiry >= 0).any():
        return np.full(len(network.items), np.inf)
    lots, items = network.lots, len(network.items)
    expiring = lots.expiry < network.calendar.days
    supply = np.bincount(lots.item[expiring], weights=lots.quantity[expiring], minlength=items)
    flows = quantities.admissions
    used = flows.expiry < network.calendar.days
    served = np.bincount(flows.item[used], weights=flows.quantity[used], minlength=items)
    return np.asarray(np.maximum(supply - served, 0.0))


def _moves(network: Network, shipments: Flows, admissions: Flows) -> Moves:
    lanes, claims, calendar = network.lanes, network.claims, network.calendar
    lane, t = shipments.way, shipments.bucket
    arc, u = admissions.way, admissions.bucket
    arrival = lanes.arrival[lane, t]
    none = np.full(len(arc), -1, dtype=np.int64)
    day = calendar.first[u]
    return Moves(
        item=_i32(np.concatenate([shipments.item, admissions.item])),
        origin=_i32(np.concatenate([lanes.origin[lane], claims.arc_site[arc]])),
        destination=_i32(np.concatenate([lanes.destination[lane], none])),
        bucket=_i32(np.concatenate([t, u])),
        arrive_bucket=_i32(np.concatenate([arrival, none])),
        ship_day=_i32(np.concatenate([lanes.ship_day[lane, t], day])),
        arrive_day=_i32(np.concatenate([lanes.arrive_day[lane, t], day])),
        need_day=_i32(
            np.concatenate([lanes.arrive_day[lane, t], day + claims.arc_delivery[arc] + claims.arc_life[arc]])
        ),
        quantity=np.concatenate([shipments.quantity, admissions.quantity]),
        order=np.concatenate([lane, len(lanes.codes) + claims.arc_claim[arc]]).astype(np.int64),
        planned_class=_i32(np.minimum(np.concatenate([shipments.expiry, admissions.expiry]), NEVER)),
    )


def _i32(values: IntArray) -> NDArray[np.int32]:
    return np.asarray(values, dtype=np.int32)
