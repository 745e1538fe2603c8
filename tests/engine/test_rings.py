"""Rings of same-day shipments: what goes round is taken out, also where one shipment is part of two rings."""

import numpy as np

from allocator.engine.problem import Problem
from allocator.engine.rings import cancel_rings, close_rings


def _problem(row: list[float], least: float) -> Problem:
    """Three shipments, the first out, the other two back, and one row over them."""
    n = len(row)
    return Problem(
        np.ones(n), np.zeros(n), np.full(n, 20.0), np.zeros(n, dtype=bool), np.array([0, n]), np.arange(n), np.array(row),
        np.array([least]), np.array([np.inf]),
    )  # fmt: skip


def _rings(x: np.ndarray) -> list[np.ndarray]:
    """Out and back: one ring at a time, as a shipment is in one ring only."""
    back = np.flatnonzero(x[1:] > 0) + 1
    return [np.array([0, back[0]])] if x[0] > 0 and len(back) else []


def test_what_is_left_of_one_ring_may_close_another():
    """Twelve go out, six come back by each of two ways: all of it is taken out."""
    x, left = cancel_rings(_problem([1.0, 0.0, 0.0], 0.0), np.array([12.0, 6.0, 6.0]), _rings)
    assert not left
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_a_ring_that_a_row_asks_for_is_left_and_closed():
    """A row wants five to go out: one way back is taken out, the other stays, and its weakest shipment is ruled out."""
    problem, start = _problem([1.0, 0.0, 0.0], 5.0), np.array([12.0, 6.0, 6.0])
    x, left = cancel_rings(problem, start, _rings)
    assert x.tolist() == [6.0, 0.0, 6.0]
    assert [ring.tolist() for ring in left] == [[0, 2]]
    assert start.tolist() == [12.0, 6.0, 6.0], "the point given stays as it is"
    assert close_rings(problem, x, left).upper.tolist() == [0.0, 20.0, 20.0]
