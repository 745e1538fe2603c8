"""What is worked out once for an item, for all sites that are asked about: its part of the network and of the plan, by site."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from allocator.measure import Days, Service, incoming, serve
from allocator.measure.days import dated

if TYPE_CHECKING:
    from allocator.tables import Tables

Plan = Mapping[str, pd.DataFrame]
Row = tuple[Any, ...]
OF_ITEM = ("items", "forecasts", "orders", "lots", "receipts", "stock_policies", "locks")


class OneItem:
    """A network's tables with the rows of one item; stands in for Tables where only frames and settings are read."""

    def __init__(self, tables: Tables, item: str) -> None:
        """Remember the tables and the item."""
        self.tables, self.item, self.settings = cut_tables(tables, [item]), item, tables.settings
        self._frames: dict[str, pd.DataFrame] = {}

    def frame(self, name: str) -> pd.DataFrame:
        """Give a table, cut to the item where it has one."""
        if name not in self._frames:
            self._frames[name] = self.tables.frame(name)
        return self._frames[name]

    def encoded(self, name: str) -> pa.Table:
        """Give a table with coded words, cut to the item where it has one."""
        return self.tables.encoded(name)


def cut_tables(tables: Tables, items: Sequence[str]) -> Tables:
    """Give a network's tables with the rows of some items, cut before anything is turned into words."""
    from allocator.tables import Tables as Kind

    wanted = pa.array(items, type=pa.string())

    def rows(name: str) -> pa.Table:
        """Cut a table that has items."""
        table = tables.encoded(name)
        if name not in OF_ITEM or not table.num_rows:
            return table
        column = table["item"].combine_chunks()
        column = column if isinstance(column, pa.Array) else pa.concat_arrays(column.chunks)
        mine = pc.is_in(column.dictionary.cast(pa.string()), value_set=wanted)
        return table.filter(mine.take(column.indices))

    kept = {name: rows(name) for name in tables}
    return Kind(kept, kept, tables.settings, source=tables.source)


def rows(frame: pd.DataFrame, *names: str) -> list[Row]:
    """Some columns of a frame row by row: a page asks for a few rows of a small frame many times, which plain tuples answer soonest."""
    return list(zip(*(frame[name].tolist() for name in names), strict=True))


def grouped(found: Iterable[Row], width: int) -> dict[Row, list[Row]]:
    """Rows by their first ``width`` cells, in order; what is left of each."""
    groups: dict[Row, list[Row]] = defaultdict(list)
    for row in found:
        groups[row[:width]].append(row[width:])
    return dict(groups)


def summed(found: Iterable[Row]) -> dict[Row, float]:
    """Sums of the last cell by all before it."""
    width, parts = -1, defaultdict(list)
    for row in found:
        parts[row[:width]].append(float(row[-1]))
    return {key: math.fsum(values) for key, values in parts.items()}


@dataclass(frozen=True)
class Item:
    """An item: its rows of the network and of the plan, and how its demand was met.

    Attributes
    ----------
    one : OneItem
    mine : Plan
        Rows of the plan's tables, dates as timestamps.
    days : Days
    outside : DataFrame
        What comes in from outside, by site.
    done : Service
    """

    one: OneItem
    mine: Plan
    days: Days
    outside: pd.DataFrame
    done: Service

    @classmethod
    def of(cls, tables: Tables, plan: Plan, item: str) -> Item:
        """Work it out."""
        one, days = OneItem(tables, item), Days.of(tables)
        mine = dated({name: _of(frame, item) for name, frame in plan.items() if "item" in frame.columns})
        part = cast("Tables", one)
        return cls(one, mine, days, incoming(part, days), serve(part, mine, days))

    @cached_property
    def opening(self) -> dict[Row, float]:
        """Usable stock on hand at the start, by (site)."""
        lots, days = self.one.frame("lots"), self.days
        usable = (lots["status"] == "available") & ~(days.numbers(lots["expiry_date"]) < 0)
        return summed(rows(lots[usable & ~(days.numbers(lots["received_date"]) > 0)], "site", "quantity"))

    @cached_property
    def receipts(self) -> dict[Row, float]:
        """Units that come in from outside, by (site)."""
        return summed(rows(self.outside, "site", "quantity"))

    @cached_property
    def projected(self) -> dict[Row, list[Row]]:
        """(date, stock, waste) by (site), in the order of days."""
        return grouped(sorted(rows(self.mine["projections"], "site", "date", "stock", "waste")), 1)

    @cached_property
    def arriving(self) -> dict[Row, list[Row]]:
        """(arrive_date, origin, mode, ship_date, quantity, method) of shipments that arrive inside the horizon by (destination), in that order."""
        shipments = self.mine["shipments"]
        inside = shipments[self.days.buckets_of(shipments["arrive_date"]) >= 0]
        names = ("destination", "arrive_date", "origin", "mode", "ship_date", "quantity", "method")
        return grouped(sorted(rows(inside, *names)), 1)

    @cached_property
    def left(self) -> dict[Row, float]:
        """Units shipped, by (origin)."""
        return summed(rows(self.mine["shipments"], "origin", "quantity"))

    @cached_property
    def lots_moved(self) -> dict[Row, list[Row]]:
        """(lot, quantity, expiry_date) of shipments' lots by (to, from, mode, date)."""
        moves = self.mine["lot_moves"]
        names = ("to", "from", "mode", "date", "lot", "quantity", "expiry_date")
        return grouped(rows(moves[moves["for"] == "shipment"], *names), 4)

    @cached_property
    def admitted(self) -> dict[Row, float]:
        """Units admitted, by (site, channel)."""
        return summed(rows(self.mine["admissions"], "site", "channel", "quantity"))

    @cached_property
    def bids(self) -> list[Row]:
        """(bid price, date, site, channel, quantity) of admissions with a price, dearest first, then by day, site and channel."""
        priced = self.mine["admissions"]
        found = rows(priced[priced["bid_price"] > 0], "bid_price", "date", "site", "channel", "quantity")
        return sorted(found, key=lambda row: (-row[0], *row[1:4]))

    @cached_property
    def bid_units(self) -> dict[Row, float]:
        """Units of them, by (site, channel)."""
        return summed(row[2:] for row in self.bids)

    @cached_property
    def claims(self) -> dict[Row, list[Row]]:
        """(claim, asked, served, late, lost, waiting) of every claim by (channel, zone)."""
        done = self.done
        figures = (
            done.asked.quantity.sum(axis=1), done.served.sum(axis=1), done.late.sum(axis=1), done.lost.sum(axis=1),
            done.backlog[:, -1],
        )  # fmt: skip
        who = rows(done.asked.claims, "channel", "zone", "claim")
        return grouped([(*key, *values) for key, values in zip(who, zip(*figures, strict=True), strict=True)], 2)

    @cached_property
    def unmet(self) -> dict[Row, list[Row]]:
        """(reason, status, date, quantity) of unmet demand by (channel, zone)."""
        unmet = self.mine["unmet"]
        unmet = unmet.assign(reason=unmet["reason"].astype(object).fillna(""))
        return grouped(rows(unmet, "channel", "zone", "reason", "status", "date", "quantity"), 2)

    def places(self, site: str) -> list[Row]:
        """(channel, zone) that a site may serve, in order."""
        arcs = self.one.frame("fulfilment")
        return sorted(rows(arcs[arcs["site"] == site], "channel", "zone"))


def _of(frame: pd.DataFrame, item: str) -> pd.DataFrame:
    return frame[frame["item"] == item].reset_index(drop=True)
