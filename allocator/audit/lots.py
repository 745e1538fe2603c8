"""Lots: every move takes real lots that are on hand, fit to go, and add up to the plan's quantities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.audit.coded import KINDS, Coded, LotMoves
from allocator.audit.demand import Claims
from allocator.audit.facts import Facts
from allocator.audit.keys import NEVER, Flags, Floats, Names, Tally, Whole, both, floats, label, pack, whole
from allocator.audit.registry import Notebook, Place
from allocator.audit.stock import Supply

PLANNED = "PLANNED"
SHIPMENT, ADMISSION, WASTE = range(3)


@dataclass(frozen=True)
class Layers:
    """Lots as they lie at a site: one layer for each lot, site, received date and expiry date.

    Attributes
    ----------
    item, site, lot, received, expiry : (Y,) int
        What each layer is.
    entry, entry_layer, entry_bucket : (E,) quantity, layer and bucket of what comes in (-1: on hand at the start)
    move_layer : (M,) int
        The layer each lot move takes from.
    sent_layer : (M,) int
        The layer each shipment becomes where it arrives inside the horizon, else -1.
    """

    item: Whole
    site: Whole
    lot: Whole
    received: Whole
    expiry: Whole
    entry: Floats
    entry_layer: Whole
    entry_bucket: Whole
    move_layer: Whole
    sent_layer: Whole

    def place(self, facts: Facts, layers: Whole, buckets: Whole | None = None) -> Place:
        """Give a function that writes where a layer is."""
        columns: dict[str, Any] = {"lot": self.lot[layers], "item": self.item[layers], "site": self.site[layers]}
        if buckets is not None:
            columns["bucket"] = buckets
        return facts.place(**columns)

    def last_bucket(self, facts: Facts, entered: Whole) -> Whole:
        """Give the bucket at whose end a layer is waste; past the last bucket if it outlives the horizon."""
        ends = np.where(self.expiry < 0, 0, facts.calendar.buckets_at(self.expiry))
        return np.where(ends < 0, facts.calendar.buckets, np.maximum(ends, entered))


def read_layers(facts: Facts, supply: Supply, moves: LotMoves) -> Layers:
    """Number the layers that supply and lot moves speak of."""
    arrive = facts.calendar.buckets_at(moves.arrive_day)
    sent = np.flatnonzero((moves.kind == SHIPMENT) & (arrive >= 0))
    columns = {
        "item": (supply.item, moves.item, moves.item[sent]),
        "site": (supply.site, moves.site, moves.to_site[sent]),
        "lot": (supply.lot, moves.lot, moves.lot[sent]),
        "received": (supply.received, moves.received, moves.arrive_day[sent]),
        "expiry": (np.minimum(supply.expiry, NEVER), moves.expiry, moves.expiry[sent]),
    }
    joined = {name: whole(np.concatenate(parts)) for name, parts in columns.items()}
    group, first = label(*joined.values())
    held, taken = len(supply.item), len(moves.item)
    sent_layer = np.full(taken, -1, dtype=np.int64)
    sent_layer[sent] = group[held + taken :]
    return Layers(
        **{name: column[first] for name, column in joined.items()},
        entry=np.concatenate([supply.quantity, moves.quantity[sent]]),
        entry_layer=np.concatenate([group[:held], group[held + taken :]]),
        entry_bucket=np.concatenate([np.where(supply.opening, -1, supply.bucket), arrive[sent]]),
        move_layer=group[held : held + taken],
        sent_layer=sent_layer,
    )


def check_moves(facts: Facts, coded: Coded, claims: Claims, layers: Layers, book: Notebook) -> None:
    """Check what lot moves state: sums, life, rule, and that the lot is there."""
    _check_sums(facts, coded, claims, book)
    _check_life(facts, coded.moves, book)
    _check_rule(facts, coded.moves, book)
    _check_on_hand(facts, coded.moves, layers, book)


def _move_place(facts: Facts, moves: LotMoves, rows: Whole | None = None) -> Place:
    place = facts.place(
        lot=moves.lot, item=moves.item, site=moves.site, text=np.array(KINDS, dtype=object)[moves.kind], day=moves.day
    )
    return place if rows is None else lambda k: place(int(rows[k]))


def _check_sums(facts: Facts, coded: Coded, claims: Claims, book: Notebook) -> None:
    ships, sold, moves = coded.shipments, coded.admissions, coded.moves
    horizon = facts.calendar.horizon
    sizes: tuple[int, ...] = (len(facts.items), len(facts.lanes), horizon)
    rows = moves.kind == SHIPMENT
    planned = Tally.of(pack(sizes, ships.item, ships.lane, ships.day), ships.quantity)
    moved = Tally.of(pack(sizes, moves.item[rows], moves.lane[rows], moves.day[rows]), moves.quantity[rows])
    keys, want, have = both(planned, moved)
    rest, day = np.divmod(keys, max(sizes[2], 1))
    item, lane = np.divmod(rest, max(sizes[1], 1))
    book.equal("lot_sums", want, have, facts.place(item=item, lane=lane, day=day))
    names = Names.of(sold.claim, moves.claim)
    sizes = (len(facts.items), len(facts.sites), len(facts.channels), len(facts.zones), horizon, len(names))
    rows = moves.kind == ADMISSION
    planned = Tally.of(
        pack(sizes, sold.item, sold.site, sold.channel, sold.zone, sold.day, names.find(sold.claim)), sold.quantity
    )
    parts = [column[rows] for column in (moves.item, moves.site, moves.channel, moves.zone, moves.day)]
    moved = Tally.of(pack(sizes, *parts, names.find(moves.claim[rows])), moves.quantity[rows])
    keys, want, have = both(planned, moved)
    found: list[Whole] = []
    rest = keys
    for size in sizes[:0:-1]:
        rest, part = np.divmod(rest, max(size, 1))
        found.append(part)
    name, day, zone, channel, site = found
    text = names.codes.to_numpy()[name]
    book.equal(
        "lot_sums", want, have, facts.place(item=rest, site=site, channel=channel, zone=zone, text=text, day=day)
    )


def _check_life(facts: Facts, moves: LotMoves, book: Notebook) -> None:
    """Check expiry dates: at arrival for shipments, at delivery plus remaining life for admissions."""
    need = needed_life(facts, moves)
    rows = np.flatnonzero(moves.kind == SHIPMENT)
    date, place = facts.calendar.date, _move_place(facts, moves)
    book.true(
        "lot_eligible",
        (moves.arrive_day == need)[rows],
        lambda k: place(int(rows[k])) + ", arrive_date",
        lambda k: date(int(need[rows[k]])),
        lambda k: date(int(moves.arrive_day[rows[k]])),
    )
    used = np.flatnonzero(moves.kind != WASTE)
    late = np.maximum(need - moves.expiry, 0)[used]
    book.true(
        "lot_eligible",
        late == 0,
        lambda k: place(int(used[k])),
        lambda k: f"expiry on {date(int(need[used[k]]))} or later",
        lambda k: date(int(moves.expiry[used[k]])),
        late,
    )


def needed_life(facts: Facts, moves: LotMoves) -> Whole:
    """Give the day each move's lot must live through, (M,); arrival, or delivery plus remaining life."""
    need = moves.day.copy()
    shipped = moves.kind == SHIPMENT
    need[shipped] += facts.lead[moves.lane[shipped]]
    sold = np.flatnonzero(moves.kind == ADMISSION)
    arc = facts.arc_of(moves.site[sold], moves.channel[sold], moves.zone[sold])
    delivery = np.where(arc >= 0, facts.delivery[np.maximum(arc, 0)] if len(facts.delivery) else 0, 0)
    need[sold] += delivery + facts.min_life[moves.channel[sold]]
    return need


