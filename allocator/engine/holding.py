"""What holding back is worth, item by item: the plan against pushing all, against pulling all, and against a buffer on jit lanes.

Each item's block over all outlooks is solved again at the plan's prices of the shared resources, so an item's figures don't depend on other items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from allocator.engine.problem import Limits, Problem, SolverError
from allocator.engine.process import Solver
from allocator.engine.whole import Solution
from allocator.network.network import PULL, Network
from allocator.network.prices import Prices
from allocator.program.stack import Program
from allocator.program.stamp import LAW_NAMES, VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

COLUMNS_AT_ONCE = 20_000
"""Columns of items that are solved together."""
WAYS = 4
"""The fields of :class:`Holding`, in order."""
STORE = 3
"""Kind of sites from which nothing is pushed on."""


@dataclass(frozen=True)
class Holding:
    """Expected cost of each item's block at the plan's resource prices. [currency]

    Attributes
    ----------
    plan : (I,) float
        The best the block can do.
    push_all : (I,) float
        When all that can leave a plant or distribution centre in the commit window leaves it.
    pull_all : (I,) float
        When nothing leaves in the commit window but on pull lanes and by lock.
    buffered : (I,) float
        When jit lanes may leave stock behind, as if they were push lanes.
    """

    plan: FloatArray
    push_all: FloatArray
    pull_all: FloatArray
    buffered: FloatArray


def compare_holding(
    network: Network, program: Program, solution: Solution, solver: Solver, left: Callable[[], float]
) -> Holding:
    """Solve every item's block four ways, as linear programs.

    Parameters
    ----------
    network : Network
    program, solution
        Over the outlooks.
    solver : Solver
    left : callable
        Seconds left; items that it leaves no time for are NaN.

    Returns
    -------
    Holding
    """
    items = len(network.items)
    found = np.full((WAYS, items), np.nan)
    ways = _Ways.of(network, program, solution)
    for part in _parts(program, items):
        if left() <= 0:
            break
        for way, values in enumerate(ways.solve(part, solver, left)):
            found[way, part.items] = values[part.items]
    return holding_of(found)


@dataclass(frozen=True)
class Changes:
    """What each way changes of items' blocks of n columns and m rows.

    Attributes
    ----------
    held : (n,) float
        Pushing all: cost of what stays where it could leave. [currency per unit]
    unpushed : (n,) float
        Pulling all: upper bounds.
    jit : (m,) bool
        With a buffer: rows without an upper side.
    """

    held: FloatArray
    unpushed: FloatArray
    jit: BoolArray


def changes(
    network: Network,
    prices: Prices,
    columns: tuple[IntArray, IntArray, IntArray, IntArray],
    bounds: tuple[FloatArray, FloatArray],
    row_law: IntArray,
) -> Changes:
    """What each way changes.

    Parameters
    ----------
    network : Network
    prices : Prices
        Of the network.
    columns : four (n,) int
        Item, variable, first index and bucket of each column.
    bounds : two (n,) float
    row_law : (m,) int
    """
    item, variable, first, bucket = columns
    lower, upper = bounds
    committed = network.calendar.committed
    now = np.flatnonzero((variable == VARIABLE_NAMES.index("ship")) & (bucket < committed))
    pushed = now[network.lanes.method[item[now], first[now]] != PULL]
    unpushed = upper.copy()
    unpushed[pushed] = lower[pushed]
    # closing stock of the commit window at sites, no stores, that the item can leave in it
    sites = len(network.sites.codes)
    stock = np.flatnonzero((variable == VARIABLE_NAMES.index("stock")) & (bucket == committed - 1))
    leaves = np.unique(item[now] * sites + network.lanes.origin[first[now]])
    mine = np.isin(item[stock] * sites + first[stock], leaves) & (network.sites.kind[first[stock]] != STORE)
    held = np.zeros(len(item))
    held[stock[mine]] = (prices.worth + prices.freight)[item[stock[mine]]]
    return Changes(held, unpushed, np.asarray(row_law == LAW_NAMES.index("jit")))


def holding_of(found: FloatArray) -> Holding:
    """From costs (4, I) of the ways, in the order of :class:`Holding`: a tie shows as one, not as noise, as the ways differ by what they may not do."""
    base = found[0]
    same = np.abs(found - base) <= 1e-7 * np.maximum(1.0, np.abs(base))
    return Holding(*np.where(same, base, found))


@dataclass(frozen=True)
class _Part:
    items: IntArray
    columns: IntArray
    rows: IntArray


def _parts(program: Program, items: int) -> Iterator[_Part]:
    """Items in groups of at most ``COLUMNS_AT_ONCE`` columns."""
    owner = program.columns.item
    size = np.bincount(owner, minlength=items)
    group = (np.cumsum(size) - 1) // COLUMNS_AT_ONCE
    row_group = group[program.row_item]
    for number in np.unique(group):
        yield _Part(
            np.flatnonzero(group == number), np.flatnonzero(group[owner] == number), np.flatnonzero(row_group == number)
        )


@dataclass(frozen=True)
class _Ways:
    """The items' own linear program at fixed resource prices, and what each way changes of it."""

    matrix: sp.csr_matrix
    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    changes: Changes
    item: IntArray

    @classmethod
    def of(cls, network: Network, program: Program, solution: Solution) -> _Ways:
        own, rows = program.first_shared_column, program.first_use_row
        matrix = sp.csr_matrix(
            (program.values, program.indices, program.indptr), shape=(len(program.row_lower), len(program.cost))
        )
        uses = matrix[rows : program.first_shared_row, :own]
        cost = program.cost[:own] - uses.T @ solution.row_dual[rows : program.first_shared_row]
        columns = program.columns
        lower, upper, row_law = program.lower[:own], program.upper[:own], program.row_law[:rows]
        return cls(
            matrix[:rows, :own].tocsr(),
            np.asarray(cost),
            lower,
            upper,
            program.row_lower[:rows],
            program.row_upper[:rows],
            changes(
                network,
                program.prices,
                (columns.item, columns.variable, columns.first, columns.bucket),
                (lower, upper),
                row_law,
            ),
            columns.item,
        )

    def solve(self, part: _Part, solver: Solver, left: Callable[[], float]) -> Iterator[FloatArray]:
        """Cost by item of the plan, of pushing all, of pulling all, and with a buffer behind jit lanes."""
        matrix = self.matrix[part.rows][:, part.columns].tocsr()
        jit = self.changes.jit[part.rows]
        plan = self._cost(part, matrix, solver, left, self.cost, self.upper, self.row_upper[part.rows])
        yield plan
        held = self.changes.held[part.columns].any()
        yield (
            plan
            if not held
            else self._cost(
                part, matrix, solver, left, self.cost + self.changes.held, self.upper, self.row_upper[part.rows]
            )
        )
        yield self._cost(part, matrix, solver, left, self.cost, self.changes.unpushed, self.row_upper[part.rows])
        free = np.where(jit, np.inf, self.row_upper[part.rows])
        yield plan if not jit.any() else self._cost(part, matrix, solver, left, self.cost, self.upper, free)

    def _cost(
        self,
        part: _Part,
        matrix: sp.csr_matrix,
        solver: Solver,
        left: Callable[[], float],
        cost: FloatArray,
        upper: FloatArray,
        row_upper: FloatArray,
    ) -> FloatArray:
        columns = part.columns
        problem = Problem(
            cost=cost[columns],
            lower=self.lower[columns],
            upper=upper[columns],
            integer=np.zeros(len(columns), dtype=bool),
            indptr=np.asarray(matrix.indptr, dtype=np.int64),
            indices=np.asarray(matrix.indices, dtype=np.int64),
            values=matrix.data,
            row_lower=self.row_lower[part.rows],
            row_upper=row_upper,
        )
        items = int(self.item.max(initial=-1)) + 1
        try:
            x = solver.solve(problem, Limits(seconds=max(left(), 0.1))).x
        except SolverError:
            x = None
        if x is None:
            return np.full(items, np.nan)
        return np.bincount(self.item[columns], weights=self.cost[columns] * x, minlength=items).astype(np.float64)
