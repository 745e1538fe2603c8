"""One item against prices: its best linear plan with a proven bound, and a whole plan within an allowance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hot import DUAL, PRIMAL, Hot
from allocator.priced.blocks import Block
from allocator.priced.bound import safe_bound
from allocator.priced.dive import Program, dive
from allocator.priced.part import Rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

AGREE = 1e-6
"""Relative difference between HiGHS's value and the proven bound at which an item is solved again, cold."""
NEARLY = 2e-5
"""Distance from a whole number that is the solver's tolerance in its answer."""
LOOKS = 6
"""Times an item is looked at again because another limit of its allowance is broken."""
STAY = 1e-3
"""Loss, relative to the item's cost at the prices alone, at which packs stay though a limit that they break came in."""


@dataclass(frozen=True)
class Priced:
    """An item's answer to prices.

    Attributes
    ----------
    bound : float
        No plan of the item costs less at these prices. [currency]
    cost : float
        Of the point found, without the prices. [currency]
    x : (n,) float
    dual : (m,) float
        Row duals.
    basis : object
        Where to start from next time; opaque.
    """

    bound: float
    cost: float
    x: FloatArray
    dual: FloatArray
    basis: Any


def load(hot: Hot, block: Block, cost: FloatArray) -> None:
    """Give a block to HiGHS."""
    hot.load(
        cost, block.lower, block.upper, block.indptr, block.indices, block.values, block.row_lower, block.row_upper
    )


def price_item(hot: Hot, block: Block, price: FloatArray, basis: Any = None) -> Priced:
    """Solve an item's linear program with the shared resources at ``price``.

    Parameters
    ----------
    hot : Hot
    block : Block
    price : (R,) float
        On top of the base prices. [currency per unit of use]
    basis : object, optional
        Of the item's last run.
    """
    cost = block.charged(price)
    if not block.rows:
        x = np.where(cost > 0, block.lower, block.upper)
        return Priced(float(cost @ x), float(block.cost @ x), x, np.empty(0), None)
    load(hot, block, cost)
    if basis is not None:
        hot.start(basis)  # only costs have changed: the old point is still feasible
    hot.run(DUAL if basis is None else PRIMAL)
    x, dual = hot.answer()
    bound = safe_bound(block, cost, dual)
    value = float(cost @ x)
    if abs(value - bound) > AGREE * max(1.0, abs(value)):
        load(hot, block, cost)
        hot.run(DUAL)
        x, dual = hot.answer()
        bound = max(bound, safe_bound(block, cost, dual))
    return Priced(bound, float(block.cost @ x), x, dual, hot.basis())


@dataclass(frozen=True)
class Known:
    """Where an item's optimum at some prices is, so that it need not be found again at the same ones.

    Attributes
    ----------
    use : (R,) float
        Of the item's plan.
    limits : (k,) int
        Resources whose limits came in since, in that order.
    basis : object
        With those limits; opaque.
    scale : float
        Its cost there without them. [currency]
    """

    use: FloatArray
    limits: IntArray
    basis: Any
    scale: float


@dataclass(frozen=True)
class Settled:
    """An item's plan within an allowance: what it costs and uses, where it is, and how its optimum within the allowance is found again.

    ``priced`` is its answer to the prices alone; None when that was known.
    """

    cost: float
    use: FloatArray
    x: FloatArray
    limits: IntArray
    basis: Any
    priced: Priced | None


def settle_item(
    hot: Hot,
    block: Block,
    price: FloatArray,
    allowance: FloatArray,
    over: FloatArray,
    basis: Any = None,
    whole: bool = True,
    known: Known | None = None,
) -> Settled:
    """A plan of an item within an allowance of the shared resources, in whole packs and units if asked.

    Parameters
    ----------
    price, allowance, over : (R,) float
        Prices on top of the base prices, what the item may use (``inf``: any), what each unit beyond costs on top of ``price``.
    basis : object, optional
        Of the item's last run at prices.
    whole : bool
        Packs and yes/no whole, limits in whole units.
    known : Known, optional
        Of the same prices; without, they are answered first.

    Notes
    -----
    Limits enter as rows only once the plan breaks them: an item touches hundreds of resources and presses on a few. Without packs an item's
    rows form a network, so whole right-hand sides give whole plans; packs are fixed one by one in a dive.
    """
    looking = _Looking(hot, block, allowance, over, whole)
    priced = None
    if known is None or not block.rows:
        priced = price_item(hot, block, price, basis)
        x, scale, basis = priced.x, priced.bound, priced.basis
    else:
        load(hot, block, block.charged(price))
        x, scale, basis = looking.again(known), known.scale, known.basis
    use = looking.use(x)
    if block.rows:
        x, use = looking.within(x)
        basis = hot.basis() if len(looking.limits) else basis
        if whole:
            x = settled(block, _whole(looking, x, block.charged(price), max(1.0, abs(scale))))
            use = looking.use(x)
    return Settled(float(block.cost @ x), use, x, looking.limits, basis, priced)


