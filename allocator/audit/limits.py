"""Limits on lanes, sites, channels and stock: hard ones are checked, elastic ones measured."""

from __future__ import annotations

import numpy as np

from allocator.audit.coded import Admissions, Shipments
from allocator.audit.facts import Facts
from allocator.audit.keys import NEVER, Floats, Tally, floats, pack
from allocator.audit.registry import Notebook
from allocator.audit.relaxed import Relaxed
from allocator.audit.shipments import Locks, lock_key
from allocator.audit.stock import Levels, Stock
from allocator.audit.terms import Worth


def room(facts: Facts, resource: str) -> Floats:
    """Give each site's room in each bucket, (S, B) [m3]; inf without a limit.

    Flows add up over the days of a bucket; storage is the least room of any of its days.
    """
    sites = facts.frame("sites").set_index("site").reindex(facts.sites.codes)
    base = floats(sites[f"{resource}_volume"])
    daily = np.repeat(np.where(np.isnan(base), np.inf, base)[:, None], facts.calendar.horizon, axis=1)
    frame = facts.frame("capacities")
    frame = frame[frame["resource"].astype(str) == resource]
    site, day = facts.sites.find(frame["site"]), facts.calendar.days(frame["date"])
    inside = (day >= 0) & (day < facts.calendar.horizon)
    daily[site[inside], day[inside]] = floats(frame["volume"])[inside]
    fold = np.minimum if resource == "storage" else np.add
    return np.asarray(fold.reduceat(daily, facts.calendar.first, axis=1), dtype=np.float64)


def above(difference: Floats, scale: Floats) -> Floats:
    """Keep differences that are more than rounding dust of their scale."""
    dust = 1e-9 * np.maximum(1.0, np.where(np.isfinite(scale), np.abs(scale), 1.0))
    return np.where(difference > dust, difference, 0.0)


def policy_gaps(facts: Facts, stock: Stock, levels: Levels, worth: Worth) -> tuple[list[Relaxed], float]:
    """Measure minimum and maximum stock; give them, and the price of safety stock not held, [currency]."""
    buckets = facts.calendar.buckets
    closing = stock.closing[levels.pair]
    item, site = stock.item[levels.pair], stock.site[levels.pair]
    rows, when = np.repeat(np.arange(len(item)), buckets), np.tile(np.arange(buckets), len(item))
    days = np.tile(facts.calendar.length, len(item)).astype(np.float64)
    price = 10.0 * worth.total[item][rows] * days
    gaps = []
    for what, level, sign in (("min_stock", levels.least, 1.0), ("max_stock", levels.most, -1.0)):
        gap = above((sign * (level[:, None] - closing)).ravel(), np.repeat(level, buckets))
        gaps.append(Relaxed.where(what, item[rows], site[rows], when, gap, price))
    holding = facts.unit_cost[item] * facts.holding_rate[site] / 365.0
    safety = np.maximum(levels.safety[:, None] - closing, 0.0) * facts.calendar.length
    return gaps, float((safety.sum(axis=1) * (0.02 * worth.unit[item] + 2.0 * holding)).sum())


def check_locks(facts: Facts, ships: Shipments, locks: Locks, worth: Worth, book: Notebook) -> Relaxed:
    """Check that no lock is exceeded and measure what falls short of one."""
    shipped = Tally.of(lock_key(facts, ships.item, ships.lane, ships.bucket), ships.quantity)
    quantity = shipped.at(lock_key(facts, locks.item, locks.lane, locks.bucket))
    place = facts.place(item=locks.item, lane=locks.lane, bucket=locks.bucket)
    book.at_most("lock", quantity, locks.most, place)
    short = above(locks.least - quantity, locks.least)
    return Relaxed.where("lock", locks.item, locks.lane, locks.bucket, short, 100.0 * worth.total[locks.item])


def check_admission(facts: Facts, sold: Admissions, stock: Stock, book: Notebook) -> None:
    """Check max_share, which is of each item's own stock: of each day the most specific row wins."""
    sites, channels, buckets = len(facts.sites), len(facts.channels), facts.calendar.buckets
    _, share = admission_limits(facts)
    cell = pack((sites, channels), sold.site, sold.channel)
    limited = np.flatnonzero(np.isfinite(share[cell, sold.bucket]))
    sizes = (len(facts.items), sites, channels, buckets)
    key = pack(sizes, sold.item[limited], sold.site[limited], sold.channel[limited], sold.bucket[limited])
    each = Tally.of(key, sold.quantity[limited])
    rest, bucket = np.divmod(each.keys, buckets)
    rest, channel = np.divmod(rest, max(channels, 1))
    item, site = np.divmod(rest, max(sites, 1))
    pair = stock.keys.find(pack(facts.pair_sizes, item, site))
    there = stock.opening[pair, bucket] + stock.came[pair, bucket]
    most = share[site * channels + channel, bucket] * there
    book.at_most(
        "admission_share", each.amounts, most, facts.place(item=item, site=site, channel=channel, bucket=bucket)
    )


def admission_limits(facts: Facts) -> tuple[Floats, Floats]:
    """Give max_units and max_share by (site, channel) and bucket; inf without a limit."""
    frame, calendar = facts.frame("admission_limits"), facts.calendar
    sites, channels = len(facts.sites), len(facts.channels)
    shape = (sites, channels, calendar.horizon)
    units, share = np.full(shape, np.inf), np.full(shape, np.inf)
    text = frame["date"].astype(str)
    any_day = np.asarray(text == "*", dtype=bool)
    any_site = np.asarray(frame["site"].astype(str) == "*", dtype=bool)
    day = calendar.days(text.where(~any_day, calendar.start.isoformat()))
    site, channel = facts.sites.find(frame["site"]), facts.channels.find(frame["channel"])
    top, part = floats(frame["max_units"]), floats(frame["max_share"])
    outside = ~any_day & ((day < 0) | (day >= calendar.horizon) | (day >= NEVER))
    rank = 2 * (~any_site).astype(np.int64) + (~any_day).astype(np.int64)
    for row in np.argsort(rank, kind="stable"):
        if outside[row]:
            continue
        where = (
            slice(None) if any_site[row] else int(site[row]),
            int(channel[row]),
            slice(None) if any_day[row] else int(day[row]),
        )
        units[where] = np.inf if np.isnan(top[row]) else top[row]
        share[where] = np.inf if np.isnan(part[row]) else part[row]
    flat = (sites * channels, calendar.buckets)
    by_units = np.add.reduceat(units, calendar.first, axis=2).reshape(flat)
    return by_units, np.minimum.reduceat(share, calendar.first, axis=2).reshape(flat)
