"""Rules of a single shipment: its lane, its days, its packs and its labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.audit.coded import Shipments
from allocator.audit.facts import Facts
from allocator.audit.keys import Flags, Floats, Keys, Whole, floats, label, pack
from allocator.audit.registry import Notebook
from allocator.audit.terms import METHODS, Terms


@dataclass(frozen=True)
class Locks:
    """Locks joined by item, lane and bucket.

    Attributes
    ----------
    item, lane, bucket : (J,) int
    least, most : (J,) float, [units]
        The largest of the fix and min quantities (0: none), the smallest of the fix and max ones (inf: none).
    fixed : (J,) bool
        Whether a fix lock is among them.
    keys : Keys
        Position by packed item, lane, bucket.
    """

    item: Whole
    lane: Whole
    bucket: Whole
    least: Floats
    most: Floats
    fixed: Flags
    keys: Keys


def lock_key(facts: Facts, item: Whole, lane: Whole, bucket: Whole) -> Whole:
    """Pack item, lane and bucket."""
    return pack((len(facts.items), len(facts.lanes), facts.calendar.buckets), item, lane, bucket)


def read_locks(facts: Facts) -> Locks:
    """Join the locks table by item, lane and bucket."""
    frame = facts.frame("locks")
    lane = facts.lane_of(
        facts.sites.find(frame["origin"]), facts.sites.find(frame["destination"]), facts.modes.find(frame["mode"])
    )
    item, bucket = facts.items.find(frame["item"]), facts.calendar.buckets_at(facts.calendar.days(frame["date"]))
    keep = (item >= 0) & (lane >= 0) & (bucket >= 0)
    item, lane, bucket = item[keep], lane[keep], bucket[keep]
    kind, quantity = frame["kind"].astype(str).to_numpy(dtype=object)[keep], floats(frame["quantity"])[keep]
    group, first = label(item, lane, bucket)
    least, most = np.zeros(len(first)), np.full(len(first), np.inf)
    low, high = kind != "max", kind != "min"
    np.maximum.at(least, group[low], quantity[low])
    np.minimum.at(most, group[high], quantity[high])
    fixed = np.zeros(len(first), dtype=bool)
    fixed[group[kind == "fix"]] = True
    item, lane, bucket = item[first], lane[first], bucket[first]
    return Locks(item, lane, bucket, least, most, fixed, Keys.of(lock_key(facts, item, lane, bucket)))


def check_shipments(facts: Facts, ships: Shipments, asks: Terms, locks: Locks, book: Notebook) -> None:
    """Check each shipment by itself.

    Parameters
    ----------
    facts : Facts
    ships : Shipments, N rows
    asks : Terms, N rows
        What each shipment's lane asks of its item.
    locks : Locks
    book : Notebook
    """
    place = facts.place(item=ships.item, lane=ships.lane, day=ships.day)
    named = locks.keys.find(lock_key(facts, ships.item, ships.lane, ships.bucket))
    fixed = np.zeros(len(named), dtype=bool)
    fixed[named >= 0] = locks.fixed[named[named >= 0]]
    book.true("lane_open", asks.open, place, "a lane open to the item", "allowed = false")
    destination = facts.destination[ships.lane]
    book.true(
        "carried", _carried(facts, ships.item, destination), place, "a site that carries the item", "carried = false"
    )
    day = facts.ship_day[ships.lane, ships.bucket]
    date = facts.calendar.date
    book.true(
        "departure",
        day == ships.day,
        place,
        lambda k: (
            f"ship date {date(int(day[k]))}" if day[k] >= 0 else "no shipment: the lane does not depart in the bucket"
        ),
        lambda k: date(int(ships.day[k])),
    )
    arrive = ships.day + facts.lead[ships.lane]
    book.true(
        "arrival",
        arrive == ships.arrive_day,
        place,
        lambda k: date(int(arrive[k])),
        lambda k: date(int(ships.arrive_day[k])),
    )
    inside = ships.arrive_day < facts.calendar.horizon
    last = date(facts.calendar.horizon - 1)
    book.true(
        "horizon",
        inside | (named >= 0),
        place,
        f"arrival by {last} or a lock",
        lambda k: date(int(ships.arrive_day[k])),
    )
    committed = facts.calendar.committed[ships.bucket]
    book.true("committed", committed == ships.committed, place, committed, ships.committed)
    _check_packs(facts, ships, asks, committed & ~fixed, book)
    method = ships.method.astype(str).to_numpy(dtype=object)
    asked = np.array(METHODS, dtype=object)[asks.method]
    allowed = np.where(asked == "auto", np.isin(method, ["push", "pull", "jit", "rebalance"]), method == asked)
    book.true("method", allowed.astype(bool), place, asked, method)


def _check_packs(facts: Facts, ships: Shipments, asks: Terms, bound: Flags, book: Notebook) -> None:
    place = facts.place(item=ships.item, lane=ships.lane, day=ships.day)
    sized = asks.pack > 0
    packs = ships.quantity / np.where(sized, asks.pack, 1.0)
    book.equal("packs", packs, ships.packs, place)
    off = np.abs(packs - np.round(packs)) * asks.pack
    book.true(
        "packs",
        ~(bound & sized & (off > 1e-6 * np.maximum(asks.pack, 1.0))),
        place,
        lambda k: f"whole packs of {asks.pack[k]:g}",
        ships.quantity,
        off,
    )
    rows = np.flatnonzero(bound & (asks.minimum > 0))
    book.at_least("min_quantity", ships.quantity[rows], asks.minimum[rows], lambda k: place(int(rows[k])))


def _carried(facts: Facts, item: Whole, site: Whole) -> Flags:
    policies: pd.DataFrame = facts.frame("stock_policies")
    refused = policies[~policies["carried"].astype(bool)]
    keys = Keys.of(pack(facts.pair_sizes, facts.items.find(refused["item"]), facts.sites.find(refused["site"])))
    return np.asarray(keys.find(pack(facts.pair_sizes, item, site)) < 0, dtype=bool)
