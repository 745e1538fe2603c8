"""One HiGHS object for many small linear programs: load, start from a basis, change in place, run again.

With :mod:`allocator.engine.highs` the only code that touches highspy. It runs in worker processes only, one thread each.
Nothing it answers is believed: callers prove each bound themselves from the row duals (HAZARDS, first page).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.engine.highs import scale_costs
from allocator.engine.problem import COST_SPAN, SolverError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

PRIMAL, DUAL = 4, 1
DEVEX = 1


@dataclass
class Tally:
    """What was spent so far: seconds inside HiGHS's own ``run``, simplex iterations, calls of ``run``."""

    seconds: float = 0.0
    iterations: int = 0
    runs: int = 0


class Hot:
    """A linear program in HiGHS, changed in place.

    Parameters
    ----------
    tally : Tally, optional
        Where to count what is spent; its own by default.
    """

    def __init__(self, tally: Tally | None = None) -> None:
        import highspy

        self._highspy = highspy
        self._h: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        self.tally = tally or Tally()
        self._beside: Hot | None = None
        self._strategy = 0
        self._scale = 1.0
        self._shape = (0, 0)
        options = {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            "presolve": "off",
            "simplex_dual_edge_weight_strategy": DEVEX,
            "simplex_iteration_limit": 1_000_000,
        }
        for name, value in options.items():
            self._option(name, value)

    def load(
        self,
        cost: FloatArray,
        lower: FloatArray,
        upper: FloatArray,
        indptr: IntArray,
        indices: IntArray,
        values: FloatArray,
        row_lower: FloatArray,
        row_upper: FloatArray,
    ) -> None:
        """Take a program, rows in CSR form.

        Raises
        ------
        SolverError
            When an array is not what HiGHS would need, or HiGHS refuses or drops a part of it.
        """
        n, m, z = len(cost), len(row_lower), len(values)
        lengths_ok = (
            len(lower) == len(upper) == n and len(row_upper) == m and len(indptr) == m + 1 and len(indices) == z
        )
        if not lengths_ok or int(indptr[-1]) != z or not np.isfinite(values).all() or not np.isfinite(cost).all():
            raise SolverError("the item's arrays differ in length or hold a number that is not finite")
        # a cost that is cut makes the point cheaper, never the bound: that is computed from the real costs
        scaled, self._scale = scale_costs(cost, COST_SPAN)
        self._shape = (n, m)
        status = self._h.passModel(
            n, m, z, 2, 1, 0.0, scaled, lower, upper, row_lower, row_upper,
            indptr, indices, values, np.zeros(n, dtype=np.int32),
        )  # fmt: skip
        if status == self._highspy.HighsStatus.kError or (self._h.getNumCol(), self._h.getNumRow()) != (n, m):
            raise SolverError("HiGHS refused an item's program")

    @property
    def beside(self) -> Hot:
        """Another one, for a part of the program that is here; counts into the same tally."""
        if self._beside is None:
            self._beside = Hot(self.tally)
        return self._beside

    def start(self, basis: Any) -> None:
        """Start the next run from a basis that :meth:`basis` gave for a program of the same shape."""
        if self._h.setBasis(basis) == self._highspy.HighsStatus.kError:
            self._h.clearSolver()

    def basis(self) -> Any:
        """The basis of the last run, opaque."""
        return self._h.getBasis()

    def bound(self, column: int, lower: float, upper: float) -> None:
        """Change the bounds of one column."""
        self._ok(self._h.changeColBounds(int(column), float(lower), float(upper)), "a bound")

    def add_limits(
        self, limit: FloatArray, price: FloatArray, indptr: IntArray, indices: IntArray, values: FloatArray
    ) -> None:
        """Add k rows ``values @ x - over <= limit``, each with a column ``over >= 0`` of its own at ``price``."""
        k, n = len(limit), self._shape[0]
        inf = self._highspy.kHighsInf
        if not (len(price) == k and len(indptr) == k + 1 and len(indices) == len(values) == int(indptr[-1])):
            raise SolverError("limits of different lengths")
        none = np.zeros(k, dtype=np.int32)
        self._ok(
            self._h.addCols(
                k, np.minimum(price * self._scale, 1e12), np.zeros(k), np.full(k, inf), 0, none,
                np.empty(0, dtype=np.int32), np.empty(0),
            ),
            "columns",
        )  # fmt: skip
        at = np.insert(indices, indptr[1:], np.arange(n, n + k, dtype=np.int32)).astype(np.int32)
        weights = np.insert(values, indptr[1:], -1.0)
        starts = (indptr + np.arange(k + 1)).astype(np.int32)
        self._ok(
            self._h.addRows(k, np.full(k, -inf), limit, len(at), starts, at, weights),
            "rows",
        )
        self._shape = (n + k, self._shape[1] + k)

    def run(self, strategy: int, sure: bool = True) -> bool:
        """Solve; whether there is an optimum (False: infeasible).

        ``sure``: what is said to be infeasible is solved again, cold. Without, the first word counts, and the next run starts from there.

        Raises
        ------
        SolverError
            When HiGHS ends otherwise, also after a cold start.
        """
        if strategy != self._strategy:
            self._option("simplex_strategy", strategy)
            self._strategy = strategy
        for attempt in range(2):
            began = time.thread_time()
            status = self._h.run()
            self.tally.seconds += time.thread_time() - began
            self.tally.runs += 1
            self.tally.iterations += max(int(self._h.getInfoValue("simplex_iteration_count")[1]), 0)
            state = self._h.getModelStatus()
            kinds = self._highspy.HighsModelStatus
            if status != self._highspy.HighsStatus.kError and state in (kinds.kOptimal, kinds.kModelEmpty):
                return True
            if state == kinds.kInfeasible and (attempt or not sure):
                return False
            self._h.clearSolver()
        raise SolverError(f"HiGHS ended with '{self._h.modelStatusToString(state)}' on an item")

    @property
    def objective(self) -> float:
        """Value of the last run, by HiGHS's word. [currency]"""
        return float(self._h.getObjectiveValue()) / self._scale

    def point(self) -> FloatArray:
        """(n,) the last run's point."""
        return _array(self._h.getSolution().col_value)

    def answer(self) -> tuple[FloatArray, FloatArray]:
        """Point and row duals."""
        solution = self._h.getSolution()
        return (
            _array(solution.col_value),
            _array(solution.row_dual) / self._scale,
        )

    def _option(self, name: str, value: Any) -> None:
        self._ok(self._h.setOptionValue(name, value), f"option {name}")
        if self._h.getOptionValue(name)[1] != value:
            raise SolverError(f"HiGHS kept another value for option {name}")

    def _ok(self, status: Any, what: str) -> None:
        if status != self._highspy.HighsStatus.kOk:
            raise SolverError(f"HiGHS refused {what}")


def _array(values: list[float]) -> FloatArray:
    # a quarter faster than np.array, which looks at every value's type first
    return np.fromiter(values, np.float64, len(values))
