"""Laws of demand: served, waiting or lost, and how much a channel may draw."""

from __future__ import annotations

from typing import Any

from allocator_models.laws.stock import closing, outflow
from allocator_models.structure import Bucket, Channel, Claim, ExpiryClass, Site


def served(m: Any, d: Claim, t: Bucket) -> Any:
    """Quantity served to a claim from all its sites. [units]"""
    index = m.structure
    return sum(m.serve[arc, e, t] for arc in index.served_by.get(d, ()) for e in range(index.classes))


def demand(m: Any, d: Claim, t: Bucket) -> Any:
    """Demand is served, waits or is lost.

    ``sum served[d,t] + lost[d,t] + backlog[d,t] = demand[d,t] + backlog[d,t-1]``; units. ``backlog`` exists for claims
    that may wait. Dual: cost of one more unit of demand.
    """
    waits = bool(m.structure.claim_waits[d])
    held = m.backlog[d, t] if waits else 0
    before = m.backlog[d, t - 1] if waits and t > 0 else 0
    return served(m, d, t) + m.lost[d, t] + held - before == m.demand[d, t]


def lapse(m: Any, d: Claim, t: Bucket) -> Any:
    """Waiting demand is served or lost by the end of its longest wait.

    ``sum_{u<=t} (served[d,u] + lost[d,u]) >= lapsed[d,t]``, the demand whose wait has ended by t; units. Served oldest first, that is exact: a unit
    lost pays its lateness to the end of the horizon, so nothing is gained by losing it sooner. Dual: cost of waiting one unit less long.
    """
    return sum(served(m, d, Bucket(u)) + m.lost[d, u] for u in range(t + 1)) >= m.lapsed[d, t]


def share(m: Any, s: Site, c: Channel, t: Bucket) -> Any:
    """A channel draws at most its share of the item's stock at the site.

    ``served[s,c,t] <= share[s,c,t] * (closing stock + outflow + waste)``, the bracket being what opened plus what came in; units.
    Dual: value of one unit more for the channel.
    """
    index = m.structure
    classes = range(index.classes)
    arcs = [a for a in index.serving.get(s, ()) if index.claim_channel[index.arc_claim[a]] == c]
    drawn = sum(m.serve[a, e, t] for a in arcs for e in classes)
    available = closing(m, s, t) + sum(outflow(m, s, ExpiryClass(e), t) + m.waste[s, e, t] for e in classes)
    return drawn - float(index.share[s, c, t]) * available <= 0
