"""Rounding an item's plan to whole packs and units: many columns together where that costs next to nothing, else by halves, down to single ones.

Most runs are of the small program around the columns that are not whole (:mod:`allocator.priced.part`); the whole program then takes over
what was decided there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.hot import DUAL, Hot
from allocator.priced.blocks import Block
from allocator.priced.part import Rows, around

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

WHOLE = 1e-6
"""Distance from a whole number that counts as none."""
NEAR, TOGETHER = 3e-4, 1e-3
"""Loss, relative to the item's cost at the prices alone, at which rounding one pack, or many together, needs no second opinion."""
DOWN = 0.3
"""Part of a pack below which it is rounded down at first, else up."""
FEW = 1
"""Columns that are rounded in the whole program at once: the small one would not pay."""
SMALLER = 0.7
"""Part of the columns that the small program holds at most; else it would not pay."""


class _NoPlanError(Exception):
    """No rounding of a column has a plan beside what was fixed before."""


@dataclass(frozen=True)
class Program:
    """An item's program as HiGHS holds it: the block at costs (n,), and limits that came in since, with columns of their own behind the block's."""

    hot: Hot
    block: Block
    cost: FloatArray
    limits: Rows


def dive(program: Program, x: FloatArray, fixed: dict[int, float], scale: float) -> FloatArray:
    """Bring the whole columns to whole steps.

    Parameters
    ----------
    program : Program
        At an optimum.
    x : (n,) float
        That optimum.
    fixed : dict of int to float
        Columns that are fixed in ``program``; takes those that are fixed here.
    scale : float
        Cost that losses are judged by: the item's at the prices alone. [currency]

    Returns
    -------
    (n,) float
    """
    hot, block = program.hot, program.block
    packs = np.ones(len(block.integer))
    for columns, steps in ((block.integer, packs), block.whole):
        step = np.ones(block.columns)
        step[columns] = steps
        at = _At(x, hot.objective)
        diving, given_up = _Diving(hot, block.lower, block.upper, step, fixed, scale), False
        while len(part := _fractional(columns, step, at.x)):
            found = _aside(program, part, columns, at, diving) if len(part) > FEW else None
            try:
                at = found or _nearest_first(diving, part, at)
            except _NoPlanError:
                if given_up:
                    break  # what is not whole is told when the plan is gathered
                at, given_up = _At(_empty(hot, block, fixed), hot.objective), True
        if not at.here:
            hot.run(DUAL)
            at = _At(diving.point(), hot.objective)
        x = at.x
    return x


def _held(block: Block, fixed: Mapping[int, float]) -> Block:
    """A block with some columns fixed."""
    lower, upper = block.lower.copy(), block.upper.copy()
    columns = np.fromiter(fixed.keys(), np.int64, len(fixed))
    lower[columns] = upper[columns] = np.fromiter(fixed.values(), np.float64, len(fixed))
    return replace(block, lower=lower, upper=upper)


