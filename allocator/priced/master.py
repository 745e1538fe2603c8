"""The master: a proximal bundle over groups of items. From all answers so far it proposes the next prices.

``benchmarks/masters.py`` has the other candidate, column generation by linear programs with smoothed prices, and
docs/priced-masters.md the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

STEPS = 400
"""Most gradient steps of one proposal."""


@dataclass(frozen=True)
class Proposal:
    """Next prices.

    Attributes
    ----------
    price : (R,) float
        [currency per unit of use]
    model : float
        What all answers so far promise at these prices: no less than the dual function there. [currency]
    """

    price: FloatArray
    model: float


class Bundle:
    """Answers of G groups and the proximal problem over them.

    Parameters
    ----------
    groups : int
    limit, highest : (R,) float
        ``inf`` where there is no limit; ceiling of the prices.

    Notes
    -----
    Maximises ``sum_g min_k (C_gk + V_gk p) - limit p - sum (p - centre)^2 / (2 step)`` over ``0 <= p <= highest``, through its dual in the weights of
    the answers, by projected gradients with momentum (FISTA: Beck, Teboulle 2009; disaggregated proximal bundle: Frangioni 2002). The
    weights need not be optimal: any prices give a bound.
    """

    def __init__(self, groups: int, limit: FloatArray, highest: FloatArray) -> None:
        self.limit, self.highest = limit, highest
        self.finite = np.isfinite(limit)
        self._cost: list[list[float]] = [[] for _ in range(groups)]
        self._use: list[list[FloatArray]] = [[] for _ in range(groups)]
        self._weights: FloatArray | None = None

    def add(self, group: int, cost: float, use: FloatArray) -> None:
        """Remember an answer: cost without prices, and use (R,)."""
        self._cost[group].append(cost)
        self._use[group].append(use)

    @property
    def live(self) -> IntArray:
        """Groups with an answer."""
        return np.array([g for g, cost in enumerate(self._cost) if cost], dtype=np.int64)

    def propose(self, centre: FloatArray, step: FloatArray, tolerance: float) -> Proposal:
        """Next prices near ``centre`` (R,), ``step`` (R,) being the square of how far they may go per currency of gain.

        Stops at a model gap of ``tolerance`` [currency].
        """
        groups = self.live
        most = np.sum([np.max(self._use[g], axis=0) for g in groups], axis=0)
        active = np.flatnonzero(self.finite & ((most > self.limit) | (centre > 0)))
        problem = _Proximal.of(
            [self._cost[g] for g in groups],
            [np.asarray(self._use[g])[:, active] for g in groups],
            self.limit[active],
            self.highest[active],
            centre[active],
            step[active],
        )
        weights = problem.solve(self._carried(problem.there), tolerance)
        self._weights = weights
        price = np.zeros(len(self.limit))
        price[active] = problem.price(weights)
        return Proposal(price, problem.model(price[active]))

    def _carried(self, there: BoolArray) -> FloatArray:
        """Last weights as a start, all on the first answer of a group that has none."""
        start = np.zeros(there.shape)
        if self._weights is not None:
            rows, columns = self._weights.shape
            rows, columns = min(rows, there.shape[0]), min(columns, there.shape[1])
            start[:rows, :columns] = self._weights[:rows, :columns] * there[:rows, :columns]
        total = start.sum(axis=1, keepdims=True)
        even = there / there.sum(axis=1, keepdims=True)
        return np.where(total > 1e-9, start / np.where(total > 1e-9, total, 1.0), even)


@dataclass(frozen=True)
class _Proximal:
    """Arrays of one proposal: costs (G, K), uses (G K, A), which answers are there (G, K)."""

    cost: FloatArray
    use: FloatArray
    there: BoolArray
    limit: FloatArray
    highest: FloatArray
    centre: FloatArray
    step: FloatArray

    @classmethod
    def of(
        cls,
        costs: list[list[float]],
        uses: list[FloatArray],
        limit: FloatArray,
        highest: FloatArray,
        centre: FloatArray,
        step: FloatArray,
    ) -> _Proximal:
        groups, width = len(costs), max(len(c) for c in costs)
        cost, there = np.zeros((groups, width)), np.zeros((groups, width), dtype=bool)
        use = np.zeros((groups, width, len(limit)))
        for g, (c, v) in enumerate(zip(costs, uses, strict=True)):
            cost[g, : len(c)], there[g, : len(c)], use[g, : len(c)] = c, True, v
        return cls(cost, use.reshape(groups * width, -1), there, limit, highest, centre, step)

    def price(self, weights: FloatArray) -> FloatArray:
        """(A,) prices that weights lead to."""
        excess = weights.ravel() @ self.use - self.limit
        return np.clip(self.centre + self.step * excess, 0.0, self.highest)

    def charged(self, price: FloatArray) -> FloatArray:
        """(G, K) cost of every answer at prices."""
        return self.cost + (self.use @ price).reshape(self.cost.shape)

    def model(self, price: FloatArray) -> float:
        """What the answers promise at prices. [currency]"""
        least = np.where(self.there, self.charged(price), np.inf).min(axis=1)
        return float(least.sum() - price @ self.limit)

    def solve(self, start: FloatArray, tolerance: float) -> FloatArray:
        """(G, K) weights."""
        if not self.use.shape[1]:
            return start
        rate = 1.0 / self._curvature()
        weights, ahead, momentum = start, start, 1.0
        for k in range(STEPS):
            charged = self.charged(self.price(ahead))
            new = self._project(ahead - rate * charged)
            later = (1.0 + np.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
            if ((ahead - new) * (new - weights)).sum() > 0:  # momentum has overshot
                ahead, later = new, 1.0
            else:
                ahead = new + (momentum - 1.0) / later * (new - weights)
            weights, momentum = new, later
            if k % 20 == 19 and self._gap(weights) <= tolerance:
                break
        return weights

    def _gap(self, weights: FloatArray) -> float:
        charged = self.charged(self.price(weights))
        least = np.where(self.there, charged, np.inf).min(axis=1)
        return float((charged * weights).sum() - least.sum())

    def _curvature(self) -> float:
        """Largest eigenvalue of ``V diag(step) V'`` by power iteration, and a little more."""
        vector = np.ones(self.use.shape[0])
        size = 1.0
        for _ in range(12):
            vector = self.use @ (self.step * (vector @ self.use))
            size = float(np.linalg.norm(vector))
            if size == 0:
                return 1.0
            vector /= size
        return 1.05 * size

    def _project(self, point: FloatArray) -> FloatArray:
        """Each row on the simplex of its answers (Held, Wolfe, Crowder 1974)."""
        low = np.where(self.there, point, -np.inf)
        ranked = -np.sort(-low, axis=1)
        there = np.isfinite(ranked)
        total = np.cumsum(np.where(there, ranked, 0.0), axis=1) - 1.0
        count = np.arange(1, point.shape[1] + 1)
        last = (there & (ranked * count > total)).sum(axis=1) - 1
        level = total[np.arange(len(point)), last] / (last + 1)
        return np.asarray(np.where(self.there, np.maximum(point - level[:, None], 0.0), 0.0))
