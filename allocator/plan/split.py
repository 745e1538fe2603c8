"""The split: what is pushed now and what is held back, by item, site and channel; and what holding back is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from allocator.engine.hedge import Hedge
from allocator.engine.holding import Holding
from allocator.network.network import Network
from allocator.plan.frames import Frames
from allocator.plan.moves import Moved

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SPLIT = ("item", "site", "channel", "pushed", "reserved", "called", "called_least", "called_most")
HEDGE = ("item", "plan", "push_all", "pull_all", "over_push", "over_pull", "lack_of_buffer")


@dataclass(frozen=True)
class _Uses:
    """What is drawn on sites: place key (item, site, channel; shipping on is one channel past the last), bucket, quantity."""

    key: IntArray
    bucket: IntArray
    quantity: FloatArray
    outlook: IntArray


def split(
    network: Network, moved: Moved, reserves: pd.DataFrame, frames: Frames, hedge: Hedge | None = None
) -> pd.DataFrame:
    """What the plan pushes now and holds back.

    Parameters
    ----------
    network, moved, frames
        The published plan.
    reserves : DataFrame
        Its table of what is held back at the end of the commit window.
    hedge : Hedge, optional
        The solve over several outlooks.

    Returns
    -------
    DataFrame
        item, site, channel (``*`` = for shipping on), and in units: ``pushed``, what committed shipments bring to the site, by the channel that
        its stock serves; ``reserved``, what is held back at the site (table ``reserves``); ``called``, what the outlooks expect
        to draw on the site after the commit window, with the least and the most over the outlooks (the plan's own figure without them).
    """
    uses = _planned(network, moved)
    pushed_key, pushed = _pushed(network, moved, uses)
    reserved_key, reserved = _reserved(network, frames, reserves)
    keys = np.unique(np.concatenate([pushed_key[pushed > 0], reserved_key[reserved > 0]]))
    later, count = (uses, 1) if hedge is None else (_drawn(hedge), hedge.network.outlooks.count)
    called, least, most = _called(network, later, keys, count)
    channels = len(network.channels) + 1
    site, channel = keys // channels % network.size[1], keys % channels
    item = keys // (channels * network.size[1])
    places = np.append(frames.channels, frames.channel.places(["*"]))[channel]
    order = np.lexsort((places, frames.site[site], frames.items[item]))
    columns = {
        "item": frames.item.column(frames.items[item[order]]),
        "site": frames.place.column(frames.site[site[order]]),
        "channel": frames.channel.column(places[order]),
    }
    numbers = (_sums(keys, pushed_key, pushed), _sums(keys, reserved_key, reserved), called, least, most)
    return pd.DataFrame(columns | {name: v[order] for name, v in zip(SPLIT[3:], numbers, strict=True)})


def _sums(keys: IntArray, key: IntArray, quantity: FloatArray) -> FloatArray:
    """Quantity at each of ``keys``; what lies elsewhere is left out."""
    if not len(keys):
        return np.empty(0)
    at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    mine = keys[at] == key
    return np.bincount(at[mine], weights=quantity[mine], minlength=len(keys)).astype(np.float64)


def _keys(network: Network, item: IntArray, site: IntArray, channel: IntArray) -> IntArray:
    channels = np.int64(len(network.channels) + 1)
    return (item.astype(np.int64) * network.size[1] + site) * channels + channel


def _planned(network: Network, moved: Moved) -> _Uses:
    """What the published plan draws on every site."""
    serves, ships, claims = moved.admissions, moved.shipments, network.claims
    star = np.full(len(ships.item), len(network.channels), dtype=np.int64)
    served = _keys(network, serves.item, claims.arc_site[serves.way], claims.channel[claims.arc_claim[serves.way]])
    shipped = _keys(network, ships.item, network.lanes.origin[ships.way], star)
    key = np.concatenate([served, shipped])
    return _Uses(
        key,
        np.concatenate([serves.bucket, ships.bucket]),
        np.concatenate([moved.served, moved.shipped]),
        np.zeros(len(key), dtype=np.int64),
    )


def _drawn(hedge: Hedge) -> _Uses:
    """What each outlook draws on every site."""
    network, drawn = hedge.network, hedge.drawn
    claims = network.claims
    serves = drawn.serves
    site, channel = np.empty_like(drawn.way), np.full(len(drawn.way), len(network.channels), dtype=np.int64)
    site[serves] = claims.arc_site[drawn.way[serves]]
    site[~serves] = network.lanes.origin[drawn.way[~serves]]
    channel[serves] = claims.channel[claims.arc_claim[drawn.way[serves]]]
    return _Uses(_keys(network, drawn.item, site, channel), drawn.bucket, drawn.quantity, drawn.outlook)


def _called(network: Network, uses: _Uses, keys: IntArray, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, least and most drawn after the commit window over ``count`` outlooks."""
    later = (uses.bucket >= network.calendar.committed) & (uses.outlook >= 0)
    spread = (keys[:, None] * count + np.arange(count)).ravel()
    each = _sums(spread, uses.key[later] * count + uses.outlook[later], uses.quantity[later]).reshape(-1, count)
    return each.mean(axis=1), each.min(axis=1, initial=np.inf), each.max(axis=1, initial=0.0)


def _pushed(network: Network, moved: Moved, uses: _Uses) -> tuple[IntArray, FloatArray]:
    """Committed shipments by destination, in the proportions of what the plan draws on it from the first arrival on."""
    ships, buckets = moved.shipments, network.calendar.buckets
    channels = len(network.channels) + 1
    now = np.flatnonzero((ships.bucket < network.calendar.committed) & (moved.shipped > 0))
    arrival = network.lanes.arrival[ships.way[now], ships.bucket[now]]
    place = _keys(network, ships.item[now], network.lanes.destination[ships.way[now]], np.zeros_like(now)) // channels
    places, at = np.unique(place, return_inverse=True)
    brought = np.bincount(at, weights=moved.shipped[now], minlength=len(places))
    first = np.full(len(places), buckets, dtype=np.int64)
    np.minimum.at(first, at, np.where(arrival < 0, buckets, arrival))
    cell = (places[:, None] * channels + np.arange(channels)).ravel()
    where = np.minimum(np.searchsorted(places, uses.key // channels), max(len(places) - 1, 0))
    if not len(places):
        return cell, np.empty(0)
    mine = (places[where] == uses.key // channels) & (uses.bucket >= first[where])
    drawn = _sums(cell, uses.key[mine], uses.quantity[mine]).reshape(-1, channels)
    total = drawn.sum(axis=1, keepdims=True)
    # nothing drawn later: it lies there for shipping on
    drawn[total[:, 0] <= 0, -1] = 1.0
    share = drawn / np.where(total > 0, total, 1.0)
    return cell, (brought[:, None] * share).ravel()


def _reserved(network: Network, frames: Frames, reserves: pd.DataFrame) -> tuple[IntArray, FloatArray]:
    """The table of reserves by place key."""
    own = np.argsort(frames.items), np.argsort(frames.site)
    channels = np.append(frames.channels, frames.channel.places(["*"]))
    turn = np.full(len(frames.channel.dtype.categories), -1, dtype=np.int64)
    turn[channels] = np.arange(len(channels))
    item = own[0][np.searchsorted(frames.items, reserves["item"].cat.codes.to_numpy(), sorter=own[0])]
    site = own[1][np.searchsorted(frames.site, reserves["site"].cat.codes.to_numpy(), sorter=own[1])]
    key = _keys(network, item, site, turn[reserves["channel"].cat.codes.to_numpy()])
    return key, reserves["quantity"].to_numpy(dtype=np.float64)


def hedge_table(frames: Frames, holding: Holding | None) -> pd.DataFrame:
    """Expected cost of each item as planned, pushing all and pulling all, and what the plan saves over them; empty without outlooks. [currency]"""
    if holding is None:
        holding = Holding(*(np.empty(0) for _ in range(4)))
    items = frames.items[: len(holding.plan)]
    values = (
        frames.item.column(items),
        holding.plan,
        holding.push_all,
        holding.pull_all,
        holding.push_all - holding.plan,
        holding.pull_all - holding.plan,
        holding.plan - holding.buffered,
    )
    return pd.DataFrame(dict(zip(HEDGE, values, strict=True)))
