"""The index sets of the model: what exists in the network, as small integers.

A :class:`Structure` holds no quantity of any item. All items of a network share it (up to the number of expiry
classes), which is why their blocks can be compiled once and stamped many times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NewType

import numpy as np
from numpy.typing import NDArray

Site = NewType("Site", int)
Lane = NewType("Lane", int)
Claim = NewType("Claim", int)
Arc = NewType("Arc", int)
Channel = NewType("Channel", int)
Bucket = NewType("Bucket", int)
ExpiryClass = NewType("ExpiryClass", int)

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

COVERS = 2
"""Levels of stock at which demand beyond the outlooks is priced."""
NO_DEPARTURE = -2
BEYOND = -1


@dataclass(frozen=True)
class Structure:
    """Sets and adjacency of one network, for items with ``classes`` expiry classes.

    Attributes
    ----------
    days : (T,) int
        Length of each bucket, in days.
    committed : int
        Number of leading buckets whose shipments are executed (whole packs, started vehicles).
    sites, classes : int
        Number of sites and of expiry classes.
    origin, destination : (L,) int
        Sites at the ends of each lane.
    arrival : (L, T) int
        Bucket in which a shipment that leaves in bucket t arrives; ``BEYOND`` after the horizon, ``NO_DEPARTURE``
        when the lane does not depart in that bucket.
    locked : (L, T) bool
        Some item has a lock on that lane and bucket.
    claim_waits, claim_firm : (D,) bool
        The claim may be backordered; the claim is made of firm orders.
    claim_channel : (D,) int
    arc_site, arc_claim : (A,) int
        Service arcs: which site may serve which claim.
    minimum_lanes, pull_lanes, jit_lanes : (L,) bool
        Lanes on which some item has a minimum quantity, the pull method, the jit method.
    policy_min, policy_safety, policy_max : (S,) bool
        Sites at which some item has that stock policy.
    share : (S, C, T) float
        Share of the site's stock that the channel may draw; ``inf`` where there is no limit. [1]
    changed : (L, T) bool
        Lanes and buckets compared with the previous plan.
    lane_limited, inbound_limited, outbound_limited, units_limited, storage_limited : bool arrays, (L, T) or (S, T)
        Where a shared resource of that kind has a limit or a cost.
    admission_limited : (S, C, T) bool
    fill_channels : (C,) bool
        Channels with a minimum fill rate.
    covered : (S,) bool
        Sites whose own demand is to be covered beyond what the outlooks show; none with a single outlook.
    cover_until : (S,) int
        Last bucket before a shipment decided later can arrive at the site.
    outlooks : int
        Demand paths planned against.
    """

    days: IntArray
    committed: int
    sites: int
    classes: int
    channels: int
    origin: IntArray
    destination: IntArray
    arrival: IntArray
    locked: BoolArray
    claim_waits: BoolArray
    claim_firm: BoolArray
    claim_channel: IntArray
    arc_site: IntArray
    arc_claim: IntArray
    minimum_lanes: BoolArray
    pull_lanes: BoolArray
    jit_lanes: BoolArray
    policy_min: BoolArray
    policy_safety: BoolArray
    policy_max: BoolArray
    share: FloatArray
    changed: BoolArray
    lane_limited: BoolArray
    inbound_limited: BoolArray
    outbound_limited: BoolArray
    units_limited: BoolArray
    storage_limited: BoolArray
    admission_limited: BoolArray
    fill_channels: BoolArray
    covered: BoolArray
    cover_until: IntArray
    outlooks: int = 1

    @property
    def buckets(self) -> int:
        """Number of buckets T."""
        return len(self.days)

    @property
    def lanes(self) -> int:
        """Number of lanes L."""
        return len(self.origin)

    @property
    def claims(self) -> int:
        """Number of claims D."""
        return len(self.claim_waits)

    @property
    def arcs(self) -> int:
        """Number of service arcs A."""
        return len(self.arc_site)

    @cached_property
    def departures(self) -> list[tuple[Lane, Bucket]]:
        """Lane and bucket pairs in which the lane departs to arrive in the horizon, or is locked."""
        useful = (self.arrival >= 0) | ((self.arrival == BEYOND) & self.locked)
        return [(Lane(int(lane)), Bucket(int(t))) for lane, t in np.argwhere(useful)]

    @cached_property
    def departure_set(self) -> frozenset[tuple[int, int]]:
        """The same pairs, for look-up."""
        return frozenset(self.departures)

    @cached_property
    def leaving(self) -> dict[tuple[int, int], list[Lane]]:
        """Lanes that leave a site in a bucket."""
        found: dict[tuple[int, int], list[Lane]] = {}
        for lane, t in self.departures:
            found.setdefault((int(self.origin[lane]), t), []).append(lane)
        return found

    @cached_property
    def arriving(self) -> dict[tuple[int, int], list[tuple[Lane, Bucket]]]:
        """Lanes, with the bucket they left in, that arrive at a site in a bucket."""
        found: dict[tuple[int, int], list[tuple[Lane, Bucket]]] = {}
        for lane, t in self.departures:
            arrival = int(self.arrival[lane, t])
            if arrival >= 0:
                found.setdefault((int(self.destination[lane]), arrival), []).append((lane, t))
        return found

    @cached_property
    def serving(self) -> dict[int, list[Arc]]:
        """Service arcs of a site."""
        found: dict[int, list[Arc]] = {}
        for arc, site in enumerate(self.arc_site):
            found.setdefault(int(site), []).append(Arc(arc))
        return found

    @cached_property
    def served_by(self) -> dict[int, list[Arc]]:
        """Service arcs of a claim."""
        found: dict[int, list[Arc]] = {}
        for arc, claim in enumerate(self.arc_claim):
            found.setdefault(int(claim), []).append(Arc(arc))
        return found

    @cached_property
    def downstream(self) -> BoolArray:
        """(S, S) bool: goods at the first site can reach the second by lanes (a site reaches itself)."""
        reach = np.eye(self.sites, dtype=bool)
        for _ in range(self.sites):
            wider = reach.copy()
            np.logical_or.at(wider.T, self.destination, reach.T[self.origin])
            if (wider == reach).all():
                break
            reach = wider
        return reach

    @cached_property
    def pulled_sites(self) -> list[Site]:
        """Sites that some pull lane leads to."""
        return [Site(int(s)) for s in np.unique(self.destination[self.pull_lanes])]

    @cached_property
    def callers(self) -> dict[int, list[Claim]]:
        """Claims served from a pulled site, or from a site downstream of it."""
        found: dict[int, list[Claim]] = {}
        for site in self.pulled_sites:
            claims = np.unique(self.arc_claim[self.downstream[site][self.arc_site]])
            found[int(site)] = [Claim(int(d)) for d in claims]
        return found
