"""Planned quantities to moves for the lot assigner, and back to what was really moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.quantities import Flows, Quantities
from allocator.lots import Assignment, LotStock, Moves, assign_two_ways
from allocator.network.network import NEVER, Network
from allocator.program.classes import far_day

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


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
    moves = _moves(network, shipments, admissions)
    lots = network.lots
    stock = LotStock(
        item=_i32(lots.item),
        site=_i32(lots.site),
        quantity=lots.quantity,
        received=_i32(lots.received),
        expiry=_i32(lots.expiry),
        lot=_i32(lots.lot),
        available_bucket=_i32(lots.bucket),
    )
    split = _class_flows(quantities)
    class_moves = _moves(network, *split)
    parent = np.concatenate(
        [_parents(split[0], shipments), len(shipments.item) + _parents(split[1], admissions)]
    ).astype(np.intp)
    ways = assign_two_ways(
        stock,
        moves,
        class_moves,
        parent,
        network.rotation.astype(np.int8),
        network.quantum,
        _i32(network.calendar.last),
        planned_waste=_planned_waste(network, quantities),
        far_day=far_day(network),
    )
    return [Moved(shipments, admissions, assignment) for assignment in ways if assignment is not None]


def _class_flows(quantities: Quantities) -> tuple[Flows, Flows]:
    """The flows that name a class; none when the plan was made without classes."""
    return _with_class(quantities.shipments), _with_class(quantities.admissions)


def _with_class(flows: Flows) -> Flows:
    keep = flows.expiry >= 0
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
