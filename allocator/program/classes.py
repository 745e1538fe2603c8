"""Expiry classes of each item, cut from its real lots and receipts, and where and when each can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import NEVER, Network

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
"""Class counts that templates are compiled for; an item takes the next larger."""


@dataclass(frozen=True)
class Classes:
    """Expiry classes.

    Attributes
    ----------
    expiry : list of (E,) int
        For each item its classes' expiry days, ascending, padded with ``NEVER``.
    of_entry : (N,) int
        Class of each lot entry.
    groups : dict
        Class count -> (G,) items with it.
    """

    expiry: list[IntArray]
    of_entry: IntArray
    groups: dict[int, IntArray]


def far_day(network: Network) -> int:
    """First expiry day that can end no lot's use in the horizon: all from there on are one class."""
    claims = network.claims
    longest = int((claims.arc_delivery + claims.arc_life).max(initial=0))
    return network.calendar.days + max(longest, int(network.lanes.lead.max(initial=0)))


def build_classes(network: Network) -> Classes:
    """One class for each expiry day that can matter in the horizon; all later ones are one class.

    Notes
    -----
    An expiry day matters while it can end a lot's use: up to the last day of the horizon plus the longest delivery and remaining life asked.
    Classes are exact, so any choice of lots inside a class is as good as another.
    """
    lots = network.lots
    # -1 stands for all that is expired before it comes in
    day = np.where(lots.expiry >= far_day(network), NEVER, np.maximum(lots.expiry, -1))
    stride = NEVER + 2
    keys, inverse = np.unique(lots.item * stride + day + 1, return_inverse=True)
    owner = keys // stride
    first = np.searchsorted(owner, np.arange(len(network.items)))
    count = np.bincount(owner, minlength=len(network.items))
    size = np.array([next((n for n in SIZES if n >= c), int(c)) for c in np.maximum(count, 1)], dtype=np.int64)
    expiry = []
    for item, (start, n) in enumerate(zip(first, count, strict=True)):
        own = np.full(int(size[item]), NEVER, dtype=np.int64)
        own[:n] = keys[start : start + n] % stride - 1
        expiry.append(own)
    of_entry = (inverse - first[lots.item]).astype(np.int64)
    groups = {int(n): np.flatnonzero(size == n) for n in np.unique(size)}
    return Classes(expiry, of_entry, groups)


@dataclass(frozen=True)
class Reach:
    """Where a class can be: ``first`` (G, E, S) earliest bucket (T if never), ``supply`` (G, S, E, T), ``total`` (G, E, T) units in the network by then."""

    first: IntArray
    supply: FloatArray
    total: FloatArray


def build_reach(network: Network, classes: Classes, items: IntArray, size: int) -> Reach:
    """Earliest bucket of each class at each site, by relaxation over the lanes that are open to the item."""
    lots, lanes = network.lots, network.lanes
    _, sites, buckets = network.size
    place = np.full(len(network.items), -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    mine = place[lots.item] >= 0
    row, site, cls, bucket = place[lots.item[mine]], lots.site[mine], classes.of_entry[mine], lots.bucket[mine]
    supply = np.zeros((len(items), sites, size, buckets))
    np.add.at(supply, (row, site, cls, bucket), lots.quantity[mine])
    first = np.full((len(items), size, sites), buckets, dtype=np.int64)
    np.minimum.at(first, (row, cls, site), bucket)
    earliest = _earliest_arrival(lanes.arrival, buckets)
    usable = lanes.open[items]
    order = np.argsort(lanes.destination, kind="stable")
    ends, starts = np.unique(lanes.destination[order], return_index=True)
    while len(order):
        reached = earliest[order[None, None, :], first[:, :, lanes.origin[order]]]
        reached = np.where(usable[:, None, order], reached, buckets)
        best = np.minimum.reduceat(reached, starts, axis=2)
        wider = np.minimum(first[:, :, ends], best)
        if (wider == first[:, :, ends]).all():
            break
        first[:, :, ends] = wider
    return Reach(first, supply, np.cumsum(supply.sum(axis=1), axis=2))


def _earliest_arrival(arrival: IntArray, buckets: int) -> IntArray:
    """(L, T+1) earliest bucket of arrival for goods ready in bucket b."""
    out = np.full((len(arrival), buckets + 1), buckets, dtype=np.int64)
    when = np.where(arrival >= 0, arrival, buckets)
    if buckets:
        out[:, :buckets] = np.minimum.accumulate(when[:, ::-1], axis=1)[:, ::-1]
    return out
