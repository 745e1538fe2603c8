"""Demand of claims: firm orders consume forecasts, remainders become whole quanta."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from allocator.network import coding
from allocator.network.network import Calendar, Claims, Demand
from allocator.network.order import packed

if TYPE_CHECKING:
    from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def claim_label(priority: float, unmet_cost: float) -> str:
    """Name of a claim of firm orders with these overrides (NaN: none)."""
    label = "firm"
    if not np.isnan(priority):
        label += f"/priority={priority:g}"
    if not np.isnan(unmet_cost):
        label += f"/unmet_cost={unmet_cost:g}"
    return label


def build_demand(
    tables: Tables, calendar: Calendar, items: list[str], channels: list[str], zones: list[str], quantum: FloatArray
) -> tuple[Claims, Demand]:
    """Claims of the network and their demand.

    Parameters
    ----------
    tables : Tables
    calendar : Calendar
    items, channels, zones : list of str
        Codes in canonical order.
    quantum : (I,) float
        Smallest quantity that moves. [units]

    Returns
    -------
    Claims, Demand
    """
    channel_table = tables["channels"]
    order = coding.ranks(channel_table, "channel", channels)
    waits = np.zeros(len(channels), dtype=bool)
    waits[order] = coding.choices(channel_table, "unmet", ("lost", "backorder")) == 1
    wait_days = np.zeros(len(channels), dtype=np.int64)
    wait_days[order] = coding.wholes(channel_table, "max_wait_days")
    priority = np.zeros(len(channels), dtype=np.int64)
    priority[order] = coding.wholes(channel_table, "priority")

    forecast = _forecasts(tables, calendar, items, channels, zones)
    firm, overrides = _orders(tables, calendar, items, channels, zones)
    remainder = _consume(forecast, firm, calendar.buckets, len(channels), len(zones), quantum)

    overdue = np.maximum(-firm[5], 0)
    left = np.where(waits[firm[1]], np.maximum(wait_days[firm[1]] - overdue, 0), 0)
    keys = {_Key(c, z, False, -1.0, -1.0) for c, z in _pairs(forecast[1], forecast[2])}
    blank = np.where(np.isnan(overrides), -1.0, overrides)
    firm_keys = [
        _Key(int(c), int(z), True, float(p), float(u)) for c, z, (p, u) in zip(firm[1], firm[2], blank, strict=True)
    ]
    ordered = sorted(keys | set(firm_keys))
    place = {key: number for number, key in enumerate(ordered)}
    of_forecast = np.full((len(channels), len(zones)), -1, dtype=np.int64)
    for key, number in place.items():
        if not key.firm:
            of_forecast[key.channel, key.zone] = number
    claims = _claims(tables, ordered, channels, zones, waits, priority)
    item, channel, zone, bucket, quantity = remainder
    all_claims = np.concatenate(
        [of_forecast[channel, zone], np.array([place[key] for key in firm_keys], dtype=np.int64)]
    )
    buckets = np.concatenate([bucket, firm[3]])
    demand = _gather(
        np.concatenate([item, firm[0]]),
        all_claims,
        buckets,
        last_bucket(calendar, buckets, np.concatenate([wait_days[channel], left]), claims.waits[all_claims]),
        np.concatenate([quantity, firm[4]]),
    )
    return claims, demand


class _Key(NamedTuple):
    """What tells claims apart, in their order; overrides -1 where there is none."""

    channel: int
    zone: int
    firm: bool
    priority: float
    unmet_cost: float


def _pairs(channel: IntArray, zone: IntArray) -> list[tuple[int, int]]:
    """Channels and zones that occur together."""
    seen = np.zeros((int(channel.max(initial=-1)) + 1, int(zone.max(initial=-1)) + 1), dtype=bool)
    seen[channel, zone] = True
    return [(int(c), int(z)) for c, z in np.argwhere(seen)]


def last_bucket(calendar: Calendar, bucket: IntArray, wait: IntArray, waits: NDArray[np.bool_]) -> IntArray:
    """Last bucket in which demand due in a bucket may be served: waits count from the bucket's last day; T beyond the horizon."""
    until = calendar.bucket_of(calendar.last[bucket] + wait)
    return np.where(waits, np.maximum(until, bucket), bucket)


def _forecasts(
    tables: Tables, calendar: Calendar, items: list[str], channels: list[str], zones: list[str]
) -> tuple[IntArray, ...]:
    table = tables["forecasts"]
    bucket = calendar.bucket_of(coding.day_numbers(table, "date", calendar.start, -1))
    inside = (bucket >= 0) & (bucket < calendar.buckets)
    columns = [coding.ranks(table, name, codes)[inside] for name, codes in _keys(items, channels, zones)]
    mean: Any = coding.amounts(table, "mean")[inside]
    return (*columns, bucket[inside], mean)


