"""Laws of what items share: lanes and their vehicles, site capacities, admission limits, minimum fill rates.

``use_KIND[r]`` is the sum over items of what their blocks declare in :mod:`allocator_models.laws.resources`.
"""

from __future__ import annotations

from typing import Any

from allocator_models.structure import Bucket, Channel, Lane, Site


def lane_volume(m: Any, lane: Lane, t: Bucket) -> Any:
    """A lane carries at most its volume.

    ``use_lane_volume[l,t] <= lane_limit[l,t]``; m3. Dual: value of one m3 more on the lane that day.
    """
    return m.use_lane_volume[lane, t] <= m.lane_limit[lane, t]


def vehicles(m: Any, lane: Lane, t: Bucket) -> Any:
    """What a lane carries fits in its started vehicles.

    ``use_lane_volume[l,t] <= vehicle_volume[l] * vehicles[l,t]``, vehicles integer inside the commit window; m3.
    """
    return m.use_lane_volume[lane, t] - m.vehicle_volume[lane] * m.vehicles[lane, t] <= 0


def inbound(m: Any, s: Site, t: Bucket) -> Any:
    """A site takes in at most its inbound volume, or the excess is paid for.

    ``use_inbound[s,t] - over_inbound[s,t] <= inbound_limit[s,t]``, the limit less receipts; m3. Dual: value of one m3 more.
    """
    return m.use_inbound[s, t] - m.over_inbound[s, t] <= m.inbound_limit[s, t]


def outbound(m: Any, s: Site, t: Bucket) -> Any:
    """A site lets out at most its outbound volume.

    ``use_outbound[s,t] <= outbound_limit[s,t]``; m3. Dual: value of one m3 more.
    """
    return m.use_outbound[s, t] <= m.outbound_limit[s, t]


def outbound_units(m: Any, s: Site, t: Bucket) -> Any:
    """A site handles at most so many units out.

    ``use_outbound_units[s,t] <= units_limit[s,t]``; units. Dual: value of one unit more.
    """
    return m.use_outbound_units[s, t] <= m.units_limit[s, t]


def storage(m: Any, s: Site, t: Bucket) -> Any:
    """Closing stock fits in the site, or the excess is paid for.

    ``use_storage[s,t] - over_storage[s,t] <= storage_limit[s,t]``, the limit less unusable lots; m3. Dual: value of one m3 more.
    """
    return m.use_storage[s, t] - m.over_storage[s, t] <= m.storage_limit[s, t]


def admission(m: Any, s: Site, c: Channel, t: Bucket) -> Any:
    """A channel draws at most its admission limit from a site.

    ``use_admission[s,c,t] <= admission_limit[s,c,t]``; units. Dual: value of admitting one unit more.
    """
    return m.use_admission[s, c, t] <= m.admission_limit[s, c, t]


def fill(m: Any, c: Channel) -> Any:
    """A channel is served at least its minimum fill rate, or the shortfall is paid for.

    ``use_fill[c] + fill_short[c] >= fill_floor[c]``, the floor being rate times demand; units. Dual: cost of one unit more.
    """
    return m.use_fill[c] + m.fill_short[c] >= m.fill_floor[c]