def _check_rule(facts: Facts, moves: LotMoves, book: Notebook) -> None:
    rules = np.array(facts.rotation, dtype=object)[moves.item]
    stated = moves.rule.astype(object).fillna("").to_numpy(dtype=object)
    good = (stated == rules) | (stated == PLANNED) | (moves.kind == WASTE)
    book.true("lot_rule", np.asarray(good, dtype=bool), _move_place(facts, moves), rules, stated)


def _check_on_hand(facts: Facts, moves: LotMoves, layers: Layers, book: Notebook) -> None:
    """Check that no layer ever gives more than came in, counting arrivals of a bucket before its departures."""
    buckets = facts.calendar.buckets
    place = _move_place(facts, moves)
    known = np.zeros(len(layers.item), dtype=bool)
    known[layers.entry_layer] = True
    lost = ~known[layers.move_layer]
    book.true("lot_on_hand", ~lost, place, "a lot received there with that received and expiry date", "no such lot")
    layer, bucket = layers.move_layer[~lost], moves.bucket[~lost]
    key = np.concatenate([layers.entry_layer * buckets + np.maximum(layers.entry_bucket, 0), layer * buckets + bucket])
    change = Tally.of(whole(key), np.concatenate([layers.entry, -moves.quantity[~lost]]))
    scale = Tally.of(whole(key), np.concatenate([layers.entry, moves.quantity[~lost]]))
    owner, when = np.divmod(change.keys, buckets)
    balance, size = running(owner, change.amounts), running(owner, scale.amounts)
    short = np.maximum(-balance, 0.0) / np.maximum(1.0, size)
    where = layers.place(facts, owner, when)
    book.at_least("lot_on_hand", -short, 0.0, lambda k: f"{where(k)}: on hand after moves, {balance[k]:.9g}")
    _check_cycles(facts, moves, layers, book)