def _orders(
    tables: Tables, calendar: Calendar, items: list[str], channels: list[str], zones: list[str]
) -> tuple[tuple[IntArray, ...], FloatArray]:
    table = tables["orders"]
    day = coding.day_numbers(table, "due_date", calendar.start, -1)
    bucket = np.maximum(calendar.bucket_of(day), 0)
    inside = (bucket < calendar.buckets) & (coding.amounts(table, "quantity") > 0)
    columns = [coding.ranks(table, name, codes)[inside] for name, codes in _keys(items, channels, zones)]
    overrides = np.stack([coding.amounts(table, "priority"), coding.amounts(table, "unmet_cost")], axis=1)[inside]
    quantity: Any = coding.amounts(table, "quantity")[inside]
    return (*columns, bucket[inside], quantity, day[inside]), overrides


def _keys(items: list[str], channels: list[str], zones: list[str]) -> list[tuple[str, list[str]]]:
    return [("item", items), ("channel", channels), ("zone", zones)]


def _consume(
    forecast: tuple[IntArray, ...],
    firm: tuple[IntArray, ...],
    buckets: int,
    channels: int,
    zones: int,
    quantum: FloatArray,
) -> tuple[IntArray, ...]:
    """Forecast left after firm orders of the same bucket, in whole quanta by cumulative rounding."""
    series = (forecast[0] * channels + forecast[1]) * zones + forecast[2]
    known, place = np.unique(series, return_inverse=True)
    mean = np.zeros((len(known), buckets))
    np.add.at(mean, (place, forecast[3]), forecast[4])
    firm_series = (firm[0] * channels + firm[1]) * zones + firm[2]
    at = np.searchsorted(known, firm_series)
    hit = (at < len(known)) & (known[np.minimum(at, max(len(known) - 1, 0))] == firm_series) if len(known) else at < 0
    np.add.at(mean, (at[hit], firm[3][hit]), -firm[4][hit])
    left = np.maximum(mean, 0.0)
    item = known // (channels * zones)
    q = quantum[item][:, None]
    step = np.where(q > 0, q, 1.0)
    cumulative = np.floor(np.cumsum(left, axis=1) / step + 0.5 + 1e-9) * step
    whole = np.diff(cumulative, axis=1, prepend=0.0)
    quantity = np.where(q > 0, whole, left)
    row, bucket = np.nonzero(quantity > 0)
    keys = known[row]
    return item[row], (keys // zones) % channels, keys % zones, bucket.astype(np.int64), quantity[row, bucket]


def _gather(item: IntArray, claim: IntArray, bucket: IntArray, last: IntArray, quantity: FloatArray) -> Demand:
    if not len(item):
        empty = np.empty(0, dtype=np.int64)
        return Demand(empty, empty, empty, empty, np.empty(0))
    key = packed(item, claim, bucket, last)
    order = np.argsort(key, kind="stable")
    key = key[order]
    new = np.ones(len(key), dtype=bool)
    new[1:] = key[1:] != key[:-1]
    start = np.flatnonzero(new)
    total = np.add.reduceat(quantity[order], start)
    rows = order[start]
    return Demand(item[rows], claim[rows], bucket[rows], last[rows], total)


def _claims(
    tables: Tables,
    ordered: list[_Key],
    channels: list[str],
    zones: list[str],
    waits: NDArray[np.bool_],
    priority: IntArray,
) -> Claims:
    channel = np.array([k.channel for k in ordered], dtype=np.int64)
    own = np.array([k.priority for k in ordered], dtype=np.float64)
    unmet = np.array([np.nan if k.unmet_cost < 0 else k.unmet_cost for k in ordered], dtype=np.float64)
    label = [
        claim_label(np.nan if k.priority < 0 else k.priority, np.nan if k.unmet_cost < 0 else k.unmet_cost)
        if k.firm
        else "forecast"
        for k in ordered
    ]
    table = tables["fulfilment"]
    sites = [str(code) for code in coding.texts(tables["sites"], "site")]
    arc_channel = coding.ranks(table, "channel", channels)
    arc_zone = coding.ranks(table, "zone", zones)
    channel_table = tables["channels"]
    life = np.zeros(len(channels), dtype=np.int64)
    life[coding.ranks(channel_table, "channel", channels)] = coding.wholes(channel_table, "min_remaining_life_days")
    by_point: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(zip(arc_channel.tolist(), arc_zone.tolist(), strict=True)):
        by_point.setdefault(key, []).append(row)
    pairs = [(row, d) for d, k in enumerate(ordered) for row in by_point.get((k.channel, k.zone), ())]
    rows = np.array([p[0] for p in pairs], dtype=np.int64)
    return Claims(
        channel=channel,
        zone=np.array([k.zone for k in ordered], dtype=np.int64),
        label=label,
        firm=np.array([k.firm for k in ordered], dtype=bool),
        waits=waits[channel],
        priority=np.where(own < 0, priority[channel], own).astype(np.int64),
        unmet_cost=unmet,
        arc_site=coding.ranks(table, "site", sites)[rows],
        arc_claim=np.array([p[1] for p in pairs], dtype=np.int64),
        arc_delivery=coding.wholes(table, "delivery_days")[rows],
        arc_life=life[arc_channel[rows]],
        arc_cost=coding.amounts(table, "cost_per_unit", 0.0)[rows],
    )
