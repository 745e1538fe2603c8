"""Bounds that hold whatever the solver says: weak duality in plain arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.priced.blocks import Block

FloatArray = NDArray[np.float64]


def safe_bound(block: Block, cost: FloatArray, dual: FloatArray) -> float:
    """A lower bound of an item's cost, from any row duals.

    Parameters
    ----------
    block : Block
    cost : (n,) float
        Costs at which the block was solved. [currency per unit]
    dual : (m,) float
        Row duals of the solver; a sign that a one-sided row does not allow is set to 0.

    Returns
    -------
    float
        ``sum over rows of y times the side it presses on + sum over columns of min over [l, u] of (c - A'y) x``; -inf when a column without
        an upper bound has a negative reduced cost. [currency]

    Notes
    -----
    A. Neumaier, O. Shcherbina, Safe bounds in linear and mixed-integer linear programming, Math. Program. 99 (2004).
    """
    y = np.where(np.isinf(block.row_lower), np.minimum(dual, 0.0), dual)
    y = np.where(np.isinf(block.row_upper), np.maximum(y, 0.0), y)
    y = np.where(np.isfinite(y), y, 0.0)
    side = np.where(y > 0, block.row_lower, block.row_upper)
    rows = float(np.where(y != 0, y * np.where(y != 0, side, 0.0), 0.0).sum())
    weight = np.repeat(y, np.diff(block.indptr)) * block.values
    reduced = cost - np.bincount(block.indices, weight, minlength=block.columns)
    end = np.where(reduced > 0, block.lower, block.upper)
    if (np.isinf(end) & (reduced != 0)).any():
        return -np.inf
    return rows + float((reduced * np.where(np.isfinite(end), end, 0.0)).sum())
