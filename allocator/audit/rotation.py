"""Rotation: no move skips a lot that FEFO, FIFO or LIFO puts first and that was there to take."""

from __future__ import annotations

import numpy as np

from allocator.audit.coded import LotMoves
from allocator.audit.facts import Facts
from allocator.audit.keys import Floats, Whole, grid, label, pack
from allocator.audit.lots import PLANNED, WASTE, Layers, needed_life
from allocator.audit.registry import Notebook

_CELLS = 20_000_000  # layers x buckets looked at together


def check_rotation(facts: Facts, moves: LotMoves, layers: Layers, book: Notebook) -> None:
    """Check the order in which lots were taken.

    A lot is skipped when it was on hand as the bucket began, still had some left after the bucket's moves, sorts
    before the lot taken, and lives long enough for the move: whatever the order of moves, it should have gone first.
    """
    ruled = (moves.kind != WASTE) & (moves.rule.astype(str) != PLANNED).to_numpy(dtype=bool)
    rows = np.flatnonzero(ruled)
    if not len(rows):
        return
    order = _turn(facts, layers)
    pair = pack(facts.pair_sizes, layers.item, layers.site)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    need = needed_life(facts, moves)[rows]
    skipped = np.full(len(rows), -1, dtype=np.int64)
    step = max(1, _CELLS // max(facts.calendar.buckets, 1))
    move_rank = rank[layers.move_layer[rows]]
    ordered_pairs = pair[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered_pairs[1:] != ordered_pairs[:-1]]))
    first = 0
    while first < len(order):
        stop = len(order)
        if first + step < len(order):
            at = int(np.searchsorted(starts, first + step, side="right")) - 1
            stop = int(starts[at]) if starts[at] > first else int(np.append(starts, len(order))[at + 1])
        mine = np.flatnonzero((move_rank >= first) & (move_rank < stop))
        skipped[mine] = _skipped(
            facts, moves, layers, order[first:stop], first, move_rank[mine], rows[mine], need[mine]
        )
        first = stop
    place = facts.place(lot=moves.lot[rows], item=moves.item[rows], site=moves.site[rows], day=moves.day[rows])
    book.true(
        "lot_order",
        skipped < 0,
        place,
        lambda k: f"lot {facts.lots[int(layers.lot[skipped[k]])]} first ({moves.rule.iloc[rows[k]]})",
        lambda k: f"lot {facts.lots[int(moves.lot[rows[k]])]}",
    )


def _turn(facts: Facts, layers: Layers) -> Whole:
    """Give the layers by item, site and rotation order."""
    rules = np.array([("FEFO", "FIFO", "LIFO").index(rule) for rule in facts.rotation], dtype=np.int64)[layers.item]
    age = np.where(rules == 2, -layers.received, layers.received)
    one = np.where(rules == 0, layers.expiry, age)
    two = np.where(rules == 0, layers.received, layers.expiry)
    return np.asarray(np.lexsort((layers.lot, two, one, layers.site, layers.item)), dtype=np.int64)


def _skipped(
    facts: Facts, moves: LotMoves, layers: Layers, part: Whole, base: int, rank: Whole, rows: Whole, need: Whole
) -> Whole:
    """Give for each move a layer that it skipped, -1 for none."""
    start, left = _levels(facts, moves, layers, part)
    pair = pack(facts.pair_sizes, layers.item[part], layers.site[part])
    number, _ = label(pair)
    waiting = (start > 1e-6) & (left > 1e-6)
    found = np.full(len(rows), -1, dtype=np.int64)
    for bucket in range(facts.calendar.buckets):
        mine = np.flatnonzero(moves.bucket[rows] == bucket)
        there = np.flatnonzero(waiting[:, bucket])
        if not len(mine) or not len(there):
            continue
        best = _longest_so_far(number[there], layers.expiry[part[there]])
        here = rank[mine] - base
        before = np.searchsorted(there, here) - 1
        safe = np.maximum(before, 0)
        same = (before >= 0) & (number[there[safe]] == number[here])
        skips = same & (layers.expiry[part[there[best[safe]]]] >= need[mine])
        found[mine[skips]] = part[there[best[safe[skips]]]]
    return found


def _longest_so_far(group: Whole, expiry: Whole) -> Whole:
    """Give, for each layer in order, the place of the longest-lived among it and those before it in its group."""
    width = int(expiry.max()) - int(expiry.min()) + 1
    lifted = group * width + (expiry - expiry.min())  # groups rise, so a running maximum starts afresh in each
    top = np.maximum.accumulate(lifted)
    place = np.where(lifted == top, np.arange(len(group)), 0)
    return np.asarray(np.maximum.accumulate(place), dtype=np.int64)


def _levels(facts: Facts, moves: LotMoves, layers: Layers, part: Whole) -> tuple[Floats, Floats]:
    """Give what each layer of a part holds as each bucket begins and after its moves, before waste; both (n, B)."""
    buckets = facts.calendar.buckets
    local = np.full(len(layers.item), -1, dtype=np.int64)
    local[part] = np.arange(len(part))
    entered = local[layers.entry_layer]
    came = grid((len(part), buckets), entered, layers.entry_bucket, layers.entry)
    opening = (layers.entry_bucket < 0) & (entered >= 0)
    start = np.bincount(entered[opening], weights=layers.entry[opening], minlength=len(part))
    used = moves.kind != WASTE
    taken = local[layers.move_layer]
    out = grid((len(part), buckets), np.where(used, taken, -1), moves.bucket, moves.quantity)
    gone = grid((len(part), buckets), np.where(used, -1, taken), moves.bucket, moves.quantity)
    closing = start[:, None] + np.cumsum(came - out - gone, axis=1)
    begin = np.concatenate([start[:, None], closing[:, :-1]], axis=1)
    return begin, closing + gone
