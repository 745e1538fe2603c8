"""Quantities as whole numbers, so that sums are exact and no balance goes below zero."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.lots.records import Flags, Floats, Ints, Longs, LotStock, Moves

CONTINUOUS_BITS = 45
"""A continuous item's total is this many binary digits of its grain: a rounding of 3e-14 of the total."""
DUST_BITS = 29
"""A piece under 2**-29 (2e-9) of its move is not cut: the lot boundary is taken instead."""
LARGEST = 2**CONTINUOUS_BITS
SLACK = 1e-6
"""Quanta within this of a whole number are whole: solvers hand over 8.999999."""


@dataclass(frozen=True, slots=True, eq=False)
class Grains:
    """The unit in which each item is counted.

    Attributes
    ----------
    size : (I,) float64, [item unit]: the quantum, or a tiny power of two for a continuous item.
    continuous : (I,) bool.
    total : (I,) int64, grains of opening stock and receipts.
    """

    size: Floats
    continuous: Flags
    total: Longs


def in_grains(stock: LotStock, quantum: Floats) -> tuple[Grains, Longs]:
    """Count the stock in whole grains.

    A continuous lot is rounded down, so that never more leaves than there is.

    Returns
    -------
    grains : Grains
    counts : (K,) int64

    Raises
    ------
    ValueError
        A lot is no multiple of its item's quantum, or an item has over 2**45 quanta.
    """
    n_items = len(quantum)
    total = np.bincount(stock.item, weights=stock.quantity, minlength=n_items)
    continuous = quantum <= 0
    power = np.frexp(np.where(total > 0, total, 1.0))[1]
    size = np.where(continuous, np.ldexp(1.0, power - CONTINUOUS_BITS), quantum)
    too_many = np.flatnonzero(total / size > LARGEST)
    if len(too_many):
        item = too_many[0]
        raise ValueError(
            f"expected at most 2**{CONTINUOUS_BITS} quanta of an item, found {total[item] / size[item]:g} "
            f"of item {item}; use a larger quantum, or 0 for a continuous item"
        )
    ratio = stock.quantity / size[stock.item]
    loose = continuous[stock.item]
    counts = np.where(loose, np.floor(ratio), _whole(ratio, loose, stock.item, "stock")).astype(np.int64)
    # Bincount weights are float64: whole numbers up to 2**45 add up exactly.
    exact = np.bincount(stock.item, weights=counts, minlength=n_items).astype(np.int64)
    return Grains(size, continuous, exact), counts


def asked(moves: Moves, grains: Grains) -> Longs:
    """Count what the moves ask for in grains, at most all there is of the item.

    Raises
    ------
    ValueError
        A move is no multiple of its item's quantum.
    """
    ratio = moves.quantity / grains.size[moves.item]
    whole = _whole(ratio, grains.continuous[moves.item], moves.item, "moves")
    # One grain above the total keeps a move that asks for more than there is short of something.
    limit = grains.total[moves.item] + 1
    return np.minimum(whole, limit).astype(np.int64)


def _whole(ratio: Floats, loose: Flags, item: Ints, table: str) -> Floats:
    whole = np.rint(ratio)
    off = np.abs(ratio - whole)
    wrong = np.flatnonzero(~loose & (off > SLACK) & (off > 1e-12 * whole))
    if len(wrong):
        row = int(wrong[0])
        raise ValueError(
            f"expected whole quanta, found {ratio[row]:.9g} quanta in row {row} of {table} (item {item[row]}); "
            "round the quantity to the item's quantum, or give it quantum 0"
        )
    return np.asarray(whole, dtype=np.float64)
