"""Prices of what gives: an item's worth, elastic penalties, priority premiums (docs/semantics.md, "The objective")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Elastic prices.

    Attributes
    ----------
    worth, freight : (I,) float
        v and f of an item: the most a unit can earn or avoid, the most it can cost to move. [currency per unit]
    level : (I,) float
        Price of min_stock and max_stock per unit and day; ``lock`` (I,) per unit of a lock's shortfall.
    safety : (I, S) float
        Price per unit and day below safety stock.
    volume : float
        Price per m3 over storage (and day) or inbound; ``fill`` per unit below a minimum fill rate.
    unmet : (I, D) float
        Unmet cost of a claim, overrides applied; ``premium`` (I, D) its priority premium.
    """

    worth: FloatArray
    freight: FloatArray
    level: FloatArray
    lock: FloatArray
    safety: FloatArray
    volume: float
    fill: float
    unmet: FloatArray
    premium: FloatArray


def build_prices(network: Network) -> Prices:
    """Elastic prices of a network."""
    claims = network.claims
    has = np.zeros((len(network.items), len(claims.channel)), dtype=bool)
    has[network.demand.item, network.demand.claim] = True
    unmet = np.where(
        np.isnan(claims.unmet_cost)[None, :], network.unmet_cost[:, claims.channel], claims.unmet_cost[None, :]
    )
    margin = network.margin[:, claims.channel]
    listed = (network.margin + network.unmet_cost).max(axis=1, initial=0.0)
    claimed = np.where(has, margin + unmet, 0.0).max(axis=1, initial=0.0)
    worth = np.maximum(np.maximum(listed, claimed), network.unit_cost)
    worth = np.where(worth > 0, worth, 1.0)
    lanes = network.lanes
    freight = lanes.freight.max(axis=1, initial=0.0) + lanes.cost_per_shipment.max(initial=0.0)
    total = worth + freight
    volume = network.unit_volume
    dense = total[volume > 0] / volume[volume > 0]
    holding = network.unit_cost[:, None] * network.sites.holding_rate[None, :] / 365.0
    return Prices(
        worth=worth,
        freight=freight,
        level=10.0 * total,
        lock=100.0 * total,
        safety=0.02 * worth[:, None] + 2.0 * holding,
        volume=10.0 * float(dense.max(initial=0.0)),
        fill=10.0 * float(total.max(initial=0.0)),
        unmet=unmet,
        premium=_premiums(network, has, margin, unmet, worth),
    )


def _premiums(
    network: Network, has: NDArray[np.bool_], margin: FloatArray, unmet: FloatArray, worth: FloatArray
) -> FloatArray:
    """Premiums that put smaller priority numbers first, then firm before forecast in one channel and zone."""
    claims = network.claims
    urgency = np.where(claims.waits[None, :], unmet, margin + unmet)
    premium = np.zeros_like(urgency)
    step = 0.01 * worth + float(network.serves_channel[1] - network.serves_channel[0])
    floor = np.full(len(worth), -np.inf)
    for level in sorted(set(claims.priority.tolist()), reverse=True):
        mine = claims.priority == level
        lifted = np.maximum(0.0, (floor + step)[:, None] - urgency[:, mine])
        premium[:, mine] = np.where(has[:, mine], lifted, 0.0)
        top = np.where(has[:, mine], urgency[:, mine] + premium[:, mine], -np.inf).max(axis=1, initial=-np.inf)
        floor = np.maximum(floor, top)
    for claim in np.flatnonzero(claims.firm):
        same = (claims.channel == claims.channel[claim]) & (claims.zone == claims.zone[claim]) & ~claims.firm
        both = has[:, claim] & has[:, same].any(axis=1)
        premium[:, claim] += np.where(both, 1e-4 * worth, 0.0)
    return premium