def _whole(looking: _Looking, x: FloatArray, cost: FloatArray, scale: float) -> FloatArray:
    """Fix the packs in dives until the plan breaks no limit that is not there yet.

    Losses are judged by ``scale``, the item's cost at the prices alone: what it overdraws may cost a hundred times that. [currency]
    """
    hot, block = looking.hot, looking.block
    fixed: dict[int, float] = {}
    for _ in range(LOOKS):
        x = dive(Program(hot, block, cost, looking.rows), x, fixed, scale)
        value = hot.objective
        if not looking.broken(looking.use(x)).any():
            return x
        # often the packs can stay and the rest gives way
        x, _ = looking.within(x)
        if hot.objective - value > STAY * scale:
            for column in fixed:
                hot.bound(column, block.lower[column], block.upper[column])
            fixed.clear()
            hot.run(DUAL)
            x, _ = looking.within(hot.point()[: block.columns])
    return dive(Program(hot, block, cost, looking.rows), x, fixed, scale)


class _Looking:
    """Adds the limits that a plan breaks, until it breaks none that is not there yet."""

    def __init__(self, hot: Hot, block: Block, allowance: FloatArray, over: FloatArray, whole: bool) -> None:
        self.hot, self.block, self.over, self.whole = hot, block, over, whole
        self.allowance = np.maximum(allowance, 0.0)
        self.most = self.allowance + 1e-7 * np.maximum(1.0, np.where(np.isfinite(allowance), self.allowance, 0.0))
        self.there = np.zeros(len(allowance), dtype=bool)
        self.limits = np.empty(0, dtype=np.int64)
        self.rows = Rows.none()

    def broken(self, use: FloatArray) -> BoolArray:
        """(R,) limits that are broken and not there yet."""
        return np.asarray((use > self.most) & ~self.there)

    def use(self, x: FloatArray) -> FloatArray:
        """(R,) use of a point."""
        return self.block.used(x, len(self.over))

    def again(self, known: Known) -> FloatArray:
        """The optimum with the limits that are known to matter, those first that came in before."""
        self._limit(known.limits)
        self.hot.start(known.basis)
        self._limit(np.flatnonzero(self.broken(known.use)))
        self.hot.run(DUAL)
        return self.hot.point()[: self.block.columns]

    def within(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The block's optimum with the limits it breaks, and its use."""
        use = self.use(x)
        broken = self.broken(use)
        while broken.any():
            self._limit(np.flatnonzero(broken))
            self.hot.run(DUAL)
            x = self.hot.point()[: self.block.columns]
            use = self.use(x)
            broken = self.broken(use)
        return x, use

    def _limit(self, resources: IntArray) -> None:
        """Rows for limits, counted in what a unit of the item uses."""
        if not len(resources):
            return
        block = self.block
        self.there[resources] = True
        self.limits = np.concatenate([self.limits, resources])
        place = np.full(len(self.over), -1, dtype=np.int64)
        place[resources] = np.arange(len(resources))
        mine = np.flatnonzero(place[block.use] >= 0)
        mine = mine[np.argsort(place[block.use[mine]], kind="stable")]
        row = place[block.use[mine]]
        indptr = np.zeros(len(resources) + 1, dtype=np.int32)
        np.cumsum(np.bincount(row, minlength=len(resources)), out=indptr[1:])
        values = block.use_value[mine]
        step = values[indptr[:-1]]  # an item uses a resource by the same amount a unit in all its columns
        limit = self.allowance[resources] / step
        if self.whole and block.quantum > 0:
            limit = np.floor(limit / block.quantum + 1e-6) * block.quantum
        rows = Rows(limit, self.over[resources] * step, indptr, block.use_column[mine], values / step[row])
        self.hot.add_limits(rows.limit, rows.price, rows.indptr, rows.indices, rows.values)
        self.rows = self.rows.with_more(rows)


def settled(block: Block, x: FloatArray) -> FloatArray:
    """Whole steps where the point is whole but for the solver's tolerance."""
    columns, steps = block.whole
    x = x.copy()
    near = np.round(x[columns] / steps) * steps
    x[columns] = np.where(np.abs(x[columns] - near) <= NEARLY * steps, near, x[columns])
    return np.clip(x, block.lower, block.upper)
