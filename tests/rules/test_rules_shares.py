"""The sharing rules: figures worked out by hand, and sums that are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.rules import share_by_demand, share_by_priority, share_by_quota, share_by_target
from allocator.rules.room import fit

AMOUNTS = st.integers(0, 10_000)


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, Any, Any, int]:
    """What there is, two amounts for each of some destinations, and a step."""
    count = draw(st.integers(1, 7))
    lists = st.lists(AMOUNTS, min_size=count, max_size=count)
    return (
        draw(AMOUNTS),
        np.array(draw(lists), float),
        np.array(draw(lists), float),
        draw(st.sampled_from([1, 2, 6, 25])),
    )


def test_fair_share_in_proportion_to_demand() -> None:
    """Rule A: 500 units for demands of 200, 250 and 350."""
    assert share_by_demand(500, [200, 250, 350]).tolist() == [125, 156, 219]


def test_equal_share_of_target_stock() -> None:
    """Rule B: stocks 200 and 600, targets 800 and 1500, 1200 units."""
    assert share_by_target(1200, [200, 600], [800, 1500]).tolist() == [496, 704]


def test_destinations_above_the_level_get_nothing() -> None:
    """Rule B: a full site is left out and the level worked out again among the others."""
    assert share_by_target(30, [100, 0, 10], [100, 100, 100]).tolist() == [0, 20, 10]


def test_quotas_are_fixed_shares_of_what_is_needed() -> None:
    """Rule C: 60 and 40 percent, and what one doesn't need goes to the others."""
    assert share_by_quota(100, [80, 80], [60, 40]).tolist() == [60, 40]
    assert share_by_quota(100, [20, 90], [60, 40]).tolist() == [20, 80]
    assert share_by_quota(100, [20, 30], [60, 40]).tolist() == [20, 30]
    assert share_by_quota(100, [50, 50, 50], [1, 1, 0]).tolist() == [50, 50, 0]


def test_priority_order_breaks_ties_by_order() -> None:
    """Rule D: the smallest number first, then as they stand."""
    assert share_by_priority(100, [50, 30, 40], [2, 1, 2]).tolist() == [50, 30, 20]


def test_ties_of_the_remainder_go_by_order() -> None:
    """Three equal shares of ten: the first gets the odd unit."""
    assert share_by_demand(10, [5, 5, 5]).tolist() == [4, 3, 3]


def test_packs_and_continuous_entries() -> None:
    """Whole packs where there are packs; continuous amounts to the last drop."""
    assert share_by_demand(50, [10, 10, 10], 6).tolist() == [18, 18, 12]
    assert share_by_demand(1, [1, 2], 0) == pytest.approx([1 / 3, 2 / 3])
    assert (
        share_by_demand(20, [10, 10], [6, 1]).tolist() == [12, 8] or share_by_demand(20, [10, 10], [6, 1]).sum() <= 20
    )


def test_items_are_shared_side_by_side() -> None:
    """An item's share does not depend on the items next to it."""
    both = share_by_demand([500, 10], [[200, 250, 350], [5, 5, 5]])
    assert both.tolist() == [[125, 156, 219], [4, 3, 3]]


@settings(deadline=None)
@given(cases())
def test_shares_by_demand_add_up(case: tuple[int, Any, Any, int]) -> None:
    """Whole steps, none negative, that add up to the whole steps there are."""
    available, demands, _, step = case
    shares = share_by_demand(available, demands, step)
    _whole(shares, step)
    assert shares.sum() == (available // step * step if demands.any() else 0)
    assert (np.abs(shares - available * demands / max(demands.sum(), 1)) < step * (1 + 1e-6)).all()


@settings(deadline=None)
@given(cases())
def test_shares_by_target_level_the_stocks(case: tuple[int, Any, Any, int]) -> None:
    """They add up, and each is within a step of the common level."""
    available, stocks, targets, step = case
    shares = share_by_target(available, stocks, targets, step)
    _whole(shares, step)
    assert shares.sum() == (available // step * step if targets.any() else 0)
    low, high = 0.0, 1e5
    for _ in range(200):  # the level that uses up all there is, found by halving
        level = (low + high) / 2
        used = np.maximum(level * targets - stocks, 0.0).sum()
        low, high = (level, high) if used < available else (low, level)
    if targets.any():
        assert (np.abs(shares - np.maximum(low * targets - stocks, 0.0)) < step * (1 + 1e-6)).all()


@settings(deadline=None)
@given(cases())
def test_quotas_meet_needs_or_use_all(case: tuple[int, Any, Any, int]) -> None:
    """With whole steps in the needs: the smaller of what there is and what those with a quota need."""
    available, needs, quotas, step = case
    needs = needs // step * step
    shares = share_by_quota(available, needs, quotas, step)
    _whole(shares, step)
    assert (shares <= needs).all()
    assert shares.sum() == min(available // step * step, needs[quotas > 0].sum())


@settings(deadline=None)
@given(cases())
def test_priorities_meet_needs_or_use_all(case: tuple[int, Any, Any, int]) -> None:
    """No one gets anything while one before him lacks a step."""
    available, needs, priorities, step = case
    needs = needs // step * step
    shares = share_by_priority(available, needs, priorities, step)
    _whole(shares, step)
    assert shares.sum() == min(available // step * step, needs.sum())
    lacking = priorities[shares < needs]
    if len(lacking):
        assert (priorities[shares > 0] <= lacking.min()).all()


@settings(deadline=None)
@given(cases(), st.integers(0, 100_000))
def test_fit_keeps_within_the_room(case: tuple[int, Any, Any, int], room: int) -> None:
    """Never more than asked, whole steps, and the room is used up to what the largest step of an item would take."""
    _, wanted, sizes, step = case
    wanted = wanted // step * step
    fitted = fit(wanted, sizes, np.full(len(wanted), float(step)), float(room))
    _whole(fitted, step)
    assert (fitted <= wanted).all()
    assert (fitted * sizes).sum() <= room * (1 + 1e-9)
    if (wanted * sizes).sum() <= room:
        assert fitted.tolist() == wanted.tolist()


def _whole(shares: Any, step: int) -> None:
    assert (shares >= 0).all()
    assert (shares % step == 0).all()
