"""Fixed reorder points, by hand: what a store sells and holds, and what is left when all that comes in goes to stores."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.reorder import left_over, stocked

WEEKS = 10


def test_a_store_that_sells_one_a_day_needs_a_week_of_stock() -> None:
    """Packs of seven on Mondays: one pack sells all and leaves nothing; what is bought beyond lies there."""
    mondays = np.arange(7 * WEEKS) % 7 == 0
    curve = stocked(np.ones((2, 7 * WEEKS)), mondays, 7.0)
    assert curve[0].tolist() == [0.0, 0.0]
    assert curve[1].tolist() == [7.0, 0.0]
    assert (curve[1:, 0] == 7.0).all()
    assert curve[-1, 1] > 0
    assert (curve[:, 1] % 7 == 0).all()
    half = stocked(np.ones((1, 7 * WEEKS)), mondays, 3.0)
    # one pack of three a week, or two
    assert half[1].tolist() == [3.0, 0.0]
    assert [6.0, 0.0] in half.tolist()


def test_what_comes_in_is_sold_or_left() -> None:
    """The store that sells most for its stock comes first; units are sold or there at the end."""
    quick = np.array([[0.0, 0.0], [5.0, 2.0], [6.0, 12.0]])
    slow = np.array([[0.0, 0.0], [1.0, 8.0]])
    for units in (30.0, 52.0, 60.0, 70.0):
        sold, left = left_over([quick, slow], units, WEEKS)
        assert WEEKS * sold + left == pytest.approx(units)
    sold, left = left_over([quick, slow], 52.0, WEEKS)
    assert (sold, left) == pytest.approx((5.0, 2.0))
