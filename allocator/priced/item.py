"""One item against prices: its best linear plan with a proven bound, and a whole plan within an allowance."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
NEAR, TOGETHER = 3e-4, 1e-3
"""Loss, relative to the item's cost at the prices alone, at which rounding one pack, or many together, needs no second opinion."""
DOWN = 0.3
"""Part of a pack below which it is rounded down at first, else up."""
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
            x = settled(block, _whole(hot, block, x, looking, max(1.0, abs(priced.bound))))
            use = looking.use(x)
    return Settled(float(block.cost @ x), use, x, priced.bound, priced.basis, priced.dual)


def _whole(hot: Hot, block: Block, x: FloatArray, looking: _Looking, scale: float) -> FloatArray:
    """Fix the packs in dives until the plan breaks no limit that is not there yet.

    Losses are judged by ``scale``, the item's cost at the prices alone: what it overdraws may cost a hundred times that. [currency]
    """
    fixed: dict[int, float] = {}
    for _ in range(LOOKS):
        x = _dive(hot, block, x, fixed, scale)
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
    return _dive(hot, block, x, fixed, scale)


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


def _dive(hot: Hot, block: Block, x: FloatArray, fixed: dict[int, float], scale: float) -> FloatArray:
    """Round the whole columns: many together where that costs next to nothing; else by halves, down to single ones, the better way.

    ``hot`` holds the block at an optimum x; ``fixed`` takes the columns that were fixed; ``scale`` judges losses.
    """
    packs = np.ones(len(block.integer))
    for columns, steps in ((block.integer, packs), block.whole):
        step = np.ones(block.columns)
        step[columns] = steps
        at = _At(x, hot.objective)
        dive = _Diving(hot, block, step, fixed, scale)
        while len(part := _fractional(columns, step, at.x)):
            far = np.abs(dive.first_choice(at.x, part) - at.x[part]) / step[part]
            at = _together(dive, part[np.argsort(far, kind="stable")], at)
        if not at.here:
            hot.run(DUAL)
            at = _At(dive.point(), hot.objective)
        x = at.x
    return x


def _fractional(columns: IntArray, step: FloatArray, x: FloatArray) -> IntArray:
    """Columns that are not whole at x, in their steps."""
    value = x[columns] / step[columns]
    return np.asarray(columns[np.abs(value - np.round(value)) > WHOLE])


@dataclass(frozen=True)
class _At:
    """Where a dive is: a point, what it costs, and whether the program was last run there."""

    x: FloatArray
    cost: float
    here: bool = True


@dataclass(frozen=True)
class _Diving:
    """A dive: the program, the steps of its columns (n,), the columns that were fixed so far, and the cost that losses are judged by."""

    hot: Hot
    block: Block
    step: FloatArray
    fixed: dict[int, float]
    scale: float

    def fix(self, column: int, to: float) -> None:
        self.hot.bound(column, to, to)

    def free(self, column: int) -> None:
        self.hot.bound(column, self.block.lower[column], self.block.upper[column])

    def run(self) -> bool:
        """Whether there is a plan; HiGHS's first word will do, as a wrong no costs a little and nothing else."""
        return self.hot.run(DUAL, sure=False)

    def point(self) -> FloatArray:
        return self.hot.point()[: self.block.columns]

    def first_choice(self, x: FloatArray, columns: IntArray) -> FloatArray:
        """Whole values to round to at first: down where little would be added, up elsewhere."""
        step = self.step[columns]
        value = x[columns] / step
        low = np.floor(value + WHOLE)
        to = np.where(value - low >= DOWN, np.ceil(value - WHOLE), low) * step
        return np.clip(to, self.block.lower[columns], self.block.upper[columns])


def _together(dive: _Diving, columns: IntArray, at: _At) -> _At:
    """Round some columns, all of them to their first choice if that costs next to nothing, else one half of them after the other."""
    if len(columns) == 1:
        return _round(dive, int(columns[0]), at)
    choice = dict(zip(columns.tolist(), dive.first_choice(at.x, columns).tolist(), strict=True))
    for column, to in choice.items():
        dive.fix(column, to)
    if dive.run() and dive.hot.objective - at.cost <= TOGETHER * dive.scale:
        dive.fixed.update(choice)
        return _At(dive.point(), dive.hot.objective)
    for column in choice:
        dive.free(column)
    half = len(columns) // 2
    at = _together(dive, columns[:half], replace(at, here=False))
    rest = _fractional(columns[half:], dive.step, at.x)
    return _together(dive, rest, at) if len(rest) else at


def _round(dive: _Diving, column: int, at: _At) -> _At:
    """Fix one column at the better of its two neighbours, the first choice if it costs next to nothing."""
    hot, block, step = dive.hot, dive.block, float(dive.step[column])
    low, high = (float(rounded(at.x[column] / step)) * step for rounded in (np.floor, np.ceil))
    first = float(dive.first_choice(at.x, np.array([column]))[0])
    best: tuple[_At, float] | None = None
    last = np.nan
    for to in (high, low) if first >= high else (low, high):
        if not block.lower[column] <= to <= block.upper[column]:
            continue
        dive.fix(column, to)
        last = to
        if not dive.run():
            continue
        if best is None or hot.objective < best[0].cost:
            best = _At(dive.point(), hot.objective), to
        if hot.objective - at.cost <= NEAR * dive.scale:
            break
    if best is None:
        # neither neighbour has a plan beside what was fixed before: give all of that up but the least, which always has one
        return _At(_empty(hot, block, dive.fixed), hot.objective)
    found, to = best
    dive.fixed[column] = to
    if to != last:
        dive.fix(column, to)
        found = replace(found, here=False)
    return found


def _empty(hot: Hot, block: Block, fixed: dict[int, float]) -> FloatArray:
    for column in block.integer.tolist():
        least = float(block.lower[column])
        hot.bound(column, least, least)
        fixed[column] = least
    hot.run(DUAL)
    return hot.point()[: block.columns]
