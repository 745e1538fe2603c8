"""Whole units: what the linear part left fractional is settled by a small integer program around it, never by bare rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from allocator.engine.cut import cut_rows
from allocator.engine.problem import Limits, Problem, SolverError
from allocator.engine.process import Solver
from allocator.network.network import Network
from allocator.program.stack import Program
from allocator.program.stamp import VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

TOLERANCE = 1e-5
"""A quantity this close to a whole quantum is one. [quanta]"""
GOOD_ENOUGH = 2e-4
"""Relative loss against the fractional point at which no wider search is made."""
DECISIONS = tuple(VARIABLE_NAMES.index(name) for name in ("ship", "serve"))
FLOWS = tuple(VARIABLE_NAMES.index(name) for name in ("ship", "serve", "stock", "waste", "lost", "backlog"))


@dataclass(frozen=True)
class Quanta:
    """Which columns of a program move in quanta.

    Attributes
    ----------
    step : (n,) float
        Quantum of the column's item, 1 for continuous items and shared columns. [units]
    flow, decision : (n,) bool
        Quantities of items with a quantum; those of them that are decided (shipments, admissions), the rest follow from balance.
    item : (n,) int
        Item of the column, -1 for shared ones.
    """

    step: FloatArray
    flow: BoolArray
    decision: BoolArray
    item: IntArray

    @classmethod
    def of(cls, network: Network, program: Program) -> Quanta:
        """Read them off a program."""
        n = len(program.cost)
        item = np.full(n, -1, dtype=np.int64)
        item[: program.first_shared_column] = program.columns.item
        quantum = np.where(item >= 0, network.quantum[item], 0.0)
        variable = np.full(n, -1, dtype=np.int64)
        variable[: program.first_shared_column] = program.columns.variable
        moved = quantum > 0
        outlook = program.columns.outlook
        if (outlook > 0).any():
            # of several outlooks only what is decided for all of them is ever carried out
            moved[: len(outlook)] &= outlook < 0
        return cls(
            np.where(moved, quantum, 1.0), moved & np.isin(variable, FLOWS), moved & np.isin(variable, DECISIONS), item
        )

    def rounded(self, problem: Problem, x: FloatArray) -> FloatArray:
        """``x`` with its flows on their nearest quantum."""
        return np.clip(np.where(self.flow, np.round(x / self.step) * self.step, x), problem.lower, problem.upper)


def snap(quanta: Quanta, problem: Problem, x: FloatArray, solver: Solver, left: Callable[[], float]) -> FloatArray:
    """Bring quantities to whole quanta.

    Parameters
    ----------
    x : (n,) float
        A feasible point, integers whole up to the solver's tolerance.
    left : callable
        Seconds left.

    Returns
    -------
    (n,) float
        Feasible, with every shipment and admission of an item with a quantum a whole multiple of it.

    Raises
    ------
    SolverError
        When no whole point is found near x, nor anywhere with the same packs and vehicles.
    """
    x = np.where(problem.integer, np.round(x), x)
    settled = quanta.rounded(problem, x)
    off = quanta.flow & (np.abs(x - settled) > TOLERANCE * quanta.step)
    if not off.any():
        return settled
    mine = np.isin(quanta.item, np.unique(quanta.item[off]))
    best: FloatArray | None = None
    for width in (2.0, 6.0, np.inf):
        found = settle(quanta, problem, x, settled, mine, width, solver, left())
        if found is None:
            continue
        if best is None or problem.cost @ found < problem.cost @ best:
            best = found
        if problem.cost @ best - problem.cost @ x <= GOOD_ENOUGH * max(abs(float(problem.cost @ x)), 1.0):
            break
    if best is None:
        raise SolverError("no whole-unit plan was found next to the solver's fractional one")
    return quanta.rounded(problem, best)


def in_quanta(problem: Problem, whole: BoolArray, step: FloatArray) -> tuple[Problem, FloatArray]:
    """The problem with its ``whole`` columns counted in quanta and integer; and (n,) units in one of each column."""
    scale = np.where(whole, step, 1.0)
    return (
        replace(
            problem,
            cost=problem.cost * scale,
            lower=problem.lower / scale,
            upper=problem.upper / scale,
            values=problem.values * scale[problem.indices],
            integer=problem.integer | whole,
        ),
        scale,
    )


def settle(
    quanta: Quanta,
    problem: Problem,
    x: FloatArray,
    settled: FloatArray,
    mine: BoolArray,
    width: float,
    solver: Solver,
    seconds: float,
) -> FloatArray | None:
    """Solve for the columns of the unsettled items, in quanta, within ``width`` quanta of x; all else stays."""
    free = (mine | (quanta.item < 0)) & ~problem.integer
    decisions, step = quanta.decision & mine, quanta.step
    low = np.where(free, problem.lower, settled)
    high = np.where(free, problem.upper, settled)
    low = np.where(decisions, np.maximum(low, (np.floor(x / step) - width + 1) * step), low)
    high = np.where(decisions, np.minimum(high, (np.ceil(x / step) + width - 1) * step), high)
    part, columns = _restrict(problem, free, low, high)
    sub, scale = in_quanta(part, decisions[columns], step[columns])
    try:
        answer = solver.solve(sub, Limits(gap=1e-5, accept=1e-4, seconds=seconds))
    except SolverError:
        return None
    if answer.x is None:
        return None
    found = settled.copy()
    found[columns] = answer.x * scale
    return found


def _restrict(problem: Problem, free: BoolArray, low: FloatArray, high: FloatArray) -> tuple[Problem, IntArray]:
    """The problem in the free columns only, rows that hold none of them left out."""
    columns = np.flatnonzero(free)
    cut = cut_rows(problem.indptr, problem.indices, problem.values, free, low)
    return (
        Problem(
            cost=problem.cost[columns],
            lower=low[columns],
            upper=np.maximum(high[columns], low[columns]),
            integer=np.zeros(len(columns), dtype=bool),
            indptr=cut.indptr,
            indices=cut.indices,
            values=cut.values,
            row_lower=problem.row_lower[cut.rows] - cut.fixed - 1e-9,
            row_upper=problem.row_upper[cut.rows] - cut.fixed + 1e-9,
        ),
        columns,
    )
