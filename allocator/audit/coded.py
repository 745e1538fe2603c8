"""A plan's rows as positions and day numbers; rows that the network does not know are reported and set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from allocator.audit.facts import Facts
from allocator.audit.keys import NEVER, Flags, Floats, Whole, floats
from allocator.audit.registry import Notebook, Place


@dataclass(frozen=True)
class Shipments:
    """Shipments by row; `arrive_bucket` is -1 past the horizon."""

    item: Whole
    lane: Whole
    bucket: Whole
    day: Whole
    arrive_day: Whole
    arrive_bucket: Whole
    quantity: Floats
    packs: Floats
    method: pd.Series[Any]
    committed: Flags


@dataclass(frozen=True)
class Admissions:
    """Admissions by row; `claim` is the position of the claim's name in the plan's list of names."""

    item: Whole
    site: Whole
    channel: Whole
    zone: Whole
    day: Whole
    bucket: Whole
    quantity: Floats
    claim: pd.Series[Any]


@dataclass(frozen=True)
class Projections:
    """Projections by row."""

    item: Whole
    site: Whole
    bucket: Whole
    stock: Floats
    below_min: Floats
    waste: Floats


@dataclass(frozen=True)
class Unmet:
    """Unmet demand by row."""

    item: Whole
    channel: Whole
    zone: Whole
    bucket: Whole
    quantity: Floats
    cost: Floats
    claim: pd.Series[Any]
    waiting: Flags


@dataclass(frozen=True)
class LotMoves:
    """Lot moves by row; `kind` is a position in `KINDS`.

    `to_site` and `lane` are -1 except for shipments, `zone` and `channel` except for admissions.
    """

    lot: Whole
    item: Whole
    site: Whole
    kind: Whole
    to_site: Whole
    lane: Whole
    zone: Whole
    channel: Whole
    day: Whole
    bucket: Whole
    arrive_day: Whole
    received: Whole
    expiry: Whole
    quantity: Floats
    rule: pd.Series[Any]
    claim: pd.Series[Any]


KINDS = ("shipment", "admission", "waste")


@dataclass(frozen=True)
class Coded:
    """All coded tables of a plan."""

    shipments: Shipments
    admissions: Admissions
    projections: Projections
    unmet: Unmet
    moves: LotMoves


class _Table:
    """Codes the columns of one table and remembers which rows are unknown."""

    def __init__(self, name: str, frame: pd.DataFrame, facts: Facts, book: Notebook) -> None:
        self.name, self.frame, self.facts, self.book = name, frame, facts, book
        self.good: Flags = np.ones(len(frame), dtype=bool)

    def place(self, column: str) -> Place:
        values = self.frame[column]
        return lambda row: f"{self.name} row {self.frame.index[row]}, column {column}: {values.iloc[row]}"

    def code(self, column: str, kind: str, only: Flags | None = None) -> Whole:
        """Code a column; unknown codes in the rows of `only` are reported."""
        found: Whole = getattr(self.facts, kind).find(self.frame[column])
        self.known(column, (found >= 0) if only is None else (found >= 0) | ~only, f"a known code of {kind}")
        return found

    def known(self, column: str, good: Flags, expected: str, rule: str = "codes") -> None:
        values = self.frame[column]
        self.book.true(rule, good, self.place(column), expected, lambda row: values.iloc[row])
        self.good &= good

    def day(self, column: str, first_of_bucket: bool) -> tuple[Whole, Whole]:
        """Number a date column and give its buckets; outside the horizon or off the bucket's first day is reported."""
        calendar = self.facts.calendar
        days = calendar.days(self.frame[column])
        buckets = calendar.buckets_at(days)
        good = buckets >= 0
        expected = f"a day from {calendar.date(0)} through {calendar.date(calendar.horizon - 1)}"
        if first_of_bucket:
            good = good & (calendar.first[buckets] == days)
            expected = "the first day of a bucket of the horizon"
        self.known(column, good, expected, "dates")
        return days, buckets

    def amount(self, column: str, above_zero: bool = False, item: Whole | None = None) -> Floats:
        """Read an amount: finite, not negative, and a multiple of the item's quantum where an item is given."""
        values = floats(self.frame[column])
        good = np.isfinite(values) & ((values > 0) if above_zero else (values >= -1e-9))
        expected = "a quantity above 0" if above_zero else "a quantity of 0 or more"
        self.book.true("quantities", good, self.place(column), expected, values)
        self.good &= np.isfinite(values)
        if item is not None:
            self._quanta(column, values, item)
        return values

    def _quanta(self, column: str, values: Floats, item: Whole) -> None:
        step = np.where(item >= 0, self.facts.quantum[np.maximum(item, 0)], 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            turns = np.where(step > 0, values / np.where(step > 0, step, 1.0), 0.0)
            off = np.abs(turns - np.round(turns))
        good = ~(off > 1e-6)
        self.book.true(
            "quanta", good, self.place(column), lambda row: f"a multiple of {step[row]:g}", values, off * step
        )

    def kept(self, **columns: Any) -> dict[str, Any]:
        """Drop the unknown rows."""
        if self.good.all():
            return columns
        return {
            name: column.loc[self.good] if isinstance(column, pd.Series) else column[self.good]
            for name, column in columns.items()
        }


def code_plan(plan: Mapping[str, pd.DataFrame], facts: Facts, book: Notebook) -> Coded:
    """Code the tables of a plan, checking codes, dates, signs and quanta on the way.

    Parameters
    ----------
    plan : mapping of str to DataFrame
        The plan's tables, all columns present.
    facts : Facts
        The network.
    book : Notebook
        Where findings go.
    """
    _reserves(plan["reserves"], facts, book)
    return Coded(
        shipments=_shipments(plan["shipments"], facts, book),
        admissions=_admissions(plan["admissions"], facts, book),
        projections=_projections(plan["projections"], facts, book),
        unmet=_unmet(plan["unmet"], facts, book),
        moves=_moves(plan["lot_moves"], facts, book),
    )


def _shipments(frame: pd.DataFrame, facts: Facts, book: Notebook) -> Shipments:
    table = _Table("shipments", frame, facts, book)
    item = table.code("item", "items")
    lane = facts.lane_of(
        facts.sites.find(frame["origin"]), facts.sites.find(frame["destination"]), facts.modes.find(frame["mode"])
    )
    book.true(
        "codes",
        lane >= 0,
        lambda row: f"shipments row {frame.index[row]}: item {frame['item'].iloc[row]}",
        "a lane of the network",
        lambda row: f"{frame['origin'].iloc[row]} > {frame['destination'].iloc[row]} ({frame['mode'].iloc[row]})",
    )
    table.good &= lane >= 0
    day, bucket = table.day("ship_date", first_of_bucket=False)
    arrive = facts.calendar.days(frame["arrive_date"])
    return Shipments(
        **table.kept(
            item=item,
            lane=lane,
            bucket=bucket,
            day=day,
            arrive_day=arrive,
            arrive_bucket=facts.calendar.buckets_at(arrive),
            quantity=table.amount("quantity", above_zero=True, item=item),
            packs=floats(frame["packs"]),
            method=frame["method"].reset_index(drop=True),
            committed=np.asarray(frame["committed"], dtype=bool),
        )
    )


def _admissions(frame: pd.DataFrame, facts: Facts, book: Notebook) -> Admissions:
    table = _Table("admissions", frame, facts, book)
    item = table.code("item", "items")
    columns = {"site": table.code("site", "sites"), "channel": table.code("channel", "channels")}
    zone = table.code("zone", "zones")
    day, bucket = table.day("date", first_of_bucket=True)
    return Admissions(
        **table.kept(
            item=item,
            **columns,
            zone=zone,
            day=day,
            bucket=bucket,
            quantity=table.amount("quantity", above_zero=True, item=item),
            claim=frame["claim"].reset_index(drop=True),
        )
    )


def _projections(frame: pd.DataFrame, facts: Facts, book: Notebook) -> Projections:
    table = _Table("projections", frame, facts, book)
    item, site = table.code("item", "items"), table.code("site", "sites")
    _, bucket = table.day("date", first_of_bucket=True)
    return Projections(
        **table.kept(
            item=item,
            site=site,
            bucket=bucket,
            stock=table.amount("stock", item=item),
            below_min=table.amount("below_min", item=item),
            waste=table.amount("waste", item=item),
        )
    )


def _unmet(frame: pd.DataFrame, facts: Facts, book: Notebook) -> Unmet:
    table = _Table("unmet", frame, facts, book)
    item, channel, zone = table.code("item", "items"), table.code("channel", "channels"), table.code("zone", "zones")
    _, bucket = table.day("date", first_of_bucket=True)
    status = frame["status"].astype(str).to_numpy(dtype=object)
    waiting = np.asarray(status == "waiting", dtype=bool)
    table.known("status", waiting | np.asarray(status == "lost", dtype=bool), "lost or waiting")
    return Unmet(
        **table.kept(
            item=item,
            channel=channel,
            zone=zone,
            bucket=bucket,
            quantity=table.amount("quantity", above_zero=True, item=item),
            cost=floats(frame["cost"]),
            claim=frame["claim"].reset_index(drop=True),
            waiting=waiting,
        )
    )


def _reserves(frame: pd.DataFrame, facts: Facts, book: Notebook) -> None:
    table = _Table("reserves", frame, facts, book)
    item = table.code("item", "items")
    table.code("site", "sites")
    table.code("channel", "channels", only=np.asarray(frame["channel"].astype(str) != "*", dtype=bool))
    table.day("date", first_of_bucket=True)
    table.amount("quantity", item=item)


def _moves(frame: pd.DataFrame, facts: Facts, book: Notebook) -> LotMoves:
    table = _Table("lot_moves", frame, facts, book)
    item, lot, site = table.code("item", "items"), table.code("lot", "lots"), table.code("from", "sites")
    places, words = pd.factorize(frame["for"].astype(object))
    kind = np.array([*(KINDS.index(w) if w in KINDS else -1 for w in words), -1], dtype=np.int64)[places]
    table.known("for", kind >= 0, ", ".join(KINDS))
    shipped, admitted = kind == 0, kind == 1
    to_site = np.where(shipped, facts.sites.find(frame["to"]), -1)
    lane = facts.lane_of(site, to_site, np.where(shipped, facts.modes.find(frame["mode"]), -1))
    table.known("to", ~shipped | (lane >= 0), "the destination of a lane from there")
    zone = np.where(admitted, facts.zones.find(frame["to"]), -1)
    table.known("to", ~admitted | (zone >= 0), "a known zone")
    channel = np.where(admitted, table.code("channel", "channels", only=admitted), -1)
    day, bucket = table.day("date", first_of_bucket=False)
    return LotMoves(
        **table.kept(
            lot=lot,
            item=item,
            site=site,
            kind=kind,
            to_site=to_site,
            lane=lane,
            zone=zone,
            channel=channel,
            day=day,
            bucket=bucket,
            arrive_day=facts.calendar.days(frame["arrive_date"]),
            received=facts.calendar.days(frame["received_date"], -NEVER),
            expiry=facts.calendar.days(frame["expiry_date"]),
            quantity=table.amount("quantity", above_zero=True, item=item),
            rule=frame["rule"].reset_index(drop=True),
            claim=frame["claim"].reset_index(drop=True),
        )
    )