def _aside(program: Program, wanted: IntArray, columns: IntArray, at: _At, diving: _Diving) -> _At | None:
    """Round columns in the small program around them, then let the whole one take it over; None where that did not do."""
    hot, block = program.hot, program.block
    part = around(_held(block, diving.fixed), wanted, at.x)
    if len(part.columns) > SMALLER * block.columns:
        return None
    limits = program.limits.within(part.columns, at.x)
    small = hot.beside
    small.load(
        program.cost[part.columns], part.lower, part.upper, part.indptr, part.indices, part.values, part.row_lower, part.row_upper
    )  # fmt: skip
    small.add_limits(limits.limit, limits.price, limits.indptr, limits.indices, limits.values)
    if not small.run(DUAL):
        return None
    own = np.flatnonzero(np.isin(part.columns, columns)).astype(np.int32)
    inner = _Diving(small, part.lower, part.upper, diving.step[part.columns], {}, diving.scale)
    there = _At(inner.point(), small.objective)
    try:
        while len(left := _fractional(own, inner.step, there.x)):
            there = _nearest_first(inner, left, there)
    except _NoPlanError:
        return None
    # also those that are whole in the small program without having been fixed there: the whole one may have them otherwise
    asked = np.flatnonzero(np.isin(part.columns, wanted))
    values = np.round(there.x[asked] / inner.step[asked]) * inner.step[asked]
    chosen = dict(zip(part.columns[asked].tolist(), values.tolist(), strict=True))
    chosen |= dict(zip(part.columns[list(inner.fixed)].tolist(), inner.fixed.values(), strict=True))
    for column, to in chosen.items():
        diving.fix(column, to)
    if not diving.run():
        for column in chosen:
            diving.free(column)
        return None
    diving.fixed.update(chosen)
    return _At(diving.point(), hot.objective)


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
    """A dive: the program, its columns' bounds and steps (n,), the columns that were fixed so far, and the cost that losses are judged by."""

    hot: Hot
    lower: FloatArray
    upper: FloatArray
    step: FloatArray
    fixed: dict[int, float]
    scale: float

    def fix(self, column: int, to: float) -> None:
        self.hot.bound(column, to, to)

    def free(self, column: int) -> None:
        self.hot.bound(column, self.lower[column], self.upper[column])

    def run(self) -> bool:
        """Whether there is a plan; HiGHS's first word will do, as a wrong no costs a little and nothing else."""
        return self.hot.run(DUAL, sure=False)

    def point(self) -> FloatArray:
        return self.hot.point()[: len(self.lower)]

    def first_choice(self, x: FloatArray, columns: IntArray) -> FloatArray:
        """Whole values to round to at first: down where little would be added, up elsewhere."""
        step = self.step[columns]
        value = x[columns] / step
        low = np.floor(value + WHOLE)
        to = np.where(value - low >= DOWN, np.ceil(value - WHOLE), low) * step
        return np.clip(to, self.lower[columns], self.upper[columns])


def _nearest_first(diving: _Diving, columns: IntArray, at: _At) -> _At:
    """Round columns, those that move least first."""
    far = np.abs(diving.first_choice(at.x, columns) - at.x[columns]) / diving.step[columns]
    return _together(diving, columns[np.argsort(far, kind="stable")], at)


def _together(diving: _Diving, columns: IntArray, at: _At) -> _At:
    """Round some columns, all of them to their first choice if that costs next to nothing, else one half of them after the other."""
    if len(columns) == 1:
        return _round(diving, int(columns[0]), at)
    choice = dict(zip(columns.tolist(), diving.first_choice(at.x, columns).tolist(), strict=True))
    for column, to in choice.items():
        diving.fix(column, to)
    if diving.run() and diving.hot.objective - at.cost <= TOGETHER * diving.scale:
        diving.fixed.update(choice)
        return _At(diving.point(), diving.hot.objective)
    for column in choice:
        diving.free(column)
    half = len(columns) // 2
    at = _together(diving, columns[:half], replace(at, here=False))
    rest = _fractional(columns[half:], diving.step, at.x)
    return _together(diving, rest, at) if len(rest) else at


def _round(diving: _Diving, column: int, at: _At) -> _At:
    """Fix one column at the better of its two neighbours, the first choice if it costs next to nothing."""
    hot, step = diving.hot, float(diving.step[column])
    low, high = (float(rounded(at.x[column] / step)) * step for rounded in (np.floor, np.ceil))
    first = float(diving.first_choice(at.x, np.array([column]))[0])
    best: tuple[_At, float] | None = None
    last = np.nan
    for to in (high, low) if first >= high else (low, high):
        if not diving.lower[column] <= to <= diving.upper[column]:
            continue
        diving.fix(column, to)
        last = to
        if not diving.run():
            continue
        if best is None or hot.objective < best[0].cost:
            best = _At(diving.point(), hot.objective), to
        if hot.objective - at.cost <= NEAR * diving.scale:
            break
    if best is None:
        raise _NoPlanError
    found, to = best
    diving.fixed[column] = to
    if to != last:
        diving.fix(column, to)
        found = replace(found, here=False)
    return found


def _empty(hot: Hot, block: Block, fixed: dict[int, float]) -> FloatArray:
    """Give up all packs but the least, which always has a plan."""
    for column in block.integer.tolist():
        least = float(block.lower[column])
        hot.bound(column, least, least)
        fixed[column] = least
    hot.run(DUAL)
    return hot.point()[: block.columns]
