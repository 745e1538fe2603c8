"""How much of every shared capacity the plan uses: storage, inbound and outbound of sites, volume of lanes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from allocator.measure.codes import runs
from allocator.measure.days import Days, Floats, Whole, per_bucket
from allocator.measure.demand import Claims
from allocator.measure.moves import Coded, Run

if TYPE_CHECKING:
    from allocator.tables import Tables

RESOURCES = ("storage", "inbound", "outbound", "outbound_units", "lane_volume")
UNITS = {"storage": "m3", "inbound": "m3", "outbound": "m3", "outbound_units": "units", "lane_volume": "m3"}
LANE = ["origin", "destination", "mode"]
COLUMNS = ["resource", "site", "origin", "destination", "mode", "date", "use", "limit", "unit"]
USED = ("shipments", "admissions", "projections")


def capacity_use(tables: Tables, plan: Mapping[str, pd.DataFrame], days: Days | None = None) -> pd.DataFrame:
    """Lay the use of every limited capacity beside its limit, bucket by bucket.

    Returns
    -------
    DataFrame
        Columns resource, site (of a lane: empty), origin, destination, mode (of a site: empty), date (first day of the
        bucket), use, limit, unit. A capacity without a limit has no row.
    """
    days = days or Days.of(tables)
    claims = Claims(tables, days)
    coded = Coded(tables, {name: plan[name] for name in USED}, days, claims)
    use = Use(coded)
    for first, stop in runs(len(claims.items), len(coded.sites) * days.count):
        use.add(coded.between(first, stop))
    return use.table()


class Use:
    """Use of sites and lanes by bucket, added up over runs of items."""

    def __init__(self, coded: Coded) -> None:
        self.coded, tables = coded, coded.tables
        self.volume: Floats = tables.encoded("items")["unit_volume"].to_numpy().astype(np.float64)
        self.sites, self.lanes = tables.frame("sites"), tables.frame("lanes")
        shape = (len(self.sites), coded.days.count)
        self.stock, self.came, self.left, self.units = (np.zeros(shape) for _ in range(4))
        self.carried = np.zeros((len(self.lanes), coded.days.count))

    def add(self, run: Run) -> None:
        """Add what a run of items uses."""
        ships, sold, shown, outside = run.shipments, run.admissions, run.projections, run.outside
        gone = ships.quantity * self.volume[ships.item + run.first]
        served = sold.quantity * self.volume[sold.item + run.first]
        came = outside.quantity * self.volume[outside.item + run.first]

        def grid(site: Whole, bucket: Whole, amounts: Floats) -> Floats:
            return per_bucket(site, bucket, amounts, self.stock.shape)

        self.stock += grid(shown.site, shown.bucket, shown.stock * self.volume[shown.item + run.first])
        self.came += grid(ships.destination, ships.arrive, gone) + grid(outside.site, outside.bucket, came)
        self.left += grid(ships.origin, ships.leave, gone) + grid(sold.site, sold.bucket, served)
        self.units += grid(ships.origin, ships.leave, ships.quantity) + grid(sold.site, sold.bucket, sold.quantity)
        self.carried += per_bucket(ships.lane, ships.leave, gone, self.carried.shape)

    def table(self) -> pd.DataFrame:
        """Lay what was added up beside the limits, as `capacity_use` gives it."""
        tables, days, sites, lanes = self.coded.tables, self.coded.days, self.sites, self.lanes
        stock = self.stock + self._idle_volume()[:, None]
        units: Floats = sites["outbound_units"].to_numpy(float)[:, None] * days.length.astype(np.float64)
        parts = [
            _long(days, "storage", sites[["site"]], stock, site_limits(tables, days, sites, "storage")),
            _long(days, "inbound", sites[["site"]], self.came, site_limits(tables, days, sites, "inbound")),
            _long(days, "outbound", sites[["site"]], self.left, site_limits(tables, days, sites, "outbound")),
            _long(days, "outbound_units", sites[["site"]], self.units, units),
            _long(days, "lane_volume", lanes[LANE], self.carried, _lane_limits(days, lanes)),
        ]
        return pd.concat(parts, ignore_index=True)[COLUMNS]

    def _idle_volume(self) -> Floats:
        """Add up the room of lots that take storage but can't be used: not available, or expired before day 0, [m3]."""
        lots, days = self.coded.tables.frame("lots"), self.coded.days
        expired = days.numbers(lots["expiry_date"]) < 0
        idle = lots[(lots["status"] != "available") | expired]
        room = idle["quantity"].to_numpy(float) * self.volume[self.coded.claims.items.find(idle["item"])]
        site = self.coded.sites.find(idle["site"])
        return np.bincount(site, weights=room, minlength=len(self.sites)).astype(np.float64)


def site_limits(tables: Tables, days: Days, sites: pd.DataFrame, resource: str) -> Floats:
    """Give a site capacity's limit in every bucket, overrides of single days included; infinite where there is none.

    A flow (inbound, outbound) may use the sum over the days of a bucket, storage the least of them.
    """
    daily = np.repeat(sites[f"{resource}_volume"].to_numpy(float)[:, None], days.horizon, axis=1)
    daily = np.where(np.isnan(daily), np.inf, daily)
    stated = tables.frame("capacities")
    stated = stated[stated["resource"] == resource]
    rows, when = pd.Index(sites["site"]).get_indexer(stated["site"]), days.numbers(stated["date"])
    keep = (rows >= 0) & (when >= 0) & (when < days.horizon)
    daily[rows[keep], when[keep].astype(np.int64)] = stated["volume"].to_numpy(float)[keep]
    if resource == "storage":
        return np.asarray(np.minimum.reduceat(daily, days.first, axis=1), dtype=np.float64)
    return np.asarray(np.add.reduceat(daily, days.first, axis=1), dtype=np.float64)


def _lane_limits(days: Days, lanes: pd.DataFrame) -> Floats:
    weekday = (days.start.weekday() + np.arange(days.horizon)) % 7
    opens = np.array([[mark == "1" for mark in week] for week in lanes["departs"]], dtype=np.float64).reshape(-1, 7)
    departing = np.add.reduceat(opens[:, weekday], days.first, axis=1)
    limits: Floats = lanes["daily_volume"].to_numpy(float)[:, None] * departing
    return limits


def _long(days: Days, resource: str, keys: pd.DataFrame, use: Floats, limit: Floats) -> pd.DataFrame:
    rows, buckets = np.nonzero(np.isfinite(limit))
    frame = keys.iloc[rows].reset_index(drop=True)
    frame["resource"], frame["unit"] = resource, UNITS[resource]
    frame["date"] = np.array(days.dates(), dtype="datetime64[s]")[buckets]
    frame["use"] = np.round(use[rows, buckets], 9)  # the same figure whatever the order of the rows
    frame["limit"] = limit[rows, buckets]
    return frame.reindex(columns=COLUMNS)
