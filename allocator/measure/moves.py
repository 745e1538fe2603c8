"""A plan's rows as positions and buckets, for a run of items at a time, and what comes in from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.measure.codes import Words
from allocator.measure.days import Days, Floats, Whole
from allocator.measure.demand import Claims, Wanted, found
from allocator.tables.by_item import ByItem

if TYPE_CHECKING:
    from allocator.tables import Tables


@dataclass(frozen=True)
class Shipped:
    """Shipments: positions (-1: unknown), buckets (-1: outside the horizon), [units]; `pushed` by method push."""

    item: Whole
    origin: Whole
    destination: Whole
    lane: Whole
    leave: Whole
    arrive: Whole
    quantity: Floats
    pushed: NDArray[np.bool_]


@dataclass(frozen=True)
class Asking:
    """Admissions, or demand given up: the key of each row's claim, its site (admissions only), bucket, [units]."""

    item: Whole
    site: Whole
    claim: Whole
    bucket: Whole
    quantity: Floats


@dataclass(frozen=True)
class Shown:
    """Projections, [units]."""

    item: Whole
    site: Whole
    bucket: Whole
    stock: Floats
    waste: Floats


@dataclass(frozen=True)
class Outside:
    """Receipts and lots received after day 0, [units]."""

    item: Whole
    site: Whole
    bucket: Whole
    quantity: Floats


@dataclass(frozen=True)
class Run:
    """The plan's rows of a run of items; items are counted from `first`."""

    first: int
    shipments: Shipped
    admissions: Asking
    lost: Asking
    projections: Shown
    outside: Outside


