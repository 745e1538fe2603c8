"""Some items' stock and moves, coded and sorted for the walk through the buckets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from allocator.lots.keys import Keys, Scale
from allocator.lots.records import NEVER, Bytes, Flags, Ints, Longs, LotStock, Moves, Rows
from allocator.lots.shelf import Arrivals


@dataclass(frozen=True, slots=True, eq=False)
class Wants:
    """Moves of a part, sorted by bucket, group, need_day and order.

    Attributes
    ----------
    row : (m,) row in the moves the part was made from.
    group, destination : (m,) int32, group it leaves and group it comes to (-1 for an admission).
    limit : (m,) int32, the expiry rank a lot must reach (by class: equal; -1 if no lot has it).
    arrive_bucket, arrive_day : (m,) int32, bucket (-1 never) and rank of the day.
    ask : (m,) int64, [grain].
    elastic : (m,) bool, of a continuous item.
    pointer : (B + 1,) first move of each bucket.
    """

    row: Rows
    group: Ints
    destination: Ints
    limit: Ints
    arrive_bucket: Ints
    arrive_day: Ints
    ask: Longs
    elastic: Flags
    pointer: Rows


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What the walk reads.

    Attributes
    ----------
    keys : Keys
    item, site : (G,) int32, of each group.
    due : one `Arrivals` per bucket: opening stock and receipts.
    wants : Wants
    cutoff : (B,) int, expiry ranks below it expire in the bucket.
    by_class : the limits are planned classes.
    """

    keys: Keys
    item: Ints
    site: Ints
    due: list[Arrivals]
    wants: Wants
    cutoff: Rows
    by_class: bool


def make_part(
    stock: LotStock,
    amount: Longs,
    moves: Moves,
    ask: Longs,
    elastic: Flags,
    rotation: Bytes,
    bucket_last_day: Ints,
    by_class: bool,
    far_day: int = NEVER,
) -> Part:
    """Code and sort the stock and moves of some items.

    Raises
    ------
    TooWide
        Their keys need more than 63 bits: make smaller parts.
    """
    n_buckets = len(bucket_last_day)
    (held, leaves, comes), item, site = _groups(stock, moves)
    keys = Keys(
        rotation[item],
        Scale.of(stock.expiry),
        Scale.of(stock.received, moves.arrive_day[moves.destination >= 0]),
        Scale.of(stock.lot),
    )
    arrivals = Arrivals(
        held, keys.expiries.rank(stock.expiry), keys.days.rank(stock.received), keys.lots.rank(stock.lot), amount
    )
    cutoff = np.searchsorted(keys.expiries.values, bucket_last_day, side="right")
    wants = _wants(moves, ask, elastic, leaves, comes, keys, n_buckets, by_class, far_day)
    return Part(keys, item, site, _by_bucket(arrivals, stock.available_bucket, n_buckets), wants, cutoff, by_class)


def _groups(stock: LotStock, moves: Moves) -> tuple[tuple[Ints, Ints, Ints], Ints, Ints]:
    """Number the (item, site) pairs that occur, by item and site."""
    sites = [column for column in (stock.site, moves.origin, moves.destination) if len(column)]
    n_sites = 1 + max((int(column.max()) for column in sites), default=0)
    items = [column for column in (stock.item, moves.item) if len(column)]
    first = min((int(column.min()) for column in items), default=0)
    span = 1 + max((int(column.max()) for column in items), default=0) - first
    inner = moves.destination >= 0
    codes = [
        (stock.item.astype(np.int64) - first) * n_sites + stock.site,
        (moves.item.astype(np.int64) - first) * n_sites + moves.origin,
        (moves.item.astype(np.int64) - first) * n_sites + np.where(inner, moves.destination, moves.origin),
    ]
    if span * n_sites <= 1 << 26:
        seen = np.zeros(span * n_sites, dtype=np.bool_)
        for code in codes:
            seen[code] = True
        distinct = np.flatnonzero(seen)
        number = (np.cumsum(seen, dtype=np.int32) - 1).astype(np.int32)
        held, leaves, comes = (number[code] for code in codes)
    else:
        distinct = np.unique(np.concatenate(codes))
        held, leaves, comes = (np.searchsorted(distinct, code).astype(np.int32) for code in codes)
    comes = np.where(inner, comes, np.int32(-1))
    item, site = np.divmod(distinct, n_sites)
    return (held, leaves, comes), (item + first).astype(np.int32), site.astype(np.int32)


def _wants(
    moves: Moves,
    ask: Longs,
    elastic: Flags,
    leaves: Ints,
    comes: Ints,
    keys: Keys,
    n_buckets: int,
    by_class: bool,
    far_day: int,
) -> Wants:
    need = moves.planned_class if by_class else moves.need_day
    expiries = keys.expiries.values
    limit = np.searchsorted(expiries, need).astype(np.int32)
    if by_class:
        there = np.append(expiries, -1)[limit] == need if len(expiries) else np.zeros(len(need), np.bool_)
        limit = np.where(there, limit, np.int32(-1))
        # all that outlives the far day is one class: its limit is a floor, told apart by a number below -1
        limit = np.where(need >= far_day, np.int32(-2 - np.searchsorted(expiries, far_day)), limit)
    row = _sorted(moves.bucket, leaves, need, moves.order, len(keys.rotation), n_buckets)
    arrive = np.zeros(len(moves), dtype=np.int32)
    shipped = moves.destination >= 0
    arrive[shipped] = keys.days.rank(moves.arrive_day[shipped])
    pointer = np.concatenate(([0], np.cumsum(np.bincount(moves.bucket, minlength=n_buckets))))
    return Wants(
        row, leaves[row], comes[row], limit[row], moves.arrive_bucket[row], arrive[row], ask[row], elastic[row], pointer
    )


def _sorted(bucket: Ints, group: Ints, need: Ints, order: Longs, n_groups: int, n_buckets: int) -> Rows:
    """Sort moves by bucket, group, need and order, ties by row: in one key where it fits 63 bits."""
    if not len(need):
        return np.empty(0, np.intp)
    needs = Scale.of(need)
    low = int(order.min())
    span = int(order.max()) - low + 1
    if n_buckets * n_groups * len(needs.values) * span >= 2**63:
        return np.lexsort((order, need, group, bucket))
    key = bucket.astype(np.int64) * n_groups + group
    key = (key * len(needs.values) + needs.rank(need)) * span + (order - low)
    return np.argsort(key, kind="stable")


def _by_bucket(arrivals: Arrivals, bucket: Ints, n_buckets: int) -> list[Arrivals]:
    order = np.argsort(bucket.astype(np.int16) if n_buckets < 2**15 else bucket, kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(bucket, minlength=n_buckets))))
    ranked = arrivals if bounds[1] == len(bucket) else arrivals.take(order)
    return [ranked.take(slice(bounds[b], bounds[b + 1])) for b in range(n_buckets)]
