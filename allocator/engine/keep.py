"""Whole units of a like plan, kept where they still fit: only items that they no longer fit are settled anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from allocator.engine.fixing import fix_columns
from allocator.engine.problem import Hint, Limits, Problem
from allocator.engine.process import Solver
from allocator.engine.snap import GOOD_ENOUGH, TOLERANCE, Quanta, settle

FloatArray = NDArray[np.float64]

BROKEN = 1e-6
"""Relative violation of a row or bound from which a plan breaks it."""
PART = 0.2
"""Part of the gap asked for that units kept from the start may cost."""
FEWER, FEW = 20, 7
"""Broken items are first settled alone where they are at most one column in `FEWER`, then with others in up to one column in `FEW`."""


def kept_units(
    quanta: Quanta,
    problem: Problem,
    x: FloatArray,
    start: Hint,
    solver: Solver,
    gap: float,
    left: Callable[[], float],
) -> FloatArray | None:
    """The start's own whole units, where they make a plan nearly as good as the fractions.

    Parameters
    ----------
    x : (n,) float
        The linear program's optimum with the integers fixed.
    start : Hint
        Whole-unit point of a like program.
    gap : float
        Relative gap that is asked for.
    left : callable
        Seconds left.

    Returns
    -------
    (n,) float or None
        Feasible and whole, and hardly worse than x: by `GOOD_ENOUGH`, or `PART` of the gap. None where the start has no such plan.

    Notes
    -----
    Items whose rows the start's units break (their demand or stock changed, or their packs) are settled by an integer program
    of their own columns and the shared ones; all other items keep every unit. Where that costs too much, as when the others
    leave them no room on a shared resource, those that the fractions moved most are settled with them.
    """
    if start.x is None or start.basis is None or not quanta.decision.any():
        return None
    most = max(GOOD_ENOUGH, PART * gap) * max(abs(float(problem.cost @ x)), 1.0)

    def good(found: FloatArray | None) -> FloatArray | None:
        if found is None:
            return None
        whole = quanta.rounded(problem, found)
        off = np.abs(whole - found) > TOLERANCE * quanta.step
        return None if off.any() or float(problem.cost @ whole) - float(problem.cost @ x) > most else whole

    point = np.where(problem.integer, np.round(x), quanta.rounded(problem, start.x))
    broken = broken_items(quanta, problem, point)
    if not len(broken):
        decided = problem.integer | quanta.decision
        fixed = fix_columns(solver, problem, decided, point, Limits(seconds=left()), start.basis)
        return good(None if fixed is None else fixed.x)
    small = np.isin(quanta.item, broken).sum() <= len(x) / FEWER
    for free in ([broken] if small else []) + [_with_moved(quanta, x, point, broken)]:
        mine = np.isin(quanta.item, free)
        settled = np.where(mine & ~problem.integer, quanta.rounded(problem, x), point)
        kept = good(settle(quanta, problem, x, settled, mine, np.inf, solver, left()))
        if kept is not None:
            return kept
    return None


def _with_moved(quanta: Quanta, x: FloatArray, point: FloatArray, items: NDArray[np.int64]) -> NDArray[np.int64]:
    """These items and those whose fractions moved farthest from the start's units, as long as they are few columns."""
    decided = quanta.decision
    moved = np.bincount(quanta.item[decided], (np.abs(x - point) / quanta.step)[decided])
    columns = np.bincount(quanta.item[quanta.item >= 0], minlength=len(moved))
    room = len(x) / FEW - columns[items].sum()
    chosen = list(items)
    for item in np.argsort(-moved, kind="stable"):
        if moved[item] > 0 and item not in items and columns[item] <= room:
            chosen.append(item)
            room -= columns[item]
    return np.array(chosen, dtype=np.int64)


def broken_items(quanta: Quanta, problem: Problem, x: FloatArray) -> NDArray[np.int64]:
    """Items with a row of their own, or a bound, that a point breaks. Rows that items share are not looked at: shared columns are solved again."""
    value, row_of = problem.row_sums(problem.values * x[problem.indices]), problem.row_of
    item = quanta.item[problem.indices]
    low, high = np.full(len(value), np.iinfo(np.int64).max), np.full(len(value), -1)
    np.minimum.at(low, row_of, item)
    np.maximum.at(high, row_of, item)
    rows = _outside(value, problem.row_lower, problem.row_upper) & (low == high) & (high >= 0)
    columns = _outside(x, problem.lower, problem.upper) & (quanta.item >= 0)
    return np.unique(np.concatenate([high[rows], quanta.item[columns]]))


def _outside(value: FloatArray, lower: FloatArray, upper: FloatArray) -> NDArray[np.bool_]:
    return np.asarray((value < lower - BROKEN * (1 + np.abs(lower))) | (value > upper + BROKEN * (1 + np.abs(upper))))
