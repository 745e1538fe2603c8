"""The assigner against plain loops, conservation, and order of rows."""

from __future__ import annotations

import sys
from collections import defaultdict
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocator.lots import NEVER, Reason, Rule, assign
from allocator.lots import assign as assign_function
from tests.lots.cases import cases, lots_of, moves_of
from tests.lots.reference import reference

assigning = sys.modules["allocator.lots.assign"]


def listed(result, n_moves):
    """Pieces per move as the reference writes them."""
    found = {m: [] for m in range(n_moves)}
    p = result.pieces
    for row in zip(p.move, p.lot, p.expiry, p.received, p.quantity, strict=True):
        found[int(row[0])].append((int(row[1]), int(row[2]), int(row[3]), float(row[4])))
    return found


def table(columns, keys):
    """Rows of a table as a dictionary of quantity."""
    found = defaultdict(float)
    for row in range(len(columns)):
        found[tuple(int(getattr(columns, key)[row]) for key in keys)] += float(columns.quantity[row])
    return dict(found)


WASTE = ("item", "site", "bucket", "lot", "expiry", "received")
CLOSING = ("item", "site", "bucket")


@settings(max_examples=300, deadline=None)
@given(cases(), st.booleans(), st.sampled_from([1, 3, 10**6]), st.sampled_from([1, 2]))
def test_same_as_plain_loops(case, by_class, part_rows, threads):
    """Pieces, waste and closing stock are those of the slow reference, however the items are cut into parts."""
    stock, moves, rotation, quantum, last = case
    with mock.patch.object(assigning, "PART_ROWS", part_rows):
        result = assign(stock, moves, rotation, quantum, last, by_class=by_class, threads=threads)
    pieces, waste, closing = reference(stock, moves, rotation, len(last), last, by_class)
    assert listed(result, len(moves)) == pieces
    assert table(result.waste, WASTE) == waste
    assert table(result.closing, CLOSING) == closing
    filled = np.array([sum(piece[3] for piece in pieces[m]) for m in range(len(moves))])
    np.testing.assert_array_equal(result.filled, filled)
    np.testing.assert_array_equal(result.filled + result.unfilled, moves.quantity)
    np.testing.assert_array_equal(result.unfilled > 0, result.reason != Reason.NONE)
    rules = rotation[moves.item[result.pieces.move]] if not by_class else np.full(len(result.pieces), Rule.PLANNED)
    np.testing.assert_array_equal(result.pieces.rule, rules)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_nothing_is_lost_or_made(case):
    """Stock and receipts are served, wasted, still there or on the way, to the unit, per item."""
    stock, moves, rotation, quantum, last = case
    result = assign(stock, moves, rotation, quantum, last)
    n = len(rotation)
    admitted = moves.destination < 0
    on_the_way = ~admitted & (moves.arrive_bucket < 0)
    final = result.closing.take(result.closing.bucket == len(last) - 1)
    gone = result.pieces.take((admitted | on_the_way)[result.pieces.move])
    out = np.zeros(n)
    out += np.bincount(moves.item[gone.move], weights=gone.quantity, minlength=n)
    out += np.bincount(result.waste.item, weights=result.waste.quantity, minlength=n)
    out += np.bincount(final.item, weights=final.quantity, minlength=n)
    np.testing.assert_array_equal(out, np.bincount(stock.item, weights=stock.quantity, minlength=n))
    assert (result.pieces.quantity > 0).all()


