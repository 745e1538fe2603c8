"""The model's index sets, read off a coded network."""

from __future__ import annotations

import numpy as np

from allocator.network.network import JIT, PULL, Network
from allocator.program.cover import covered_sites
from allocator_models.structure import Structure


def build_structure(network: Network, classes: int) -> Structure:
    """Index sets for items with ``classes`` expiry classes."""
    calendar, lanes, claims, sites = network.calendar, network.lanes, network.claims, network.sites
    shape = (len(lanes.codes), calendar.buckets)
    locked = np.zeros(shape, dtype=bool)
    locked[network.locks.lane, network.locks.bucket] = True
    limited = np.isfinite(lanes.daily_volume) | (lanes.cost_per_shipment > 0)[:, None]
    has_volume = bool((network.unit_volume > 0).any())
    policies = network.policies
    covered, cover_until = covered_sites(network)
    return Structure(
        days=calendar.length,
        committed=calendar.committed,
        sites=len(sites.codes),
        classes=classes,
        channels=len(network.channels),
        origin=lanes.origin,
        destination=lanes.destination,
        arrival=lanes.arrival,
        locked=locked,
        claim_waits=claims.waits,
        claim_firm=claims.firm,
        claim_channel=claims.channel,
        arc_site=claims.arc_site,
        arc_claim=claims.arc_claim,
        minimum_lanes=np.any(lanes.min_quantity > 0, axis=0),
        pull_lanes=np.any(lanes.method == PULL, axis=0),
        jit_lanes=np.any(lanes.method == JIT, axis=0),
        policy_min=np.any(policies.min_stock > 0, axis=0),
        policy_safety=np.any(policies.safety_stock > 0, axis=0),
        policy_max=np.any(np.isfinite(policies.max_stock), axis=0),
        share=network.limits.max_share,
        changed=network.previous.compared & (network.change_cost > 0),
        lane_limited=limited & has_volume,
        inbound_limited=np.isfinite(sites.inbound) & has_volume,
        outbound_limited=np.isfinite(sites.outbound) & has_volume,
        units_limited=np.isfinite(sites.outbound_units),
        storage_limited=np.isfinite(sites.storage) & has_volume,
        admission_limited=np.isfinite(network.limits.max_units),
        fill_channels=network.limits.min_fill > 0,
        covered=covered,
        cover_until=cover_until,
        outlooks=network.outlooks.count,
    )
