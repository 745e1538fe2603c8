"""What was asked: demand of every claim in every bucket, forecasts net of the firm orders that consume them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.measure.days import Days, Floats, Whole, per_bucket

if TYPE_CHECKING:
    from allocator.tables import Tables

POINT = ["item", "channel", "zone"]
CLAIM = [*POINT, "claim"]


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

    def rows(self, frame: pd.DataFrame) -> Whole:
        """Find each row's claim by item, channel, zone and claim; -1 where the claim asked for nothing."""
        return find_rows(self.claims, frame, CLAIM)


def find_rows(keys: pd.DataFrame, frame: pd.DataFrame, columns: list[str]) -> Whole:
    """Give the position in `keys` of each row of `frame`; -1 where there is none."""
    if frame.empty or keys.empty:
        return np.full(len(frame), -1, dtype=np.int64)
    numbered = keys[columns].assign(position=np.arange(len(keys)))
    found = frame[columns].merge(numbered, on=columns, how="left")["position"]
    return np.asarray(found.fillna(-1), dtype=np.int64)


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
    days = days or Days.of(tables)
    orders = firm_orders(tables, days)
    forecasts = tables.frame("forecasts")
    points = forecasts[POINT].drop_duplicates().reset_index(drop=True)
    shape = (len(points), days.count)
    mean = per_bucket(
        find_rows(points, forecasts, POINT),
        days.buckets_of(forecasts["date"]),
        forecasts["mean"].to_numpy(float),
        shape,
    )
    amounts = orders["quantity"].to_numpy(float)
    buckets = orders["bucket"].to_numpy(np.int64)
    firm_there = per_bucket(find_rows(points, orders, POINT), buckets, amounts, shape)
    quantum = tables.frame("items").set_index("item")["quantum"].reindex(points["item"]).to_numpy(float)
    forecast = whole_demand(np.maximum(mean - firm_there, 0.0), quantum)
    claims = orders[CLAIM].drop_duplicates().reset_index(drop=True)
    firm = per_bucket(find_rows(claims, orders, CLAIM), buckets, amounts, (len(claims), days.count))
    every = pd.concat([points.assign(claim="forecast"), claims], ignore_index=True)
    quantity = np.concatenate([forecast, firm], axis=0)
    some = quantity.sum(axis=1) > 0
    every, quantity = every[some].reset_index(drop=True), quantity[some]
    order = every.sort_values(CLAIM).index.to_numpy()
    return Asked(every.loc[order].reset_index(drop=True), quantity[order])
