"""The walk through the buckets: goods come in, moves take lots, what has expired is waste."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from allocator.lots.levels import Levels, levels
from allocator.lots.match import match
from allocator.lots.part import Part
from allocator.lots.records import Bytes, Flags, Ints, Longs, Reason, Rows
from allocator.lots.shelf import Arrivals, Shelf, joined

CYCLE_PASSES = 50
"""How often moves on a same-day cycle are tried again with what the last pass brought."""


class Taken(NamedTuple):
    """Lots taken by moves, or gone to waste (then `by` is the bucket): ranks and grains."""

    by: Rows
    group: Ints
    expiry: Ints
    day: Ints
    lot: Ints
    amount: Longs


class Walked(NamedTuple):
    """What a walk found.

    Attributes
    ----------
    pieces, waste : Taken
    got : (m,) int64, [grain], by sorted move.
    reason : (m,) int8, `Reason` of each sorted move that got less than it asked for.
    balance : (G, B) int64, [grain], closing stock.
    """

    pieces: Taken
    waste: Taken
    got: Longs
    reason: Bytes
    balance: Longs


def walk(part: Part) -> Walked:
    """Give every move of a part its lots, bucket by bucket.

    Parameters
    ----------
    part : Part

    Returns
    -------
    Walked
    """
    state = _Walk(part)
    n_buckets = len(part.due)
    balance = np.zeros((len(part.item), n_buckets), dtype=np.int64)
    for bucket in range(n_buckets):
        state.open(bucket)
        first, stop = part.wants.pointer[bucket], part.wants.pointer[bucket + 1]
        if stop > first:
            state.leave(bucket, np.arange(first, stop))
        state.expire(bucket)
        balance[:, bucket] = state.shelf.balances()
    return Walked(_stacked(state.pieces), _stacked(state.waste), state.got, state.reason, balance)


class _Walk:
    """What changes from bucket to bucket."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.wants = part.wants
        self.shelf = Shelf(part.keys)
        self.coming = [[due] for due in part.due]
        self.short_from: list[list[Ints]] = [[] for _ in part.due]
        self.short: Flags = np.zeros(len(part.item), dtype=np.bool_)
        self.got: Longs = np.zeros(len(self.wants.ask), dtype=np.int64)
        self.reason: Bytes = np.zeros(len(self.wants.ask), dtype=np.int8)
        self.pieces: list[Taken] = []
        self.waste: list[Taken] = []

    def open(self, bucket: int) -> None:
        """Take in what arrives in the bucket."""
        self._take_in(bucket)
        for groups in self.short_from[bucket]:
            self.short[groups] = True

    def leave(self, bucket: int, moves: Rows) -> None:
        """Serve the bucket's moves, upstream sites first."""
        wants = self.wants
        at_once = moves[wants.arrive_bucket[moves] == bucket]
        if not len(at_once):
            self._serve(bucket, moves)
            self._settle(bucket, moves)
            return
        ranks = levels(wants.group[at_once], wants.destination[at_once], len(self.part.item))
        for level, chosen in enumerate(_by_level(ranks, moves, wants.group[moves])):
            more = self._serve(bucket, chosen)
            self._take_in(bucket)
            passes = CYCLE_PASSES if level == ranks.cyclic else 0
            while more and passes:
                passes -= 1
                more = self._serve(bucket, chosen[self.got[chosen] < wants.ask[chosen]])
                self._take_in(bucket)
            self._settle(bucket, chosen)

    def expire(self, bucket: int) -> None:
        """Book what has passed its last day as waste."""
        shelf = self.shelf
        rows = shelf.expire(int(self.part.cutoff[bucket]))
        if len(rows):
            self.waste.append(self._taken(np.full(len(rows), bucket), rows, shelf.amount[rows]))
            shelf.amount[rows] = 0

    def _take_in(self, bucket: int) -> None:
        if self.coming[bucket]:
            self.shelf.receive(joined(self.coming[bucket]))
            self.coming[bucket] = []

    def _serve(self, bucket: int, moves: Rows) -> bool:
        """Match moves of one level, one round per need among the moves of a group; tell whether anything moved."""
        if not len(moves):
            return False
        wants = self.wants
        group, limit = wants.group[moves], wants.limit[moves]
        new_group = np.concatenate(([True], group[1:] != group[:-1]))
        steps = np.cumsum(new_group | np.concatenate(([True], limit[1:] != limit[:-1])))
        turn = steps - steps[new_group][np.cumsum(new_group) - 1]
        last = int(turn.max(initial=0))
        if not last:
            return self._round(bucket, moves)
        rounds = [self._round(bucket, moves[turn == which]) for which in range(last + 1)]
        return any(rounds)

    def _round(self, bucket: int, moves: Rows) -> bool:
        wants, shelf = self.wants, self.shelf
        group = wants.group[moves]
        opens = np.concatenate(([True], group[1:] != group[:-1]))
        rows, count = shelf.rows_of(group[opens])
        limit = np.repeat(wants.limit[moves][opens], count)
        expiry = shelf.expiry[rows]
        least = np.where(limit < -1, -2 - limit, limit) if self.part.by_class else limit
        most = np.where(limit < -1, expiry, limit) if self.part.by_class else expiry
        fits = (least <= expiry) & (expiry <= most)
        able = np.flatnonzero(fits & (shelf.amount[rows] > 0))
        ends = np.cumsum(count)
        per_group = np.diff(np.searchsorted(able, np.concatenate(([0], ends))))
        rows = rows[able]
        ask = wants.ask[moves] - self.got[moves]
        found = match(shelf.amount[rows], per_group, ask, np.cumsum(opens) - 1, wants.elastic[moves])
        if not len(found.move):
            return False
        shelf.amount[rows] -= found.taken
        by, source = moves[found.move], rows[found.lot]
        # A move's pieces stand together: sum them by runs.
        run = np.flatnonzero(np.concatenate(([True], by[1:] != by[:-1])))
        self.got[by[run]] += np.add.reduceat(found.amount, run)
        piece = self._taken(by, source, found.amount)
        self.pieces.append(piece)
        self._send(bucket, piece)
        return True

    def _send(self, bucket: int, piece: Taken) -> None:
        """Put what was shipped on the way to where it arrives inside the horizon."""
        wants = self.wants
        arrive = wants.arrive_bucket[piece.by]
        for when in range(bucket, len(self.coming)) if (arrive >= 0).any() else ():
            rows = np.flatnonzero(arrive == when)
            if len(rows):
                by = piece.by[rows]
                sent = (wants.destination[by], piece.expiry[rows], wants.arrive_day[by], piece.lot[rows])
                self.coming[when].append(Arrivals(*sent, piece.amount[rows]))

    def _settle(self, bucket: int, moves: Rows) -> None:
        """Say why moves fell short, and remember where their shipments will be missed."""
        wants, shelf = self.wants, self.shelf
        missing = wants.ask[moves] - self.got[moves]
        hair = np.where(wants.elastic[moves], wants.ask[moves] >> 28, 0) + wants.elastic[moves]
        lacking = moves[missing > hair]
        if not len(lacking):
            return
        group = wants.group[lacking]
        opens = np.concatenate(([True], group[1:] != group[:-1]))
        rows, count = shelf.rows_of(group[opens])
        running = np.concatenate(([0], np.cumsum(shelf.amount[rows])))
        ends = np.cumsum(count)
        left = (running[ends] > running[ends - count])[np.cumsum(opens) - 1]
        refused = Reason.OTHER_CLASS if self.part.by_class else Reason.LIFE
        self.reason[lacking] = np.where(
            self.short[group], Reason.NOT_RECEIVED, np.where(left, refused, Reason.NO_STOCK)
        ).astype(np.int8)
        arrive = wants.arrive_bucket[lacking]
        self.short[wants.destination[lacking[arrive == bucket]]] = True
        for when in np.unique(arrive[arrive > bucket]):
            self.short_from[when].append(wants.destination[lacking[arrive == when]])

    def _taken(self, by: Rows, rows: Rows, amount: Longs) -> Taken:
        return Taken(by, *self.shelf.read(rows), amount)


def _by_level(ranks: Levels, moves: Rows, group: Ints) -> list[Rows]:
    """Split moves by the level of the group they leave."""
    level = ranks.of[group]
    return [moves[level == which] for which in range(ranks.number)]


def _stacked(parts: list[Taken]) -> Taken:
    none = np.empty(0, np.int32)
    start = Taken(np.empty(0, np.intp), none, none, none, none, np.empty(0, np.int64))
    return Taken(*(np.concatenate(columns) for columns in zip(start, *parts, strict=True)))
