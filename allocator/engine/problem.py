"""What goes to the solver and what comes back, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class SolverError(RuntimeError):
    """HiGHS refused an input or ended without an answer that may be used."""


COST_SPAN = 1e7
"""Costs above this many times the median are cut for the solver first."""


def relative_gap(objective: float, bound: float) -> float:
    """Gap of a cost to its lower bound, relative to the cost (to 1 where that is less): the definition of certificate.json."""
    return (objective - bound) / max(abs(objective), 1.0)


@dataclass(frozen=True)
class Problem:
    """``min cost @ x``, ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``, ``x[integer]`` whole. A in CSR form."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray

    @property
    def relaxed(self) -> Problem:
        """The same with nothing whole."""
        return replace(self, integer=np.zeros_like(self.integer))

    @property
    def row_of(self) -> IntArray:
        """(z,) row of each non-zero of A."""
        return np.repeat(np.arange(len(self.row_lower)), np.diff(self.indptr))

    def row_sums(self, terms: FloatArray) -> FloatArray:
        """(m,) sums over the non-zeros of each row of ``terms`` (z,): A x where they are ``values * x[indices]``."""
        return np.bincount(self.row_of, weights=terms, minlength=len(self.row_lower)).astype(np.float64)


@dataclass(frozen=True)
class Limits:
    """When to stop.

    Attributes
    ----------
    gap : float
        Relative gap to prove.
    accept : float
        Gap that is good enough once ``nodes`` branch-and-bound nodes were spent.
    nodes : int
    seconds : float
        Wall clock; ``inf`` without a deadline.
    presolve : bool
    basis : bool
        Whether the answer to a linear program holds its basis.
    """

    gap: float = 1e-6
    accept: float = 1e-6
    nodes: int = 0
    seconds: float = float("inf")
    presolve: bool = True
    basis: bool = False


@dataclass(frozen=True)
class Basis:
    """Which columns (n,) and rows (m,) are basic, and at which bound the others are, in HiGHS's numbers (int8)."""

    columns: NDArray[np.int8]
    rows: NDArray[np.int8]


@dataclass(frozen=True)
class Hint:
    """Where a solve may start. What does not fit is left aside; the answer is as good without.

    Attributes
    ----------
    x : (n,) float or None
        A point, for a mixed-integer program.
    basis : Basis or None
        For a linear program, which then goes without presolve.
    """

    x: FloatArray | None = None
    basis: Basis | None = None


@dataclass(frozen=True)
class Answer:
    """The solver's answer.

    Attributes
    ----------
    status : str
        ``optimal`` (the asked gap is proven), ``accepted``, ``deadline`` (a feasible point, no proof of the gap), ``none`` (no point).
    x : (n,) float or None
    objective, bound : float
    row_dual : (m,) float or None
        Of a linear program only; d objective / d right-hand side.
    nodes, iterations : int
    seconds : float
        Inside HiGHS's own ``run``.
    basis : Basis or None
        Of a linear program's optimum, when asked for.
    """

    status: str
    x: FloatArray | None
    objective: float
    bound: float
    row_dual: FloatArray | None
    nodes: int
    iterations: int
    seconds: float
    basis: Basis | None = None


def check_problem(problem: Problem) -> None:
    """Refuse what HiGHS would take silently (HAZARDS section 2.3).

    Raises
    ------
    SolverError
        On NaN, infinite coefficients or costs, crossed bounds, wrong lengths or indices out of range.
    """
    n, m = len(problem.cost), len(problem.row_lower)
    lengths = {len(problem.lower), len(problem.upper), len(problem.integer)} == {n}
    if not lengths or len(problem.row_upper) != m or len(problem.indptr) != m + 1:
        raise SolverError("the program's arrays differ in length")
    if len(problem.indices) != len(problem.values) or int(problem.indptr[-1]) != len(problem.values):
        raise SolverError("the program's matrix is not well formed")
    if len(problem.indices) and not (problem.indices.min() >= 0 and problem.indices.max() < n):
        raise SolverError("the program's matrix names a column that does not exist")
    for name in ("cost", "values"):
        if not np.isfinite(getattr(problem, name)).all():
            raise SolverError(f"the program's {name} hold a number that is not finite")
    for low, high, what in ((problem.lower, problem.upper, "column"), (problem.row_lower, problem.row_upper, "row")):
        if np.isnan(low).any() or np.isnan(high).any():
            raise SolverError(f"a {what} bound is not a number")
        if (low > high).any():
            where = int(np.argmax(low > high))
            raise SolverError(f"{what} {where} has its lower bound above its upper: {low[where]:g} > {high[where]:g}")
