"""From prices to a plan: what is overdrawn is given up where that costs least, then every item is planned in whole packs within what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.engine.problem import relative_gap
from allocator.priced.crew import Crew, Order, Reply
from allocator.priced.limits import SharedLimits
from allocator.priced.rounds import State

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

TIGHT = 1e-7
"""Share of a limit that counts as nothing over it."""
FIRST_RUNG = {True: 0.2, False: 0.05}
"""First price of overdrawing, as a part of what a unit of the resource carries on average: coarse for many items, fine for few."""
LADDER = {True: 6.0, False: 4.0}
MANY = 50
"""Items from which on the ladder is coarse: what that loses is a tenth of a percent, and each rung is a pass over most items."""
INSTEAD = 2
"""Rungs above those overdrawn of what is not: or else what one resource is relieved of goes to another, for the next pass to relieve."""
MOST_PASSES = 16
START = 0.3
"""Part of a vehicle's room that the linear plan must fill for it to be started."""
ANOTHER = 4.0
"""What going beyond the started vehicles' room costs, in times of a full vehicle's price per m3: another one would go nearly empty."""
MATTERS = 0.3
"""Cost of vehicles' empty room, as a part of the asked gap, from which on vehicles are decided."""
GIVERS = 20.0
"""Times what is overdrawn that the items asked to give hold of it, four times as much each further pass: a little is not put to all who use a little."""
WORTH = 0.1
"""Part of the average item's gap below which an item is not planned again."""


@dataclass(frozen=True)
class Stock:
    """The plan in hand, shard by shard: cost (G,), use (G, R)."""

    cost: FloatArray
    use: FloatArray

    @property
    def total(self) -> FloatArray:
        """(R,) use of all."""
        return np.asarray(self.use.sum(axis=0))


@dataclass(frozen=True)
class Pass:
    """What one pass over the items did, for whoever watches.

    Attributes
    ----------
    kind : str
    overdrawn : int
        Resources that were, before.
    items : int
        Planned again.
    cost : float
        Of the plan after it, whole vehicles paid. [currency]
    linear : float
        The same with vehicles paid by the room that is used: what a linear program of the whole network would call its cost. [currency]
    gap : float or None
        Of ``cost``; None while something is overdrawn that can still be helped: its price says nothing of the plan.
    seconds : float
    """

    kind: str
    overdrawn: int
    items: int
    cost: float
    linear: float
    gap: float | None
    seconds: float


Told = Callable[[Pass], None]


def true_cost(limits: SharedLimits, stock: Stock) -> float:
    """Cost of the plan in hand, whole vehicles paid and what gives priced. [currency]"""
    return float(stock.cost.sum()) + shared_cost(limits, stock.total)


def shared_cost(limits: SharedLimits, use: FloatArray) -> float:
    """What comes on top of the items' own costs (which hold the base prices). [currency]"""
    return limits.beyond(use) + limits.empty_room(use)


