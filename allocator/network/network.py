"""The coded network: frozen arrays, codes replaced by their rank in canonical (sorted) order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

NEVER = 2**31 - 1
"""Expiry day of what never expires."""

METHODS = ("auto", "push", "pull", "jit")
AUTO, PUSH, PULL, JIT = range(4)
KINDS = ("supplier", "plant", "dc", "store")


@dataclass(frozen=True)
class Calendar:
    """Buckets of the horizon, in day numbers counted from ``start``.

    Attributes
    ----------
    start : date
    first, length : (T,) int
        First day number and length of each bucket. [days]
    committed : int
        Number of committed buckets.
    """

    start: dt.date
    first: IntArray
    length: IntArray
    committed: int

    @property
    def buckets(self) -> int:
        """Number of buckets."""
        return len(self.first)

    @property
    def days(self) -> int:
        """Length of the horizon. [days]"""
        return int(self.length.sum())

    @property
    def last(self) -> IntArray:
        """(T,) int, last day number of each bucket."""
        return self.first + self.length - 1

    def bucket_of(self, day: IntArray) -> IntArray:
        """Bucket that holds each day number; -1 before the start, T from the end of the horizon on."""
        found = np.searchsorted(self.first, day, side="right") - 1
        return np.where(day >= self.days, self.buckets, found)

    def date(self, day: IntArray) -> NDArray[np.datetime64]:
        """Calendar dates of day numbers."""
        return np.datetime64(self.start, "D") + np.asarray(day).astype("timedelta64[D]")


@dataclass(frozen=True)
class Sites:
    """Sites. Limits are (S, T), ``inf`` where there is none: m3, m3, m3, units per bucket."""

    codes: list[str]
    kind: IntArray
    holding_rate: FloatArray
    storage: FloatArray
    inbound: FloatArray
    outbound: FloatArray
    outbound_units: FloatArray


@dataclass(frozen=True)
class Lanes:
    """Lanes, and what they mean for each item.

    Attributes
    ----------
    origin, destination : (L,) int
    ship_day, arrive_day : (L, T) int
        Day numbers; -1 where the lane does not depart in the bucket.
    arrival : (L, T) int
        Bucket of arrival, -1 beyond the horizon, -2 no departure.
    daily_volume : (L, T) float
        m3 in the bucket, ``inf`` without a limit.
    vehicle_volume : (L,) float
        Effective vehicle volume. [m3]
    cost_per_shipment : (L,) float
    pack, min_quantity, freight : (I, L) float
        Units, units, currency per unit.
    method : (I, L) int
        Index into ``METHODS``.
    open : (I, L) bool
        The item may use the lane (allowed, and the destination carries it).
    """

    codes: list[tuple[str, str, str]]
    origin: IntArray
    destination: IntArray
    lead: IntArray
    ship_day: IntArray
    arrive_day: IntArray
    arrival: IntArray
    daily_volume: FloatArray
    vehicle_volume: FloatArray
    cost_per_shipment: FloatArray
    method_of_lane: IntArray
    pack: FloatArray
    min_quantity: FloatArray
    freight: FloatArray
    method: IntArray
    open: BoolArray


@dataclass(frozen=True)
class Claims:
    """Claims: a channel and zone, and forecast or a kind of firm order.

    Attributes
    ----------
    channel : (D,) int
    zone : (D,) int
    label : list of str
        ``forecast``, ``firm``, ``firm/priority=2``, ...
    firm, waits : (D,) bool
    priority : (D,) int
    unmet_cost : (D,) float
        Override of the price table, NaN without one. [currency per unit (and day)]
    arc_site, arc_claim, arc_delivery, arc_life, arc_cost : (A,)
        Service arcs: site, claim, delivery days, least remaining life at delivery (days), cost per unit.
    """

    channel: IntArray
    zone: IntArray
    label: list[str]
    firm: BoolArray
    waits: BoolArray
    priority: IntArray
    unmet_cost: FloatArray
    arc_site: IntArray
    arc_claim: IntArray
    arc_delivery: IntArray
    arc_life: IntArray
    arc_cost: FloatArray

    def arcs(self, claim: IntArray) -> tuple[IntArray, IntArray]:
        """Service arcs of claims: row of ``claim`` and arc, by row and arc."""
        order = np.argsort(self.arc_claim, kind="stable")
        size = np.bincount(self.arc_claim, minlength=len(self.channel))
        count = size[claim]
        row = np.repeat(np.arange(len(claim)), count)
        start = (np.cumsum(size) - size)[claim] - (np.cumsum(count) - count)
        return row, order[np.arange(len(row)) + start[row]]


@dataclass(frozen=True)
class Demand:
    """Demand in sparse form: one entry an item, claim, bucket and last bucket it may be served in (T: beyond the horizon)."""

    item: IntArray
    claim: IntArray
    bucket: IntArray
    last: IntArray
    quantity: FloatArray


@dataclass(frozen=True)
class LotEntries:
    """Usable opening lots and receipts, by item, site and bucket in which they come in (opening lots: 0)."""

    item: IntArray
    site: IntArray
    bucket: IntArray
    quantity: FloatArray
    received: IntArray
    expiry: IntArray
    lot: IntArray
    codes: list[str]
    receipt: BoolArray


@dataclass(frozen=True)
class Policies:
    """Stock policies, (I, S): carried, min, safety, max stock (``inf`` without one). [units]"""

    carried: BoolArray
    min_stock: FloatArray
    safety_stock: FloatArray
    max_stock: FloatArray


@dataclass(frozen=True)
class Locks:
    """Locks in sparse form: least and most quantity of an item on a lane in a bucket; ``fixed`` where they agree by a fix lock."""

    item: IntArray
    lane: IntArray
    bucket: IntArray
    least: FloatArray
    most: FloatArray
    fixed: BoolArray


@dataclass(frozen=True)
class Previous:
    """Shipments of the previous plan inside this horizon, and which (lane, bucket) pairs are compared with it."""

    item: IntArray
    lane: IntArray
    bucket: IntArray
    quantity: FloatArray
    compared: BoolArray


@dataclass(frozen=True)
class Limits:
    """Admission limits by (S, C, T): units and share of stock, ``inf`` without one; minimum fill rate (C,), 0 without one."""

    max_units: FloatArray
    max_share: FloatArray
    min_fill: FloatArray


@dataclass(frozen=True)
class Points:
    """Demand points: forecast rows inside the horizon, sorted by item, channel, zone and day.

    Attributes
    ----------
    item, channel, zone, day : (n,) int
    key, factor_key : (n,) uint64
        What a point's own draws, and the factor it shares, come from: its codes and date, never its place in the table.
    mean, std : (n,) float
        Std NaN where none is stated. [units]
    quantiles : (n, 7) float
        NaN where not stated. [units]
    """

    item: IntArray
    channel: IntArray
    zone: IntArray
    day: IntArray
    key: NDArray[np.uint64]
    factor_key: NDArray[np.uint64]
    mean: FloatArray
    std: FloatArray
    quantiles: FloatArray

    def take(self, rows: IntArray) -> Points:
        """Some of the points."""
        return Points(*(getattr(self, name)[rows] for name in Points.__dataclass_fields__))


@dataclass(frozen=True)
class Outlooks:
    """How demand may turn out.

    Attributes
    ----------
    count : int
        Demand paths K; 1 = the mean.
    seed : int
    common_factor : float
        Share of a point's variance that all points of its item and day have in common. [1]
    points : Points
        None when ``count`` is 1.
    start : (I+1,) int
        First point of each item.
    wait : (C,) int
        ``max_wait_days`` of each channel.
    """

    count: int
    seed: int
    common_factor: float
    points: Points
    start: IntArray
    wait: IntArray


@dataclass(frozen=True)
class Decided:
    """Committed shipments that are given: item, lane, bucket, expiry day of the class, quantity [units].

    ``exact``: they go as they are; otherwise they are the most that goes. Committed shipments not listed are 0.
    """

    item: IntArray
    lane: IntArray
    bucket: IntArray
    expiry: IntArray
    quantity: FloatArray
    exact: bool = True


@dataclass(frozen=True)
class Network:
    """Everything the engine needs, coded. Units: units, m3, currency, day numbers from ``calendar.start``."""

    calendar: Calendar
    items: list[str]
    quantum: FloatArray
    unit_cost: FloatArray
    unit_volume: FloatArray
    rotation: IntArray
    sites: Sites
    lanes: Lanes
    channels: list[str]
    zones: list[str]
    channel_waits: BoolArray
    margin: FloatArray
    unmet_cost: FloatArray
    claims: Claims
    demand: Demand
    lots: LotEntries
    idle_volume: FloatArray
    policies: Policies
    locks: Locks
    limits: Limits
    previous: Previous
    change_cost: float
    serves_channel: FloatArray
    cancel_cost: FloatArray
    outlooks: Outlooks
    decided: Decided | None = None

    @property
    def size(self) -> tuple[int, int, int]:
        """Numbers of items, sites, buckets."""
        return len(self.items), len(self.sites.codes), self.calendar.buckets
