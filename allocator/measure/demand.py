"""What was asked: demand of every claim in every bucket, forecasts net of the firm orders that consume them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.measure.codes import Words
from allocator.measure.days import Days, Floats, Whole, per_bucket
from allocator.tables.by_item import ByItem

if TYPE_CHECKING:
    from allocator.tables import Tables

POINT = ["item", "channel", "zone"]
CLAIM = [*POINT, "claim"]
FORECAST = "forecast"


@dataclass(frozen=True)
class Asked:
    """Demand by claim and bucket.

    Attributes
    ----------
    claims : DataFrame (K rows)
        Columns item, channel, zone, claim; one row for each claim.
    quantity : (K, B) float, [units]
        Demand that falls in each bucket.
    """

    claims: pd.DataFrame
    quantity: Floats


@dataclass(frozen=True)
class Wanted:
    """Demand of a run of items in codes: K claims over B buckets, sorted by key.

    Attributes
    ----------
    key : (K,) int
        Item (counted from the run's first), channel, zone and claim in one number.
    item, channel, zone, claim : (K,) int
        Its parts.
    quantity : (K, B) float, [units]
    """

    key: Whole
    item: Whole
    channel: Whole
    zone: Whole
    claim: Whole
    quantity: Floats

    def rows(self, key: Whole) -> Whole:
        """Find the claim of each key; -1 where nothing was asked."""
        return found(self.key, key)


class Claims:
    """The network's demand, coded once and worked out for a run of items at a time.

    Attributes
    ----------
    items, channels, zones, names : Words
        What claims are made of; `names` are `forecast`, `firm`, `firm/priority=2` and so on.
    """

    def __init__(self, tables: Tables, days: Days) -> None:
        self.days, self.orders = days, firm_orders(tables, days)
        items, forecasts = tables.encoded("items"), tables.encoded("forecasts")
        self.items, self.channels = Words(_words(items["item"])), Words.of(tables.encoded("channels")["channel"])
        zones = [tables.encoded(name)["zone"] for name in ("fulfilment", "forecasts", "orders")]
        self.zones = Words.of(*zones)
        self.names = Words.of(pd.Series([FORECAST]), self.orders["claim"].astype("str"))
        self.quantum: Floats = items["quantum"].to_numpy().astype(np.float64)
        self.forecasts = ByItem(
            forecasts.select(["channel", "zone", "date", "mean"]), self.items.find(forecasts["item"])
        )
        self.asked_for = ByItem(self.orders, self.items.find(self.orders["item"]))

    @cached_property
    def forecast(self) -> int:
        """Position of the name that forecast demand bears."""
        return int(self.names.find(pd.Series([FORECAST]))[0])

    def key(
        self, item: Whole, channel: NDArray[np.int32], zone: NDArray[np.int32], name: NDArray[np.int32] | int
    ) -> Whole:
        """Join the parts of a claim's key; -1 where one is unknown."""
        point = (item * len(self.channels) + channel) * len(self.zones) + zone
        key = point * len(self.names) + name
        return np.where((item < 0) | (channel < 0) | (zone < 0) | (np.asarray(name) < 0), -1, key)

    def between(self, first: int, stop: int) -> Wanted:
        """Work out the demand of the items from `first` to before `stop`."""
        forecasts, item = self.forecasts.between(first, stop)
        buckets = self.days.buckets_of(forecasts["date"])
        ends = self.channels.find(forecasts["channel"]), self.zones.find(forecasts["zone"])
        key = self.key(item - first, *ends, self.forecast)
        points, rows = distinct(key)
        shape = (len(points), self.days.count)
        mean = per_bucket(rows, buckets, forecasts["mean"].to_numpy().astype(np.float64), shape)

        orders, item = self.asked_for.between(first, stop)
        ends = self.channels.find(orders["channel"]), self.zones.find(orders["zone"])
        amounts, buckets = orders["quantity"].to_numpy(float), orders["bucket"].to_numpy(np.int64)
        there = found(points, self.key(item - first, *ends, self.forecast))
        left = np.maximum(mean - per_bucket(there, buckets, amounts, shape), 0.0)
        left = whole_demand(left, self.quantum[first + self.split(points)[0]])
        claims, rows = distinct(self.key(item - first, *ends, self.names.find(orders["claim"])))
        firm = per_bucket(rows, buckets, amounts, (len(claims), self.days.count))

        keys, quantity = np.concatenate([points, claims]), np.concatenate([left, firm], axis=0)
        some = np.flatnonzero((quantity.sum(axis=1) > 0) & (keys >= 0))
        order = some[np.argsort(keys[some], kind="stable")]
        return Wanted(keys[order], *self.split(keys[order]), quantity[order])

    def split(self, key: Whole) -> tuple[Whole, Whole, Whole, Whole]:
        """Take keys apart: item, channel, zone, name."""
        rest, name = np.divmod(key, max(len(self.names), 1))
        rest, zone = np.divmod(rest, max(len(self.zones), 1))
        item, channel = np.divmod(rest, max(len(self.channels), 1))
        return item, channel, zone, name


def _words(column: object) -> object:
    """Give the words of a key column in the order of its rows."""
    return column.cast("string").combine_chunks()  # type: ignore[attr-defined]


def distinct(keys: Whole) -> tuple[Whole, Whole]:
    """Give the distinct keys, sorted, and the place of each key among them; keys already sorted are not sorted again."""
    if not len(keys) or bool((keys[1:] < keys[:-1]).any()):
        unique, rows = np.unique(keys, return_inverse=True)
        return unique, rows
    fresh = np.concatenate([[True], keys[1:] != keys[:-1]])
    return keys[fresh], np.cumsum(fresh) - 1


def found(keys: Whole, wanted: Whole) -> Whole:
    """Find keys among sorted, distinct ones; -1 for a key that is not there or below 0."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((keys[at] == wanted) & (wanted >= 0), at, -1)


def claim_names(orders: pd.DataFrame) -> pd.Series:
    """Name each order's claim after its overrides: `firm`, `firm/priority=2`, `firm/unmet_cost=5` or both."""
    names = pd.Series("firm", index=orders.index, dtype=object)
    for column in ("priority", "unmet_cost"):
        codes, stated = pd.factorize(orders[column].astype(float))
        words = np.array([*(f"/{column}={number:g}" for number in stated), ""], dtype=object)
        names = names + words[codes]  # code -1 (not stated) takes the last word, the empty one
    return names


def firm_orders(tables: Tables, days: Days) -> pd.DataFrame:
    """List the orders of the horizon with their claim and bucket; overdue orders fall on day 0."""
    orders = tables.frame("orders")
    orders = orders.assign(
        claim=claim_names(orders), bucket=days.buckets(np.maximum(days.numbers(orders["due_date"]), 0))
    )
    return orders[orders["bucket"] >= 0]


def whole_demand(remainder: Floats, quantum: Floats) -> Floats:
    """Turn forecast remainders into whole quanta by cumulative rounding, as docs/semantics.md states it.

    Parameters
    ----------
    remainder : (K, B) float, [units]
        Forecast less firm orders.
    quantum : (K,) float, [units]
        Smallest quantity that moves; 0 leaves the row as it is.
    """
    step = np.where(quantum > 0, quantum, 1.0)[:, None]
    rounded = step * np.floor(np.cumsum(remainder, axis=1) / step + 0.5 + 1e-9)
    return np.where(quantum[:, None] > 0, np.diff(rounded, axis=1, prepend=0.0), remainder)


def asked(tables: Tables, days: Days | None = None) -> Asked:
    """Work out the demand of every claim in every bucket from forecasts and orders.

    Parameters
    ----------
    tables : Tables
        The network.
    days : Days, optional
        Its calendar, when already at hand.

    Returns
    -------
    Asked
        Claims with demand in the horizon, sorted by item, channel, zone and claim.
    """
    claims = Claims(tables, days or Days.of(tables))
    return spelled(claims, claims.between(0, len(claims.items)))


def spelled(claims: Claims, wanted: Wanted) -> Asked:
    """Write claims of all items in words."""
    columns = zip(
        CLAIM,
        (claims.items, claims.channels, claims.zones, claims.names),
        (wanted.item, wanted.channel, wanted.zone, wanted.claim),
        strict=True,
    )
    return Asked(pd.DataFrame({name: words.text(at) for name, words, at in columns}), wanted.quantity)
