"""One item against prices: its best linear plan with a proven bound, and a whole plan within an allowance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hot import DUAL, PRIMAL, Hot
from allocator.priced.blocks import Block
from allocator.priced.bound import safe_bound

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]

AGREE = 1e-6
"""Relative difference between HiGHS's value and the proven bound at which an item is solved again, cold."""
WHOLE, NEARLY = 1e-6, 2e-5
"""Distances from a whole number: one that counts as none in a dive, one that is the solver's tolerance in its answer."""
LOOKS = 6
"""Times an item is looked at again because another limit of its allowance is broken."""
NEAR, ALL_UP = 1e-4, 5e-4
"""Loss, relative to the item's cost, at which rounding one pack up, or all at once, needs no second opinion."""
STAY = 1e-3
"""Loss, relative to the item's cost, at which packs stay though a limit that they break came in."""


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
class Settled:
    """An item's plan within an allowance: what it costs and uses, where it is, and the basis at the prices alone."""

    cost: float
    use: FloatArray
    x: FloatArray
    bound: float
    basis: Any
    dual: FloatArray


def settle_item(
    hot: Hot,
    block: Block,
    price: FloatArray,
    allowance: FloatArray,
    over: FloatArray,
    basis: Any = None,
    whole: bool = True,
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

    Notes
    -----
    Limits enter as rows only once the plan breaks them: an item touches hundreds of resources and presses on a few. Without packs an item's
    rows form a network, so whole right-hand sides give whole plans; packs are fixed one by one in a dive.
    """
    priced = price_item(hot, block, price, basis)
    x, use = priced.x, block.used(priced.x, len(price))
    if block.rows:
        looking = _Looking(hot, block, allowance, over, whole)
        x, use = looking.within(x)
        if whole:
            x = settled(block, _whole(hot, block, x, looking))
            use = looking.use(x)
    return Settled(float(block.cost @ x), use, x, priced.bound, priced.basis, priced.dual)


def _whole(hot: Hot, block: Block, x: FloatArray, looking: _Looking) -> FloatArray:
    """Fix the packs in dives until the plan breaks no limit that is not there yet."""
    fixed: dict[int, float] = {}
    for _ in range(LOOKS):
        x = _dive(hot, block, x, fixed)
        value = hot.objective
        if not looking.broken(looking.use(x)).any():
            return x
        # often the packs can stay and the rest gives way
        x, _ = looking.within(x)
        if hot.objective - value > STAY * max(1.0, abs(value)):
            for column in fixed:
                hot.bound(column, block.lower[column], block.upper[column])
            fixed.clear()
            hot.run(DUAL)
            x, _ = looking.within(hot.point()[: block.columns])
    return _dive(hot, block, x, fixed)


class _Looking:
    """Adds the limits that a plan breaks, until it breaks none that is not there yet."""

    def __init__(self, hot: Hot, block: Block, allowance: FloatArray, over: FloatArray, whole: bool) -> None:
        self.hot, self.block, self.over, self.whole = hot, block, over, whole
        self.allowance = np.maximum(allowance, 0.0)
        self.most = self.allowance + 1e-7 * np.maximum(1.0, np.where(np.isfinite(allowance), self.allowance, 0.0))
        self.there = np.zeros(len(allowance), dtype=bool)

    def broken(self, use: FloatArray) -> BoolArray:
        """(R,) limits that are broken and not there yet."""
        return np.asarray((use > self.most) & ~self.there)

    def use(self, x: FloatArray) -> FloatArray:
        """(R,) use of a point."""
        return self.block.used(x, len(self.over))

    def within(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The block's optimum with the limits it breaks, and its use."""
        use = self.use(x)
        broken = self.broken(use)
        while broken.any():
            _limit(self.hot, self.block, np.flatnonzero(broken), self.allowance, self.over, self.whole)
            self.there |= broken
            self.hot.run(DUAL)
            x = self.hot.point()[: self.block.columns]
            use = self.use(x)
            broken = self.broken(use)
        return x, use


def settled(block: Block, x: FloatArray) -> FloatArray:
    """Whole steps where the point is whole but for the solver's tolerance."""
    columns, steps = block.whole
    x = x.copy()
    near = np.round(x[columns] / steps) * steps
    x[columns] = np.where(np.abs(x[columns] - near) <= NEARLY * steps, near, x[columns])
    return np.clip(x, block.lower, block.upper)


def _limit(
    hot: Hot, block: Block, resources: NDArray[np.int64], allowance: FloatArray, over: FloatArray, whole: bool
) -> None:
    """Rows for broken limits, counted in what a unit of the item uses."""
    place = np.full(len(allowance), -1, dtype=np.int64)
    place[resources] = np.arange(len(resources))
    mine = np.flatnonzero(place[block.use] >= 0)
    mine = mine[np.argsort(place[block.use[mine]], kind="stable")]
    row = place[block.use[mine]]
    indptr = np.zeros(len(resources) + 1, dtype=np.int32)
    np.cumsum(np.bincount(row, minlength=len(resources)), out=indptr[1:])
    values = block.use_value[mine]
    step = values[indptr[:-1]]  # an item uses a resource by the same amount a unit in all its columns
    limit = allowance[resources] / step
    if whole and block.quantum > 0:
        limit = np.floor(limit / block.quantum + 1e-6) * block.quantum
    hot.add_limits(limit, over[resources] * step, indptr, block.use_column[mine], values / step[row])


def _dive(hot: Hot, block: Block, x: FloatArray, fixed: dict[int, float]) -> FloatArray:
    """Round the whole columns: up, many at once, where that costs next to nothing; else by halves, down to single ones up or down.

    ``hot`` holds the block at an optimum x; ``fixed`` takes the columns that were fixed.
    """
    packs = np.ones(len(block.integer))
    for columns, steps in ((block.integer, packs), block.whole):
        step = np.ones(block.columns)
        step[columns] = steps
        while len(part := _fractional(columns, step, x)):
            order = np.argsort(_up_of(x, step, part) - x[part] / step[part], kind="stable")
            x = _up(_Diving(hot, block, step, fixed), part[order], x, hot.objective)
    return x


def _fractional(columns: IntArray, step: FloatArray, x: FloatArray) -> IntArray:
    """Columns that are not whole at x, in their steps."""
    value = x[columns] / step[columns]
    return np.asarray(columns[np.abs(value - np.round(value)) > WHOLE])


def _up_of(x: FloatArray, step: FloatArray, columns: IntArray) -> FloatArray:
    return np.ceil(x[columns] / step[columns] - WHOLE)


@dataclass(frozen=True)
class _Diving:
    """A dive: the program, the steps of its columns (n,), and the columns that were fixed so far."""

    hot: Hot
    block: Block
    step: FloatArray
    fixed: dict[int, float]

    def fix(self, column: int, to: float) -> None:
        self.hot.bound(column, to, to)

    def free(self, column: int) -> None:
        self.hot.bound(column, self.block.lower[column], self.block.upper[column])

    def point(self) -> FloatArray:
        return self.hot.point()[: self.block.columns]


def _up(dive: _Diving, columns: IntArray, x: FloatArray, before: float) -> FloatArray:
    """Round some columns, all of them up if that costs next to nothing, else one half of them after the other.

    ``before`` is what x costs.
    """
    if len(columns) == 1:
        return _round(dive, int(columns[0]), x, before)
    up = np.minimum(_up_of(x, dive.step, columns) * dive.step[columns], dive.block.upper[columns])
    for column, to in zip(columns.tolist(), up.tolist(), strict=True):
        dive.fix(column, to)
    if dive.hot.run(DUAL) and dive.hot.objective - before <= ALL_UP * max(1.0, abs(before)):
        dive.fixed.update(zip(columns.tolist(), up.tolist(), strict=True))
        return dive.point()
    for column in columns.tolist():
        dive.free(column)
    half = len(columns) // 2
    x = _up(dive, columns[:half], x, before)
    rest = _fractional(columns[half:], dive.step, x)
    return _up(dive, rest, x, dive.hot.objective) if len(rest) else x


def _round(dive: _Diving, column: int, x: FloatArray, before: float) -> FloatArray:
    """Fix one column at the better of its two neighbours, the upper one if it costs next to nothing."""
    hot, block, step = dive.hot, dive.block, float(dive.step[column])
    best: tuple[float, float] | None = None
    last = np.nan
    for to in (float(np.ceil(x[column] / step)) * step, float(np.floor(x[column] / step)) * step):
        if not block.lower[column] <= to <= block.upper[column]:
            continue
        dive.fix(column, to)
        last = to
        if not hot.run(DUAL):
            continue
        objective = hot.objective
        if best is None or objective < best[0]:
            best = (objective, to)
        if objective - before <= NEAR * max(1.0, abs(before)):
            break
    if best is None:
        # neither neighbour has a plan beside what was fixed before: give all of that up but the least, which always has one
        return _empty(hot, block, dive.fixed)
    if best[1] != last:
        dive.fix(column, best[1])
        hot.run(DUAL)
    dive.fixed[column] = best[1]
    return dive.point()


def _empty(hot: Hot, block: Block, fixed: dict[int, float]) -> FloatArray:
    for column in block.integer.tolist():
        least = float(block.lower[column])
        hot.bound(column, least, least)
        fixed[column] = least
    hot.run(DUAL)
    return hot.point()[: block.columns]
