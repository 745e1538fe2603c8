"""How much of every shared capacity the plan uses: storage, inbound and outbound of sites, volume of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.measure.days import Days, Floats, per_bucket
from allocator.measure.demand import find_rows
from allocator.measure.service import incoming

if TYPE_CHECKING:
    from allocator.tables import Tables

RESOURCES = ("storage", "inbound", "outbound", "outbound_units", "lane_volume")
UNITS = {"storage": "m3", "inbound": "m3", "outbound": "m3", "outbound_units": "units", "lane_volume": "m3"}
LANE = ["origin", "destination", "mode"]
COLUMNS = ["resource", "site", "origin", "destination", "mode", "date", "use", "limit", "unit"]


def capacity_use(tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days | None = None) -> pd.DataFrame:
    """Lay the use of every limited capacity beside its limit, bucket by bucket.

    Returns
    -------
    DataFrame
        Columns resource, site (of a lane: empty), origin, destination, mode (of a site: empty), date (first day of the
        bucket), use, limit, unit. A capacity without a limit has no row.
    """
    days = days or Days.of(tables)
    volume = tables.frame("items").set_index("item")["unit_volume"]
    sites = tables.frame("sites")
    parts = [
        _long(days, resource, sites[["site"]], use, limit)
        for resource, use, limit in _site_grids(tables, plan, days, sites, volume)
    ]
    lanes = tables.frame("lanes")
    parts.append(_long(days, "lane_volume", lanes[LANE], *_lane_grids(plan, days, lanes, volume)))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _site_grids(
    tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days, sites: pd.DataFrame, volume: pd.Series
) -> list[tuple[str, Floats, Floats]]:
    shape = (len(sites), days.count)

    def grid(frame: pd.DataFrame, site: str, date: str, quantity: str, factor: bool = True) -> Floats:
        """Add a frame's volumes (or units) up by site and bucket."""
        amounts = frame[quantity].to_numpy(float)
        if factor:
            amounts = amounts * frame["item"].map(volume).to_numpy(float)
        rows = find_rows(sites, frame.rename(columns={site: "site"}) if site != "site" else frame, ["site"])
        buckets = frame[date].to_numpy(np.int64) if date == "bucket" else days.buckets_of(frame[date])
        return per_bucket(rows, buckets, amounts, shape)

    shipments, admissions = plan["shipments"], plan["admissions"]
    stock = grid(plan["projections"], "site", "date", "stock") + _idle_volume(tables, sites, volume, days)[:, None]
    came = grid(shipments, "destination", "arrive_date", "quantity") + grid(
        incoming(tables, days), "site", "bucket", "quantity"
    )
    left = grid(shipments, "origin", "ship_date", "quantity") + grid(admissions, "site", "date", "quantity")
    units = grid(shipments, "origin", "ship_date", "quantity", False) + grid(
        admissions, "site", "date", "quantity", False
    )
    return [
        ("storage", stock, site_limits(tables, days, sites, "storage")),
        ("inbound", came, site_limits(tables, days, sites, "inbound")),
        ("outbound", left, site_limits(tables, days, sites, "outbound")),
        ("outbound_units", units, sites["outbound_units"].to_numpy(float)[:, None] * days.length),
    ]


def _idle_volume(tables: Tables, sites: pd.DataFrame, volume: pd.Series, days: Days) -> Floats:
    """Add up the room of lots that take storage but can't be used: not available, or expired before day 0, [m3]."""
    lots = tables.frame("lots")
    expired = days.numbers(lots["expiry_date"]) < 0
    idle = lots[(lots["status"] != "available") | expired]
    room = (idle["quantity"] * idle["item"].map(volume).astype(float)).groupby(idle["site"]).sum()
    return sites["site"].map(room).fillna(0.0).to_numpy(float)


def site_limits(tables: Tables, days: Days, sites: pd.DataFrame, resource: str) -> Floats:
    """Give a site capacity's limit in every bucket, overrides of single days included; infinite where there is none.

    A flow (inbound, outbound) may use the sum over the days of a bucket, storage the least of them.
    """
    daily = np.repeat(sites[f"{resource}_volume"].to_numpy(float)[:, None], days.horizon, axis=1)
    daily = np.where(np.isnan(daily), np.inf, daily)
    stated = tables.frame("capacities")
    stated = stated[stated["resource"] == resource]
    rows, when = find_rows(sites, stated, ["site"]), days.numbers(stated["date"])
    keep = (rows >= 0) & (when >= 0) & (when < days.horizon)
    daily[rows[keep], when[keep].astype(np.int64)] = stated["volume"].to_numpy(float)[keep]
    if resource == "storage":
        return np.asarray(np.minimum.reduceat(daily, days.first, axis=1), dtype=np.float64)
    return np.asarray(np.add.reduceat(daily, days.first, axis=1), dtype=np.float64)


def _lane_grids(
    plan: Mapping[str, pd.DataFrame], days: Days, lanes: pd.DataFrame, volume: pd.Series
) -> tuple[Floats, Floats]:
    shipments = plan["shipments"]
    amounts = shipments["quantity"].to_numpy(float) * shipments["item"].map(volume).to_numpy(float)
    use = per_bucket(
        find_rows(lanes, shipments, LANE), days.buckets_of(shipments["ship_date"]), amounts, (len(lanes), days.count)
    )
    weekday = (days.start.weekday() + np.arange(days.horizon)) % 7
    opens = np.array([[mark == "1" for mark in week] for week in lanes["departs"]], dtype=np.float64).reshape(-1, 7)
    departing = np.add.reduceat(opens[:, weekday], days.first, axis=1)
    return use, lanes["daily_volume"].to_numpy(float)[:, None] * departing


def _long(days: Days, resource: str, keys: pd.DataFrame, use: Floats, limit: Floats) -> pd.DataFrame:
    rows, buckets = np.nonzero(np.isfinite(limit))
    frame = keys.iloc[rows].reset_index(drop=True)
    frame["resource"], frame["unit"] = resource, UNITS[resource]
    frame["date"] = np.array(days.dates(), dtype="datetime64[s]")[buckets]
    frame["use"] = np.round(use[rows, buckets], 9)  # the same figure whatever the order of the rows
    frame["limit"] = limit[rows, buckets]
    return frame.reindex(columns=COLUMNS)
