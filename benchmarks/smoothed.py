"""The other master: column generation by linear programs, its prices smoothed. Measured against the bundle by :mod:`benchmarks.masters`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
SMALLEST = 1e-3
"""Least limit that rows are scaled by."""


class Columns:
    """The restricted master over groups of items: a convex combination of each group's answers, overdrawing at its price.

    Parameters
    ----------
    groups : int
    limit, highest : (R,) float
        ``inf`` where there is no limit; what overdrawing costs, which is the ceiling of the prices.

    Notes
    -----
    One HiGHS object; columns are added to it, the primal simplex goes on from the last basis.
    """

    def __init__(self, groups: int, limit: FloatArray, highest: FloatArray) -> None:
        import highspy

        self._highspy = highspy
        self.groups, self.limit, self.highest = groups, limit, highest
        self.finite = np.flatnonzero(np.isfinite(limit))
        self.size = 1.0 / np.maximum(limit[self.finite], SMALLEST)
        self._h: Any = highspy.Highs()
        for name, value in {"output_flag": False, "threads": 1, "simplex_strategy": 4, "presolve": "off"}.items():
            self._h.setOptionValue(name, value)
        self._scale = 0.0

    def _begin(self, typical: float) -> None:
        """Rows of the limits and the groups, columns of overdrawing."""
        self._scale = 1e3 / max(typical, 1e-9)
        rows, inf = len(self.finite), self._highspy.kHighsInf
        self._h.addRows(
            rows + self.groups,
            np.concatenate([np.full(rows, -inf), np.ones(self.groups)]),
            np.concatenate([self.limit[self.finite] * self.size, np.ones(self.groups)]),
            0,
            np.zeros(rows + self.groups, dtype=np.int32),
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )
        self._h.addCols(
            rows,
            self.highest[self.finite] / self.size * self._scale,
            np.zeros(rows),
            np.full(rows, inf),
            rows,
            np.arange(rows, dtype=np.int32),
            np.arange(rows, dtype=np.int32),
            np.full(rows, -1.0),
        )

    def add(self, cost: FloatArray, use: FloatArray) -> None:
        """Take an answer of every group: cost (G,), use (G, R)."""
        if not self._scale:
            self._begin(float(np.median(np.abs(cost))))
        scaled = use[:, self.finite] * self.size
        there = scaled != 0
        rows = len(self.finite)
        place = [np.append(np.flatnonzero(mine), rows + g) for g, mine in enumerate(there)]
        value = [np.append(scaled[g][mine], 1.0) for g, mine in enumerate(there)]
        starts = np.cumsum([0] + [len(one) for one in place])
        self._h.addCols(
            self.groups,
            cost * self._scale,
            np.zeros(self.groups),
            np.full(self.groups, self._highspy.kHighsInf),
            int(starts[-1]),
            starts[:-1].astype(np.int32),
            np.concatenate(place).astype(np.int32),
            np.concatenate(value),
        )

    def solve(self) -> tuple[FloatArray, float]:
        """Prices (R,) and value of the restricted master. [currency per unit of use, currency]

        Raises
        ------
        RuntimeError
            When HiGHS does not end with an optimum.
        """
        self._h.run()
        if self._h.getModelStatus() != self._highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(
                f"the restricted master ended with '{self._h.modelStatusToString(self._h.getModelStatus())}'"
            )
        dual = np.array(self._h.getSolution().row_dual)[: len(self.finite)] / self._scale
        price = np.zeros(len(self.limit))
        price[self.finite] = np.clip(-dual * self.size, 0.0, self.highest[self.finite])
        return price, float(self._h.getObjectiveValue()) / self._scale


class Smoothed:
    """Prices between those of the restricted master and the best so far.

    Parameters
    ----------
    groups, limit, highest
        As for :class:`Columns`.
    alpha : float
        Weight of the best prices so far; each time they stay the best it falls, until the master's own prices are asked.

    Attributes
    ----------
    next : (R,) float
        Prices to ask.
    bound : float
        Best so far.
    promise : float
        Value of the restricted master: no bound can be above it.
    seconds : float
        Spent in here.

    Notes
    -----
    P. Wentges, Int. Trans. Oper. Res. 4 (1997); the falling weight: A. Pessoa, R. Sadykov, E. Uchoa, F. Vanderbeck, INFORMS J. Comput. 30 (2018).
    """

    def __init__(self, groups: int, limit: FloatArray, highest: FloatArray, alpha: float) -> None:
        self.columns = Columns(groups, limit, highest)
        self.alpha = alpha
        self.next = np.zeros(len(limit))
        self.bound, self.promise, self.seconds = -np.inf, np.inf, 0.0
        self._centre = self.next
        self._stale = 1

    def take(self, bound: float, cost: FloatArray, use: FloatArray) -> None:
        """Learn what the groups answered to ``next``."""
        began = time.perf_counter()
        if bound > self.bound:
            self.bound, self._centre, self._stale = bound, self.next, 1
        else:
            self._stale += 1
        self.columns.add(cost, use)
        price, self.promise = self.columns.solve()
        weight = max(0.0, 1.0 - self._stale * (1.0 - self.alpha))
        self.next = weight * self._centre + (1.0 - weight) * price
        self.seconds += time.perf_counter() - began
