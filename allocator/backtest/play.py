"""One play: one policy on one path of demand, day by day."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.backtest.admitting import Counter
from allocator.backtest.decision import IDLE, Decision
from allocator.backtest.demand import Firm, Lines
from allocator.backtest.ground import Ground
from allocator.backtest.policies import Desk, Policy
from allocator.backtest.shelves import SMALL, Shelves
from allocator.backtest.tally import Tally
from allocator.backtest.view import Lens

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Path:
    """One path of demand: order lines, and the orders known from the beginning."""

    lines: Lines
    firm: Firm


def play(desk: Desk, policy: Policy, path: Path, lens: Lens) -> Tally:
    """Plan, ship, take orders and sell through all days.

    Parameters
    ----------
    desk : Desk
    policy : Policy
    path : Path
        What customers ask for; the policy sees each line when it comes in.
    lens : Lens

    Returns
    -------
    Tally

    Raises
    ------
    ArithmeticError
        When units were made or lost on the way.
    """
    ground = desk.ground
    shelves, tally = Shelves(ground), Tally(ground.days, len(ground.network.channels))
    counter = Counter(ground, shelves, tally, path.lines, path.firm)
    decision = IDLE
    for day in range(ground.days):
        shelves.receive(day)
        if day % desk.every == 0:
            decision = _decided(desk, policy, lens, day, shelves, counter, decision)
            tally.late += decision.late
        counter.begin(day)
        outbound = np.stack([ground.network.sites.outbound[:, day], ground.network.sites.outbound_units[:, day]])
        _ship(ground, decision, day, shelves, counter, tally, outbound)
        counter.admit(day, decision.gate)
        counter.fill(day, decision.gate, outbound)
        counter.close(day)
        _close(ground, day, shelves, counter, tally)
    shelves.check()
    _check_demand(tally, path, counter)
    return tally


def _decided(
    desk: Desk, policy: Policy, lens: Lens, day: int, shelves: Shelves, counter: Counter, before: Decision
) -> Decision:
    """What the policy decides; without asking it where nothing can leave and nothing is booked, and once for all plays where no luck has come in."""
    ground = desk.ground
    soon = slice(day, day + desk.every)
    if ground.counter_only and not (ground.network.lanes.ship_day[:, soon] >= 0).any():
        return IDLE
    first = (policy.name, lens.outlooks, lens.seed if lens.outlooks > 1 else 0)
    if day == 0 and first in desk.first:
        return desk.first[first]
    decision = policy.plan(desk, lens, day, shelves, counter.known, before)
    if day == 0:
        desk.first[first] = decision
    return decision


def _ship(
    ground: Ground,
    decision: Decision,
    day: int,
    shelves: Shelves,
    counter: Counter,
    tally: Tally,
    outbound: FloatArray,
) -> None:
    """Carry out the day's shipments as far as there is stock; chains of same-day lanes go on until nothing moves."""
    network, lanes = ground.network, ground.network.lanes
    due = decision.shipments.on(day)
    left, sent = due.quantity.copy(), np.zeros(len(due.quantity))
    moved = True
    while moved and len(left):
        moved = False
        for row in np.flatnonzero(left > SMALL):
            item, lane = int(due.item[row]), int(due.lane[row])
            origin = int(lanes.origin[lane])
            arrives = day + int(lanes.lead[lane])
            quantity = _packs(ground, item, lane, min(left[row], shelves.usable(item, origin, arrives)), left[row])
            if quantity <= SMALL:
                continue
            gone = shelves.send(item, origin, int(lanes.destination[lane]), quantity, arrives, day)
            left[row] -= gone
            sent[row] += gone
            moved = True
    volume = network.unit_volume[due.item] * sent
    tally.pay("freight", day, float((network.lanes.freight[due.item, due.lane] * sent).sum()))
    for lane in np.unique(due.lane[sent > 0]):
        load = float(volume[due.lane == lane].sum())
        vehicles = math.ceil(load / float(lanes.vehicle_volume[lane]) - 1e-9) if load > 0 else 0
        tally.pay("freight", day, vehicles * float(lanes.cost_per_shipment[lane]))
    origins = lanes.origin[due.lane]
    np.add.at(outbound[0], origins, -volume)
    np.add.at(outbound[1], origins, -sent)
    np.maximum(outbound, 0.0, out=outbound)
    called = counter.booked.sum(axis=2)
    tally.flow("shipped", day, float(sent.sum()))
    tally.flow("pulled", day, float(np.minimum(sent, called[due.item, lanes.destination[due.lane]]).sum()))


def _packs(ground: Ground, item: int, lane: int, there: float, wanted: float) -> float:
    """Whole packs of what is there, where that is less than what was decided."""
    if there >= wanted - SMALL:
        return wanted
    pack = float(ground.network.lanes.pack[item, lane])
    return math.floor(there / pack + 1e-9) * pack if pack > 0 else there


def _close(ground: Ground, day: int, shelves: Shelves, counter: Counter, tally: Tally) -> None:
    network = ground.network
    for item, _, quantity in shelves.expire(day):
        tally.pay("waste", day, quantity * float(network.unit_cost[item]))
        tally.flow("wasted_units", day, quantity)
    value = (network.unit_cost[:, None] * shelves.stock).sum(axis=0)
    tally.pay("holding", day, float((value * network.sites.holding_rate).sum()) / 365.0)
    tally.flow("stock_value", day, float(value.sum()))
    for (item, site), missed in counter.places.items():
        tally.flow("asked_places", day, 1.0)
        if missed and shelves.stock[item, site] <= SMALL:
            tally.flow("empty", day, 1.0)


def _check_demand(tally: Tally, path: Path, counter: Counter) -> None:
    """Whether every unit asked for was served, refused, lost, cancelled, or still waits."""
    units = {name: float(value.sum()) for name, value in tally.units.items()}
    waiting = sum(order.open for order in counter.book)
    ends = units["served"] + units["refused"] + units["lost"] + units["cancelled"] + waiting
    asked = path.lines.total + float(path.firm.quantity.sum())
    if abs(units["asked"] - ends) > 1e-6 * max(1.0, asked) or abs(units["asked"] - asked) > 1e-6 * max(1.0, asked):
        raise ArithmeticError(f"a backtest lost demand: {asked:g} units asked for, {ends:g} accounted for: report this")
