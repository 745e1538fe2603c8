"""The master: weights on simplices, prices in their range, a model that never promises less than there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.engine.hot import Hot
from allocator.priced.item import price_item
from allocator.priced.master import Bundle, _Proximal
from tests.priced.made import random_block

HOT = Hot()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_projection_is_the_nearest_point_of_the_simplex(seed: int) -> None:
    """Rows add up to 1 on the answers there, are never negative, and no other point of the simplex is nearer."""
    draw = np.random.default_rng(seed)
    there = draw.random((4, 6)) < 0.6
    there[:, 0] = True
    problem = _problem(there)
    point = draw.normal(size=there.shape) * draw.choice([0.1, 1, 100])
    found = problem._project(point)
    assert (found >= 0).all()
    assert (found[~there] == 0).all()
    assert found.sum(axis=1) == pytest.approx(np.ones(4), abs=1e-9)
    # the nearest point is the one from which the way to every corner leads away from the point (variational inequality)
    away = point - found
    for row in range(4):
        corner = np.where(there[row], away[row], -np.inf).max()
        assert away[row] @ found[row] >= corner - 1e-7 * max(1.0, float(np.abs(point).max()))


def _problem(there: np.ndarray) -> _Proximal:
    cost = np.zeros(there.shape)
    return _Proximal(cost, np.zeros((cost.size, 1)), there, np.ones(1), np.ones(1), np.zeros(1), np.ones(1))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_proposals_stay_in_range_and_promise_no_less_than_the_bound_there(seed: int) -> None:
    """Groups that answer with their optimum: the model is at or above the dual function, prices are within 0 and their ceiling."""
    draw = np.random.default_rng(seed)
    blocks = [random_block(7 * seed + k) for k in range(4)]
    limit = np.where(draw.random(3) < 0.2, np.inf, draw.integers(1, 12, size=3).astype(float))
    highest = draw.random(3) * 20
    master, price = Bundle(4, limit, highest), np.zeros(3)
    finite = np.isfinite(limit)
    for _ in range(5):
        for g, block in enumerate(blocks):
            found = price_item(HOT, block, price)
            master.add(g, found.cost, block.used(found.x, 3))
        proposal = master.propose(price, np.where(finite, 1.0, 0.0), 1e-6)
        price = proposal.price
        assert (price >= 0).all()
        assert (price <= highest + 1e-12).all()
        assert (price[~finite] == 0).all()
        dual = sum(price_item(HOT, block, price).bound for block in blocks) - price[finite] @ limit[finite]
        assert proposal.model >= dual - 1e-6 * max(1.0, abs(dual))


def test_the_proposal_of_one_group_by_hand() -> None:
    """One answer using 3 of a limit of 1: the price climbs by step times what is overdrawn, up to its ceiling."""
    for highest, expected in ((10.0, 2.0), (1.5, 1.5)):
        master = Bundle(1, np.array([1.0]), np.array([highest]))
        master.add(0, -5.0, np.array([3.0]))
        found = master.propose(np.zeros(1), np.ones(1), 1e-9)
        assert found.price == pytest.approx([expected])
        assert found.model == pytest.approx(-5.0 + 2.0 * expected)
