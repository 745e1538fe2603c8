"""Interval merge: moves and lots, each laid end to end, cut where either ends."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.lots.amounts import DUST_BITS
from allocator.lots.records import Flags, Longs, Rows


class Match(NamedTuple):
    """Pieces as (move, lot, amount), in order of moves, and what each lot gave."""

    move: Rows
    lot: Rows
    amount: Longs
    taken: Longs


def match(supply: Longs, per_group: Rows, ask: Longs, group: Rows, elastic: Flags | None) -> Match:
    """Fill moves from lots, group by group, first come first served on both sides.

    Lots of a group form the interval [base, top), moves of a group another one from the same base; the pieces are the
    overlaps. Every bound is a whole number, so nothing is lost or made.

    Parameters
    ----------
    supply : (n,) int64, [grain], above 0, lots sorted by group and in the order they are to be taken.
    per_group : (g,) lots of each group.
    ask : (m,) int64, [grain], moves sorted by group and in the order they are served.
    group : (m,) number of the group, never falling; each group has a move.
    elastic : (m,) bool or None: moves of continuous items, whose end slips to a lot's end a hair away.

    Returns
    -------
    Match
        `move` counts in `ask`, `lot` in `supply`; `taken` : (n,) int64.
    """
    stop_lot = np.cumsum(per_group)
    start_lot = stop_lot - per_group
    end = np.cumsum(supply)
    bounds = np.concatenate(([0], end))
    base, top = bounds[start_lot], bounds[stop_lot]
    opens = np.concatenate(([True], group[1:] != group[:-1]))
    reach = np.cumsum(ask)
    # The running sum may wrap past int64 over all groups; differences inside a group do not.
    ahead = (reach - ask)[opens]
    stop = np.minimum(base[group] + (reach - ahead[group]), top[group])
    if elastic is not None and elastic.any() and len(end):
        stop = _snap(stop, end, ask, opens, elastic, base[group], top[group])
    start = np.concatenate((base[:1], stop[:-1]))
    start[opens] = base
    last = np.searchsorted(end, stop)
    first = np.empty_like(last)
    first[1:] = last[:-1] + (bounds[np.minimum(last[:-1] + 1, len(end))] == stop[:-1])
    first[opens] = start_lot
    count = np.where(stop > start, last - first + 1, 0)
    move = np.repeat(np.arange(len(ask)), count)
    before = np.cumsum(count) - count
    lot = np.arange(len(move)) + (first - before)[move]
    amount = np.minimum(bounds[lot + 1], stop[move]) - np.maximum(bounds[lot], start[move])
    closes = np.concatenate((opens[1:], [True]))
    given = np.repeat(stop[closes], per_group)
    taken = np.clip(given - bounds[:-1], 0, supply)
    return Match(move, lot, amount, taken)


def _snap(stop: Longs, end: Longs, ask: Longs, opens: Flags, elastic: Flags, base: Longs, top: Longs) -> Longs:
    """Move each end to the nearest lot boundary within 2e-9 of the smaller of the two moves that meet there."""
    following = np.concatenate((np.where(opens[1:], ask[:-1], ask[1:]), ask[-1:]))
    small = np.minimum(ask, following)
    # Two grains at least: lots are rounded down and moves to the nearest, so equal ones may differ by a grain.
    room = np.where(elastic & (small >= 8), np.maximum(small >> DUST_BITS, 2), 0)
    above = np.minimum(np.searchsorted(end, stop), len(end) - 1)
    upper = end[above]
    lower = np.where(above > 0, end[above - 1], 0)
    nearest = np.where(upper - stop < stop - lower, upper, lower)
    near = (np.abs(nearest - stop) <= room) & (nearest >= base) & (nearest <= top)
    return np.where(near, nearest, stop)
