"""Safe bounds: any duals prove one, the optimum's prove the optimum, and prices at work in whole rounds never prove too much."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.engine.hot import Hot
from allocator.priced.bound import safe_bound
from allocator.priced.item import price_item
from tests.priced.made import optimum, random_block

HOT = Hot()
SEEDS = st.integers(0, 10**6)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_any_duals_bound_the_optimum_from_below(seed: int) -> None:
    """Random duals, of the wrong sign, huge or not numbers, never prove more than the optimum."""
    block, draw = random_block(seed), np.random.default_rng(seed + 1)
    best = optimum(block, block.cost)
    for scale in (0.0, 1.0, 100.0):
        dual = draw.normal(size=block.rows) * scale
        if block.rows:
            dual[0] = draw.choice([dual[0], np.inf, -np.inf, np.nan])
        assert safe_bound(block, block.cost, dual) <= best + 1e-7 * max(1.0, abs(best))


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_the_optimums_duals_prove_the_optimum(seed: int) -> None:
    """Priced items come with their optimum as bound, cold and from a basis at other prices."""
    block, draw = random_block(seed), np.random.default_rng(seed + 2)
    basis = None
    for _ in range(3):
        price = draw.random(3) * 5
        found = price_item(HOT, block, price, basis)
        basis = found.basis
        best = optimum(block, block.charged(price))
        assert found.bound == pytest.approx(best, rel=1e-7, abs=1e-7)
        assert found.cost + price @ block.used(found.x, 3) == pytest.approx(best, rel=1e-7, abs=1e-7)


def test_a_bound_by_hand() -> None:
    """min -x with x <= 2 by a row and x <= 5 by its bound: the row's dual -1 proves -2, half of it -3.5, none -5."""
    from dataclasses import replace

    block = replace(
        random_block(0), cost=np.array([-1.0]), lower=np.zeros(1), upper=np.array([5.0]), indptr=np.array([0, 1], dtype=np.int32),
        indices=np.zeros(1, dtype=np.int32), values=np.ones(1), row_lower=np.array([-np.inf]), row_upper=np.array([2.0]),
    )  # fmt: skip
    assert [safe_bound(block, block.cost, np.array([y])) for y in (-1.0, -0.5, 0.0)] == [-2.0, -3.5, -5.0]
    # an upper side never pushes up: a positive dual is worth nothing
    assert safe_bound(block, block.cost, np.array([3.0])) == -5.0
    assert safe_bound(replace(block, upper=np.array([np.inf])), block.cost, np.zeros(1)) == -np.inf


def test_a_sum_of_bounds_less_prices_bounds_the_whole() -> None:
    """Blocks that share limits: at any prices their bounds less prices times limits are below the optimum of all together."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    for seed in range(20):
        draw = np.random.default_rng(seed)
        blocks = [random_block(3 * seed + k) for k in range(3)]
        n = sum(block.columns for block in blocks)
        use, start, rows = np.zeros((3, n)), 0, []
        for block in blocks:
            np.add.at(use, (block.use, block.use_column + start), block.use_value)
            matrix = np.zeros((block.rows, n))
            matrix[np.repeat(np.arange(block.rows), np.diff(block.indptr)), block.indices + start] = block.values
            if block.rows:
                rows.append(LinearConstraint(matrix, block.row_lower, block.row_upper))
            start += block.columns
        limit = use.sum(axis=1) * draw.random(3) * 5 + 1
        found = milp(
            np.concatenate([b.cost for b in blocks]),
            bounds=Bounds(np.zeros(n), np.concatenate([b.upper for b in blocks])),
            constraints=[*rows, LinearConstraint(use, -np.inf, limit)],
        )
        if not found.success:
            continue  # no plan: anything bounds it
        for _ in range(4):
            price = draw.random(3) * draw.choice([0.5, 5, 50])
            total = sum(price_item(HOT, block, price).bound for block in blocks) - float(price @ limit)
            assert total <= found.fun + 1e-6 * max(1.0, abs(found.fun))