@settings(max_examples=100, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(case, random):
    """Shuffled stock and moves give the same lots to the same moves."""
    stock, moves, rotation, quantum, last = case
    stock_rows, move_rows = list(range(len(stock))), list(range(len(moves)))
    random.shuffle(stock_rows)
    random.shuffle(move_rows)
    shuffle = np.array(move_rows, dtype=int)
    plain = assign(stock, moves, rotation, quantum, last)
    mixed = assign(stock.take(np.array(stock_rows, dtype=int)), moves.take(shuffle), rotation, quantum, last)
    back = listed(mixed, len(moves))
    assert {int(shuffle[m]): rows for m, rows in back.items()} == listed(plain, len(moves))
    for name in (*WASTE, "quantity"):
        np.testing.assert_array_equal(getattr(mixed.waste, name), getattr(plain.waste, name))
    for name in (*CLOSING, "quantity"):
        np.testing.assert_array_equal(getattr(mixed.closing, name), getattr(plain.closing, name))


STOCK = lots_of((0, 0, 4, -1, 9, 2, 0), (0, 0, 4, -5, 7, 1, 0), (0, 0, 4, -3, NEVER, 0, 0), (0, 0, 4, -3, 5, 3, 0))


@pytest.mark.parametrize(
    ("rule", "lots"),
    [(Rule.FEFO, [3, 1, 2, 0]), (Rule.FIFO, [1, 3, 0, 2]), (Rule.LIFO, [2, 3, 0, 1])],
)
def test_rotation_by_hand(rule, lots):
    """FEFO goes by expiry, FIFO by receipt, LIFO by latest receipt, never-expiring last by expiry."""
    moves = moves_of((0, 0, -1, 0, 0, 0, 16, -1))
    result = assign(STOCK, moves, np.array([rule], np.int8), np.ones(1), np.array([0], np.int32))
    assert result.pieces.lot.tolist() == lots


@pytest.mark.parametrize("rule", [Rule.FEFO, Rule.FIFO, Rule.LIFO])
def test_ties_go_by_lot_code(rule):
    """Lots alike in dates leave in order of their codes."""
    stock = lots_of(*((0, 0, 1, 0, 5, code, 0) for code in (4, 1, 3)))
    moves = moves_of((0, 0, -1, 0, 0, 0, 3, -1))
    result = assign(stock, moves, np.array([rule], np.int8), np.ones(1), np.array([0], np.int32))
    assert result.pieces.lot.tolist() == [1, 3, 4]


def test_less_life_goes_first_and_lot_travels():
    """A short-lived lot goes to the move that bears it; a shipped lot is received anew at its destination."""
    stock = lots_of((0, 0, 5, -2, 2, 0, 0), (0, 0, 5, -1, 20, 1, 0))
    moves = moves_of((0, 0, -1, 0, 0, 9, 3, -1), (0, 0, 1, 0, 1, 1, 6, -1), (0, 1, -1, 2, 0, 2, 6, -1))
    result = assign(stock, moves, np.zeros(1, np.int8), np.ones(1), np.arange(4, dtype=np.int32))
    assert listed(result, 3) == {
        0: [(1, 20, -1, 3.0)],
        1: [(0, 2, -2, 5.0), (1, 20, -1, 1.0)],
        2: [(0, 2, 1, 5.0), (1, 20, 1, 1.0)],
    }
    assert len(result.waste) == 0


@pytest.mark.parametrize("rule", [Rule.FEFO, Rule.FIFO, Rule.LIFO])
def test_one_lot_by_two_ways_on_one_day(rule):
    """A lot that comes in twice on a day, once as a receipt and once shipped from next door, is one lot there."""
    stock = lots_of((0, 0, 4, 0, 9, 3, 0), (0, 1, 6, 1, 9, 3, 1), (0, 1, 5, 1, 9, 4, 1))
    moves = moves_of((0, 0, 1, 1, 0, 1, 4, -1), (0, 1, -1, 1, 0, 1, 12, -1))
    result = assign(stock, moves, np.array([rule], np.int8), np.ones(1), np.arange(3, dtype=np.int32))
    assert listed(result, 2)[1] == [(3, 9, 1, 10.0), (4, 9, 1, 2.0)]


def test_reasons():
    """Each shortfall says why: nothing there, too short a life, or a shipment that came in short."""
    stock = lots_of((0, 0, 2, 0, 3, 0, 0), (0, 2, 5, 0, 1, 0, 0))
    moves = moves_of(
        (0, 0, 1, 0, 1, 1, 6, -1), (0, 1, -1, 1, 0, 1, 6, -1), (0, 2, -1, 0, 0, 4, 1, -1), (0, 3, -1, 0, 0, 0, 1, -1)
    )
    result = assign(stock, moves, np.zeros(1, np.int8), np.ones(1), np.arange(3, dtype=np.int32))
    assert result.reason.tolist() == [Reason.NO_STOCK, Reason.NOT_RECEIVED, Reason.LIFE, Reason.NO_STOCK]
    assert result.unfilled.tolist() == [4, 4, 1, 1]


def test_same_day_cycle_is_served_as_far_as_it_goes():
    """Sites that ship to each other on one day pass on what comes in; the site beyond them follows."""
    stock = lots_of((0, 0, 10, 0, NEVER, 0, 0))
    moves = moves_of(
        (0, 0, 1, 0, 0, 0, 10, -1), (0, 1, 0, 0, 0, 0, 5, -1), (0, 1, 2, 0, 0, 0, 5, -1), (0, 2, -1, 0, 0, 0, 5, -1)
    )
    result = assign(stock, moves, np.zeros(1, np.int8), np.ones(1), np.zeros(1, np.int32))
    assert result.filled.tolist() == [10, 5, 5, 5]
    assert table(result.closing, CLOSING) == {(0, 0, 0): 5.0}


def test_continuous_item_leaves_no_dust():
    """Figures off by a hair cut no crumbs, fill their moves and leave nothing below zero."""
    stock = lots_of((0, 0, 10 / 3, 0, 5, 0, 0), (0, 0, 10 / 3, 0, 6, 1, 0), (0, 0, 10 / 3, 0, 7, 2, 0))
    moves = moves_of(*((0, 0, -1, 0, 0, 0, quantity, -1) for quantity in (3.3333333333, 3.33333333334, 3.3333333335)))
    result = assign(stock, moves, np.zeros(1, np.int8), np.zeros(1), np.zeros(1, np.int32))
    assert result.pieces.lot.tolist() == [0, 1, 2]
    assert (result.pieces.quantity <= stock.quantity).all()
    assert result.unfilled.tolist() == [0, 0, 0]
    assert len(result.closing) == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=8),
    st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=8),
)
def test_continuous_amounts(lots, wants):
    """A continuous item's pieces are never crumbs, never overdraw a lot, and fill what stock allows."""
    stock = lots_of(*((0, 0, q, 0, 5, k, 0) for k, q in enumerate(lots)))
    moves = moves_of(*((0, 0, -1, 0, 0, 0, q, -1) for q in wants))
    result = assign(stock, moves, np.zeros(1, np.int8), np.zeros(1), np.zeros(1, np.int32))
    used = np.bincount(result.pieces.lot, weights=result.pieces.quantity, minlength=len(lots))
    assert (used <= stock.quantity * (1 + 1e-15)).all()
    smaller = np.minimum(moves.quantity[result.pieces.move], stock.quantity[result.pieces.lot])
    assert (result.pieces.quantity >= 1e-9 * smaller.min()).all()
    assert result.filled.sum() == pytest.approx(min(sum(lots), sum(wants)), rel=1e-8)
    got = np.bincount(result.pieces.move, weights=result.pieces.quantity, minlength=len(wants))
    np.testing.assert_allclose(got, result.filled, rtol=1e-8, atol=1e-12 * sum(lots))


