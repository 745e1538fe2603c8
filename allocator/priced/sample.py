"""Shards of alike mixture, so that a few of them stand for all, and what each resource expects of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Demand, LotEntries, Network
from allocator.priced.limits import SharedLimits
from allocator.program.stamp import LAW_NAMES
from allocator_models.structure import Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHARDS = 128
"""Most shards, unless memory is limited."""
SAMPLE = 1000
"""Items of the sample that finds the first prices."""
SAMPLED = 4 * SAMPLE
"""Networks up to this many items need no sample."""


def cut(network: Network, count: int = SHARDS) -> list[IntArray]:
    """Items of each shard: a systematic sample of all items in the order of how they expire and what they move.

    Parameters
    ----------
    network : Network
    count : int
        Shards, at most as many as there are items.

    Returns
    -------
    list of (k,) int
        Ascending within a shard.
    """
    items = len(network.items)
    demand = np.bincount(network.demand.item, weights=network.demand.quantity, minlength=items)
    lots = np.bincount(network.lots.item, minlength=items)
    order = np.lexsort((np.arange(items), demand * network.unit_volume, lots))
    count = max(min(count, items), 1)
    return [np.sort(order[k::count]) for k in range(count)]


def first_sample(shards: list[IntArray]) -> int:
    """How many shards find the first prices; all of them when the network is small."""
    total = sum(len(shard) for shard in shards)
    if total <= SAMPLED:
        return len(shards)
    return int(np.searchsorted(np.cumsum([len(shard) for shard in shards]), SAMPLE)) + 1


def shares(
    network: Network, structure: Structure, limits: SharedLimits, shards: list[IntArray], count: int
) -> FloatArray:
    """(R,) share of each resource that the first ``count`` shards should use, by the demand behind its site and the stock on it."""
    items, sites, _ = network.size
    chosen = np.zeros(items, dtype=bool)
    chosen[np.concatenate(shards[:count])] = True
    claims, demand, lots = network.claims, network.demand, network.lots
    reach = np.zeros((len(claims.channel), sites))
    np.add.at(reach, claims.arc_claim, structure.downstream.T[claims.arc_site].astype(float))
    reach /= np.maximum(np.bincount(claims.arc_claim, minlength=len(reach)), 1)[:, None]
    volume = network.unit_volume
    by_volume = np.array([
        _behind(mask, volume, demand, lots, reach, sites) for mask in (chosen, np.ones(items, dtype=bool))
    ])  # fmt: skip
    share = _ratio(by_volume, count / len(shards))
    law = {name: LAW_NAMES.index(name) for name in LAW_NAMES}
    site = limits.key[:, 0].copy()
    lane = limits.law == law["use_lane_volume"]
    site[lane] = structure.destination[limits.key[lane, 0]]
    found = share[np.minimum(site, sites - 1)]
    fill = limits.law == law["use_fill"]
    if fill.any():
        asked = np.array([
            np.bincount(
                claims.channel[demand.claim], weights=demand.quantity * mask[demand.item], minlength=len(network.channels)
            )
            for mask in (chosen, np.ones(items, dtype=bool))
        ])  # fmt: skip
        found = np.where(
            fill, _ratio(asked, count / len(shards))[np.minimum(limits.key[:, 0], asked.shape[1] - 1)], found
        )
    return np.asarray(found)


def _behind(
    mask: NDArray[np.bool_], volume: FloatArray, demand: Demand, lots: LotEntries, reach: FloatArray, sites: int
) -> FloatArray:
    """(S,) volume of demand that a site stands behind, and of the stock there, of some items. [m3]"""
    asked = np.bincount(demand.claim, weights=demand.quantity * (volume * mask)[demand.item], minlength=len(reach))
    held = np.bincount(lots.site, weights=lots.quantity * (volume * mask)[lots.item], minlength=sites)
    return np.asarray(asked @ reach + 0.2 * held)


def _ratio(pair: FloatArray, otherwise: float) -> FloatArray:
    part, whole = pair
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), otherwise)
