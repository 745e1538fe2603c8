"""Rows of a program cut to some of its columns, all others staying where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[Any]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Cut:
    """The k rows that hold a free column.

    Attributes
    ----------
    rows : (k,) int
        Which of the program's, ascending.
    indptr, indices, values : CSR over the free columns alone, counted among themselves
    fixed : (k,) float
        What the other columns have in each row.
    """

    rows: IntArray
    indptr: IntArray
    indices: IntArray
    values: FloatArray
    fixed: FloatArray


def cut_rows(indptr: IntArray, indices: IntArray, values: FloatArray, free: BoolArray, x: FloatArray) -> Cut:
    """Cut rows in CSR form to the free columns.

    Parameters
    ----------
    indptr, indices, values : CSR of m rows over n columns
    free : (n,) bool
    x : (n,) float
        Where the others stay.
    """
    m = len(indptr) - 1
    row = np.repeat(np.arange(m), np.diff(indptr))
    there = free[indices]
    fixed = np.bincount(row[~there], weights=values[~there] * x[indices[~there]], minlength=m).astype(np.float64)
    count = np.bincount(row[there], minlength=m)
    rows = np.flatnonzero(count)
    return Cut(
        rows,
        np.concatenate([[0], np.cumsum(count[rows])]).astype(indptr.dtype),
        (np.cumsum(free) - 1)[indices[there]].astype(indices.dtype),
        values[there],
        fixed[rows],
    )
