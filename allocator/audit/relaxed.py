"""Elastic limits that gave: how much, at what price, and whether an exception says so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from allocator.audit.demand import Claims, Fate
from allocator.audit.facts import Facts
from allocator.audit.keys import Floats, Names, Tally, Whole, both, floats, pack, whole
from allocator.audit.registry import Notebook

KINDS = ("min_stock", "max_stock", "storage", "inbound", "lock", "min_fill")


@dataclass(frozen=True)
class Relaxed:
    """Where one kind of elastic limit gave.

    Attributes
    ----------
    what : str
        One of `KINDS`.
    item : (N,) int
        -1 where the limit is not of one item.
    place : (N,) int
        A site, a lane or a channel.
    bucket : (N,) int
        First bucket for a limit on the whole horizon.
    amount : (N,) float, [units] or [m3]
    cost : (N,) float, [currency]
    checked : int
        Places looked at.
    """

    what: str
    item: Whole
    place: Whole
    bucket: Whole
    amount: Floats
    cost: Floats
    checked: int

    @classmethod
    def where(cls, what: str, item: Whole, place: Whole, bucket: Whole, amount: Floats, price: Floats) -> Relaxed:
        """Keep the places where the amount is above 0."""
        some = np.flatnonzero(amount > 0)
        parts = [whole(column)[some] for column in (item, place, bucket)]
        return cls(what, parts[0], parts[1], parts[2], amount[some], (amount * price)[some], len(amount))

    @property
    def total(self) -> float:
        """Price paid, [currency]."""
        return float(self.cost.sum())


def check_exceptions(frame: pd.DataFrame, book: Notebook) -> None:
    """Check what each exception says of itself."""
    what = frame["what"].astype(str).to_numpy(dtype=object)
    known = np.isin(what, [*KINDS, "demand"])

    def row_place(row: int) -> str:
        line = frame.iloc[row]
        return (
            f"exceptions row {frame.index[row]}: {line['what']}, {line['item'] or ''} {line['where']}, {line['date']}"
        )

    book.true("exceptions", known.astype(bool), row_place, f"one of {', '.join(KINDS)}, demand", what)
    amount = floats(frame["amount"])
    book.true("exceptions", amount > 0, row_place, "an amount above 0", amount)


def check_kinds(facts: Facts, frame: pd.DataFrame, relaxed: list[Relaxed], book: Notebook) -> None:
    """Check that every limit that gave has its exception, and every exception a limit that gave."""
    what = frame["what"].astype(str).to_numpy(dtype=object)
    for kind in relaxed:
        _check_kind(facts, frame[what == kind.what], kind, book)


def _places(facts: Facts, what: str) -> tuple[Names, Whole]:
    """Give the names that `where` may hold for a kind, and the position behind each."""
    if what == "lock":
        return facts.lane_names, facts.lane_by_name
    names = facts.channels if what == "min_fill" else facts.sites
    return names, np.arange(len(names), dtype=np.int64)


def _check_kind(facts: Facts, frame: pd.DataFrame, kind: Relaxed, book: Notebook) -> None:
    names, position = _places(facts, kind.what)
    per_item = kind.what in ("min_stock", "max_stock", "lock")
    found = names.find(frame["where"])
    place = np.where(found >= 0, np.append(position, -1)[found], -1)
    item = facts.items.find(frame["item"]) if per_item else np.zeros(len(frame), dtype=np.int64)
    bucket = facts.calendar.buckets_at(facts.calendar.days(frame["date"]))
    if kind.what == "min_fill":
        bucket = np.where(bucket >= 0, 0, -1)
    sizes = (len(facts.items), max(len(names), 1), facts.calendar.buckets)
    said = pack(sizes, item, place, bucket)
    lines = frame.reset_index(drop=True)
    book.true(
        "codes",
        said >= 0,
        lambda row: (
            f"exceptions, {kind.what}, {lines['item'].iloc[row]} {lines['where'].iloc[row]}, {lines['date'].iloc[row]}"
        ),
        "a known place, item and date",
        "an unknown one",
    )
    real = pack(sizes, kind.item if per_item else np.zeros(len(kind.item), dtype=np.int64), kind.place, kind.bucket)
    keys, gave, stated = both(Tally.of(real, kind.amount), Tally.of(said, floats(frame["amount"])))
    write = _writer(facts, kind.what, keys, sizes, per_item)
    book.count(kind.what, kind.checked - len(keys))
    book.at_least(kind.what, stated, gave, lambda k: f"{write(k)}: an exception for the {gave[k]:.9g} that it gave")
    book.at_most("exceptions", stated, gave, write)
    keys, price, cost = both(Tally.of(real, kind.cost), Tally.of(said, floats(frame["cost"])))
    price_at = _writer(facts, kind.what, keys, sizes, per_item)
    book.equal("exceptions", price, cost, lambda k: f"{price_at(k)}, cost of {kind.what}")


def _writer(facts: Facts, what: str, keys: Whole, sizes: tuple[int, int, int], per_item: bool):  # type: ignore[no-untyped-def]
    rest, bucket = np.divmod(keys, sizes[2])
    item, place = np.divmod(rest, sizes[1])
    column = {"lock": "lane", "min_fill": "channel"}.get(what, "site")
    columns = {"item": item} if per_item else {}
    return facts.place(**columns, **{column: place}, bucket=bucket)


def check_unmet(facts: Facts, frame: pd.DataFrame, claims: Claims, fate: Fate, book: Notebook) -> None:
    """Check that a `demand` exception names demand that is lost or waits in that bucket."""
    frame = frame[frame["what"].astype(str) == "demand"]
    parts = frame["where"].astype(str).str.split("/", n=1)
    sizes = (len(facts.items), len(facts.channels), len(facts.zones), facts.calendar.buckets)
    bucket = facts.calendar.buckets_at(facts.calendar.days(frame["date"]))
    point = facts.channels.find(parts.str[0].astype(object)), facts.zones.find(parts.str[1].astype(object))
    said = pack(sizes, facts.items.find(frame["item"]), *point, bucket)
    rows, buckets = np.nonzero((fate.lost + fate.backlog) > 0)
    unmet = np.unique(pack(sizes, claims.item[rows], claims.channel[rows], claims.zone[rows], whole(buckets)))
    good = np.isin(said, unmet) & (said >= 0)
    lines = frame.reset_index(drop=True)
    book.true(
        "exceptions",
        good,
        lambda row: f"demand of {lines['item'].iloc[row]} in {lines['where'].iloc[row]}, {lines['date'].iloc[row]}",
        "demand that is lost or waits",
        "none",
    )