class Coded:
    """A network's words and a plan's tables, cut by runs of items; a table the plan lacks is empty.

    Attributes
    ----------
    sites, modes : Words
    refused : (R,) int
        Pairs of item and site that are not carried, sorted.
    """

    def __init__(self, tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days, claims: Claims) -> None:
        self.days, self.claims, self.tables = days, claims, tables
        self.sites = Words(tables.encoded("sites")["site"].cast("string").combine_chunks())
        lanes = tables.encoded("lanes")
        self.modes = Words.of(lanes["mode"])
        keys = self._lane(*(lanes[name] for name in ("origin", "destination", "mode")))
        self._lane_at = np.argsort(keys, kind="stable")
        self._lane_keys = keys[self._lane_at]
        self._plan = {name: ByItem(frame, claims.items.find(frame["item"])) for name, frame in plan.items()}
        outside = incoming(tables, days)
        self._outside = ByItem(outside, claims.items.find(outside["item"]))
        policies = tables.encoded("stock_policies")
        pair = claims.items.find(policies["item"]).astype(np.int64) * max(len(self.sites), 1)
        pair += self.sites.find(policies["site"])
        self.refused = np.unique(pair[~policies["carried"].to_numpy().astype(bool)])
        self._arcs()

    def _lane(self, *ends: Any) -> Whole:
        origin, destination, mode = (
            words.find(column).astype(np.int64)
            for words, column in zip((self.sites, self.sites, self.modes), ends, strict=True)
        )
        key = (origin * len(self.sites) + destination) * len(self.modes) + mode
        return np.where((origin < 0) | (destination < 0) | (mode < 0), -1, key)

    def _arcs(self) -> None:
        """Sort fulfilment rows by the point of demand they serve."""
        arcs, zones = self.tables.encoded("fulfilment"), len(self.claims.zones)
        point = self.claims.channels.find(arcs["channel"]).astype(np.int64) * zones + self.claims.zones.find(
            arcs["zone"]
        )
        order = np.argsort(point, kind="stable")
        self._arc_point, self._arc_site = point[order], self.sites.find(arcs["site"]).astype(np.int64)[order]

    def serving(self, wanted: Wanted) -> tuple[Whole, Whole]:
        """List each claim once for each site that may serve it: positions of claims, and the sites."""
        point = wanted.channel * len(self.claims.zones) + wanted.zone
        low = np.searchsorted(self._arc_point, point, side="left")
        count = np.searchsorted(self._arc_point, point, side="right") - low
        claim = np.repeat(np.arange(len(point)), count)
        within = np.arange(len(claim)) - np.repeat(np.cumsum(count) - count, count)
        return claim, self._arc_site[np.repeat(low, count) + within]

    def between(self, first: int, stop: int) -> Run:
        """Code the rows of the items from `first` to before `stop`."""
        outside, item = self._outside.between(first, stop)
        return Run(
            first,
            self._shipments(first, stop),
            self._asking("admissions", first, stop),
            self._asking("unmet", first, stop),
            self._projections(first, stop),
            Outside(
                item - first,
                self.sites.find(outside["site"]).astype(np.int64),
                outside["bucket"].to_numpy(np.int64),
                outside["quantity"].to_numpy(float),
            ),
        )

    def _rows(self, name: str, first: int, stop: int) -> tuple[pd.DataFrame | None, Whole]:
        if name not in self._plan:
            return None, np.empty(0, dtype=np.int64)
        frame, item = self._plan[name].between(first, stop)
        return frame, item - first

    def _shipments(self, first: int, stop: int) -> Shipped:
        frame, item = self._rows("shipments", first, stop)
        if frame is None:
            return Shipped(item, item, item, item, item, item, item.astype(float), item.astype(bool))
        lane = found(self._lane_keys, self._lane(frame["origin"], frame["destination"], frame["mode"]))
        return Shipped(
            item,
            self.sites.find(frame["origin"]).astype(np.int64),
            self.sites.find(frame["destination"]).astype(np.int64),
            np.append(self._lane_at, -1)[lane],
            self.days.buckets_of(frame["ship_date"]),
            self.days.buckets_of(frame["arrive_date"]),
            frame["quantity"].to_numpy(float),
            Words.of(pd.Series(["push"])).find(frame["method"]) == 0,
        )

    def _asking(self, name: str, first: int, stop: int) -> Asking:
        frame, item = self._rows(name, first, stop)
        if frame is None:
            return Asking(item, item, item, item, item.astype(float))
        if name == "unmet":
            lost = Words.of(pd.Series(["lost"])).find(frame["status"]) == 0
            frame, item = frame[lost], item[lost]
        claims = self.claims
        ends = claims.channels.find(frame["channel"]), claims.zones.find(frame["zone"])
        return Asking(
            item,
            self.sites.find(frame["site"]).astype(np.int64) if name == "admissions" else np.full(len(item), -1),
            claims.key(item, *ends, claims.names.find(frame["claim"])),
            self.days.buckets_of(frame["date"]),
            frame["quantity"].to_numpy(float),
        )

    def _projections(self, first: int, stop: int) -> Shown:
        frame, item = self._rows("projections", first, stop)
        if frame is None:
            return Shown(item, item, item, item.astype(float), item.astype(float))
        return Shown(
            item,
            self.sites.find(frame["site"]).astype(np.int64),
            self.days.buckets_of(frame["date"]),
            frame["stock"].to_numpy(float),
            frame["waste"].to_numpy(float),
        )


def incoming(tables: Tables, days: Days) -> pd.DataFrame:
    """List what comes in from outside: receipts and lots received after day 0.

    Returns
    -------
    DataFrame
        Columns lot, item, site, quantity, expiry_date, bucket; overdue receipts come in on day 0, those after the
        horizon are left out.
    """
    receipts = tables.frame("receipts")
    receipts = receipts.assign(
        lot=receipts["lot"].where(receipts["lot"].notna(), receipts["receipt"]),
        bucket=days.buckets(np.maximum(days.numbers(receipts["date"]), 0)),
    )
    lots = tables.frame("lots")
    lots = lots.assign(bucket=days.buckets_of(lots["received_date"]))
    lots = lots[(lots["status"] == "available") & (days.numbers(lots["received_date"]) > 0)]
    columns = ["lot", "item", "site", "quantity", "expiry_date", "bucket"]
    parts = [part[columns] for part in (receipts[receipts["bucket"] >= 0], lots[lots["bucket"] >= 0]) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else receipts[columns].head(0)
