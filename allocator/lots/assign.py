"""Give every move its lots by the rotation rule of its item."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from allocator.lots.amounts import Grains, asked, in_grains
from allocator.lots.checking import check
from allocator.lots.keys import TooWide
from allocator.lots.part import Part, make_part
from allocator.lots.records import (
    NEVER,
    Assignment,
    Bytes,
    Closing,
    Floats,
    Ints,
    Longs,
    LotStock,
    Moves,
    Pieces,
    Reason,
    Rows,
    Rule,
    Waste,
    stacked,
)
from allocator.lots.walk import Walked, walk

PART_ROWS = 250_000
"""Rows of stock and moves walked together: enough to spread numpy's overhead, few enough to stay in cache."""
PART_CELLS = 16_000_000
"""Largest table of closing stock (groups x buckets) of one part."""
PART_CONTINUOUS = 1 << 16
"""Continuous items in one part, so that running sums of grains stay below 2**62."""
HAIR = 4e-9
"""Share of a continuous move that may be missing before it counts as unfilled."""


class _Share(NamedTuple):
    """Rows of stock and of moves that belong to the same items."""

    stock: Rows
    moves: Rows


def assign(
    stock: LotStock,
    moves: Moves,
    rotation: Bytes,
    quantum: Floats,
    bucket_last_day: Ints,
    *,
    by_class: bool = False,
    far_day: int = NEVER,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Assignment:
    """Give every move real lots, bucket by bucket, a shipped lot being the lot received.

    Items do not touch each other, so they are walked in parts that fit the cache.

    Parameters
    ----------
    stock : LotStock, (K,) rows
    moves : Moves, (M,) rows
    rotation : (I,) int8, `Rule.FEFO`, `FIFO` or `LIFO` of each item.
    quantum : (I,) float64, [item unit], 0 for a continuous item.
    bucket_last_day : (B,) int32, last day in each bucket, rising.
    by_class : take only lots whose expiry is the move's `planned_class`.
    far_day : expiry days from here on are one planned class (any of them stands for it).
    threads : parts walked at a time; the result is the same for any number.
    progress : called with (rows done, rows in all) after each part.

    Returns
    -------
    Assignment
        In the same order whatever the order of the stock's rows.

    Raises
    ------
    ValueError
        A code, bucket or quantity is out of range; the message names table, row and mend.
    """
    check(stock, moves, rotation, quantum, bucket_last_day)
    grains, amount = in_grains(stock, quantum)
    ask = asked(moves, grains)
    task = _Task(stock, amount, moves, ask, rotation, bucket_last_day, grains, by_class, far_day)
    shares = _shares(stock, moves, grains, len(bucket_last_day))
    results: list[_Result] = []
    done, total = 0, len(stock) + len(moves)
    with ThreadPoolExecutor(threads) as pool:
        for share, found in zip(shares, pool.map(task.run, shares), strict=True):
            results.extend(found)
            done += len(share.stock) + len(share.moves)
            if progress is not None:
                progress(done, total)
    return _assembled(results, moves, ask, grains)


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """What all parts have in common."""

    stock: LotStock
    amount: Longs
    moves: Moves
    ask: Longs
    rotation: Bytes
    bucket_last_day: Ints
    grains: Grains
    by_class: bool
    far_day: int

    def run(self, share: _Share) -> list[_Result]:
        """Walk a share of the items, in two halves where its keys are too wide."""
        moves = self.moves.take(share.moves)
        try:
            part = make_part(
                self.stock.take(share.stock),
                self.amount[share.stock],
                moves,
                self.ask[share.moves],
                self.grains.continuous[moves.item],
                self.rotation,
                self.bucket_last_day,
                self.by_class,
                self.far_day,
            )
        except TooWide:
            return [found for half in _halves(share, self.stock.item, self.moves.item) for found in self.run(half)]
        return [_result(part, walk(part), share.moves, self.grains, self.by_class)]


def _shares(stock: LotStock, moves: Moves, grains: Grains, n_buckets: int) -> list[_Share]:
    """Cut the items, in order of their codes, into shares of about equal work."""
    n_items = len(grains.size)
    rows = np.bincount(stock.item, minlength=n_items) + np.bincount(moves.item, minlength=n_items)
    limit = max(min(PART_ROWS, PART_CELLS // n_buckets), 1)
    load = np.maximum(rows / limit, grains.continuous / PART_CONTINUOUS)
    share_of = np.floor(np.cumsum(load) - load / 2).astype(np.int64)
    numbers, share_of = np.unique(share_of, return_inverse=True)
    if len(numbers) <= 1:
        return [_Share(np.arange(len(stock)), np.arange(len(moves)))]
    of_stock, of_moves = (_grouped(share_of[item], len(numbers)) for item in (stock.item, moves.item))
    return [_Share(*rows) for rows in zip(of_stock, of_moves, strict=True)]


def _grouped(share: Longs, n_shares: int) -> list[Rows]:
    """Row numbers of each share, in row order."""
    narrow = share.astype(np.int16) if n_shares < 2**15 else share
    order = np.argsort(narrow, kind="stable")
    return np.split(order, np.cumsum(np.bincount(share, minlength=n_shares))[:-1])


def _halves(share: _Share, stock_item: Ints, move_item: Ints) -> list[_Share]:
    """Cut a share in two by item."""
    items = np.unique(np.concatenate((stock_item[share.stock], move_item[share.moves])))
    if len(items) == 1:
        raise ValueError(
            f"expected sites x expiry days x received days x lots of one item below 2**63, found more for item "
            f"{items[0]}; give fewer distinct dates"
        )
    middle = items[len(items) // 2]
    low_stock, low_moves = stock_item[share.stock] < middle, move_item[share.moves] < middle
    return [
        _Share(share.stock[low_stock], share.moves[low_moves]),
        _Share(share.stock[~low_stock], share.moves[~low_moves]),
    ]


class _Result(NamedTuple):
    """A walked part, decoded; `moves` are the rows `got` and `reason` stand for."""

    moves: Rows
    got: Longs
    reason: Bytes
    pieces: Pieces
    waste: Waste
    closing: Closing


def _result(part: Part, walked: Walked, rows: Rows, grains: Grains, by_class: bool) -> _Result:
    keys, wants = part.keys, part.wants
    moves = rows[wants.row]
    size = grains.size[part.item]
    piece, gone = walked.pieces, walked.waste
    rule = np.full(len(piece.by), Rule.PLANNED, np.int8) if by_class else keys.rotation[piece.group]
    pieces = Pieces(
        moves[piece.by].astype(np.int32),
        keys.lots.values[piece.lot],
        keys.expiries.values[piece.expiry],
        keys.days.values[piece.day],
        piece.amount * size[piece.group],
        rule,
    )
    order = np.argsort(gone.group, kind="stable")
    waste = Waste(
        part.item[gone.group],
        part.site[gone.group],
        gone.by.astype(np.int32),
        keys.lots.values[gone.lot],
        keys.expiries.values[gone.expiry],
        keys.days.values[gone.day],
        gone.amount * size[gone.group],
    ).take(order)
    group, bucket = np.nonzero(walked.balance)
    left = walked.balance[group, bucket] * size[group]
    closing = Closing(part.item[group], part.site[group], bucket.astype(np.int32), left)
    return _Result(moves, walked.got, walked.reason, pieces, waste, closing)


def _assembled(results: list[_Result], moves: Moves, ask: Longs, grains: Grains) -> Assignment:
    """Put the parts together, pieces by move."""
    got = np.zeros(len(moves), dtype=np.int64)
    reason = np.zeros(len(moves), dtype=np.int8)
    for result in results:
        got[result.moves] = result.got
        reason[result.moves] = result.reason
    pieces = stacked([result.pieces for result in results])
    pieces = pieces.take(np.argsort(pieces.move, kind="stable"))
    filled = got * grains.size[moves.item]
    missing = moves.quantity - filled
    hair = np.where(grains.continuous[moves.item], np.maximum(HAIR * moves.quantity, 2 * grains.size[moves.item]), 0)
    # A whole move keeps its planned figure: 3 x 0.1 is not 0.3.
    whole = np.where(grains.continuous[moves.item], missing <= hair, got == ask)
    reason = np.where(whole, np.int8(Reason.NONE), np.where(reason == 0, np.int8(Reason.NO_STOCK), reason))
    return Assignment(
        pieces,
        np.where(whole, moves.quantity, filled),
        np.where(whole, 0.0, missing),
        reason,
        stacked([result.waste for result in results]),
        stacked([result.closing for result in results]),
        np.empty(0, np.int32),
    )