def test_decimal_quantum_keeps_planned_figures():
    """Three tenths stay 0.3 and a solver's 8.999999999 tenths count as nine."""
    stock = lots_of((0, 0, 1.2, 0, 5, 0, 0))
    moves = moves_of((0, 0, -1, 0, 0, 0, 0.3, -1), (0, 0, -1, 0, 0, 0, 0.8999999999, -1))
    result = assign(stock, moves, np.zeros(1, np.int8), np.array([0.1]), np.zeros(1, np.int32))
    assert result.filled.tolist() == [0.3, 0.8999999999]
    assert len(result.closing) == 0


def test_wide_keys_are_cut_by_item():
    """Dates and codes spread over the whole int32 range still sort, in parts of fewer items."""
    rng = np.random.default_rng(1)
    rows = 4000
    item = rng.integers(0, 40, rows)
    days = rng.integers(-(2**31), 2**31 - 2, (2, rows))
    codes = rng.integers(0, 2**31 - 1, rows)
    stock = lots_of(*zip(item, item % 7, np.ones(rows), days[0], np.abs(days[1]), codes, [0] * rows, strict=True))
    moves = moves_of(*((i, i % 7, -1, 0, 0, 0, 1000, -1) for i in range(40)))
    rotation = (np.arange(40) % 3).astype(np.int8)
    with mock.patch("allocator.lots.keys.LARGEST_KEY", 2**37):
        cut = assign_function(stock, moves, rotation, np.ones(40), np.zeros(1, np.int32))
    whole = assign_function(stock, moves, rotation, np.ones(40), np.zeros(1, np.int32))
    assert len(whole.pieces) == rows
    np.testing.assert_array_equal(cut.pieces.lot, whole.pieces.lot)
    assert listed(whole, 40) == reference(stock, moves, rotation, 1, [0])[0]


def test_progress_counts_rows():
    """Progress ends at the number of rows."""
    seen = []
    moves = moves_of((0, 0, -1, 0, 0, 0, 1, -1))
    args = (np.zeros(1, np.int8), np.ones(1), np.zeros(1, np.int32))
    assign(STOCK, moves, *args, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (5, 5)
