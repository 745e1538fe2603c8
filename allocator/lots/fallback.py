"""The rotation rule where it serves the plan, the planned expiry classes where it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from allocator.lots.assign import assign
from allocator.lots.records import (
    NEVER,
    Assignment,
    Bytes,
    Closing,
    Flags,
    Floats,
    Ints,
    LotStock,
    Moves,
    Rows,
    Waste,
    stacked,
)

Table = TypeVar("Table", Waste, Closing)

TOLERANCE = 1e-6
"""Unfilled or wasted quantity of a continuous item, as a share of what it moves, below which nothing is redone."""


def assign_with_fallback(
    stock: LotStock,
    moves: Moves,
    class_moves: Moves,
    parent: Rows,
    rotation: Bytes,
    quantum: Floats,
    bucket_last_day: Ints,
    planned_waste: Floats,
    *,
    far_day: int = NEVER,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Assignment:
    """Assign by rotation; by planned class the items that this leaves short or with more waste than planned.

    An item keeps the classes only where they serve it better: less unfilled, or as much with less waste.

    Parameters
    ----------
    stock : LotStock
    moves : Moves, (M,) rows
    class_moves : Moves, (C,) rows, the same moves split by `planned_class`.
    parent : (C,) row of `moves` that each class move is a share of.
    rotation, quantum : (I,) per item, as for `assign`.
    bucket_last_day : (B,) int32
    planned_waste : (I,) float64, [item unit], waste of each item in the plan.
    far_day : expiry days from here on are one planned class.
    threads, progress : as for `assign`.

    Returns
    -------
    Assignment
        In rows of `moves`; `fell_back` names the items whose pieces carry `Rule.PLANNED`.

    Raises
    ------
    ValueError
        As `assign`; or `parent` and `planned_waste` do not fit the tables.
    """
    return assign_two_ways(
        stock,
        moves,
        class_moves,
        parent,
        rotation,
        quantum,
        bucket_last_day,
        planned_waste,
        far_day=far_day,
        threads=threads,
        progress=progress,
    )[0]


def assign_two_ways(
    stock: LotStock,
    moves: Moves,
    class_moves: Moves,
    parent: Rows,
    rotation: Bytes,
    quantum: Floats,
    bucket_last_day: Ints,
    planned_waste: Floats,
    *,
    far_day: int = NEVER,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Assignment, Assignment | None]:
    """Give `assign_with_fallback`, and the one that follows the planned classes wherever the rotation leaves other stock behind.

    The second is what the plan foresaw to the unit; None where both are the same. Which of them is the better plan depends on
    prices, which this module does not know. Parameters as for `assign_with_fallback`.
    """
    _check(moves, class_moves, parent, planned_waste, len(rotation))
    strict = assign(stock, moves, rotation, quantum, bucket_last_day, threads=threads, progress=progress)
    moved = np.bincount(moves.item, weights=moves.quantity, minlength=len(quantum))
    slack = np.where(quantum > 0, 0.5 * quantum, TOLERANCE * moved)
    short, waste = _failures(strict, moves, len(quantum))
    redo = (short > slack) | (waste > planned_waste + slack)
    # Items without class moves have nothing to fall back on; without expiring stock there is nothing to choose.
    classed = np.bincount(class_moves.item, minlength=len(quantum)) > 0
    perishable = np.bincount(stock.item[stock.expiry < far_day], minlength=len(quantum)) > 0
    choice = classed & (redo | perishable)
    if not choice.any():
        return strict, None
    rows = np.flatnonzero(choice[class_moves.item])
    planned = assign(
        stock.take(choice[stock.item]),
        class_moves.take(rows),
        rotation,
        quantum,
        bucket_last_day,
        by_class=True,
        far_day=far_day,
        threads=threads,
        progress=progress,
    )
    of_moves = _of_moves(planned, parent[rows], moves, slack)
    class_short, class_waste = _failures(of_moves, moves, len(quantum))
    tie = np.abs(class_short - short) <= slack
    better = choice & redo & ((class_short < short - slack) | (tie & (class_waste < waste - slack)))
    other = choice & _differ(strict.closing, of_moves.closing, choice)
    first = _mixed(strict, of_moves, moves, better)
    return first, None if (other <= better).all() else _mixed(strict, of_moves, moves, better | other)


def _differ(one: Closing, two: Closing, among: Flags) -> Flags:
    """Items that do not close every site and bucket with the same stock."""
    one, two = one.take(among[one.item]), two.take(among[two.item])
    differ = np.bincount(one.item, minlength=len(among)) != np.bincount(two.item, minlength=len(among))
    one, two = one.take(~differ[one.item]), two.take(~differ[two.item])
    wrong = (
        (one.site != two.site) | (one.bucket != two.bucket) | ~np.isclose(one.quantity, two.quantity, rtol=TOLERANCE)
    )
    differ[one.item[wrong]] = True
    return np.asarray(differ)


def _check(moves: Moves, class_moves: Moves, parent: Rows, planned_waste: Floats, n_items: int) -> None:
    if len(planned_waste) != n_items:
        raise ValueError(f"expected planned_waste of {n_items} items, found {len(planned_waste)}; give one per item")
    if len(parent) != len(class_moves):
        raise ValueError(f"expected a parent for {len(class_moves)} class moves, found {len(parent)}; give one each")
    if len(parent) and (parent.min() < 0 or parent.max() >= len(moves)):
        raise ValueError(f"expected parents from 0 to {len(moves) - 1}, found others; give rows of the moves")
    for name in ("item", "origin", "destination", "bucket"):
        wrong = np.flatnonzero(getattr(moves, name)[parent] != getattr(class_moves, name))
        if len(wrong):
            raise ValueError(
                f"expected the {name} of its parent, found another in row {wrong[0]} of class_moves; correct parent"
            )


def _failures(result: Assignment, moves: Moves, n_items: int) -> tuple[Floats, Floats]:
    """Unfilled quantity and waste of each item."""
    short = np.bincount(moves.item, weights=result.unfilled, minlength=n_items)
    waste = np.bincount(result.waste.item, weights=result.waste.quantity, minlength=n_items)
    return short.astype(np.float64), waste.astype(np.float64)


def _of_moves(planned: Assignment, parent: Rows, moves: Moves, slack: Floats) -> Assignment:
    """Add class moves up to the moves they are shares of."""
    filled = np.minimum(np.bincount(parent, weights=planned.filled, minlength=len(moves)), moves.quantity)
    missing = moves.quantity - filled
    whole = missing <= np.minimum(slack[moves.item], TOLERANCE * moves.quantity)
    reason = np.zeros(len(moves), dtype=np.int8)
    np.maximum.at(reason, parent, planned.reason)
    pieces = replace(planned.pieces, move=parent[planned.pieces.move].astype(np.int32))
    return replace(
        planned,
        pieces=pieces.take(np.argsort(pieces.move, kind="stable")),
        filled=np.where(whole, moves.quantity, filled),
        unfilled=np.where(whole, 0.0, missing),
        reason=np.where(whole, np.int8(0), reason),
    )


def _mixed(strict: Assignment, planned: Assignment, moves: Moves, use_plan: Flags) -> Assignment:
    """Take the planned classes for some items and the strict rule for the others."""
    by_plan = use_plan[moves.item]
    pieces = stacked(
        [strict.pieces.take(~by_plan[strict.pieces.move]), planned.pieces.take(by_plan[planned.pieces.move])]
    )
    return Assignment(
        pieces.take(np.argsort(pieces.move, kind="stable")),
        np.where(by_plan, planned.filled, strict.filled),
        np.where(by_plan, planned.unfilled, strict.unfilled),
        np.where(by_plan, planned.reason, strict.reason),
        _of_items(strict.waste, planned.waste, use_plan),
        _of_items(strict.closing, planned.closing, use_plan),
        np.flatnonzero(use_plan).astype(np.int32),
    )


def _of_items(strict: Table, planned: Table, use_plan: Flags) -> Table:
    both = stacked([strict.take(~use_plan[strict.item]), planned.take(use_plan[planned.item])])
    # Each side is sorted by item, site, bucket: a stable sort by item keeps the rest.
    return both.take(np.argsort(both.item, kind="stable"))
