"""The planner's rules for sharing what is too little, exact in whole steps.

All functions take arrays ``(..., n)``: n destinations, any number of items before them. ``step`` is the pack or quantum
of each entry, 0 where it is continuous. Every rule gives an ideal share first; whole steps come by the **largest
remainder**: each entry gets the whole steps in its ideal share, then those with the largest fraction of a step left get
one more, ties in order of the entries, while it lasts. With one step for all, the shares add up to the whole steps in
what there is.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

HAIR = 1e-9
"""Share of a step below which a difference is rounding noise."""


class Rule(StrEnum):
    """How a site shares what is too little among its destinations."""

    A = "A"
    """Fair share: in proportion to demand."""
    B = "B"
    """Equal share of target stock."""
    C = "C"
    """Quotas: a fixed share each."""
    D = "D"
    """Priority order."""


def share_by_demand(available: ArrayLike, demands: ArrayLike, step: ArrayLike = 1.0) -> FloatArray:
    """Share in proportion to demand: ``x_i = available * d_i / sum d``.

    Parameters
    ----------
    available : (...,) float
        What there is. [units]
    demands : (..., n) float
        Demand of each destination. [units]
    step : (..., n) float
        Smallest quantity that moves, 0 = continuous. [units]

    Returns
    -------
    (..., n) float
        Whole steps by the largest remainder. All of ``available`` is shared out, also where it is more than the demands.
    """
    have, want, size = _arrays(available, demands, step)
    total = want.sum(axis=-1, keepdims=True)
    ideal = want * _ratio(have[..., None], total)
    return whole_steps(ideal, have, size)


def share_by_target(available: ArrayLike, stocks: ArrayLike, targets: ArrayLike, step: ArrayLike = 1.0) -> FloatArray:
    """Bring all to the same share of their target: ``x_i = level * target_i - stock_i``.

    ``level = (sum stock + available) / sum target`` over the destinations that get something; those whose stock is above
    the level already get nothing, are left out, and the level is worked out again.

    Parameters
    ----------
    available : (...,) float
        What there is. [units]
    stocks, targets : (..., n) float
        Stock of each destination, and the stock it should have. [units]
    step : (..., n) float
        Smallest quantity that moves, 0 = continuous. [units]

    Returns
    -------
    (..., n) float
    """
    have, target, size = _arrays(available, targets, step)
    stock = np.broadcast_to(np.asarray(stocks, dtype=np.float64), target.shape)
    level, active = np.zeros((*target.shape[:-1], 1)), target > 0
    for _ in range(target.shape[-1]):
        held = np.where(active, stock, 0.0).sum(axis=-1) + have
        level = _ratio(held[..., None], np.where(active, target, 0.0).sum(axis=-1, keepdims=True))
        below = active & (stock < level * target)
        if (below == active).all():
            break
        active = below
    ideal = np.where(active, np.maximum(level * target - stock, 0.0), 0.0)
    return whole_steps(ideal, have, size)


def share_by_quota(available: ArrayLike, needs: ArrayLike, quotas: ArrayLike, step: ArrayLike = 1.0) -> FloatArray:
    """Give each its fixed share, never more than it needs: ``x_i = min(need_i, rate * quota_i)``.

    ``rate`` is such that all is shared out or every need is met: what one does not need goes to the others by their quotas.

    Parameters
    ----------
    available : (...,) float
        What there is. [units]
    needs : (..., n) float
        What each destination can use. [units]
    quotas : (..., n) float
        Shares, in any unit. A destination without a quota gets nothing.
    step : (..., n) float
        Smallest quantity that moves, 0 = continuous. [units]

    Returns
    -------
    (..., n) float
    """
    have, need, size = _arrays(available, needs, step)
    quota = np.broadcast_to(np.asarray(quotas, dtype=np.float64), need.shape)
    active = (need > 0) & (quota > 0)
    full = np.zeros_like(active)
    ideal = np.zeros_like(need)
    for _ in range(need.shape[-1] + 1):
        left = np.maximum(have - np.where(full, need, 0.0).sum(axis=-1), 0.0)
        rate = _ratio(left[..., None], np.where(active, quota, 0.0).sum(axis=-1, keepdims=True))
        ideal = np.where(full, need, np.where(active, rate * quota, 0.0))
        met = active & (ideal >= need)
        if not met.any():
            break
        active, full = active & ~met, full | met
    shared = np.minimum(have, np.minimum(ideal, need).sum(axis=-1))
    return whole_steps(np.minimum(ideal, need), shared, size)


def share_by_priority(
    available: ArrayLike, needs: ArrayLike, priorities: ArrayLike, step: ArrayLike = 1.0
) -> FloatArray:
    """Serve the smallest priority number first, then the next: ``x_i = min(need_i, available - sum of those before)``.

    Parameters
    ----------
    available : (...,) float
        What there is. [units]
    needs : (..., n) float
        What each destination can use. [units]
    priorities : (..., n) float
        1 = first; ties in order of the entries.
    step : (..., n) float
        Smallest quantity that moves, 0 = continuous. [units]

    Returns
    -------
    (..., n) float
        Whole steps; what is left of a step goes to the next in line.
    """
    have, need, size = _arrays(available, needs, step)
    rank = np.broadcast_to(np.asarray(priorities, dtype=np.float64), need.shape)
    order = np.argsort(rank, axis=-1, kind="stable")
    out, left = np.zeros_like(need), have.copy()
    for place in range(need.shape[-1]):
        entry = order[..., place : place + 1]
        wanted = np.minimum(np.take_along_axis(need, entry, axis=-1)[..., 0], left)
        given = round_down(wanted, np.take_along_axis(size, entry, axis=-1)[..., 0])
        np.put_along_axis(out, entry, given[..., None], axis=-1)
        left = np.maximum(left - given, 0.0)
    return out


def whole_steps(ideal: FloatArray, available: FloatArray, step: FloatArray) -> FloatArray:
    """Whole steps nearest the ideal shares, by the largest remainder.

    Parameters
    ----------
    ideal : (..., n) float
        Ideal shares, which add up to ``available`` at most. [units]
    available : (...,) float
        What there is. [units]
    step : (..., n) float
        [units], 0 = continuous.

    Returns
    -------
    (..., n) float
        Never more than ``available`` in all.
    """
    base = round_down(ideal, step)
    safe = np.where(step > 0, step, 1.0)
    part = np.where(step > 0, np.round((ideal - base) / safe, 9), 0.0)
    left = available - base.sum(axis=-1)
    order = np.argsort(-part, axis=-1, kind="stable")
    for place in range(ideal.shape[-1]):
        entry = order[..., place : place + 1]
        size = np.take_along_axis(step, entry, axis=-1)[..., 0]
        more = (np.take_along_axis(part, entry, axis=-1)[..., 0] > 0) & (left >= size * (1 - HAIR))
        if not more.any():
            continue
        extra = np.where(more, size, 0.0)
        np.put_along_axis(base, entry, np.take_along_axis(base, entry, axis=-1) + extra[..., None], axis=-1)
        left = left - extra
    return base


def round_down(quantity: FloatArray, step: FloatArray) -> FloatArray:
    """Whole steps in a quantity; the quantity itself where the step is 0. [units]"""
    safe = np.where(step > 0, step, 1.0)
    return np.where(step > 0, np.floor(quantity / safe + HAIR) * safe, quantity)


def round_up(quantity: FloatArray, step: FloatArray) -> FloatArray:
    """Fewest whole steps that hold a quantity; the quantity itself where the step is 0. [units]"""
    safe = np.where(step > 0, step, 1.0)
    return np.where(step > 0, np.ceil(quantity / safe - HAIR) * safe, quantity)


def _arrays(available: ArrayLike, wanted: ArrayLike, step: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    want = np.asarray(wanted, dtype=np.float64)
    have = np.broadcast_to(np.asarray(available, dtype=np.float64), want.shape[:-1])
    return have, want, np.broadcast_to(np.asarray(step, dtype=np.float64), want.shape)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotients, 0 where there is nothing to divide by."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.zeros(shape), where=np.broadcast_to(denominator > 0, shape))
