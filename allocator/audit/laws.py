"""Replenishment laws: pull lanes carry what is called for, jit lanes leave nothing behind."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from allocator.audit.coded import Shipments
from allocator.audit.demand import Claims, Fate
from allocator.audit.facts import Facts
from allocator.audit.keys import Flags, Floats, Keys, Whole, grid, pack
from allocator.audit.registry import Notebook
from allocator.audit.stock import Stock
from allocator.audit.terms import METHODS, Terms

PULL, JIT = METHODS.index("pull"), METHODS.index("jit")


def check_jit(facts: Facts, ships: Shipments, asks: Terms, stock: Stock, book: Notebook) -> None:
    """Check that what comes by jit lanes leaves in the bucket it comes in."""
    rows = np.flatnonzero((asks.method == JIT) & (ships.arrive_bucket >= 0))
    pair = stock.keys.find(pack(facts.pair_sizes, ships.item[rows], facts.destination[ships.lane[rows]]))
    came = grid(stock.shape, pair, ships.arrive_bucket[rows], ships.quantity[rows])
    at, bucket = np.nonzero(came > 0)
    place = facts.place(item=stock.item[at], site=stock.site[at], bucket=bucket)
    book.at_most("jit", came[at, bucket], (stock.shipped + stock.served)[at, bucket], place)


def check_pull(facts: Facts, ships: Shipments, asks: Terms, claims: Claims, fate: Fate, book: Notebook) -> None:
    """Check that pull lanes carry no more than firm demand and backlog call for.

    The plan does not say which units were called by backlog, so the audit looks for the split that calls most: calls
    are packed into the backlog of the bucket before, bucket by bucket, and where they do not fit those that stay in
    transit longest are taken for firm demand. The law is broken where those exceed firm demand.
    """
    rows = np.flatnonzero(asks.method == PULL)
    if not len(rows):
        return
    key = pack(facts.pair_sizes, ships.item[rows], facts.destination[ships.lane[rows]])
    pairs = np.unique(key)
    at = Keys.of(pairs).find(key)
    item, site = np.divmod(pairs, max(len(facts.sites), 1))
    reach = _serving_reach(facts)
    firm = _over_points(facts, claims, reach, np.where(claims.firm, claims.demand.sum(axis=1), 0.0), item, site)
    pulled = np.bincount(at, weights=ships.quantity[rows], minlength=len(pairs))
    called = np.zeros(len(pairs))
    more = np.flatnonzero(pulled > firm)
    if len(more):
        backlog = _waiting(facts, claims, fate, reach, item[more], site[more])
        number = np.full(len(pairs), -1, dtype=np.int64)
        number[more] = np.arange(len(more))
        some = np.flatnonzero(number[at] >= 0)
        called[more] = _most_calls(
            number[at[some]],
            ships.bucket[rows[some]],
            ships.arrive_bucket[rows[some]],
            ships.quantity[rows[some]],
            backlog,
        )
    place = facts.place(item=item, site=site)
    book.at_most("pull", pulled, firm + called, place)


def _most_calls(pair: Whole, bucket: Whole, arrive: Whole, quantity: Floats, backlog: Floats) -> Floats:
    """Give the most that backlog can have called of what each pair was shipped, (P,) [units].

    A call stands from the bucket it is shipped in to the one before it arrives; those standing in a bucket are at most
    the backlog that closed the bucket before (`backlog`, (P, B), already shifted).
    """
    pairs, buckets = backlog.shape
    last = np.where(arrive < 0, buckets - 1, np.maximum(arrive - 1, bucket))
    standing = np.zeros((pairs, buckets))
    called = np.bincount(pair, weights=quantity, minlength=pairs)
    for now in range(buckets):
        rows = np.flatnonzero(bucket == now)
        standing += grid((pairs, buckets), pair[rows], last[rows], quantity[rows])
        over = np.maximum(standing[:, now:].sum(axis=1) - backlog[:, now], 0.0)
        for end in range(buckets - 1, now - 1, -1):
            dropped = np.minimum(standing[:, end], over)
            standing[:, end] -= dropped
            over -= dropped
            called -= dropped
    return np.asarray(called, dtype=np.float64)


def _serving_reach(facts: Facts) -> Flags:
    """Tell which (channel, zone) points each site serves, itself or through sites downstream, (S, points)."""
    sites, points = len(facts.sites), len(facts.channels) * len(facts.zones)
    graph = sparse.csr_array(
        (np.ones(len(facts.lanes)), (facts.origin, facts.destination)), shape=(sites, sites), dtype=np.float64
    )
    serves = np.zeros((sites, points), dtype=bool)
    serves[facts.arc_site, facts.arc_channel * len(facts.zones) + facts.arc_zone] = True
    reach = np.zeros((sites, points), dtype=bool)
    for site in range(sites):
        order = csgraph.breadth_first_order(graph, site, return_predecessors=False)
        reach[site] = serves[order].any(axis=0)
    return reach


def _over_points(facts: Facts, claims: Claims, reach: Flags, amount: Floats, item: Whole, site: Whole) -> Floats:
    """Add up claims' amounts over the points each (item, site) reaches, (P,)."""
    some = np.flatnonzero(amount > 0)
    point = claims.channel[some] * len(facts.zones) + claims.zone[some]
    by_item = sparse.csr_array(
        (amount[some], (claims.item[some], point)), shape=(len(facts.items), reach.shape[1]), dtype=np.float64
    )
    items, number = np.unique(item, return_inverse=True)
    sums = by_item[items] @ reach.T.astype(np.float64)
    return np.asarray(sums[number, site], dtype=np.float64)


def _waiting(facts: Facts, claims: Claims, fate: Fate, reach: Flags, item: Whole, site: Whole) -> Floats:
    """Give the forecast backlog that closed the bucket before each, over the points each pair reaches, (P, B)."""
    buckets = facts.calendar.buckets
    waiting = np.zeros((len(item), buckets))
    for bucket in range(1, buckets):
        amount = np.where(claims.firm, 0.0, fate.backlog[:, bucket - 1])
        waiting[:, bucket] = _over_points(facts, claims, reach, amount, item, site)
    return waiting
