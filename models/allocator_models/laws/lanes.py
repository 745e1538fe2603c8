"""Laws of lanes: packs, minimum quantities, locks, pull, jit and stability."""

from __future__ import annotations

from typing import Any

from allocator_models.structure import Bucket, Lane, Site


def shipped(m: Any, lane: Lane, t: Bucket) -> Any:
    """Quantity of all classes shipped on a lane. [units]"""
    return sum(m.ship[lane, e, t] for e in range(m.structure.classes))


def packing(m: Any, lane: Lane, t: Bucket) -> Any:
    """Inside the commit window a shipment is whole packs.

    ``sum_e ship[l,e,t] = pack_size[l,t] * packs[l,t]``, packs integer; units. Dual: none of use (integers).
    """
    return shipped(m, lane, t) - m.pack_size[lane, t] * m.packs[lane, t] == 0


def minimum(m: Any, lane: Lane, t: Bucket) -> Any:
    """A shipment that goes carries at least the minimum quantity.

    ``sum_e ship[l,e,t] >= min_quantity[l,t] * moved[l,t]``, moved yes/no; units.
    """
    return shipped(m, lane, t) - m.min_quantity[lane, t] * m.moved[lane, t] >= 0


def going(m: Any, lane: Lane, t: Bucket) -> Any:
    """Nothing is carried by a shipment that does not go.

    ``sum_e ship[l,e,t] <= reach[l,t] * moved[l,t]``, reach being all stock that can be there by then; units.
    """
    return shipped(m, lane, t) - m.reach[lane, t] * m.moved[lane, t] <= 0


def lock_least(m: Any, lane: Lane, t: Bucket) -> Any:
    """A planner's lock asks at least that much, or the shortfall is paid for.

    ``sum_e ship[l,e,t] + lock_short[l,t] >= lock_min[l,t]``; units. Dual: cost of the lock per unit.
    """
    return shipped(m, lane, t) + m.lock_short[lane, t] >= m.lock_min[lane, t]


def lock_most(m: Any, lane: Lane, t: Bucket) -> Any:
    """A planner's lock allows at most that much.

    ``sum_e ship[l,e,t] <= lock_max[l,t]``; units. Dual: value of loosening the lock by a unit.
    """
    return shipped(m, lane, t) <= m.lock_max[lane, t]


def change(m: Any, lane: Lane, t: Bucket) -> Any:
    """What differs from the previous plan is counted, up or down.

    ``sum_e ship[l,e,t] - up[l,t] + down[l,t] = previous[l,t]``; units. Dual: at most the change cost per unit.
    """
    return shipped(m, lane, t) - m.up[lane, t] + m.down[lane, t] == m.previous[lane, t]


def pull(m: Any, s: Site, t: Bucket) -> Any:
    """Pull lanes carry only what firm demand or backlog calls for.

    ``sum_{u<=t} (pulled[s,u] - calls[s,u]) <= called[s]``, pulled being all pull shipments to s leaving in u and called the firm demand
    served from s or downstream of it; units. Dual: value of one more unit of firm demand known.
    """
    return sum(_pulled(m, s, Bucket(u)) - m.calls[s, u] for u in range(t + 1)) <= m.called[s]


def calls(m: Any, s: Site, t: Bucket) -> Any:
    """Calls of waiting forecast demand on their way never exceed the backlog that called.

    ``sum of calls[s,u] still in transit after t, or made in t <= sum_d backlog[d,t-1]`` over forecast claims of s and downstream; units.
    """
    index = m.structure
    lead = max(
        (
            (int(index.arrival[lane, u]) - u if index.arrival[lane, u] >= 0 else index.buckets)
            for lane in range(index.lanes)
            if index.pull_lanes[lane] and index.destination[lane] == s
            for u in range(index.buckets)
            if index.arrival[lane, u] >= -1
        ),
        default=0,
    )
    first = t if lead == 0 else max(0, t - lead + 1)
    waiting = (
        sum(m.backlog[d, t - 1] for d in index.callers[s] if index.claim_waits[d] and not index.claim_firm[d])
        if t > 0
        else 0
    )
    return sum(m.calls[s, u] for u in range(first, t + 1)) - waiting <= 0


def calling(m: Any, s: Site, t: Bucket) -> Any:
    """A call is a shipment: what backlog calls for in a bucket leaves in that bucket.

    ``calls[s,t] <= pulled[s,t]``; units.
    """
    return m.calls[s, t] - _pulled(m, s, t) <= 0


def _pulled(m: Any, s: Site, t: Bucket) -> Any:
    index = m.structure
    departures = index.departure_set
    lanes = [
        k for k in range(index.lanes) if index.pull_lanes[k] and index.destination[k] == s and (k, t) in departures
    ]
    return sum(m.is_pull[k] * shipped(m, Lane(k), t) for k in lanes)


def jit(m: Any, s: Site, t: Bucket) -> Any:
    """What arrives by jit lanes leaves in the same bucket.

    ``jit arrivals[s,t] <= outflow[s,t]`` over all classes; units. Dual: worth of one unit of buffer.
    """
    index = m.structure
    classes = range(index.classes)
    arrivals = sum(
        m.is_jit[lane] * shipped(m, lane, left)
        for lane, left in index.arriving.get((s, t), ())
        if index.jit_lanes[lane]
    )
    left = sum(m.ship[lane, e, t] for lane in index.leaving.get((s, t), ()) for e in classes)
    served = sum(m.serve[arc, e, t] for arc in index.serving.get(s, ()) for e in classes)
    return arrivals - left - served <= 0
