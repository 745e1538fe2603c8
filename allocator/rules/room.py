"""What limits that items share still have room for, and how items share that room."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network
from allocator.rules.shares import HAIR, round_down

FloatArray = NDArray[np.float64]


class Room:
    """Room left in each bucket.

    Attributes
    ----------
    lane : (L, T) float
        [m3]
    inbound, outbound : (S, T) float
        [m3]; receipts are taken off ``inbound``.
    units : (S, T) float
        [units]
    admission : (S, C, T) float
        [units]
    """

    def __init__(self, network: Network) -> None:
        sites, lots = network.sites, network.lots
        self.lane = network.lanes.daily_volume.copy()
        self.outbound = sites.outbound.copy()
        self.units = sites.outbound_units.copy()
        self.inbound = sites.inbound.copy()
        mine = lots.receipt
        volume = (lots.quantity * network.unit_volume[lots.item])[mine]
        np.subtract.at(self.inbound, (lots.site[mine], lots.bucket[mine]), volume)
        self.admission = network.limits.max_units.copy()


def fit(wanted: FloatArray, size: FloatArray, step: FloatArray, room: float) -> FloatArray:
    """Cut quantities in proportion until they fit a room that they share.

    Parameters
    ----------
    wanted : (n,) float
        [units]
    size : (n,) float
        Room that a unit takes.
    step : (n,) float
        Smallest quantity that moves, 0 = continuous. [units]
    room : float
        ``inf`` where there is no limit.

    Returns
    -------
    (n,) float
        At most ``wanted``, whole steps where it had to be cut; the rest of the room goes to the largest remainders, ties by order.
    """
    if room == np.inf:
        return wanted
    used = size * wanted
    total = float(used.sum())
    if total <= max(room, 0.0) * (1 + HAIR):
        return wanted
    free = size <= 0
    ideal = np.where(free, wanted, wanted * (max(room, 0.0) / total))
    cut = np.where(free, wanted, np.minimum(round_down(ideal, step), wanted))
    left = room - float((size * cut).sum())
    part = np.where((step > 0) & ~free & (cut + step <= wanted * (1 + HAIR)), np.round(ideal - cut, 9), 0.0)
    order = np.argsort(-part, kind="stable")
    order = order[part[order] > 0]
    fits = np.cumsum((size * step)[order]) <= left
    chosen = order[fits]
    cut[chosen] += step[chosen]
    return cut
