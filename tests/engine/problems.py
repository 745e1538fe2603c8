"""Small problems, and one that takes HiGHS for ever."""

from __future__ import annotations

import numpy as np

from allocator.engine.problem import Problem


def small(**changed: object) -> Problem:
    """``min 2x + 3z, x + z >= 4.5, x <= 100, z <= 100, z whole``: 9 at x = 4.5."""
    arrays = {
        "cost": np.array([2.0, 3.0]),
        "lower": np.zeros(2),
        "upper": np.full(2, 100.0),
        "integer": np.array([False, True]),
        "indptr": np.array([0, 2]),
        "indices": np.array([0, 1]),
        "values": np.ones(2),
        "row_lower": np.array([4.5]),
        "row_upper": np.array([np.inf]),
    }
    return Problem(**{**arrays, **changed})  # type: ignore[arg-type]


def linear(**changed: object) -> Problem:
    """The same without the integer."""
    return small(**{"integer": np.zeros(2, dtype=bool), **changed})


def endless(columns: int = 45, rows: int = 5) -> Problem:
    """A market-split problem: points are found at once, the proof takes hours."""
    draw = np.random.default_rng(0)
    shares = draw.integers(1, 100, (rows, columns)).astype(float)
    half = np.floor(shares.sum(axis=1) / 2)
    width = columns + 2 * rows
    return Problem(
        cost=np.r_[np.zeros(columns), np.ones(2 * rows)],
        lower=np.zeros(width),
        upper=np.r_[np.ones(columns), np.full(2 * rows, 1e4)],
        integer=np.r_[np.ones(columns, dtype=bool), np.zeros(2 * rows, dtype=bool)],
        indptr=np.arange(rows + 1) * width,
        indices=np.tile(np.arange(width), rows),
        values=np.hstack([shares, np.eye(rows), -np.eye(rows)]).ravel(),
        row_lower=half,
        row_upper=half,
    )
