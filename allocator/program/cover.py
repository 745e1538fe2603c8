"""Demand that a few outlooks can't show: how far a site's stock should reach until later shipments arrive (law ``cover``)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.marginals import inverse_counts, inverse_gamma, moments
from allocator.network.network import Network
from allocator_models.structure import COVERS, Structure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def sole_sites(network: Network) -> IntArray:
    """(D,) the one site that serves a forecast claim of a channel that loses what it can't serve; -1 for all other claims."""
    claims = network.claims
    count = np.bincount(claims.arc_claim, minlength=len(claims.channel))
    site = np.full(len(claims.channel), -1, dtype=np.int64)
    site[claims.arc_claim] = claims.arc_site
    return np.where((count == 1) & ~claims.firm & ~claims.waits, site, -1)


def covered_sites(network: Network) -> tuple[BoolArray, IntArray]:
    """(S,) bool, sites with demand of their own that committed shipments reach; (S,) int, the last bucket before later shipments can arrive there."""
    lanes, calendar = network.lanes, network.calendar
    sites = len(network.sites.codes)
    until = np.full(sites, calendar.buckets - 1, dtype=np.int64)
    later = lanes.arrival[:, calendar.committed :]
    when = np.where(later >= 0, later, calendar.buckets)
    np.minimum.at(until, lanes.destination, when.min(axis=1, initial=calendar.buckets) - 1)
    until = np.maximum(until, 0)
    covered = np.zeros(sites, dtype=bool)
    if network.outlooks.count > 1:
        sole = sole_sites(network)
        covered[sole[sole >= 0]] = True
        covered &= _supplied(network, until).any(axis=0)
    return covered, until


def _supplied(network: Network, until: IntArray) -> BoolArray:
    """(I, S) bool, the item has a committed shipment that arrives at the site in time."""
    lanes, now = network.lanes, network.lanes.arrival[:, : network.calendar.committed]
    soon = ((now >= 0) & (now <= until[lanes.destination][:, None])).any(axis=1)
    out = np.zeros((len(network.items), len(network.sites.codes)), dtype=bool)
    for lane in np.flatnonzero(soon):
        out[:, lanes.destination[lane]] |= lanes.open[:, lane]
    return out


@dataclass(frozen=True)
class Cover:
    """Levels (G, S, J) that stock should cover [units], and prices (G, S, J) of a unit short of them [currency per unit]."""

    level: FloatArray
    cost: FloatArray


def build_cover(network: Network, structure: Structure, items: IntArray) -> Cover:
    """Levels and prices of a group of items; zeros for a single outlook.

    Notes
    -----
    K outlooks show demand up to about its 1 - 1/K quantile. The n-th unit beyond is asked for with probability P(D >= n), which the two levels
    F^{-1}(1 - 1/8K) and F^{-1}(1 - 1/32K) price in two steps, at the geometric means of the survival probabilities at their ends.
    """
    shape = (len(items), structure.sites, COVERS)
    level, cost = np.zeros(shape), np.zeros(shape)
    if not structure.covered.any():
        return Cover(level, cost)
    mean, variance, worth, firm = _demand(network, structure, items)
    asked = (mean > 0) & structure.covered & _supplied(network, structure.cover_until)[items] & (worth > 0)
    count = structure.outlooks
    quantum = np.broadcast_to(network.quantum[items][:, None], mean.shape)[asked]
    step = np.where(quantum > 0, quantum, 1.0)
    probability = np.tile(1.0 - 1.0 / (count * np.array([8.0, 32.0])), (int(asked.sum()), 1))
    m, v = mean[asked] / step, variance[asked] / step**2
    known = v <= 0
    reached = np.where(
        (quantum > 0)[:, None],
        inverse_counts(m, np.maximum(v, 1e-12), probability),
        inverse_gamma(m, np.maximum(v, 1e-12), probability),
    )
    level[asked] = np.where(known[:, None], 0.0, reached * step[:, None] + firm[asked][:, None])
    cost[asked] = worth[asked][:, None] * np.array([3.0, 1.0]) / (16.0 * count)
    return Cover(level, np.where(level > 0, cost, 0.0))


def _demand(
    network: Network, structure: Structure, items: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """(G, S) mean and variance of a site's own forecast demand until later shipments arrive, what a unit of it is worth, and its firm orders."""
    outlooks, claims, calendar = network.outlooks, network.claims, network.calendar
    sole = sole_sites(network)
    claim_of = np.full((len(network.channels), len(network.zones)), -1, dtype=np.int64)
    own = ~claims.firm
    claim_of[claims.channel[own], claims.zone[own]] = np.flatnonzero(own)
    row = np.full(len(network.items), -1, dtype=np.int64)
    row[items] = np.arange(len(items))
    points = outlooks.points
    claim = claim_of[points.channel, points.zone]
    site = sole[claim]
    near = (row[points.item] >= 0) & (site >= 0)
    near &= calendar.bucket_of(points.day) <= structure.cover_until[site]
    part = points.take(np.flatnonzero(near))
    at = (row[part.item], site[near])
    shape = (len(items), structure.sites)
    mean, variance, value, firm = (np.zeros(shape) for _ in range(4))
    m, v = moments(part.mean, part.std, part.quantiles)
    np.add.at(mean, at, m)
    np.add.at(variance, at, v)
    unmet = np.where(np.isnan(claims.unmet_cost), 0.0, claims.unmet_cost)[claim[near]]
    unmet = np.where(unmet > 0, unmet, network.unmet_cost[part.item, part.channel])
    arc_cost = np.zeros(len(claims.channel))
    arc_cost[claims.arc_claim] = claims.arc_cost
    np.add.at(value, at, m * (network.margin[part.item, part.channel] + unmet - arc_cost[claim[near]]))
    worth = value / np.where(mean > 0, mean, 1.0)
    demand = network.demand
    ordered = claims.firm[demand.claim] & (row[demand.item] >= 0)
    forecast = claim_of[claims.channel[demand.claim[ordered]], claims.zone[demand.claim[ordered]]]
    where = np.where(forecast >= 0, sole[forecast], -1)
    soon = (where >= 0) & (demand.bucket[ordered] <= structure.cover_until[where])
    np.add.at(firm, (row[demand.item[ordered][soon]], where[soon]), demand.quantity[ordered][soon])
    left = np.maximum(1.0 - firm / np.where(mean > 0, mean, 1.0), 0.0)
    return mean * left, variance * left, worth, firm