def running(owner: Whole, amounts: Floats) -> Floats:
    """Sum amounts along sorted owners, starting afresh at each owner."""
    total = np.cumsum(amounts)
    if not len(total):
        return total
    first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    before = np.concatenate([[0.0], total])[first]
    return np.asarray(total - np.repeat(before, np.diff(np.append(first, len(owner)))), dtype=np.float64)


def _check_cycles(facts: Facts, moves: LotMoves, layers: Layers, book: Notebook) -> None:
    """Check that same-day chains start somewhere: goods that feed themselves in a ring are not on hand."""
    arrive = facts.calendar.buckets_at(moves.arrive_day)
    rows = np.flatnonzero((moves.kind == SHIPMENT) & (arrive == moves.bucket) & (layers.sent_layer >= 0))
    rows = rows[np.isin(layers.sent_layer[rows], layers.move_layer[rows])]
    while len(rows):
        fed = np.isin(layers.move_layer[rows], layers.sent_layer[rows])
        if fed.all():
            break
        rows = rows[fed]
    good: Flags = np.ones(len(moves.item), dtype=bool)
    good[rows] = False
    book.true("lot_on_hand", good, _move_place(facts, moves), "goods from somewhere", "a ring of same-day moves")


def check_waste(facts: Facts, coded: Coded, layers: Layers, book: Notebook) -> None:
    """Check that waste is what is left of each layer when its expiry bucket ends, in lot moves and in projections."""
    moves, shown, buckets = coded.moves, coded.projections, facts.calendar.buckets
    count = len(layers.item)
    came = np.bincount(layers.entry_layer, weights=layers.entry, minlength=count)
    used = moves.kind != WASTE
    taken = np.bincount(layers.move_layer[used], weights=moves.quantity[used], minlength=count)
    left = floats(came - taken)
    entered = np.zeros(count, dtype=np.int64)
    np.maximum.at(entered, layers.entry_layer, layers.entry_bucket)
    last = layers.last_bucket(facts, entered)
    gone = np.flatnonzero((last < buckets) & (left > 1e-9 * np.maximum(1.0, came)))
    want = Tally.of(whole(gone * buckets + last[gone]), left[gone])
    rows = ~used
    have = Tally.of(whole(layers.move_layer[rows] * buckets + moves.bucket[rows]), moves.quantity[rows])
    keys, expected, found = both(want, have)
    layer, bucket = np.divmod(keys, buckets)
    book.equal("waste", expected, found, layers.place(facts, layer, bucket))
    sizes = (*facts.pair_sizes, buckets)
    real = Tally.of(pack(sizes, layers.item[layer], layers.site[layer], bucket), expected)
    stated = Tally.of(pack(sizes, shown.item, shown.site, shown.bucket), shown.waste)
    keys, expected, found = both(real, stated)
    rest, bucket = np.divmod(keys, buckets)
    item, site = np.divmod(rest, max(sizes[1], 1))
    place = facts.place(item=item, site=site, bucket=bucket)
    book.equal("waste", expected, found, lambda k: f"projections, {place(k)}")
