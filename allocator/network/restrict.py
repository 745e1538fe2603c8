"""A network of some of its items: the same sites, lanes, claims and calendar, the items renumbered from 0."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from allocator.network.network import Network, Outlooks

IntArray = NDArray[np.int64]

PER_ITEM = {
    "": ("quantum", "unit_cost", "unit_volume", "rotation", "margin", "unmet_cost", "cancel_cost"),
    "lanes": ("pack", "min_quantity", "freight", "method", "open"),
    "policies": ("carried", "min_stock", "safety_stock", "max_stock"),
}
"""Arrays whose first axis is the item."""
SPARSE = ("demand", "lots", "locks", "previous", "decided")
"""Parts that list rows of items."""


def restrict(network: Network, items: IntArray) -> Network:
    """Keep some items.

    Parameters
    ----------
    network : Network
    items : (k,) int
        Ascending, none twice.

    Returns
    -------
    Network
        Item j of it is item ``items[j]`` of ``network``. Rows of sparse parts keep their order.
    """
    place = np.full(len(network.items), -1, dtype=np.int64)
    place[items] = np.arange(len(items))
    changed: dict[str, Any] = {name: getattr(network, name)[items] for name in PER_ITEM[""]}
    for part in ("lanes", "policies"):
        owner = getattr(network, part)
        changed[part] = replace(owner, **{name: getattr(owner, name)[items] for name in PER_ITEM[part]})
    for part in SPARSE:
        owner = getattr(network, part, None)
        if owner is not None:
            changed[part] = _rows(owner, place, items)
    if network.outlooks.count > 1:
        changed["outlooks"] = _points(network.outlooks, place, items)
    return replace(network, items=[network.items[i] for i in items.tolist()], **changed)


def _rows(owner: Any, place: IntArray, items: IntArray) -> Any:
    """The rows of ``items``; found by bisection where they are sorted by item."""
    item = owner.item
    if len(item) and (np.diff(item) >= 0).all():
        low, high = np.searchsorted(item, items, "left"), np.searchsorted(item, items, "right")
        count = high - low
        mine = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    else:
        mine = np.flatnonzero(place[item] >= 0)
    taken = {
        field.name: getattr(owner, field.name)[mine]
        for field in fields(owner)
        if isinstance(getattr(owner, field.name), np.ndarray) and getattr(owner, field.name).shape[:1] == item.shape
        and getattr(owner, field.name).ndim == 1
    }  # fmt: skip
    return replace(owner, **(taken | {"item": place[item[mine]]}))


def _points(outlooks: Outlooks, place: IntArray, items: IntArray) -> Outlooks:
    count = np.diff(outlooks.start)[items]
    low = outlooks.start[items]
    mine = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    points = outlooks.points.take(mine)
    points = replace(points, item=place[points.item])
    return replace(outlooks, points=points, start=np.concatenate([[0], np.cumsum(count)]))
