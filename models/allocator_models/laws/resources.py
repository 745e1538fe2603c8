"""How much of each shared resource one item's block uses. The block never sees another item."""

from __future__ import annotations

from typing import Any

from allocator_models.laws.demand import served
from allocator_models.laws.lanes import shipped
from allocator_models.laws.stock import closing, outflow
from allocator_models.structure import Bucket, Channel, ExpiryClass, Lane, Site


def lane_volume(m: Any, lane: Lane, t: Bucket) -> Any:
    """Volume shipped on a lane: ``unit_volume * sum_e ship[l,e,t]``. [m3]"""
    return m.unit_volume * shipped(m, lane, t)


def inbound(m: Any, s: Site, t: Bucket) -> Any:
    """Volume of shipments arriving at a site: ``unit_volume * arrivals[s,t]`` (receipts are in the limit). [m3]"""
    arriving = m.structure.arriving.get((s, t), ())
    return m.unit_volume * sum(shipped(m, lane, left) for lane, left in arriving)


def outbound(m: Any, s: Site, t: Bucket) -> Any:
    """Volume leaving a site, shipped or served: ``unit_volume * sum_e outflow[s,e,t]``. [m3]"""
    return m.unit_volume * sum(outflow(m, s, ExpiryClass(e), t) for e in range(m.structure.classes))


def outbound_units(m: Any, s: Site, t: Bucket) -> Any:
    """Quantity leaving a site, shipped or served: ``sum_e outflow[s,e,t]``. [units]"""
    return sum(outflow(m, s, ExpiryClass(e), t) for e in range(m.structure.classes))


def storage(m: Any, s: Site, t: Bucket) -> Any:
    """Volume of closing stock: ``unit_volume * sum_e stock[s,e,t]`` (unusable lots are in the limit). [m3]"""
    return m.unit_volume * closing(m, s, t)


def admission(m: Any, s: Site, c: Channel, t: Bucket) -> Any:
    """Quantity a channel draws from a site: ``sum of serve[a,e,t]`` over its arcs. [units]"""
    index = m.structure
    arcs = [a for a in index.serving.get(s, ()) if index.claim_channel[index.arc_claim[a]] == c]
    return sum(m.serve[a, e, t] for a in arcs for e in range(index.classes))


def fill(m: Any, c: Channel) -> Any:
    """Quantity served to a channel in the whole horizon. [units]"""
    index = m.structure
    claims = [d for d in range(index.claims) if index.claim_channel[d] == c]
    return sum(served(m, d, t) for d in claims for t in range(index.buckets))  # type: ignore[arg-type]
