"""Demand paths of the outlooks: Latin hypercube draws that depend on the seed and each demand point's key alone."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import scipy.special as special
from numpy.typing import NDArray

from allocator.network import coding
from allocator.network.marginals import LEVELS, draw_marginals
from allocator.network.network import Calendar, Network, Outlooks, Points
from allocator.tables.schema import QUANTILES

if TYPE_CHECKING:
    from allocator.tables import Tables

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def build_outlooks(
    tables: Tables, calendar: Calendar, items: list[str], channels: list[str], zones: list[str]
) -> Outlooks:
    """Demand points of the horizon and how many paths to draw over them; no points for a single outlook.

    Parameters
    ----------
    tables : Tables
    calendar : Calendar
    items, channels, zones : list of str
        Codes in canonical order.

    Returns
    -------
    Outlooks
    """
    settings = tables.settings
    table = tables["channels"]
    wait = np.zeros(len(channels), dtype=np.int64)
    wait[coding.ranks(table, "channel", channels)] = coding.wholes(table, "max_wait_days")
    points = read_points(tables, calendar, items, channels, zones) if settings.outlooks > 1 else no_points()
    start = np.searchsorted(points.item, np.arange(len(items) + 1))
    return Outlooks(settings.outlooks, settings.seed, settings.common_factor, points, start, wait)


def no_points() -> Points:
    """No demand points."""
    none = np.empty(0, dtype=np.int64)
    return Points(
        none, none, none, none, none.astype(np.uint64), none.astype(np.uint64),
        np.empty(0), np.empty(0), np.empty((0, len(LEVELS))),
    )  # fmt: skip


def read_points(tables: Tables, calendar: Calendar, items: list[str], channels: list[str], zones: list[str]) -> Points:
    """The forecast rows inside the horizon, by item, channel, zone and day."""
    table = tables["forecasts"]
    day = coding.day_numbers(table, "date", calendar.start, -1)
    inside = (day >= 0) & (day < calendar.days)
    item, channel, zone = (
        coding.ranks(table, name, codes)[inside]
        for name, codes in (("item", items), ("channel", channels), ("zone", zones))
    )
    day = day[inside]
    order = np.lexsort((day, zone, channel, item))
    item, channel, zone, day = item[order], channel[order], zone[order], day[order]
    date = day + calendar.start.toordinal()
    of_item = _keys(items)[item]
    return Points(
        item,
        channel,
        zone,
        day,
        _joined(of_item, _keys(channels)[channel], _keys(zones)[zone], date.astype(np.uint64)),
        _joined(of_item, date.astype(np.uint64)),
        coding.amounts(table, "mean")[inside][order],
        coding.amounts(table, "std")[inside][order],
        np.stack([coding.amounts(table, name)[inside][order] for name in QUANTILES], axis=1),
    )


def draw_points(points: Points, quantum: FloatArray, count: int, seed: int, common_factor: float) -> FloatArray:
    """Demand of every point in every outlook.

    Parameters
    ----------
    points : Points
        n of them, or any part of them: a point's draws do not depend on the others.
    quantum : (I,) float
        Smallest quantity of each item. [units]
    count : int
        Outlooks K.
    seed : int
    common_factor : float
        Share of each point's variance, measured in normal scores, that all points of the item on the day have in common.

    Returns
    -------
    (n, K) float
        [units]
    """
    probability = draw_uniforms(points.key, points.factor_key, count, seed, common_factor)
    return draw_marginals(points.mean, points.std, points.quantiles, quantum[points.item], probability)


def draw_uniforms(key: KeyArray, factor_key: KeyArray, count: int, seed: int, common_factor: float = 0.0) -> FloatArray:
    """Latin hypercube: each key's K numbers fall one into each K-th of (0, 1), in an order of its own.

    Parameters
    ----------
    key, factor_key : (n,) uint64
        What a point's own numbers, and its common factor, are drawn from.
    count, seed : int
    common_factor : float
        0: orders are independent; 1: all keys with one ``factor_key`` have the same order.

    Returns
    -------
    (n, K) float
    """
    own = _random(key, seed, count, 0)
    if common_factor > 0:
        known, place = np.unique(factor_key, return_inverse=True)
        shared = (_ranks(_random(known, seed, count, 2)) + _random(known, seed, count, 3)) / count
        own = np.sqrt(common_factor) * special.ndtri(shared)[place] + np.sqrt(1.0 - common_factor) * special.ndtri(own)
    return (_ranks(own) + _random(key, seed, count, 1)) / count


def draw_alone(key: KeyArray, factor_key: KeyArray, seed: int, common_factor: float = 0.0) -> FloatArray:
    """One independent number in (0, 1) for each key: one path by itself, not one of a Latin hypercube.

    Parameters
    ----------
    key, factor_key, seed, common_factor
        As in :func:`draw_uniforms`.

    Returns
    -------
    (n,) float
    """
    own = _random(key, seed, 1, 0)[:, 0]
    if common_factor > 0:
        known, place = np.unique(factor_key, return_inverse=True)
        shared = special.ndtri(_random(known, seed, 1, 2)[:, 0])[place]
        own = special.ndtr(np.sqrt(common_factor) * shared + np.sqrt(1.0 - common_factor) * special.ndtri(own))
    return np.asarray(own)


def draw_claims(network: Network, items: IntArray) -> FloatArray:
    """Forecast demand left in each outlook after firm orders, made whole as the mean is.

    Parameters
    ----------
    network : Network
        With more than one outlook.
    items : (G,) int
        Any part of the items; memory grows with it.

    Returns
    -------
    (K, G, D, T) float
        By claim and bucket; 0 for claims of firm orders. [units]
    """
    outlooks, claims, calendar = network.outlooks, network.claims, network.calendar
    counts = outlooks.start[items + 1] - outlooks.start[items]
    rows = np.repeat(outlooks.start[items] - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))
    points = outlooks.points.take(rows)
    values = draw_points(points, network.quantum, outlooks.count, outlooks.seed, outlooks.common_factor)
    channels, zones = len(network.channels), len(network.zones)
    owner = np.repeat(np.arange(len(items)), counts)
    series, place = np.unique((owner * channels + points.channel) * zones + points.zone, return_inverse=True)
    left = np.zeros((len(series), calendar.buckets, outlooks.count))
    np.add.at(left, (place, calendar.bucket_of(points.day)), values)
    left = np.maximum(left - _firm(network, items, series)[:, :, None], 0.0)
    item, channel, zone = series // (channels * zones), series // zones % channels, series % zones
    q = network.quantum[items[item]][:, None, None]
    step = np.where(q > 0, q, 1.0)
    whole = np.floor(np.cumsum(left, axis=1) / step + 0.5 + 1e-9) * step
    left = np.where(q > 0, np.diff(whole, axis=1, prepend=0.0), left)
    claim_of = np.full((channels, zones), -1, dtype=np.int64)
    own = ~claims.firm
    claim_of[claims.channel[own], claims.zone[own]] = np.flatnonzero(own)
    out = np.zeros((outlooks.count, len(items), len(claims.channel), calendar.buckets))
    out[:, item, claim_of[channel, zone]] = left.transpose(2, 0, 1)
    return out


def _firm(network: Network, items: IntArray, series: IntArray) -> FloatArray:
    """(P, T) firm orders of the items' series."""
    demand, claims = network.demand, network.claims
    channels, zones = len(network.channels), len(network.zones)
    row = np.full(len(network.items), -1, dtype=np.int64)
    row[items] = np.arange(len(items))
    mine = claims.firm[demand.claim] & (row[demand.item] >= 0)
    claim = demand.claim[mine]
    wanted = (row[demand.item[mine]] * channels + claims.channel[claim]) * zones + claims.zone[claim]
    found = np.zeros((len(series), network.calendar.buckets))
    at = np.searchsorted(series, wanted)
    hit = at < len(series)
    hit[hit] = series[at[hit]] == wanted[hit]
    np.add.at(found, (at[hit], demand.bucket[mine][hit]), demand.quantity[mine][hit])
    return found


def _ranks(values: FloatArray) -> FloatArray:
    """(n, K) rank of each value in its row."""
    return np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1, kind="stable").astype(np.float64)


def _keys(codes: list[str]) -> KeyArray:
    """A 64-bit key of each code."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(code.encode(), digest_size=8).digest(), "little") for code in codes],
        dtype=np.uint64,
    )


def _joined(*parts: KeyArray) -> KeyArray:
    key = np.zeros(len(parts[0]), dtype=np.uint64)
    for part in parts:
        key = _mixed(key + _GOLDEN + part)
    return key


def _random(key: KeyArray, seed: int, count: int, stream: int) -> FloatArray:
    """(n, K) uniform numbers in (0, 1), counted off each key (SplitMix64; Steele, Lea, Flood 2014)."""
    base = _mixed(key + _mixed(np.array([(seed * 4 + stream) % 2**64], dtype=np.uint64) + _GOLDEN))
    bits = _mixed(base[:, None] + np.arange(1, count + 1, dtype=np.uint64)[None, :] * _GOLDEN)
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _mixed(x: KeyArray) -> KeyArray:
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)))
