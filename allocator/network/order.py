"""Orders of many rows by several keys: packed into one whole number, so that one sort does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
AnyInts = NDArray[np.signedinteger]


def packed(*columns: AnyInts) -> IntArray:
    """(n,) one whole number a row that sorts as the columns do, the first one first.

    Raises
    ------
    OverflowError
        When the columns' spans do not fit 63 bits together.
    """
    key = np.zeros(len(columns[0]), dtype=np.int64)
    width = 1
    for column in columns:
        low = int(column.min(initial=0))
        span = int(column.max(initial=0)) - low + 1
        width *= span
        if width >= 2**63:
            raise OverflowError(
                "expected the spans of the keys to fit 63 bits together, found more; sort by fewer keys"
            )
        key *= span
        key += column
        if low:
            key -= low
    return key


def order_of(key: IntArray, *ties: AnyInts) -> IntArray:
    """(n,) rows in order of a key, equal ones by the ``ties``, the first one first, then by row."""
    order = np.argsort(key, kind="stable")
    if not ties or len(order) < 2:
        return order
    ranked = key[order]
    same = ranked[1:] == ranked[:-1]
    tied = np.zeros(len(order), dtype=bool)
    tied[1:] = same
    tied[:-1] |= same
    rows = order[tied]
    # tied rows stand together: sorted by key and ties, each run comes back to its own places
    order[tied] = rows[np.lexsort((*(column[rows] for column in reversed(ties)), ranked[tied]))]
    return order
