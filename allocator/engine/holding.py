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
from allocator.program.stack import Program
from allocator.program.stamp import LAW_NAMES, VARIABLE_NAMES

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

COLUMNS_AT_ONCE = 20_000
"""Columns of items that are solved together."""
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
    found = np.full((4, items), np.nan)
    ways = _Ways.of(network, program, solution)
    for part in _parts(program, items):
        if left() <= 0:
            break
        for way, values in enumerate(ways.solve(part, solver, left)):
            found[way, part.items] = values[part.items]
    # the ways differ by what they may not do: a tie shows as one, not as noise
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
    held: FloatArray
    unpushed: FloatArray
    jit: BoolArray
    item: IntArray

    @classmethod
    def of(cls, network: Network, program: Program, solution: Solution) -> _Ways:
        own, rows = program.first_shared_column, program.first_use_row
        matrix = sp.csr_matrix(
            (program.values, program.indices, program.indptr), shape=(len(program.row_lower), len(program.cost))
        )
        uses = matrix[rows : program.first_shared_row, :own]
        cost = program.cost[:own] - uses.T @ solution.row_dual[rows : program.first_shared_row]
        columns, calendar = program.columns, network.calendar
        ship = columns.variable == VARIABLE_NAMES.index("ship")
        now = ship & (columns.bucket < calendar.committed)
        method = np.full(own, -1, dtype=np.int64)
        method[now] = network.lanes.method[columns.item[now], columns.first[now]]
        prices = program.prices
        return cls(
            matrix[:rows, :own].tocsr(),
            np.asarray(cost),
            program.lower[:own],
            program.upper[:own],
            program.row_lower[:rows],
            program.row_upper[:rows],
            _held(network, program, now) * (prices.worth + prices.freight)[columns.item],
            np.where(now & (method != PULL), program.lower[:own], program.upper[:own]),
            program.row_law[:rows] == LAW_NAMES.index("jit"),
            columns.item,
        )

    def solve(self, part: _Part, solver: Solver, left: Callable[[], float]) -> Iterator[FloatArray]:
        """Cost by item of the plan, of pushing all, of pulling all, and with a buffer behind jit lanes."""
        matrix = self.matrix[part.rows][:, part.columns].tocsr()
        jit = self.jit[part.rows]
        plan = self._cost(part, matrix, solver, left, self.cost, self.upper, self.row_upper[part.rows])
        yield plan
        held = self.held[part.columns].any()
        yield (
            plan
            if not held
            else self._cost(part, matrix, solver, left, self.cost + self.held, self.upper, self.row_upper[part.rows])
        )
        yield self._cost(part, matrix, solver, left, self.cost, self.unpushed, self.row_upper[part.rows])
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


def _held(network: Network, program: Program, now: BoolArray) -> BoolArray:
    """(n,) bool, closing stock of the commit window at sites, no stores, that the item can leave in it."""
    columns = program.columns
    sites = len(network.sites.codes)
    left = np.zeros(len(network.items) * sites, dtype=bool)
    left[columns.item[now] * sites + network.lanes.origin[columns.first[now]]] = True
    stock = columns.variable == VARIABLE_NAMES.index("stock")
    mine = stock & (columns.bucket == network.calendar.committed - 1)
    out = np.zeros(len(columns.item), dtype=bool)
    site = columns.first[mine]
    out[mine] = left[columns.item[mine] * sites + site] & (network.sites.kind[site] != STORE)
    return out