class Finisher:
    """Passes over the items, each worker with its part of what is left.

    Parameters
    ----------
    crew : Crew
    limits : SharedLimits
    state : State
        Prices, and each shard's linear plan at them.
    until : float
        ``time.monotonic()`` of the end.
    gap : float
        Relative gap at which a plan is good enough.
    """

    def __init__(
        self,
        crew: Crew,
        limits: SharedLimits,
        state: State,
        until: float,
        gap: float = 0.0,
        told: Told | None = None,
    ) -> None:
        self.crew, self.limits, self.price, self.until = crew, limits, state.price, until
        self.bound, self.gap = state.bound, gap
        self.told = told or (lambda found: None)
        self.stock = Stock(state.cost.copy(), state.use.copy())
        self.finite = np.isfinite(limits.limit)
        self.many = sum(len(shard) for shard in crew.shards) > MANY
        self.density = limits.carried(float(self.stock.cost.sum()), self.stock.total)
        self.vehicles, self.decided = np.zeros(limits.count), False

    @property
    def slack(self) -> FloatArray:
        """(R,) what is left of each resource."""
        return np.where(self.finite, np.where(self.finite, self.limits.limit, 0.0) - self.stock.total, np.inf)

    @property
    def overdrawn(self) -> BoolArray:
        """(R,) resources used beyond their limit."""
        room = np.where(self.finite, np.abs(self.limits.limit), 1.0)
        return np.asarray(self.slack < -TIGHT * np.maximum(1.0, room))

    def relieve(self) -> bool:
        """Linear plans that overdraw nothing that can be helped: the price of overdrawing climbs until it is."""
        rung = np.full(self.limits.count, FIRST_RUNG[self.many])
        for k in range(MOST_PASSES):
            if not self.overdrawn.any():
                return True
            ahead = np.where(self.overdrawn, 1.0, LADDER[self.many] ** INSTEAD)
            over = np.minimum(ahead * rung * self.density, self.limits.highest)
            if not self._pass("relieve", over, whole=False, every=False, givers=GIVERS * 4**k):
                return False
            still = self.overdrawn
            if (over[still] >= self.limits.highest[still]).all():
                break  # what is left has to give, at its price
            rung = np.where(still, rung * LADDER[self.many], rung)
        return True

    def whole(self) -> bool:
        """Every item in whole packs and units, nothing overdrawn that was not before, vehicles full or not started."""
        self._start_vehicles()
        return self._pass("whole", whole=True, every=True)

    def _start_vehicles(self) -> None:
        """Decide the commit window's vehicles from the linear plan: what a started one has room for is free, another one is dear.

        Only where half-empty vehicles matter: with many items on every lane they do not, and the rows are dear.
        """
        use, volume = self.stock.total, self.limits.vehicle_volume
        if self.limits.empty_room(use) <= MATTERS * self.gap * max(abs(float(self.stock.cost.sum())), 1.0):
            return
        started = volume > 0
        count = use / np.where(started, volume, 1.0)
        self.decided = True
        self.vehicles = np.where(started, np.floor(count) + (count - np.floor(count) > START), 0.0)

    def mend(self) -> bool:
        """Items that use what is still overdrawn, once more."""
        for _ in range(3):
            if not self.overdrawn.any():
                return True
            before = true_cost(self.limits, self.stock)
            if not self._pass("mend", whole=True, every=False, better=True):
                return False
            if true_cost(self.limits, self.stock) >= before - 1e-9 * abs(before):
                break
        return True

    def improve(self) -> float:
        """Every item once more with what is left, kept where it is better; what was gained. [currency]"""
        before = true_cost(self.limits, self.stock)
        least = WORTH * (before - self.bound) / max(sum(len(shard) for shard in self.crew.shards), 1)
        self._start_vehicles()
        self._pass("improve", whole=True, every=True, better=True, least=least)
        return before - true_cost(self.limits, self.stock)

    def _terms(self, whole: bool, over: FloatArray | None) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Prices, slack and prices of overdrawing for a pass: of resources, and once vehicles are decided of their room."""
        price, slack = self.price, self.slack
        over = self.limits.highest if over is None else over
        if not whole:
            return price, slack, over
        started = (self.limits.vehicle_volume > 0) & self.decided
        room = self.vehicles * self.limits.vehicle_volume - self.stock.total
        sooner = started & (room < slack)
        return (
            np.where(sooner, -self.limits.base, price),
            np.where(sooner, room, slack),
            np.where(sooner, ANOTHER * self.limits.base, over),
        )

    def _pass(
        self,
        kind: str,
        over: FloatArray | None = None,
        *,
        whole: bool,
        every: bool,
        better: bool = False,
        least: float = -np.inf,
        givers: float = np.inf,
    ) -> bool:
        """One pass; False when the time was up before its end."""
        began, items = time.monotonic(), 0
        price, slack, dear = self._terms(whole, over)
        part = np.array([slack / self.crew.workers for _ in range(self.crew.workers)])
        overdrawn = self.overdrawn
        cost, use = self.stock.cost.copy(), self.stock.use.copy()
        need = np.where(overdrawn, -slack, 0.0) / np.maximum(use.sum(axis=0), 1e-12)  # by unit of use
        touched = np.asarray((use[:, overdrawn] > 0).any(axis=1))
        wanted = [shard for shard in range(len(self.crew.shards)) if every or touched[shard]]

        def order(shard: int, worker: int) -> Order:
            head = {"do": "settle", "whole": whole, "every": every, "better": better, "least": least}
            arrays = {"price": price, "slack": part[worker], "over": dear}
            if np.isfinite(givers):
                arrays["asked"] = givers * need * use[shard]
            return head, arrays

        def done(reply: Reply) -> None:
            nonlocal items
            new = reply.arrays["use"]
            part[reply.worker] -= np.where(np.isfinite(slack), new - use[reply.shard], 0.0)
            cost[reply.shard], use[reply.shard] = reply.facts["cost"], new
            items += int(reply.facts["items"])

        missing = self.crew.run(wanted, order, done, self.until)
        self.stock = Stock(cost, use)
        now = true_cost(self.limits, self.stock)
        linear = now - self.limits.empty_room(self.stock.total)
        gap = None if kind == "relieve" and self.overdrawn.any() else relative_gap(now, self.bound)
        self.told(Pass(kind, int(overdrawn.sum()), items, now, linear, gap, time.monotonic() - began))
        return not missing
