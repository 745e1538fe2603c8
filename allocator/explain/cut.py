"""One item cut out of a coded network, and what the other items of a plan leave it of the shared resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.network.network import Calendar, Network
from allocator.network.prices import Prices

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def only_prices(prices: Prices, item: int) -> Prices:
    """The elastic prices of a single item; those of shared resources stay the whole network's."""
    shared = ("volume", "fill")
    return replace(prices, **{f.name: getattr(prices, f.name)[[item]] for f in fields(prices) if f.name not in shared})


@dataclass(frozen=True)
class Left:
    """What the other items of a plan leave of the shared resources, ``inf`` where there is no limit.

    Attributes
    ----------
    storage, inbound, outbound : (S, T) float, [m3]
    outbound_units : (S, T) float, [units]
    lane : (L, T) float, [m3]
    room : (L, T) float, [m3]
        Room in vehicles that the other items start anyway.
    admission : (S, C, T) float, [units]
    fill : (C,) float, [units]
        Still to be served of each channel's minimum fill.
    """

    storage: FloatArray
    inbound: FloatArray
    outbound: FloatArray
    outbound_units: FloatArray
    lane: FloatArray
    room: FloatArray
    admission: FloatArray
    fill: FloatArray

    def network(self, network: Network) -> Network:
        """A network with these limits in place of its own."""
        names = ("storage", "inbound", "outbound", "outbound_units")
        return replace(
            network,
            sites=replace(network.sites, **{name: getattr(self, name) for name in names}),
            lanes=replace(network.lanes, daily_volume=self.lane),
            limits=replace(network.limits, max_units=self.admission),
        )


def left_over(network: Network, tables: Mapping[str, pd.DataFrame], item: int) -> Left:
    """Work out what the other items of a plan leave.

    Parameters
    ----------
    network : Network
        With all items.
    tables : mapping of str to DataFrame
        The plan's tables.
    item : int
        The item that is set free.
    """
    code = _Coder(network)
    sites, lanes, calendar = network.sites, network.lanes, network.calendar
    shape, volume = sites.storage.shape, network.unit_volume
    name = network.items[item]
    ship, serve, stock = (
        frame[frame["item"] != name] for frame in (tables[t] for t in ("shipments", "admissions", "projections"))
    )
    rank, lane, gone = code.items(ship), code.lanes(ship), code.buckets(ship["ship_date"])
    units = ship["quantity"].to_numpy(float)
    carried = _sums((lane, gone), units * volume[rank], lanes.daily_volume.shape)
    came = _sums((code.sites(ship["destination"]), code.buckets(ship["arrive_date"])), units * volume[rank], shape)
    lots = network.lots
    fresh = lots.receipt & (lots.item != item)
    came += _sums((lots.site[fresh], lots.bucket[fresh]), (lots.quantity * volume[lots.item])[fresh], shape)
    where, day, drawn = code.sites(serve["site"]), code.buckets(serve["date"]), serve["quantity"].to_numpy(float)
    origin = code.sites(ship["origin"])
    left_volume = _sums((origin, gone), units * volume[rank], shape)
    left_volume += _sums((where, day), drawn * volume[code.items(serve)], shape)
    left_units = _sums((origin, gone), units, shape) + _sums((where, day), drawn, shape)
    kept = stock["stock"].to_numpy(float) * volume[code.items(stock)]
    stored = _sums((code.sites(stock["site"]), code.buckets(stock["date"])), kept, shape)
    channel = pd.Index(network.channels).get_indexer(pd.Index(serve["channel"]))
    admitted = _sums((where, channel, day), drawn, network.limits.max_units.shape)
    demand = np.bincount(network.claims.channel[network.demand.claim], network.demand.quantity, len(network.channels))
    served = np.bincount(channel, drawn, len(network.channels))
    return Left(
        storage=_less(sites.storage, stored),
        inbound=_less(sites.inbound, came),
        outbound=_less(sites.outbound, left_volume),
        outbound_units=_less(sites.outbound_units, left_units),
        lane=_less(lanes.daily_volume, carried),
        room=_room(lanes.vehicle_volume[:, None], carried, calendar),
        admission=_less(network.limits.max_units, admitted),
        fill=np.maximum(network.limits.min_fill * demand - served, 0.0),
    )


def _less(limit: FloatArray, use: FloatArray) -> FloatArray:
    """A limit less a use; what is exceeded already costs the same whatever this item does, so nothing is left of it."""
    return np.maximum(limit - use, 0.0)


def _room(volume: FloatArray, carried: FloatArray, calendar: Calendar) -> FloatArray:
    """Room in started vehicles; outside the commit window vehicles are bought by the m3, so there is none."""
    known = np.where(np.isfinite(volume) & (volume > 0), volume, 1.0)
    room = np.where(known == volume, np.ceil(carried / known - 1e-9) * known - carried, 0.0)
    room[:, calendar.committed :] = 0.0
    return np.maximum(room, 0.0)


def _sums(keys: tuple[IntArray, ...], amounts: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Add amounts into a grid; what lies outside it is left out."""
    inside = np.ones(len(amounts), dtype=bool)
    for key, size in zip(keys, shape, strict=True):
        inside &= (key >= 0) & (key < size)
    at = np.ravel_multi_index(tuple(key[inside] for key in keys), shape)
    total = np.bincount(at, weights=amounts[inside], minlength=int(np.prod(shape)))
    return np.asarray(total, dtype=np.float64).reshape(shape)


class _Coder:
    """Codes of a plan's tables as ranks in a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._items = pd.Index(network.items)
        self._sites = pd.Index(network.sites.codes)
        self._lanes = pd.MultiIndex.from_tuples(network.lanes.codes)

    def items(self, frame: pd.DataFrame) -> IntArray:
        """(N,) ranks of the items."""
        return np.asarray(self._items.get_indexer(pd.Index(frame["item"])), dtype=np.int64)

    def sites(self, codes: pd.Series) -> IntArray:
        """(N,) ranks of sites."""
        return np.asarray(self._sites.get_indexer(pd.Index(codes)), dtype=np.int64)

    def lanes(self, frame: pd.DataFrame) -> IntArray:
        """(N,) ranks of the lanes."""
        keys = pd.MultiIndex.from_frame(frame[["origin", "destination", "mode"]])
        return np.asarray(self._lanes.get_indexer(keys), dtype=np.int64)

    def buckets(self, dates: pd.Series) -> IntArray:
        """(N,) buckets, T beyond the horizon."""
        calendar = self.network.calendar
        days = np.asarray(dates, dtype="datetime64[D]") - np.datetime64(calendar.start, "D")
        return np.asarray(calendar.bucket_of(days.astype(np.int64)), dtype=np.int64)
