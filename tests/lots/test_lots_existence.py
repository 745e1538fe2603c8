"""FEFO at one site fails only where no assignment exists."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from allocator.lots import assign
from tests.lots.cases import lots_of, moves_of

DAYS = 5
LOT = st.tuples(st.integers(0, 9), st.integers(0, DAYS + 3), st.sampled_from([0, 0, *range(DAYS)]))
MOVE = st.tuples(st.integers(0, DAYS - 1), st.sampled_from([0, 1, 3]), st.integers(0, 6))


def most_served(lots, moves):
    """Largest quantity any assignment can serve, by maximum flow from lots to moves."""
    size = len(lots) + len(moves) + 2
    capacity = np.zeros((size, size), dtype=np.int32)
    for k, (quantity, expiry, available) in enumerate(lots):
        capacity[-2, k] = quantity
        for m, (day, life, _) in enumerate(moves):
            if available <= day and expiry >= day + life:
                capacity[k, len(lots) + m] = 100
    for m, (_, _, quantity) in enumerate(moves):
        capacity[len(lots) + m, -1] = quantity
    return maximum_flow(csr_array(capacity), size - 2, size - 1).flow_value


@settings(max_examples=200, deadline=None)
@given(st.lists(LOT, min_size=1, max_size=8), st.lists(MOVE, min_size=1, max_size=8))
def test_fefo_serves_whatever_can_be_served(lots, moves):
    """When every move can get lots in some way, FEFO in order of days gives every move its lots."""
    stock = lots_of(*((0, 0, q, 0, expiry, k, available) for k, (q, expiry, available) in enumerate(lots)))
    wanted = moves_of(*((0, 0, -1, day, 0, day + life, q, -1) for day, life, q in moves))
    result = assign(stock, wanted, np.zeros(1, np.int8), np.ones(1), np.arange(DAYS, dtype=np.int32))
    asked = int(wanted.quantity.sum())
    possible = most_served(lots, moves) == asked
    assert (result.unfilled.sum() == 0) == possible
