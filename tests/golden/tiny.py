"""One tiny structure in which every law has a row, and numbers for what its items share."""

from dataclasses import fields
from typing import Any

import numpy as np

from allocator_models.resources import RESOURCE_DATA
from allocator_models.structure import NO_DEPARTURE, Structure

SITES, LANES, CHANNELS, CLAIMS = 2, 3, 2, 3
BUCKETS = 2


def _mask(shape: tuple[int, ...], *true: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    for place in true:
        mask[place] = True
    return mask


def tiny_structure() -> Structure:
    """Site 0 supplies site 1: lane 0 (lead time 1 day, with a minimum and a lock), 1 (pull), 2 (jit, same day)."""
    share = np.full((SITES, CHANNELS, BUCKETS), np.inf)
    share[1, 0, 1] = 0.5
    given: dict[str, Any] = {
        "days": np.array([1, 2]),
        "committed": 1,
        "sites": SITES,
        "classes": 2,
        "channels": CHANNELS,
        "origin": np.zeros(LANES, dtype=np.int64),
        "destination": np.ones(LANES, dtype=np.int64),
        "arrival": np.array([[1, NO_DEPARTURE], [1, NO_DEPARTURE], [0, 1]]),
        "locked": _mask((LANES, BUCKETS), (0, 0)),
        "claim_waits": np.array([False, True, True]),
        "claim_firm": np.array([False, False, True]),
        "claim_channel": np.array([0, 1, 1]),
        "arc_site": np.array([1, 1, 0]),
        "arc_claim": np.array([0, 1, 2]),
        "minimum_lanes": _mask((LANES,), (0,)),
        "pull_lanes": _mask((LANES,), (1,)),
        "jit_lanes": _mask((LANES,), (2,)),
        "share": share,
        "changed": _mask((LANES, BUCKETS), (2, 0)),
        "lane_limited": _mask((LANES, BUCKETS), (0, 0), (2, 1)),
        "admission_limited": _mask((SITES, CHANNELS, BUCKETS), (1, 1, 0)),
        "fill_channels": _mask((CHANNELS,), (0,)),
        "covered": _mask((SITES,), (1,)),
        "cover_until": np.zeros(SITES, dtype=np.int64),
        "outlooks": 1,
    }
    for name in ("policy_min", "policy_safety", "policy_max"):
        given[name] = _mask((SITES,), (1,))
    for name in ("inbound_limited", "outbound_limited", "units_limited", "storage_limited"):
        given[name] = _mask((SITES, BUCKETS), (0 if name.startswith(("out", "units")) else 1, 1))
    assert given.keys() == {field.name for field in fields(Structure)}, "the structure has other fields: mend tiny.py"
    return Structure(**given)


def tiny_resources() -> dict[str, Any]:
    """Limits and prices, all different, so that a row shows which one it took."""
    wide, sites = (LANES, BUCKETS), (SITES, BUCKETS)
    numbers: dict[str, Any] = {
        "lane_limit": 10.5 + np.arange(LANES * BUCKETS).reshape(wide),
        "vehicle_volume": np.array([2.5, 3.5, 4.5]),
        "vehicle_cost": np.array([7.0, 0.0, 9.0]),
        "vehicle_max": np.full(wide, 4.0),
        "inbound_limit": 20.25 + np.arange(SITES * BUCKETS).reshape(sites),
        "outbound_limit": 30.25 + np.arange(SITES * BUCKETS).reshape(sites),
        "units_limit": 40.0 + np.arange(SITES * BUCKETS).reshape(sites),
        "storage_limit": 50.25 + np.arange(SITES * BUCKETS).reshape(sites),
        "admission_limit": 60.0 + np.arange(SITES * CHANNELS * BUCKETS).reshape(SITES, CHANNELS, BUCKETS),
        "fill_floor": np.array([70.0, 71.0]),
        "over_inbound_cost": 80.0,
        "over_storage_cost": np.array([90.0, 180.0]),
        "fill_cost": 100.0,
    }
    assert numbers.keys() == set(RESOURCE_DATA), "the shared laws need other numbers: mend tiny.py"
    return numbers
