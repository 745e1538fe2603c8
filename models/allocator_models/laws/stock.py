"""Laws of stock at a site: balance, and the levels it should keep to."""

from __future__ import annotations

from typing import Any

from allocator_models.structure import Bucket, ExpiryClass, Site


def outflow(m: Any, s: Site, e: ExpiryClass, t: Bucket) -> Any:
    """Quantity of class e that leaves site s in bucket t, shipped or served. [units]"""
    index = m.structure
    shipped = sum(m.ship[lane, e, t] for lane in index.leaving.get((s, t), ()))
    served = sum(m.serve[arc, e, t] for arc in index.serving.get(s, ()))
    return shipped + served


def balance(m: Any, s: Site, e: ExpiryClass, t: Bucket) -> Any:
    """What closes is what opened, plus what came in, less what left and what expired.

    ``stock[s,e,t] = stock[s,e,t-1] + supply[s,e,t] + arrivals[s,e,t] - outflow[s,e,t] - waste[s,e,t]``
    for each site, expiry class, bucket; units on both sides. Dual: value of one more unit of that class there and then.
    """
    index = m.structure
    opening = m.stock[s, e, t - 1] if t > 0 else 0
    arrivals = sum(m.ship[lane, e, left] for lane, left in index.arriving.get((s, t), ()))
    return m.stock[s, e, t] + outflow(m, s, e, t) + m.waste[s, e, t] - opening - arrivals == m.supply[s, e, t]


def closing(m: Any, s: Site, t: Bucket) -> Any:
    """Closing stock of all classes. [units]"""
    return sum(m.stock[s, e, t] for e in range(m.structure.classes))


def presentation(m: Any, s: Site, t: Bucket) -> Any:
    """Closing stock is at least the presentation stock, or the shortage is paid for.

    ``sum_e stock[s,e,t] + below_min[s,t] >= min_stock[s]``; units. Dual: cost of asking one unit more.
    """
    return closing(m, s, t) + m.below_min[s, t] >= m.min_stock[s]


def safety(m: Any, s: Site, t: Bucket) -> Any:
    """Closing stock is at least the safety stock, or the shortage is paid for.

    ``sum_e stock[s,e,t] + below_safety[s,t] >= safety_stock[s]``; units. Dual: cost of asking one unit more.
    """
    return closing(m, s, t) + m.below_safety[s, t] >= m.safety_stock[s]


def maximum(m: Any, s: Site, t: Bucket) -> Any:
    """Closing stock is at most the maximum stock, or the excess is paid for.

    ``sum_e stock[s,e,t] - above_max[s,t] <= max_stock[s]``; units. Dual: value of one unit more room.
    """
    return closing(m, s, t) - m.above_max[s, t] <= m.max_stock[s]


def cover(m: Any, s: Site, j: int, t: Bucket) -> Any:
    """Stock reaches demand that the outlooks do not show, until later shipments can arrive, or the shortage is paid for.

    ``sum_e stock[s,e,t] + sum_{u<=t} served[s,u] + uncovered[s,j] >= cover_level[s,j]``, t the last bucket before a shipment decided later can
    arrive; units. A few outlooks show no rare demand, and a plan that fits them alone would keep nothing for it. Dual: worth of one unit
    more against rare demand.
    """
    index = m.structure
    arcs = index.serving.get(s, ())
    served = sum(m.serve[arc, e, u] for arc in arcs for e in range(index.classes) for u in range(t + 1))
    return closing(m, s, t) + served + m.uncovered[s, j, t] >= m.cover_level[s, j]
